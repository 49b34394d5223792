"""Trips and charges that have ended, as rules hear of them."""

import pytest

from contactor.clock import NS_PER_S
from contactor.history.alerts.endings import endings
from contactor.history.alerts.rules import FactKind
from contactor.history.facts import (
    Charge,
    ChargeKind,
    Energy,
    EnergySource,
    Facts,
    Interval,
    State,
    Trip,
)

START = 1_700_000_000 * NS_PER_S
HOUR = 3_600 * NS_PER_S
ENERGY = Energy(out_kwh=8.0, in_kwh=2.0, source=EnergySource.VOLTAGE_CURRENT, known_s=3600)


def trip(*, soc_end_pct: float | None = 60.0) -> Trip:
    return Trip(
        start_ns=START,
        end_ns=START + HOUR,
        distance_km=40.6,
        moving_s=3_500,
        energy=ENERGY,
        soc_start_pct=80,
        soc_end_pct=soc_end_pct,
        speed_max_kmh=None,
        ambient_mean_degc=None,
        battery_mean_degc=None,
        elevation_gain_m=None,
        start_location=None,
        end_location=None,
    )


def charge(*, soc_end_pct: float | None, plugged_s: int | None) -> Charge:
    return Charge(
        start_ns=START,
        end_ns=START + HOUR,
        kind=ChargeKind.AC,
        energy=Energy(out_kwh=0, in_kwh=9.3, source=EnergySource.POWER, known_s=3600),
        wall_kwh=None,
        soc_start_pct=None,
        soc_end_pct=soc_end_pct,
        power_max_kw=None,
        battery_mean_degc=None,
        location=None,
        plugged_end_ns=None if plugged_s is None else START + HOUR + plugged_s * NS_PER_S,
    )


def facts(*, trips: tuple[Trip, ...] = (), charges: tuple[Charge, ...] = ()) -> Facts:
    return Facts(intervals=(), trips=trips, charges=charges, stands=())


def test_trip_has_ended_once_some_minutes_are_over() -> None:
    known = facts(trips=(trip(),))
    soon, later = START + HOUR + 300 * NS_PER_S, START + HOUR + 700 * NS_PER_S

    assert endings(known, soon, since_ns=START) == []
    [one] = endings(known, later, since_ns=START)
    assert (one.fact, one.is_interrupted) == (FactKind.TRIP, False)
    assert one.words == "40.6 km, 1 h 0 min, 6.0 kWh, now at 60 %"
    assert endings(known, later, since_ns=START + 2 * HOUR) == []


@pytest.mark.parametrize(("silent_h", "is_interrupted"), [(0.1, False), (2, True)])
def test_trip_after_which_the_car_is_silent_is_interrupted(
    silent_h: float, is_interrupted: bool
) -> None:
    end = START + HOUR
    offline = Interval(state=State.OFFLINE, start_ns=end, end_ns=end + round(silent_h * HOUR))
    known = Facts(intervals=(offline,), trips=(trip(),), charges=(), stands=())

    [one] = endings(known, end + 3 * HOUR, since_ns=START)

    assert one.is_interrupted is is_interrupted


def test_trip_with_an_empty_battery_is_interrupted() -> None:
    [one] = endings(facts(trips=(trip(soc_end_pct=0.5),)), START + 3 * HOUR, since_ns=START)

    assert one.is_interrupted


@pytest.mark.parametrize(
    ("soc_end_pct", "plugged_s", "limit_pct", "is_interrupted"),
    [
        (80.0, 3600, 80.0, False),
        (79.0, 3600, 80.0, False),
        (55.0, 3600, 80.0, True),
        (55.0, None, 80.0, True),
        (55.0, 30, 80.0, False),  # somebody has pulled the cable
        (55.0, 3600, None, False),
        (None, 3600, 80.0, False),
    ],
)
def test_charge_that_stopped_under_its_limit_is_interrupted(
    soc_end_pct: float | None, plugged_s: int | None, limit_pct: float | None, is_interrupted: bool
) -> None:
    known = facts(charges=(charge(soc_end_pct=soc_end_pct, plugged_s=plugged_s),))

    [one] = endings(known, START + 3 * HOUR, since_ns=START, limit_pct=limit_pct)

    assert one.is_interrupted is is_interrupted
    assert one.words.startswith("9.3 kWh, 1 h 0 min")
