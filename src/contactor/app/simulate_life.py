"""`contactor simulate --scenario`: a car made of physics lives a day or a year.

contactor simulate --profile contactor_ev --scenario day --plot day.png
contactor simulate --profile nissan_leaf_ze1 --scenario year --driver brisk --json
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.app.output import note, print_json, print_table
from contactor.app.progress import progress_bar
from contactor.errors import MalformedScenario, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contactor.physics.parameters import CarParameters
    from contactor.physics.scenarios import Scenario
    from contactor.physics.scenarios.life import Day, Life

MOST_BYTES = 4 * 1024 * 1024
MOST_DAYS = 3660
# A life of so many days is told drive by drive, a longer one month by month.
SHORT_DAYS = 7
KWH = 1 / 3.6e6
WH_PER_KM = 1 / 3.6
DIGITS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that only a scenario has."""
    parser.add_argument(
        "--scenario",
        metavar="NAME|FILE",
        help="in place of a cycle, a life: day, commuter, year, weekender, or a .toml file",
    )
    parser.add_argument("--driver", metavar="NAME", help="of the scenario, default its first")
    parser.add_argument("--days", type=_days, metavar="N", help="default: as the scenario says")
    parser.add_argument(
        "--seed", type=_seed, default=1, metavar="N", help="another luck, default 1"
    )


def run(args: argparse.Namespace, name: str, parameters: "CarParameters") -> "Life":
    """Live the scenario and tell of it."""
    from dataclasses import replace

    from contactor.physics.scenarios.living import live

    scenario = _scenario(args.scenario)
    if args.soc_pct is not None:
        scenario = replace(scenario, state_of_charge=args.soc_pct / 100)
    driver = scenario.driver(args.driver)
    with progress_bar(f"{name}, {scenario.name}", "day") as on_progress:
        life = live(
            parameters,
            scenario,
            seed=args.seed,
            driver=driver,
            days=args.days,
            on_progress=on_progress,
        )
    driver_name = args.driver or next(iter(scenario.drivers))
    facts = _facts(name, scenario.name, driver_name, life)
    if args.json:
        print_json(facts)
    else:
        _print(facts, life, scenario)
    for drive in life.drives:
        if drive.missed_m:
            note(
                f"the battery was empty {drive.missed_m / 1000:.1f} km before {drive.to_place}"
                f" ({_clock(drive.start_ns)} from {drive.from_place})"
            )
    return life


def _days(text: str) -> int:
    return _whole(text, 1, MOST_DAYS)


def _seed(text: str) -> int:
    return _whole(text, 0, 2**31 - 1)


def _whole(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed are {low} to {high}")
    return int(text)


def _scenario(name: str) -> "Scenario":
    """A built-in scenario, or one out of a file."""
    from contactor.physics.scenarios import load_scenario, read_scenario, scenario_names
    from contactor.physics.scenarios.builtin import text_of

    if name in scenario_names():
        return load_scenario(name)
    path = Path(name)
    if not path.is_file():
        known = ", ".join(scenario_names())
        raise UsageError(f"--scenario {name[:200]}: no such scenario or file; there are {known}")
    return read_scenario(
        _text(path),
        name=path.name,
        extended=text_of,
        series=lambda beside: _text(path.parent / beside),
    )


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise MalformedScenario(f"{path}: more than {MOST_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MalformedScenario(f"{path}, line {line}: no UTF-8 text") from error


# ── what is told ─────────────────────────────────────────────────────────────────────────────────


def _facts(profile: str, scenario: str, driver: str, life: "Life") -> dict[str, object]:
    distance_m = sum(one.distance_m for one in life.drives)
    out_j = sum(one.energy_out_j for one in life.drives)
    in_j = sum(one.energy_in_j for one in life.drives)
    numbers: dict[str, float | None] = {
        "distance_km": distance_m / 1000,
        "duration_s": sum(one.duration_s for one in life.drives),
        "energy_battery_kwh": (out_j - in_j) * KWH,
        "energy_wall_kwh": sum(one.wall_j for one in life.days) * KWH,
        "consumption_wh_per_km": (out_j - in_j) * WH_PER_KM / distance_m if distance_m else None,
        "recuperated_kwh": in_j * KWH,
        "soc_start_pct": life.state_of_charge_start * 100,
        "soc_end_pct": life.state_of_charge_end * 100,
        "soc_min_pct": min(one.state_of_charge_min for one in life.days) * 100,
        "soh_start_pct": life.state_of_health_start * 100,
        "soh_end_pct": life.state_of_health_end * 100,
        "low_h": sum(one.low_s for one in life.days) / 3600,
    }
    return {
        "profile": profile,
        "scenario": scenario,
        "driver": driver,
        "days": len(life.days),
        **_rounded(numbers),
        "drives": len(life.drives),
        "stranded": sum(one.missed_m > 0 for one in life.drives),
        "charges": {kind: _charges(life, kind) for kind in ("ac", "dc")},
        "months": [_month(days) for days in _by_month(life.days)],
    }


def _charges(life: "Life", kind: str) -> dict[str, object]:
    charges = [one for one in life.charges if one.kind == kind]
    return {
        "count": len(charges),
        "energy_battery_kwh": round(sum(one.energy_j for one in charges) * KWH, DIGITS),
        "energy_wall_kwh": round(sum(one.wall_j for one in charges) * KWH, DIGITS),
        "duration_h": round(sum(one.duration_s for one in charges) / 3600, DIGITS),
    }


def _by_month(days: "Sequence[Day]") -> "list[list[Day]]":
    months: dict[tuple[int, int], list[Day]] = {}
    for day in days:
        months.setdefault((day.date.year, day.date.month), []).append(day)
    return list(months.values())


def _month(days: "list[Day]") -> dict[str, object]:
    distance_m = sum(one.distance_m for one in days)
    driving_j = sum(one.driving_j for one in days)
    return {
        "month": days[0].date.strftime("%Y-%m"),
        **_rounded(
            {
                "distance_km": distance_m / 1000,
                "energy_battery_kwh": driving_j * KWH,
                "consumption_wh_per_km": driving_j * WH_PER_KM / distance_m if distance_m else None,
                "energy_wall_kwh": sum(one.wall_j for one in days) * KWH,
                "ambient_degc": sum(one.ambient_degc for one in days) / len(days),
                "soc_min_pct": min(one.state_of_charge_min for one in days) * 100,
            }
        ),
    }


def _rounded(numbers: dict[str, float | None]) -> dict[str, float | None]:
    return {key: None if one is None else round(one, DIGITS) for key, one in numbers.items()}


def _print(facts: dict[str, object], life: "Life", scenario: "Scenario") -> None:
    days = "day" if facts["days"] == 1 else "days"
    print(f"{facts['profile']}, {scenario.title}: {facts['days']} {days}, {facts['driver']} driver")
    print()
    if len(life.days) <= SHORT_DAYS:
        _print_events(life)
    else:
        _print_months(life)
    charges = facts["charges"]
    assert isinstance(charges, dict)
    ac, dc = charges["ac"], charges["dc"]
    print()
    for words, text in (
        ("distance", f"{facts['distance_km']:,.0f} km in {facts['drives']} drives"),
        ("consumption", f"{facts['consumption_wh_per_km'] or 0:.0f} Wh/km while driving"),
        ("energy from the wall", f"{facts['energy_wall_kwh']:,.1f} kWh"),
        ("charges", f"{ac['count']} at home or away by AC, {dc['count']} by DC"),
        ("lowest state of charge", f"{facts['soc_min_pct']:.0f} %"),
        ("state of health", f"{facts['soh_start_pct']:.2f} to {facts['soh_end_pct']:.2f} %"),
    ):
        print(f"{words:<24}{text}")


def _print_months(life: "Life") -> None:
    rows = []
    for days in _by_month(life.days):
        one = _month(days)
        consumption = one["consumption_wh_per_km"]
        rows.append(
            [
                one["month"],
                f"{one['ambient_degc']:.1f}",
                f"{one['distance_km']:.0f}",
                None if consumption is None else f"{consumption:.0f}",
                f"{one['energy_wall_kwh']:.0f}",
                f"{one['soc_min_pct']:.0f}",
            ]
        )
    print_table(["month", "air °C", "km", "Wh/km", "wall kWh", "lowest %"], rows)


def _print_events(life: "Life") -> None:
    drives = [
        (
            drive.start_ns,
            f"{drive.from_place} to {drive.to_place}",
            drive.duration_s,
            f"{drive.distance_m / 1000:.1f}",
            drive.energy_in_j - drive.energy_out_j,
            drive.state_of_charge_end,
            f"{drive.ambient_degc:.0f}",
        )
        for drive in life.drives
    ]
    charges = [
        (
            charge.start_ns,
            f"{charge.kind.upper()} charge, {charge.place}",
            charge.duration_s,
            None,
            charge.energy_j,
            charge.state_of_charge_end,
            None,
        )
        for charge in life.charges
    ]
    rows = [
        [
            _clock(start_ns),
            what,
            f"{duration_s / 60:.0f}",
            km,
            f"{energy_j * KWH:.2f}",
            f"{charge * 100:.0f}",
            air,
        ]
        for start_ns, what, duration_s, km, energy_j, charge, air in sorted(
            [*drives, *charges], key=lambda one: one[0]
        )
    ]
    print_table(["at", "what", "minutes", "km", "battery kWh", "then %", "air °C"], rows)


def _clock(ts_ns: int) -> str:
    """Local time of day, with the day."""
    import datetime as dt

    from contactor.physics.calendar import LOCAL_NS, NS_PER_S

    local = dt.datetime.fromtimestamp((ts_ns + LOCAL_NS) / NS_PER_S, dt.UTC)
    return local.strftime("%a %d %b %H:%M")
