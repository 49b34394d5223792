"""Early warnings of a virtual car: none in a sound month, each fault within its time.

The car is that of physics, its faults those of `car/virtual/faults.py`; what that car cannot break
(12 V battery, a brake, one place of the battery that gets hot) is broken in its equations or rows.
"""

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from contactor.history.alerts.rules import Severity
from contactor.history.anomalies.anomaly import MAX_POINTS, Anomaly, Kind
from contactor.history.anomalies.look import GREATEST_DEGC, POWER, Seen, Series, look
from tests.history.anomalies.virtual_car import VirtualWeeks, heavier_rolling, thirsty_asleep

CARS = int(os.environ.get("CONTACTOR_TEST_CARS", "1"))
SOUND_DAYS = 14
BATTERY_DEGC = "Vehicle.Powertrain.TractionBattery.Temperature.Average"


@pytest.fixture(scope="module", params=range(1, 1 + CARS))
def sound(request: pytest.FixtureRequest) -> VirtualWeeks:
    """A car that was sound for two weeks."""
    return VirtualWeeks(request.param).live(SOUND_DAYS)


def test_sound_car_shows_nothing_on_any_day_of_a_month(sound: VirtualWeeks) -> None:
    car = VirtualWeeks(sound.seed)
    for _ in range(30):
        assert look(car.live(1).seen()) == []


Break = Callable[[VirtualWeeks], None]


@pytest.mark.parametrize(
    ("kind", "subject", "days", "begin"),
    [
        (Kind.DRIFTING_CELL, "1", 3, lambda car: car.breaks("CellImbalance")),
        (Kind.ISOLATION, "", 1, lambda car: car.breaks("IsolationLoss")),
        (Kind.FROZEN_SENSOR, "Vehicle.Speed", 1, lambda car: car.breaks("StuckSensor", 1)),
        (Kind.FROZEN_SENSOR, BATTERY_DEGC, 6, lambda car: car.breaks("StuckSensor", 2)),
        (Kind.UNEXPLAINED_CONSUMPTION, "", 6, lambda car: car.changes(heavier_rolling)),
        (Kind.LOW_VOLTAGE_DECLINE, "", 5, lambda car: car.changes(thirsty_asleep)),
    ],
)
def test_fault_is_found_within_its_time(
    sound: VirtualWeeks, kind: Kind, subject: str, days: int, begin: Break
) -> None:
    car = sound.copy()
    began_ns = car.now_ns
    begin(car)
    found: list[Anomaly] = []
    for _ in range(days):
        found = look(car.live(1).seen())
        if found:
            break

    [one] = found
    assert (one.kind, one.subject) == (kind, subject)
    assert one.severity in (Severity.WARNING, Severity.CRITICAL)
    # Stamped by the day, or by the first of the trips that count together.
    assert began_ns - 3 * 86_400 * 10**9 <= one.since_ns <= car.now_ns
    check_evidence(one)


def check_evidence(one: Anomaly) -> None:
    shown = one.evidence
    assert 0 < len(shown.ts) <= MAX_POINTS
    assert len(shown.value) == len(shown.low) == len(shown.high) == len(shown.ts)
    assert (np.diff(shown.ts) > 0).all()
    is_out = (shown.value < shown.low) | (shown.value > shown.high)
    assert is_out[-6:].any()  # a trip among the last may be as usual


def test_isolation_is_found_within_a_minute_of_driving(sound: VirtualWeeks) -> None:
    car = sound.copy()
    while not car.is_driving:
        car.live(60 / 86_400)
    car.breaks("IsolationLoss")
    car.live(90 / 86_400)

    [one] = look(car.seen())
    assert one.kind is Kind.ISOLATION


def test_place_that_gets_hot_is_found(sound: VirtualWeeks) -> None:
    seen = sound.seen()
    greatest, power = seen.columns[GREATEST_DEGC], seen.columns[POWER]
    is_late = greatest.ts > greatest.ts[-1] - 3 * 86_400 * 10**9
    hotter = np.where(is_late, np.minimum(np.abs(power.values) / 1500, 9.0), 0.0)
    columns = {**seen.columns, GREATEST_DEGC: Series(greatest.ts, greatest.values + hotter)}

    [one] = look(replace(seen, columns=columns))

    assert one.kind is Kind.THERMAL_IMBALANCE
    check_evidence(one)


def test_car_that_tells_nothing_shows_nothing() -> None:
    assert look(Seen()) == []
