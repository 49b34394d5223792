"""A fleet lives as the single car does that takes a second at a time, and faster."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.car.profiles.profile import load_profile
from contactor.errors import InvalidValue
from contactor.physics.car import CarPhysics
from contactor.physics.fleet.fleet import Fleet, Totals
from contactor.physics.fleet.schedule import ASLEEP, STANDS, Schedule, Setting, Stretch, Traces
from contactor.physics.parameters import CarParameters
from tests.physics.fleet.lives import (
    AWAKE,
    DAY_S,
    DRIVING,
    FAST,
    NIGHT,
    READY,
    SOCKET,
    TO_THE_CHARGER,
    days_of,
    holiday,
    hourly_degc,
    live_by_seconds,
    town_day,
    traces,
    working_day,
)

LIBRARY = traces()
# One of each: town and land, a day of motorway with fast charging, and one at a socket.
LIVES = {
    "work": working_day(LIBRARY, NIGHT),
    "town": town_day(LIBRARY, NIGHT),
    "holiday": holiday(LIBRARY),
    "socket": working_day(LIBRARY, SOCKET),
}
ENERGY = 1e-3  # of the same in steps of 1 s throughout
CHARGE = 1e-4


def parameters_of(profile: str) -> CarParameters:
    loaded = load_profile(profile).physics
    assert loaded is not None
    return loaded


PARAMETERS = parameters_of("contactor_ev")


def alone(life: list[Stretch], **weather: object) -> Schedule:
    """The schedule of one car."""
    return Schedule.of([life], traces=LIBRARY, **weather)  # type: ignore[arg-type]


def gap_j(fleet: Fleet) -> np.ndarray:
    """What is missing in the balance of energy, (cars,)."""
    totals = fleet.totals
    came = totals.battery_out_j + totals.ac_wall_j + totals.dc_wall_j + totals.unserved_j
    went = (
        totals.battery_in_j
        + totals.auxiliary_j
        + totals.climate_j
        + totals.charger_loss_j
        + totals.motor_loss_j
        + totals.gear_loss_j
        + totals.friction_j
        + totals.road_j
        + fleet.kinetic_j
    )
    return np.abs(came - went)


@pytest.mark.parametrize(
    ("profile", "life", "mean_degc"),
    [
        ("contactor_ev", "work", -12.0),
        ("contactor_ev", "holiday", -5.0),
        ("contactor_ev", "socket", 30.0),
        ("nissan_leaf_ze1", "town", 5.0),
        ("tesla_model_3", "holiday", 30.0),
        ("renault_twizy", "holiday", -10.0),  # it runs empty
    ],
)
def test_fleet_lives_as_the_single_car_second_by_second(
    profile: str, life: str, mean_degc: float
) -> None:
    parameters = parameters_of(profile)
    schedule = alone(LIVES[life], ambient_degc=hourly_degc(mean_degc, 1))
    fleet = Fleet(
        parameters, 1, state_of_charge=0.7, state_of_health=0.96, temperature_degc=mean_degc
    )
    fleet.live(schedule)
    car = CarPhysics(
        parameters, state_of_charge=0.7, state_of_health=0.96, temperature_degc=mean_degc
    )
    live_by_seconds(car, schedule, 0)
    totals, state = fleet.totals, car.state
    wall_j = totals.ac_wall_j[0] + totals.dc_wall_j[0]
    assert (totals.stranded_m[0] == 0.0) == (profile != "renault_twizy")
    assert totals.battery_out_j[0] == pytest.approx(state.battery_energy_out_j, rel=ENERGY)
    assert totals.battery_in_j[0] == pytest.approx(state.battery_energy_in_j, rel=ENERGY)
    assert wall_j == pytest.approx(state.charge_wall_energy_j, rel=ENERGY)
    assert totals.distance_m[0] == pytest.approx(state.distance_m, rel=ENERGY)
    assert fleet.state_of_charge[0] == pytest.approx(state.state_of_charge, abs=CHARGE)
    assert 1 - fleet.state_of_health[0] == pytest.approx(1 - state.state_of_health, rel=1e-3)
    assert fleet.battery_temperature_degc[0] == pytest.approx(
        state.battery_temperature_degc, abs=0.1
    )
    assert fleet.cabin_temperature_degc[0] == pytest.approx(state.cabin_temperature_degc, abs=0.1)
    assert fleet.low_voltage_charge[0] == pytest.approx(state.low_voltage_charge, abs=1e-3)


@pytest.mark.parametrize("setting", [ASLEEP, replace(NIGHT, charge_limit=0.9)])
def test_sleeping_car_wakes_to_fill_its_12_v_battery_when_the_single_car_does(
    setting: Setting,
) -> None:
    small = replace(PARAMETERS.auxiliaries, low_voltage_capacity_wh=40.0, sleep_drain_w=1.5)
    parameters = replace(PARAMETERS, auxiliaries=small)
    schedule = alone([Stretch(2 * DAY_S, setting)], ambient_degc=hourly_degc(5.0, 2))
    fleet = Fleet(parameters, 1, state_of_charge=0.85, state_of_health=0.96)
    fleet.live(schedule)
    car = CarPhysics(parameters, state_of_charge=0.85, state_of_health=0.96, temperature_degc=20.0)
    live_by_seconds(car, schedule, 0)
    assert fleet.totals.auxiliary_j[0] > 0
    assert fleet.low_voltage_charge[0] == pytest.approx(car.state.low_voltage_charge, abs=0.02)
    assert fleet.state_of_charge[0] == pytest.approx(car.state.state_of_charge, abs=CHARGE)


stretches = st.lists(
    st.tuples(
        st.sampled_from([DRIVING, TO_THE_CHARGER, AWAKE, ASLEEP, NIGHT, SOCKET, READY, FAST]),
        st.integers(0, len(LIBRARY) - 1),
        st.integers(1, 20_000),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-6), (np.float32, 1e-4)])
@settings(max_examples=25, deadline=None)
@given(lives=st.lists(stretches, min_size=1, max_size=3), degc=st.floats(-25, 45), data=st.data())
def test_energy_balance_of_any_life_closes(
    dtype: type[np.floating],
    close: float,
    lives: list[list[tuple[Setting, int, int]]],
    degc: float,
    data: st.DataObject,
) -> None:
    seconds = LIBRARY.seconds.tolist()
    schedule = Schedule.of(
        [
            [
                Stretch(seconds[trace], setting, trace)
                if setting in (DRIVING, TO_THE_CHARGER)
                else Stretch(lasts_s, setting)
                for setting, trace, lasts_s in life
            ]
            for life in lives
        ],
        traces=LIBRARY,
        ambient_degc=degc,
    )
    charge = data.draw(st.floats(0.0, 1.0))
    fleet = Fleet(
        PARAMETERS, len(lives), state_of_charge=charge, temperature_degc=degc, dtype=dtype
    )
    fleet.live(schedule)
    totals = fleet.totals
    through_j = totals.battery_out_j + totals.battery_in_j + totals.ac_wall_j + totals.dc_wall_j
    assert (gap_j(fleet) <= close * (through_j + totals.unserved_j + 3600)).all()
    assert (totals.charger_loss_j >= 0).all()
    assert (totals.charge_min >= -1e-6).all()
    assert (totals.charge_max <= 1 + 1e-6).all()


def test_each_car_of_a_fleet_lives_its_own_life_whatever_the_threads() -> None:
    kinds = list(LIVES.values())
    lives = [kinds[car % 3][: 4 + car % 5] for car in range(300)]
    schedule = Schedule.of(lives, traces=LIBRARY, ambient_degc=hourly_degc(5.0, 1))
    whole = Fleet(PARAMETERS, 300, mass_kg=np.linspace(1800, 2200, 300))
    whole.live(schedule, threads=2)
    again = Fleet(PARAMETERS, 300, mass_kg=np.linspace(1800, 2200, 300))
    again.live(schedule, threads=1)
    assert all((a == b).all() for a, b in zip(whole.totals, again.totals, strict=True))
    for car in (0, 137, 299):
        one = Fleet(PARAMETERS, 1, mass_kg=np.linspace(1800, 2200, 300)[car])
        one.live(alone(lives[car], ambient_degc=hourly_degc(5.0, 1)))
        assert [row[0] for row in one.totals] == [row[car] for row in whole.totals]


def test_cars_live_in_the_weather_of_their_own_place() -> None:
    weather = np.stack([hourly_degc(-10, 1), hourly_degc(20, 1)], axis=1)
    schedule = Schedule.of([LIVES["work"]] * 2, traces=LIBRARY, ambient_degc=weather, place=[0, 1])
    fleet = Fleet(PARAMETERS, 2)
    fleet.live(schedule)
    cold, mild = fleet.totals.ac_wall_j / fleet.totals.distance_m
    assert cold > 1.2 * mild


def test_charge_ends_at_its_limit_and_begins_anew_when_some_is_gone() -> None:
    full = Setting(plug="ac", station_power_w=11_000, is_awake=False, charge_limit=0.7)
    fleet = Fleet(PARAMETERS, 1, state_of_charge=0.6)
    fleet.live(alone([Stretch(DAY_S, full)]))
    assert fleet.state_of_charge[0] == pytest.approx(0.7, abs=1e-5)
    # Where the station gives nothing, an awake car lives on its battery.
    dead = replace(full, is_awake=True, station_power_w=0.0)
    fleet.live(alone([Stretch(3 * 3600, dead), Stretch(DAY_S, full)]))
    assert fleet.totals.charge_min[0] == pytest.approx(0.6, abs=1e-3)
    assert fleet.state_of_charge[0] == pytest.approx(0.7, abs=1e-5)


def test_car_that_runs_empty_is_told_as_stranded() -> None:
    fleet = Fleet(PARAMETERS, 1, state_of_charge=0.05)
    fleet.live(alone([Stretch(3600, DRIVING, 3)]))
    totals = fleet.totals
    wanted_m = LIBRARY.of(3)[0].sum()
    assert totals.stranded_m[0] == pytest.approx(wanted_m - totals.distance_m[0], rel=0.01)
    assert totals.distance_m[0] < 0.5 * wanted_m
    assert totals.charge_min[0] == pytest.approx(0.0, abs=1e-3)


def test_cars_are_written_down_at_even_times() -> None:
    life = days_of(LIVES["work"], LIVES["socket"])
    fleet = Fleet(PARAMETERS, 2)
    records = fleet.live(Schedule.of([life, LIVES["work"]], traces=LIBRARY), record_s=DAY_S)
    totals: Totals = fleet.totals
    assert records.end_s.tolist() == [DAY_S, 2 * DAY_S]
    assert records.state_of_charge[1, 0] == fleet.state_of_charge[0]
    assert records.battery_out_j[1, 0] == totals.battery_out_j[0]
    assert records.distance_m[0, 0] == pytest.approx(records.distance_m[0, 1])
    assert records.distance_m[0, 1] == totals.distance_m[1]
    # What is after a car's life nobody knows.
    assert np.isnan(records.state_of_charge[1, 1])


def test_another_life_goes_on_where_the_last_one_ended() -> None:
    whole, halves = Fleet(PARAMETERS, 1), Fleet(PARAMETERS, 1)
    whole.live(alone(days_of(LIVES["work"], LIVES["socket"])))
    halves.live(alone(LIVES["work"]))
    halves.live(alone(LIVES["socket"]))
    assert halves.state_of_charge[0] == pytest.approx(whole.state_of_charge[0], abs=1e-12)
    assert halves.totals.ac_wall_j[0] == pytest.approx(whole.totals.ac_wall_j[0], rel=1e-9)
    assert halves.state_of_health[0] < 1.0


def test_schedule_of_other_cars_is_refused() -> None:
    with pytest.raises(InvalidValue, match="the schedule has 1 cars; 2 are here"):
        Fleet(PARAMETERS, 2).live(alone(LIVES["work"]))
    with pytest.raises(InvalidValue, match="record_s is 0; it is 1 or more"):
        Fleet(PARAMETERS, 1).live(alone(LIVES["work"]), record_s=0)


def test_wrong_health_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"state_of_health holds 1.5; above 0 to 1 is allowed"):
        Fleet(PARAMETERS, 2, state_of_health=[0.9, 1.5])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"end_s": [10, 10]}, "span 1 lasts 0 s; at least 1 s is needed"),
        ({"trace": [STANDS, 0]}, "span 1 lasts 10 s, its trace 1500 s"),
        ({"trace": [STANDS, 9]}, r"trace is 9 at 1; -1 to 3 is allowed"),
        ({"setting": [0, 1]}, "setting is 1 at 1; 0 to 0 is allowed"),
        ({"setting": [0]}, "setting has 1 spans, end_s 2"),
        ({"first": [0, 1]}, "first goes from 0 to 1; it ascends from 0 to 2"),
        ({"place": 3}, "place is 3 at 0; 0 to 0 is allowed"),
        ({"ambient_degc": [20.0, 99.0]}, "ambient_degc is 99 °C at 1, 0; -60 to 60 is allowed"),
        ({"weather_s": 0}, "weather_s is 0; it is 1 or more"),
    ],
)
def test_schedule_that_is_none_is_refused(given: dict[str, object], message: str) -> None:
    whole: dict[str, object] = {
        "first": [0, 2],
        "end_s": [10, 20],
        "trace": [STANDS, STANDS],
        "setting": [0, 0],
        "settings": [ASLEEP],
        "traces": LIBRARY,
    }
    with pytest.raises(InvalidValue, match=message):
        Schedule(**{**whole, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("drive", "message"),
    [
        (([], 0.0), "trace 0: speeds of the shape"),
        (([5.0, 3.0], 0.0), "trace 0 ends at 3 m/s; a drive ends at rest"),
        (([500.0, 0.0], 0.0), "trace 0: speed is 500 m/s at 0; 0 to 150 is allowed"),
        (([5.0, 0.0], [0.1]), "trace 0: grades of the shape"),
        (([5.0, 0.0], 2.0), "trace 0: grade is 2 at 0; -1 to 1 is allowed"),
    ],
)
def test_trace_of_a_library_that_is_none_is_refused(
    drive: tuple[list[float], object], message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        Traces([drive])  # type: ignore[list-item]


def test_setting_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"charge_limit is 80; 0 to 1 is allowed"):
        Setting(charge_limit=80)
