"""Scenarios as data: the built-in ones are whole; what is wrong in a file has its place told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.errors import MalformedScenario, UsageError
from contactor.physics.calendar import start_of
from contactor.physics.scenarios import load_scenario, read_scenario, scenario_names
from contactor.physics.scenarios.builtin import text_of
from contactor.physics.weather import Climate, weather_of

SMALL = """
format = 1
extends = "commuter"
title = "mine"
start = "2026-03-02"
days = 3
"""
ROAD = """
[[roads]]
from = "home"
to = "{to}"
through = [[47.14, 9.52, 460], [47.20, 9.52, 470]]
zones = [[{km}, 50, 450]]
"""


def read(text: str, series: str | None = None):
    return read_scenario(
        text,
        name="mine.toml",
        extended=text_of,
        series=None if series is None else lambda _: series,
    )


@pytest.mark.parametrize("name", scenario_names())
def test_builtin_scenario_is_whole(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.title
    assert next(iter(scenario.drivers)) == "normal"
    for way in scenario.ways.values():
        assert way.zones[-1].until_m == way.length_m
        assert max(map(abs, way.grades())) <= 0.15


def test_lives_differ_in_length_and_goals() -> None:
    assert (load_scenario("day").days, load_scenario("year").days) == (1, 365)
    assert {one.goal for one in load_scenario("year").holidays} == {"skiing", "sea"}


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(20_000, 21_000))
def test_wishes_of_a_day_lead_from_home_and_back(seed: int, day: int) -> None:
    scenario = load_scenario("commuter")
    wishes = scenario.wishes(seed=seed, day=day)
    assert wishes == scenario.wishes(seed=seed, day=day)
    place = "home"
    for wish in wishes:
        assert wish.from_place == place
        assert (wish.from_place, wish.to_place) in scenario.ways
        assert start_of(day) <= wish.not_before_ns < start_of(day + 1)
        place = wish.to_place
    assert place == "home"


def test_extended_scenario_keeps_what_it_does_not_say() -> None:
    mine = read(
        SMALL + "[drivers.calm]\nspeed = 0.8\n[places.lake]\n" + ROAD.format(to="lake", km=9)
    )
    base = load_scenario("commuter")
    assert (mine.days, mine.trips, mine.climate) == (3, base.trips, base.climate)
    assert mine.drivers["calm"].speed == 0.8
    assert mine.drivers["brisk"] == base.drivers["brisk"]
    assert 5000 < mine.way("lake", "home").length_m < 8000


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("colour = 1", "mine.toml: colour is unknown; allowed are format, extends"),
        ('start = "soon"', "no TOML"),
        ("[places.home]\nplug = 'usb'", "places.home.plug is 'usb'; allowed are none, ac, dc"),
        ("[places.home]\nplug = 'ac'", "places.home.power_kw is 0 where plug is 'ac'"),
        ("[places.Lake]", "places.Lake is no name of a place"),
        (ROAD.format(to="moon", km=9), "roads[4].to is 'moon'; allowed are home, work"),
        (ROAD.format(to="shop", km=2), "roads[4].zones end at 2 km; the road is 6.7 km"),
        ('[[trips]]\nto = "moon"\ndays = "mon"\nat = "07:00"\nstay_min = [1, 2]', "has 'moon'"),
        ('[[trips]]\nto = "shop"\ndays = "may"\nat = "07:00"\nstay_min = [1, 2]', "has 'may'"),
        ('[[trips]]\nto = "shop"\ndays = "mon"\nat = "7 am"\nstay_min = [1, 2]', "is '7 am'"),
        ('[[trips]]\nto = "shop"\ndays = "mon"\nat = "07:00"', "trips[1].back_at or stay_min"),
        (
            '[[trips]]\nto = "shop"\ndays = "mon"\nat = "07:00"\nstay_min = [3, 2]',
            "from 3 down to 2",
        ),
        ('[[trips]]\nto = "shop"\ndays = "mon"\nat = "07:00"\nstay_min = [1]', "not a list of 2"),
        ('[[holidays]]\nto = "shop"\ndate = "13-01"\nnights = 2\nat = "08:00"', "is '13-01'"),
        ("[drivers.calm]\nspeed = 3", "drivers.calm.speed is 3; 0.5 to 1.3 is allowed"),
        ("[drivers.calm]\npreconditions = 1", "is 1, neither true nor false"),
        ("[weather]\nmean_degc = [1, 2]", "weather.mean_degc is [1, 2], not a list of 12 numbers"),
        ('[weather]\nseries = "air.csv"', "a built-in scenario has no file beside it"),
    ],
)
def test_wrong_file_is_refused_with_its_place(more: str, message: str) -> None:
    with pytest.raises(MalformedScenario) as refused:
        read(f"{SMALL}{more}\n")
    assert message in str(refused.value)


def test_unknown_extension_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown scenario 'nix'; known: commuter, day"):
        read(SMALL.replace("commuter", "nix"))


def test_goal_without_a_road_is_refused() -> None:
    trip = '[[trips]]\nto = "lake"\ndays = "mon"\nat = "07:00"\nstay_min = [1, 2]\n'
    with pytest.raises(MalformedScenario, match="no road from home to lake"):
        read(f"{SMALL}[places.lake]\n{trip}")


def test_series_of_hours_is_the_weather() -> None:
    hours = "\n".join(["ambient_degc", *map(str, range(48))])
    mine = read(f'{SMALL}[weather]\nseries = "air.csv"\n', hours)
    first = weather_of(mine.climate, seed=1, day=mine.first_day, first_day=mine.first_day)
    assert first.ambient_degc[:5] == (0.0, 0.25, 0.5, 0.75, 1.0)
    third = weather_of(mine.climate, seed=1, day=mine.first_day + 2, first_day=mine.first_day)
    assert third.ambient_degc[0] == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t\n1", "air.csv, line 1: 't'; ambient_degc is expected"),
        ("ambient_degc\nx", "air.csv, line 2: 'x' is no number"),
        ("ambient_degc\n99", "air.csv, line 2: 99; -60 to 60 is allowed"),
        ("ambient_degc\n1\n2", "air.csv: 2 hours; at least 24 are needed"),
    ],
)
def test_wrong_series_is_refused(text: str, message: str) -> None:
    with pytest.raises(MalformedScenario, match=message):
        read(f'{SMALL}[weather]\nseries = "air.csv"\n', text)


@given(st.floats(0, 365.24))
def test_season_is_between_its_months(day_of_year: float) -> None:
    climate = Climate(mean_degc=tuple(float(month) for month in range(12)))
    assert 0 <= climate.daily_mean_degc(day_of_year) <= 11
    level = Climate(mean_degc=(7.0,) * 12)
    assert level.daily_mean_degc(day_of_year) == pytest.approx(7.0)


def test_weather_goes_over_midnight_without_a_jump() -> None:
    climate = load_scenario("commuter").climate
    for day in range(20_000, 20_400):
        last = weather_of(climate, seed=3, day=day).ambient_degc[-1]
        first = weather_of(climate, seed=3, day=day + 1).ambient_degc[0]
        assert abs(first - last) < 0.6
