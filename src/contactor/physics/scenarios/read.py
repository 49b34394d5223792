"""Scenario files: TOML, checked key by key; what is missing of one comes from the one it extends.

    scenario = read_scenario(text, name="mine.toml")

Of a scenario that is extended, tables of the same name are replaced, roads are added to, and trips
and holidays are replaced as a whole.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from contactor.errors import MalformedScenario
from contactor.physics.calendar import EPOCH
from contactor.physics.road import SPACING_M, Place, Spot, Zone, lay_out
from contactor.physics.scenarios.scenario import (
    DAYS,
    Driver,
    Holiday,
    Road,
    Scenario,
    Station,
    Trip,
)
from contactor.physics.scenarios.section import Section
from contactor.physics.weather import MONTHS, Climate

FORMAT = 1
MOST_DAYS = 3660
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_PLACE = re.compile(r"[a-z][a-z0-9_]{0,40}")
ROOT = (
    "format",
    "extends",
    "title",
    "start",
    "days",
    "soc_pct",
    "places",
    "roads",
    "trips",
    "holidays",
    "drivers",
    "weather",
)


def read_scenario(
    text: str,
    *,
    name: str,
    extended: Callable[[str], str],
    series: Callable[[str], str] | None = None,
) -> Scenario:
    """A scenario out of a file's text.

    Args:
        name: of the file, for errors.
        extended: gives the text of a built-in scenario.
        series: gives the text of a file beside this one; None where there are none.

    Raises:
        MalformedScenario: with file, key, value and what is allowed.
    """
    root = Section(name, "", _merged(text, name, extended))
    root.only(*ROOT)
    root.whole("format", FORMAT, FORMAT)
    places = _stations(root.table("places"))
    if not places:
        raise root.wrong("places", "is empty: the first place is home")
    roads = tuple(_road(one, tuple(places)) for one in root.tables("roads"))
    known = [*places]
    drivers = {key: _driver(root.table("drivers").table(key)) for key in root.table("drivers").keys}
    scenario = Scenario(
        name=name,
        title=root.text("title"),
        first_day=_first_day(root),
        days=root.whole("days", 1, MOST_DAYS, 1),
        state_of_charge=root.number("soc_pct", 5, 100, 80.0) / 100,
        stations=places,
        roads=roads,
        trips=tuple(_trip(one, known) for one in root.tables("trips")),
        holidays=tuple(_holiday(one, known) for one in root.tables("holidays")),
        drivers=drivers or {"normal": Driver()},
        climate=_climate(root.table("weather"), series),
    )
    _check_ways(scenario)
    return scenario


def _merged(text: str, name: str, extended: Callable[[str], str]) -> dict[str, Any]:
    entries = _parsed(text, name)
    base_name = entries.get("extends")
    if base_name is None:
        return entries
    if not isinstance(base_name, str):
        raise MalformedScenario(f"{name}: extends is {base_name!r:.60}, not the name of a scenario")
    base = _merged(extended(base_name), base_name, extended)
    merged = {**base, **entries}
    for key in ("places", "drivers", "weather"):
        if isinstance(base.get(key), dict) and isinstance(entries.get(key), dict):
            merged[key] = {**base[key], **entries[key]}
    if isinstance(base.get("roads"), list) and isinstance(entries.get("roads"), list):
        merged["roads"] = [*base["roads"], *entries["roads"]]
    return merged


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MalformedScenario(f"{name}: no TOML: {error}") from error


def _first_day(root: Section) -> int:
    start = root.text("start")
    try:
        return (dt.date.fromisoformat(start) - EPOCH).days
    except ValueError as error:
        raise root.wrong("start", f"is {start!r:.40}; a date such as 2026-01-05") from error


def _stations(places: Section) -> dict[Place, Station]:
    stations = {}
    for name in places.keys:
        if _PLACE.fullmatch(name) is None:
            raise places.wrong(name, "is no name of a place: small letters, digits and _")
        one = places.table(name)
        one.only("plug", "power_kw", "phases")
        plug = one.word("plug", ("none", "ac", "dc"), "none")
        power_w = 1000 * one.number("power_kw", 0, 1000, 0.0)
        if (plug == "none") != (power_w == 0):
            raise one.wrong("power_kw", f"is {power_w / 1000:g} where plug is {plug!r}")
        stations[name] = Station(
            plug=plug,  # type: ignore[arg-type]  # one of its words
            power_w=power_w,
            phases=one.whole("phases", 1, 3, 3),
        )
    return stations


def _road(one: Section, places: tuple[Place, ...]) -> Road:
    one.only("from", "to", "through", "zones", "wind_m", "wave_m", "stops", "fast_every_km")
    through = tuple(Spot(*row) for row in one.rows("through", 3))
    if len(through) < 2:
        raise one.wrong("through", "has one point; at least two are needed")
    zones = [Zone(1000 * km, kmh, stops_m) for km, kmh, stops_m in one.rows("zones", 3)]
    for zone in zones:
        if not 5 <= zone.limit_kmh <= 250 or zone.stops_every_m < 0:
            raise one.wrong("zones", f"has {zone.limit_kmh:g} km/h; 5 to 250 is allowed")
    wind_m = one.number("wind_m", 0, 500, 0.0)
    wave_m = one.number("wave_m", 100, 50_000, 1000.0)
    length_m = (len(lay_out(through, wind_m=wind_m, wave_m=wave_m)) - 1) * SPACING_M
    if any(b.until_m <= a.until_m for a, b in pairwise(zones)):
        raise one.wrong("zones", "must each end after the one before")
    if zones[-1].until_m < length_m - 1000 or (len(zones) > 1 and zones[-2].until_m >= length_m):
        raise one.wrong(
            "zones", f"end at {zones[-1].until_m / 1000:g} km; the road is {length_m / 1000:.1f} km"
        )
    stops = {}
    for place in one.table("stops").keys:
        at_m = 1000 * one.table("stops").number(place, 0.1, length_m / 1000 - 0.1)
        if place not in places:
            raise one.wrong("stops", f"has {place!r}; places are {', '.join(places)}")
        stops[place] = round(at_m / SPACING_M) * SPACING_M
    return Road(
        begin=one.word("from", places),
        end=one.word("to", places),
        through=through,
        zones=tuple(zones),
        wind_m=wind_m,
        wave_m=wave_m,
        stops=stops,
        fast_every_m=round(40 * one.number("fast_every_km", 0, 500, 0.0)) * SPACING_M,
    )


def _clock(one: Section, key: str) -> float:
    text = one.text(key)
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise one.wrong(key, f"is {text!r:.40}; a time of day such as 07:30")
    return int(found[1]) + int(found[2]) / 60


def _trip(one: Section, places: list[Place]) -> Trip:
    one.only(
        "to",
        "days",
        "share",
        "at",
        "spread_min",
        "back_at",
        "back_spread_min",
        "stay_min",
        "via",
        "via_min",
    )
    if one.has("back_at") == one.has("stay_min"):
        raise one.wrong("back_at", "or stay_min must be there, and not both")
    return Trip(
        goals=one.words("to", places[1:]),
        weekdays=tuple(DAYS.index(day) for day in one.words("days", DAYS)),
        share=one.number("share", 0, 1, 1.0),
        leave_h=_clock(one, "at"),
        leave_spread_min=one.number("spread_min", 0, 240, 0.0),
        back_h=_clock(one, "back_at") if one.has("back_at") else None,
        back_spread_min=one.number("back_spread_min", 0, 240, 0.0),
        stay_min=_span(one, "stay_min"),
        via=one.word("via", places[1:]) if one.has("via") else None,
        via_min=_span(one, "via_min"),
    )


def _span(one: Section, key: str) -> tuple[float, float]:
    least, most = one.numbers(key, 2, 0, 1440, (0.0, 0.0))
    if least > most:
        raise one.wrong(key, f"goes from {least:g} down to {most:g}")
    return least, most


def _holiday(one: Section, places: list[Place]) -> Holiday:
    one.only("to", "date", "nights", "at")
    date = one.text("date")
    found = _DATE.fullmatch(date)
    if found is None:
        raise one.wrong("date", f"is {date!r:.40}; month and day such as 07-12")
    return Holiday(
        month=int(found[1]),
        day=int(found[2]),
        nights=one.whole("nights", 1, 60),
        goal=one.word("to", places[1:]),
        leave_h=_clock(one, "at"),
    )


def _driver(one: Section) -> Driver:
    one.only(
        "speed",
        "acceleration",
        "cabin_degc",
        "plug_in_every_days",
        "plug_in_below_pct",
        "charge_limit_pct",
        "fast_charge_limit_pct",
        "preconditions",
    )
    return Driver(
        speed=one.number("speed", 0.5, 1.3, 1.0),
        acceleration=one.number("acceleration", 0.3, 1.25, 1.0),
        cabin_degc=one.number("cabin_degc", 10, 30, 21.0),
        plug_in_every_days=one.whole("plug_in_every_days", 1, 30, 2),
        plug_in_below=one.number("plug_in_below_pct", 0, 100, 30.0) / 100,
        charge_limit=one.number("charge_limit_pct", 20, 100, 80.0) / 100,
        fast_charge_limit=one.number("fast_charge_limit_pct", 20, 100, 80.0) / 100,
        does_precondition=one.flag("preconditions", default=False),
    )


def _climate(one: Section, series: Callable[[str], str] | None) -> Climate:
    one.only("mean_degc", "day_swing_degc", "day_spread_degc", "series")
    if one.has("series"):
        name = one.text("series")
        if series is None:
            raise one.wrong("series", f"is {name!r:.60}; a built-in scenario has no file beside it")
        return Climate(hourly_degc=_hourly(series(name), name))
    return Climate(
        mean_degc=one.numbers("mean_degc", MONTHS, -60, 60, (10.0,) * MONTHS),
        day_swing_degc=one.number("day_swing_degc", 0, 20, 4.0),
        day_spread_degc=one.number("day_spread_degc", 0, 15, 2.5),
    )


def _hourly(text: str, name: str) -> tuple[float, ...]:
    """A temperature for each hour from the scenario's first on, a line each after the heading."""
    head, *lines = text.strip().splitlines() or [""]
    if head.strip() != "ambient_degc":
        raise MalformedScenario(f"{name}, line 1: {head[:40]!r}; ambient_degc is expected")
    values = []
    for number, line in enumerate(lines, 2):
        try:
            value = float(line)
        except ValueError:
            raise MalformedScenario(f"{name}, line {number}: {line[:40]!r} is no number") from None
        if not -60 <= value <= 60:
            raise MalformedScenario(f"{name}, line {number}: {value:g}; -60 to 60 is allowed")
        values.append(value)
    if len(values) < 24:
        raise MalformedScenario(f"{name}: {len(values)} hours; at least 24 are needed")
    return tuple(values)


def _check_ways(scenario: Scenario) -> None:
    """Refuse a goal to which no road leads."""
    home, ways = scenario.home, scenario.ways
    for trip in scenario.trips:
        wanted = [(home, goal) for goal in trip.goals]
        if trip.via is not None:
            wanted += [(goal, trip.via) for goal in trip.goals] + [(trip.via, home)]
        for begin, end in wanted:
            if (begin, end) not in ways:
                raise MalformedScenario(f"{scenario.name}: no road from {begin} to {end}")
    for holiday in scenario.holidays:
        if (home, holiday.goal) not in ways:
            raise MalformedScenario(f"{scenario.name}: no road from {home} to {holiday.goal}")
