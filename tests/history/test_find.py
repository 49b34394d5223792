"""What `find` says of a made-up car, whatever it tells and however often."""

import msgspec
import numpy as np
import pytest

from contactor.can.kernels import SWITCH
from contactor.history.columns import Columns
from contactor.history.facts import ChargeKind, EnergySource, Facts, State
from contactor.history.find import find
from tests.history.made import ALL, CAPACITY_KWH, START_NS, Day, S, live

DAY = [
    *("park 30", "drive 25", "park 40", "drive 12", "wait 8", "drive 20"),
    *("plug 10", "charge 120", "plug 20", "park 60", "drive 18", "park 25"),
]
FLOW = ("voltage_v", "current_a")
TOLD = {
    "all": ALL,
    "speed and flow": ("speed_kmh", *FLOW),
    "odometer and flow": ("odometer_m", "is_on", *FLOW),
    "position and flow": ("latitude_deg", "longitude_deg", *FLOW),
    "speed and charge": ("speed_kmh", "is_on", "is_charging", "state_of_charge_pct"),
    "speed and charge alone": ("speed_kmh", "state_of_charge_pct"),
}


@pytest.fixture(scope="module")
def day() -> Day:
    return live(DAY)


@pytest.mark.parametrize("every_s", [1, 5, 60])
@pytest.mark.parametrize("names", TOLD.values(), ids=TOLD)
def test_find_finds_trips_and_charges_from_whatever_the_car_tells(
    day: Day, names: tuple[str, ...], every_s: int
) -> None:
    columns = day.columns(every_s=every_s, names=names)
    facts = find(columns, capacity_kwh=CAPACITY_KWH)
    assert len(facts.trips) == 3
    assert len(facts.charges) == 1
    trips = [day.trips[0], day.trips[1], day.trips[3]]
    ends = [day.trips[0], day.trips[2], day.trips[3]]
    slack_s = 12 * 60 if "is_on" not in names else 2 * every_s + 60
    for found, first, last in zip(facts.trips, trips, ends, strict=True):
        assert abs((found.start_ns - START_NS) / S - first.start_s) <= slack_s
        assert abs((found.end_ns - START_NS) / S - last.end_s) <= slack_s
    (charge,), (true,) = facts.charges, day.charges
    assert charge.energy is not None
    assert charge.energy.in_kwh == pytest.approx(-true.kwh, rel=0.03 if every_s == 60 else 0.01)


@pytest.mark.parametrize("every_s", [1, 5, 60])
def test_energy_and_distance_of_means_are_those_of_every_second(day: Day, every_s: int) -> None:
    facts = find(day.columns(every_s=every_s))
    true = [day.trips[0], day.trips[3]]
    for found, trip in zip((facts.trips[0], facts.trips[2]), true, strict=True):
        assert found.energy is not None
        assert found.energy.source is EnergySource.VOLTAGE_CURRENT
        assert found.energy.net_kwh == pytest.approx(trip.kwh, rel=0.005 if every_s < 60 else 0.03)
        assert found.distance_km == pytest.approx(trip.km, rel=0.005 if every_s < 60 else 0.03)


def test_intervals_follow_each_other_without_holes(day: Day) -> None:
    facts = find(day.columns())
    states = [one.state for one in facts.intervals]
    assert states == [
        *(State.PARKED, State.DRIVING, State.PARKED, State.DRIVING, State.PARKED),
        *(State.CHARGING, State.PARKED, State.DRIVING, State.PARKED),
    ]
    ends = [one.end_ns for one in facts.intervals]
    assert ends[:-1] == [one.start_ns for one in facts.intervals[1:]]


def test_charge_knows_cable_kind_and_power(day: Day) -> None:
    (charge,) = find(day.columns()).charges
    assert charge.kind is ChargeKind.AC
    assert charge.power_max_kw == pytest.approx(10.08, rel=1e-3)
    true = day.charges[0]
    assert charge.plugged_start_ns == START_NS + int(true.start_s - 600) * S
    assert charge.plugged_end_ns == START_NS + int(true.end_s + 1200) * S


def test_stands_say_what_standing_cost(day: Day) -> None:
    facts = find(day.columns())
    assert len(facts.stands) == 4
    lost = facts.stands[1].lost_kwh
    assert lost == pytest.approx(0.2 * 360 * 40 * 60 / 3.6e6, rel=0.01)
    assert facts.stands[2].lost_kwh == pytest.approx(
        (0.1 * 30 + 0.2 * 60) * 360 * 60 / 3.6e6, rel=0.02
    )


def test_silence_while_parked_is_sleep_and_cuts_nothing_else() -> None:
    day = live(["park 10", "drive 20", "park 300", "drive 20", "park 10"])
    kept = np.ones(len(day.seconds["is_on"]), bool)
    kept[32 * 60 : 325 * 60] = False
    facts = find(day.columns(kept=kept))
    assert [one.state for one in facts.intervals][2:5] == [State.PARKED, State.ASLEEP, State.PARKED]
    assert len(facts.trips) == 2
    assert facts.stands[1].lost_kwh is None
    assert facts.stands[1].awake_kwh is not None


@pytest.mark.parametrize("minutes", [4, 9, 25])
def test_silence_on_the_way_is_bridged_by_odometer(minutes: int) -> None:
    day = live(["park 10", "drive 50", "park 20"])
    kept = np.ones(len(day.seconds["is_on"]), bool)
    kept[20 * 60 : (20 + minutes) * 60] = False
    (trip,) = find(day.columns(kept=kept)).trips
    assert trip.distance_km == pytest.approx(day.trips[0].km, rel=0.005)


def test_drive_after_a_long_silence_elsewhere_is_another_trip() -> None:
    day = live(["park 10", "drive 60", "drive 60", "park 20"])
    kept = np.ones(len(day.seconds["is_on"]), bool)
    kept[40 * 60 : 90 * 60] = False
    facts = find(day.columns(kept=kept))
    assert len(facts.trips) == 2
    assert State.OFFLINE in [one.state for one in facts.intervals]


def test_preheating_at_the_cable_is_no_charge() -> None:
    day = live(["park 10", "plug 60", "drive 20", "park 10"])
    day.seconds["current_a"][50 * 60 : 70 * 60] = -8.0
    day.seconds["is_charging"][50 * 60 : 70 * 60] = 1
    assert find(day.columns()).charges == ()


def test_failed_session_is_no_charge() -> None:
    day = live(["park 10", "plug 60", "park 10"])
    day.seconds["is_charging"][20 * 60 : 40 * 60] = 1
    assert find(day.columns()).charges == ()
    names = ("speed_kmh", "is_charging", "state_of_charge_pct")
    assert find(day.columns(names=names)).charges == ()


def test_impossible_dates_and_odometer_resets_make_no_trip() -> None:
    day = live(["park 30", "drive 20", "park 30"])
    columns = day.columns(names=("speed_kmh", "odometer_m"))
    assert columns.odometer_m is not None
    assert columns.speed_kmh is not None
    odometer = columns.odometer_m.copy()
    odometer[300:305] = 0
    odometer[500] = 4e9
    ts = columns.ts.copy()
    ts[:60] = np.arange(60) * S
    ts[-60:] = 5_000_000_000 * S + np.arange(60) * S
    (trip,) = find(Columns(ts=ts, speed_kmh=columns.speed_kmh, odometer_m=odometer)).trips
    assert trip.distance_km == pytest.approx(day.trips[0].km, rel=0.005)


def test_a_charge_that_began_in_silence_is_not_what_standing_gave() -> None:
    day = live(["drive 15", "park 30", "charge 120", "park 30"])
    kept = np.ones(len(day.seconds["is_on"]), bool)
    kept[43 * 60 : 75 * 60] = False  # from before the charge until half an hour into it
    columns = day.columns(names=[name for name in ALL if name != "is_charging"], kept=kept)
    facts = find(columns, capacity_kwh=CAPACITY_KWH)
    (charge,), (stand,) = facts.charges, facts.stands
    assert charge.start_ns == START_NS + (43 * 60 - 1) * S
    assert charge.energy is not None
    assert stand.awake_kwh is not None
    assert 0 < stand.awake_kwh < 0.2


def test_rows_that_cannot_be_written_are_found_in_as_well(day: Day) -> None:
    columns = day.columns(every_s=5)
    for name in ("ts", *ALL):
        getattr(columns, name).flags.writeable = False
    assert find(columns) == find(day.columns(every_s=5))


def test_spikes_of_a_receiver_make_neither_trip_nor_way() -> None:
    day = live(["park 60", "drive 30", "park 60"])
    columns = day.columns(names=("latitude_deg", "longitude_deg"))
    assert columns.latitude_deg is not None
    latitude = columns.latitude_deg.copy()
    latitude[[500, 501, 1500, 4200, 6000]] += [0.3, 0.5, -40, 1.0, 12.0]
    latitude[[600, 4300]] = [0.0, 1555.0]
    (trip,) = find(
        Columns(ts=columns.ts, latitude_deg=latitude, longitude_deg=columns.longitude_deg)
    ).trips
    assert trip.distance_km == pytest.approx(day.trips[0].km, rel=0.01)


def test_fixes_before_lock_are_no_way() -> None:
    day = live(["park 5", "drive 30", "park 5"])
    columns = day.columns(names=("latitude_deg", "longitude_deg"))
    assert columns.latitude_deg is not None
    latitude = columns.latitude_deg.copy()
    latitude[:200] = 12.0
    (trip,) = find(
        Columns(ts=columns.ts, latitude_deg=latitude, longitude_deg=columns.longitude_deg)
    ).trips
    assert trip.distance_km == pytest.approx(day.trips[0].km, rel=0.01)


def test_frozen_speed_of_a_parked_car_is_no_drive() -> None:
    day = live(["park 5", "drive 30", "park 300"])
    day.seconds["speed_kmh"][35 * 60 - 30 :] = 42.0
    facts = find(day.columns())
    assert sum(one.end_ns - one.start_ns for one in facts.trips) < 45 * 60 * S


def test_no_rows_are_no_facts() -> None:
    facts = find(Columns(ts=np.empty(0, np.int64)))
    assert facts == Facts(intervals=(), trips=(), charges=(), stands=())


def test_facts_hold_plain_numbers_and_nothing_of_numpy(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    for switch in ("0", "1"):
        monkeypatch.setenv(SWITCH, switch)
        facts = find(day.columns(every_s=5))
        every: list[msgspec.Struct] = [
            *facts.intervals,
            *facts.trips,
            *facts.charges,
            *facts.stands,
        ]
        every += [trip.energy for trip in facts.trips if trip.energy is not None]
        values = [value for one in every for value in msgspec.structs.astuple(one)]
        assert {type(value) for value in values if isinstance(value, np.generic)} == set()


def lost(plan: list[str], begin_min: float, end_min: float) -> Facts:
    """What is found of a day of which some minutes are not told."""
    day = live(plan)
    told = np.ones(len(day.seconds["is_on"]), bool)
    told[int(begin_min * 60) : int(end_min * 60)] = False
    return find(day.columns(kept=told))


def test_silence_in_a_queue_with_the_car_on_ends_no_trip() -> None:
    facts = lost(["park 5", "drive 15", "wait 14", "drive 15", "park 30"], 25, 31)
    assert len(facts.trips) == 1


def test_charge_in_a_silence_ends_a_trip() -> None:
    facts = lost(["park 5", "drive 20", "charge 26", "drive 20", "park 30"], 24, 51.5)
    assert len(facts.trips) == 2


def test_braking_is_no_charge_of_a_car_that_tells_no_speed() -> None:
    day = live(["park 20", "drive 60", "park 30"], seed=5)
    day.seconds["current_a"][30 * 60 : 33 * 60] = 90.0  # down a hill
    columns = day.columns(names=("latitude_deg", "longitude_deg", "voltage_v", "current_a"))
    facts = find(columns)
    assert (len(facts.trips), len(facts.charges)) == (1, 0)


def test_speed_that_stays_when_a_plugged_car_is_off_is_no_drive() -> None:
    day = live(["park 5", "drive 20", "charge 40", "park 30"])
    day.seconds["speed_kmh"][25 * 60 : 65 * 60] = 33.0
    facts = find(day.columns())
    assert [one.energy is not None and one.energy.in_kwh > 6.5 for one in facts.charges] == [True]
    assert len(facts.trips) == 1
