"""Each early warning alone: noise is none, a change of its size is one, nothing makes it fail."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.cells import CellDays, cell_days, drifting_cells
from contactor.history.anomalies.consumption import unexplained_losses
from contactor.history.anomalies.frozen import frozen_sensor
from contactor.history.anomalies.isolation import isolation_loss
from contactor.history.anomalies.low_voltage import low_voltage_decline
from contactor.history.anomalies.thermal import thermal_imbalance
from contactor.history.facts import Stand

START = 1_772_323_200 * NS_PER_S
seeds = st.integers(0, 2**32 - 1)


def rows(days: int, per_day: int = 40) -> np.ndarray:
    """A row every minute from eight o'clock on, each day."""
    minutes = np.arange(per_day) * 60 * NS_PER_S + 8 * 3600 * NS_PER_S
    return (START + np.arange(days)[:, None] * NS_PER_DAY + minutes).ravel()


@given(seed=seeds, days=st.integers(1, 30), cells=st.sampled_from([8, 96, 108]))
def test_cells_with_noise_do_not_drift(seed: int, days: int, cells: int) -> None:
    source = np.random.default_rng(seed)
    sizes = source.normal(0, 0.003, cells)
    empty = source.uniform(0, 1, (days, 1))  # how empty the car is: the small ones show it
    deviation = sizes * (1 + empty) + source.normal(0, 0.001, (days, cells))

    assert drifting_cells(CellDays(np.arange(days) * NS_PER_DAY, deviation)) == []


@given(seed=seeds, cell=st.integers(0, 95), sign=st.sampled_from([-1, 1]))
def test_cell_that_drifts_is_found(seed: int, cell: int, sign: int) -> None:
    source = np.random.default_rng(seed)
    deviation = source.normal(0, 0.003, 96) + source.normal(0, 0.0007, (40, 96))
    deviation[10:, cell] += sign * np.arange(30) * 0.001  # 1 mV a day from the tenth day on

    [one] = drifting_cells(CellDays(START + np.arange(40) * NS_PER_DAY, deviation))

    assert one.subject == str(cell + 1)
    assert 10 <= (one.since_ns - START) // NS_PER_DAY <= 32


def test_cells_of_parts_are_those_of_the_whole() -> None:
    source = np.random.default_rng(1)
    ts, volts = rows(6), source.normal(3.7, 0.01, (240, 96))
    whole = cell_days(ts, volts)
    parts = CellDays.joined([cell_days(ts[:80], volts[:80]), cell_days(ts[80:], volts[80:])])

    assert (whole.ts == parts.ts).all()
    assert (whole.deviation_v == parts.deviation_v).all()


@given(seed=seeds, days=st.integers(1, 40))
def test_low_voltage_with_noise_does_not_decline(seed: int, days: int) -> None:
    source = np.random.default_rng(seed)
    ts = rows(days)
    volts = np.where(np.arange(len(ts)) % 40 == 0, 12.65, 13.9)
    volts = volts + source.normal(0, 0.02, len(ts))

    assert low_voltage_decline(ts, volts) == []


@given(seed=seeds, per_day_v=st.floats(0.02, 0.1))
def test_low_voltage_that_declines_is_found(seed: int, per_day_v: float) -> None:
    source = np.random.default_rng(seed)
    ts = rows(40)
    rest = 12.65 - per_day_v * np.maximum(np.arange(40) - 10, 0)
    volts = np.where(np.arange(len(ts)) % 40 == 0, np.repeat(rest, 40), 13.9)
    volts = np.maximum(volts, 7.0) + source.normal(0, 0.01, len(ts))

    [one] = low_voltage_decline(ts, volts)

    assert one.severity is (Severity.CRITICAL if rest[-2] < 11.8 else Severity.WARNING) or (
        abs(rest[-2] - 11.8) < 0.05
    )


@given(level=st.floats(300, 9_000), seed=seeds)
def test_insulation_that_wanders_is_sound(level: float, seed: int) -> None:
    source = np.random.default_rng(seed)
    ts = rows(20)

    assert isolation_loss(ts, level * source.uniform(0.8, 1.2, len(ts))) == []


def test_insulation_is_judged_by_the_packs_voltage() -> None:
    ts, kohm = rows(1), np.full(40, 150.0)
    for volts, severity in [
        (250.0, None),
        (400.0, "warning"),
        (800.0, "warning"),
        (1600, "critical"),
    ]:
        found = [one.severity for one in isolation_loss(ts, kohm, np.full(40, volts))]
        assert found == ([] if severity is None else [Severity(severity)])


def test_insulation_that_falls_is_told_before_it_is_low() -> None:
    ts = rows(10)
    kohm = np.where(ts < START + 8 * NS_PER_DAY, 5_000.0, 1_200.0)

    [one] = isolation_loss(ts, kohm, np.full(len(ts), 400.0))

    assert one.severity is Severity.INFO
    assert one.since_ns == ts[kohm < 2_000][0]


def test_one_wild_reading_is_nothing() -> None:
    ts, kohm = rows(10), np.full(400, 5_000.0)
    kohm[-3:] = 0.0

    assert isolation_loss(ts, kohm) == []


@given(seed=seeds, days=st.integers(1, 30))
def test_temperatures_with_noise_are_even(seed: int, days: int) -> None:
    source = np.random.default_rng(seed)
    ts = rows(days)
    least = source.normal(20, 5, len(ts))

    assert thermal_imbalance(ts, least, least + source.uniform(0, 3, len(ts))) == []


@given(seed=seeds, stuck=st.integers(40, 200))
def test_sensor_that_stands_still_is_found_once_it_did_so_long(seed: int, stuck: int) -> None:
    source = np.random.default_rng(seed)
    ts = rows(30)
    values = np.repeat(np.arange(300), 4).astype(float) + source.choice([0.0, 0.25])
    values[-stuck:] = values[-stuck]
    working = np.ones(len(ts), np.bool_)

    found = frozen_sensor("Vehicle.Speed", ts, values, working, least_s=600.0)

    assert len(found) == 1
    assert not frozen_sensor("Vehicle.Speed", ts, values, working, least_s=600.0 * 60)


@given(seed=seeds)
def test_sensor_of_a_car_that_stands_may_stand(seed: int) -> None:
    source = np.random.default_rng(seed)
    ts = rows(30)
    working = source.random(len(ts)) < 0.5
    values = np.cumsum(working).astype(float)

    assert not frozen_sensor("Vehicle.Speed", ts, values, working, least_s=60.0)


def stand(number: int, lost_w: float) -> Stand:
    start_ns = START + number * NS_PER_DAY
    return Stand(
        start_ns=start_ns,
        end_ns=start_ns + 10 * 3600 * NS_PER_S,
        location=None,
        soc_start_pct=None,
        soc_end_pct=None,
        lost_kwh=lost_w * 10 / 1000,
        awake_kwh=None,
    )


def test_losses_while_parked_are_found() -> None:
    usual = [stand(n, 5 + n % 4) for n in range(20)]

    assert unexplained_losses(usual) == []
    [one] = unexplained_losses([*usual, *(stand(20 + n, 90) for n in range(4))])
    assert one.subject == "parked"
    assert one.since_ns == START + 20 * NS_PER_DAY


values = arrays.arrays(
    np.float64, st.integers(0, 60), elements=st.floats(-1e9, 1e9) | st.just(np.nan)
)


@given(values=values, step_s=st.sampled_from([1, 60, 7200, 90_000]))
def test_nothing_makes_a_detector_fail(values: np.ndarray, step_s: int) -> None:
    ts = START + np.arange(len(values)) * step_s * NS_PER_S
    cells = np.tile(values[:, None], (1, 9)) + np.arange(9)

    low_voltage_decline(ts, values)
    isolation_loss(ts, values, values)
    thermal_imbalance(ts, values, values[::-1])
    frozen_sensor("Vehicle.Speed", ts, values, np.ones(len(ts), np.bool_), least_s=1.0)
    drifting_cells(cell_days(ts, cells))
