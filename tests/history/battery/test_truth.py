"""Virtual cars whose battery is known, told by sensors that err: the band holds the truth."""

import os
from dataclasses import replace
from functools import cache

import numpy as np

from contactor.history.battery import Method, battery_report, conclude, gather, join
from contactor.history.columns import Columns
from tests.history.battery.living import Month, month, part, told

# All of it: CONTACTOR_TEST_CARS=30.
CARS = int(os.environ.get("CONTACTOR_TEST_CARS", "2"))
TOLD = 25
MODELS = ("contactor_ev", "nissan_leaf_ze1", "tesla_model_3")
DRIVERS = (None, "calm", "brisk")


@cache
def lived(car: int) -> Month:
    return month(car, model=MODELS[car % 3], driver=DRIVERS[car // 3 % 3])


def test_capacity_lies_in_its_band_and_the_band_is_narrow_after_a_month() -> None:
    source = np.random.default_rng(7)
    inside, widths, beside = [], [], []
    for car in range(1, CARS + 1):
        for _ in range(TOLD):
            report = battery_report(told(lived(car), source), lived(car).facts)
            assert report.method is Method.CHARGE_COUNTED
            assert report.capacity_kwh is not None
            assert report.capacity_uncertainty_kwh is not None
            error = abs(report.capacity_kwh - lived(car).capacity_kwh)
            inside.append(error <= report.capacity_uncertainty_kwh)
            widths.append(report.capacity_uncertainty_kwh / lived(car).capacity_kwh)
            beside.append(1.96 * error / report.capacity_uncertainty_kwh)
    assert np.mean(inside) >= 0.9
    # Nor is the band wider than it must be: the errors fill it.
    assert 0.6 <= np.sqrt(np.mean(np.square(beside))) <= 1.2
    assert CARS < 9 or np.mean(inside) <= 0.99
    assert max(widths) <= 0.03


def test_capacity_is_close_where_the_sensors_are_true() -> None:
    report = battery_report(told(lived(1), np.random.default_rng(1), perfect=True), lived(1).facts)
    assert report.capacity_ah is not None
    assert abs(report.capacity_ah / lived(1).capacity_ah - 1) < 0.003
    assert report.use is not None
    assert report.resistance is not None
    assert report.sessions_set_aside == 0


def test_evidence_of_parts_is_that_of_the_whole() -> None:
    columns = told(lived(1), np.random.default_rng(2))
    facts = lived(1).facts
    middle_ns = int(facts.charges[len(facts.charges) // 2].start_ns)
    whole = gather(columns, facts)
    halves = join(
        gather(*part(columns, facts, begin_ns, end_ns))
        for begin_ns, end_ns in ((0, middle_ns), (middle_ns, 2**62))
    )
    assert len(halves.windows) == len(whole.windows)
    assert [day.day for day in halves.days] == [day.day for day in whole.days]
    one, other = conclude(whole), conclude(halves)
    assert one.capacity_kwh is not None
    assert other.capacity_kwh is not None
    assert abs(one.capacity_kwh / other.capacity_kwh - 1) < 1e-3


def test_energy_alone_tells_the_capacity_too() -> None:
    columns = told(lived(2), np.random.default_rng(3), perfect=True)
    columns = without_current(columns)
    report = battery_report(columns, lived(2).facts)
    assert report.method is Method.ENERGY_COUNTED
    assert report.capacity_kwh is not None
    assert abs(report.capacity_kwh / lived(2).capacity_kwh - 1) < 0.03


def without_current(columns: Columns) -> Columns:
    assert columns.voltage_v is not None
    assert columns.current_a is not None
    power = columns.voltage_v * columns.current_a
    return replace(columns, voltage_v=None, current_a=None, power_w=power)
