"""`contactor simulate`: a car made of physics drives a cycle or lives a scenario.

contactor simulate --profile contactor_ev --cycle WLTC3b
contactor simulate --profile contactor_ev --cycle commute.csv --temperature-degc -7 --plot cold.png
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.app import simulate_life
from contactor.app.output import note, print_json
from contactor.errors import ContactorError, TableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contactor.car.profiles.profile import Profile
    from contactor.physics.cycles import Cycle
    from contactor.physics.cycles.cycle import Values
    from contactor.physics.follow import CycleDrive

COLDEST_DEGC, HOTTEST_DEGC = -40.0, 60.0
DEFAULT_DEGC, DEFAULT_SOC_PCT = 20.0, 80.0
MOST_TIMES = 10_000
LONGEST_S = 7 * 86_400
OUTPUTS = (".parquet", ".csv")
# What is less is the last digit of a float.
DIGITS = 6
# One car and no other: its cells differ as those of the first virtual car do.
SEED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--profile", required=True, metavar="PROFILE", help="a built-in name or a folder"
    )
    parser.add_argument(
        "--cycle",
        metavar="NAME|FILE",
        help="WLTC3b, UDDS, HWFET, US06, CLTC-P, NEDC, or a CSV file with"
        " time_s,speed_kmh[,elevation_m,ambient_degc]",
    )
    parser.add_argument(
        "--temperature-degc",
        type=_temperature,
        metavar="DEGC",
        help="of air and car, default 20; of a FILE with ambient_degc, the car's at the start",
    )
    parser.add_argument(
        "--soc-pct",
        type=_percent,
        metavar="PCT",
        help="state of charge at the start, default 80, or as the scenario says",
    )
    parser.add_argument("--repeat", type=_times, metavar="N", help="drive the cycle N times")
    simulate_life.add_arguments(parser)
    parser.add_argument(
        "--output", metavar="FILE", help="write the series, a row a second: .parquet or .csv"
    )
    parser.add_argument(
        "--plot",
        metavar="FILE",
        help="draw speed, power, state of charge and temperatures: .png or .html",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Drive the cycle, or live the scenario, and tell of it."""
    _check_choice(args)
    _check_output(args)
    profile = _profile(args.profile)
    if args.scenario is not None:
        return _live(args, profile)
    args.repeat = args.repeat or 1
    cycle = _cycle(args.cycle)
    duration_s = cycle.duration_s * args.repeat
    if duration_s > LONGEST_S:
        raise UsageError(
            f"--repeat {args.repeat} of {cycle.name} takes {duration_s:.0f} s;"
            f" at most {LONGEST_S} s, {int(LONGEST_S // cycle.duration_s)} times"
        )
    if args.repeat > 1 and abs(cycle.speed_mps[-1] - cycle.speed_mps[0]) > 1:
        raise UsageError(
            f"--repeat {args.repeat}: {cycle.name} ends at {cycle.speed_mps[-1] * 3.6:.1f} km/h and"
            f" begins at {cycle.speed_mps[0] * 3.6:.1f}; only as fast can it go on"
        )
    drive, wall_j = _drive(profile, cycle, args)
    if args.output is not None:
        _write(drive.series, Path(args.output))
    if args.plot is not None:
        from contactor.app.drive_plot import draw_drive

        title = f"{profile.name}, {cycle.name}{_times_text(args.repeat)}"
        draw_drive(drive, Path(args.plot), title=title)
    facts = _facts(profile.name, cycle.name, drive, wall_j)
    if args.json:
        print_json(facts)
    else:
        _print_facts(facts, args.repeat, _air(cycle, args))
    _tell_limits(drive)
    return 0


def _live(args: argparse.Namespace, profile: "Profile") -> int:
    """The scenario, with its files."""
    if profile.physics is None:  # _profile has refused it
        raise ContactorError(f"profile {profile.name!r} has no physics.toml")
    life = simulate_life.run(args, profile.name, profile.physics)
    if args.output is not None:
        _write(life.series, Path(args.output))
    if args.plot is not None:
        from contactor.app.drive_plot import draw_life

        draw_life(life, Path(args.plot), title=f"{profile.name}, {args.scenario}")
    return 0


# ── what is asked for ────────────────────────────────────────────────────────────────────────────


def _temperature(text: str) -> float:
    return _number(text, COLDEST_DEGC, HOTTEST_DEGC)


def _percent(text: str) -> float:
    return _number(text, 0, 100)


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is beyond what is allowed: {low:g} to {high:g}")
    return value


def _times(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= float(text) <= MOST_TIMES:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed are 1 to {MOST_TIMES} times")
    return int(text)


def _check_choice(args: argparse.Namespace) -> None:
    """A cycle or a scenario, and of the other's options none."""
    if (args.cycle is None) == (args.scenario is None):
        raise UsageError("give either --cycle NAME|FILE or --scenario NAME|FILE")
    if args.cycle is not None:
        others = {"--driver": args.driver, "--days": args.days}
    else:
        others = {"--repeat": args.repeat, "--temperature-degc": args.temperature_degc}
    wrong = [name for name, value in others.items() if value is not None]
    if wrong:
        kind = "cycle" if args.cycle is not None else "scenario"
        raise UsageError(f"{wrong[0]} does not go with --{kind}")


def _check_output(args: argparse.Namespace) -> None:
    """Refuse what the names alone show to be wrong, before any work."""
    if args.plot is not None:
        from contactor.can.plot import check_plot

        check_plot(args.plot)
    if args.output is None:
        return
    path = Path(args.output)
    if path.suffix.lower() not in OUTPUTS or path.is_dir():
        raise UsageError(f"--output {path}: FILE.parquet or FILE.csv is expected")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--output {path}: there is no folder {path.parent}")
    read = Path(args.cycle or args.scenario)
    if path.exists() and read.exists() and path.samefile(read):
        raise UsageError(f"--output {path} is the file that is read: name another one")
    import polars as pl  # noqa: F401  # where it is missing, that is told before the drive


def _profile(name: str) -> "Profile":
    from contactor.car.profiles.profile import installed_profiles, load_profile

    profile = load_profile(name)
    if profile.physics is None:
        able = [one for one in installed_profiles() if load_profile(one).physics is not None]
        raise UsageError(
            f"profile {profile.name!r} has no physics.toml; these have: {', '.join(able)}"
        )
    return profile


def _cycle(name: str) -> "Cycle":
    """A standard cycle, or one out of a file."""
    from contactor.physics.cycles import cycle_names, read_cycle, standard_cycle
    from contactor.physics.cycles.standard import standard_name
    from contactor.physics.cycles.table import MOST_BYTES

    if standard_name(name) is not None:
        return standard_cycle(name)
    path = Path(name)
    if not path.is_file():
        known = ", ".join(cycle_names())
        raise UsageError(f"--cycle {name[:200]}: no such cycle or file; cycles: {known}")
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TableError(f"{name}: more than {MOST_BYTES} bytes; a cycle is at most so long")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TableError(
            f"{name}, line {line}: byte 0x{content[error.start]:02X} is no UTF-8 text"
        ) from None
    return read_cycle(text, name=path.name)


def _start_degc(cycle: "Cycle", args: argparse.Namespace) -> float:
    """How warm the car is at first."""
    if args.temperature_degc is not None:
        return float(args.temperature_degc)
    return DEFAULT_DEGC if cycle.ambient_degc is None else float(cycle.ambient_degc[0])


def _drive(
    profile: "Profile", cycle: "Cycle", args: argparse.Namespace
) -> tuple["CycleDrive", float]:
    """The drive, and what the charge after it draws from the wall, in joules."""
    from contactor.physics.car import CarPhysics
    from contactor.physics.follow import follow, recharge_wall_j, with_test_driver

    if profile.physics is None:  # _profile has refused it
        raise ContactorError(f"profile {profile.name!r} has no physics.toml")
    start_degc = _start_degc(cycle, args)
    physics = CarPhysics(
        with_test_driver(profile.physics),
        seed=SEED,
        state_of_charge=(DEFAULT_SOC_PCT if args.soc_pct is None else args.soc_pct) / 100,
        temperature_degc=start_degc,
    )
    drive = follow(physics, cycle, ambient_degc=start_degc, repeat=args.repeat)
    wall_j = recharge_wall_j(
        profile.physics,
        state_of_charge=drive.state_of_charge_end,
        limit=drive.state_of_charge_start,
        seed=SEED,
    )
    return drive, wall_j


# ── what is told ─────────────────────────────────────────────────────────────────────────────────


def _facts(profile: str, cycle: str, drive: "CycleDrive", wall_j: float) -> dict[str, object]:
    kwh = 1 / 3.6e6
    per_km = drive.energy_j / 3.6 / drive.distance_m if drive.distance_m > 0 else None
    numbers = {
        "distance_km": drive.distance_m / 1000,
        "duration_s": drive.duration_s,
        "energy_battery_kwh": drive.energy_j * kwh,
        "energy_wall_kwh": wall_j * kwh,
        "consumption_wh_per_km": per_km,
        "recuperated_kwh": drive.energy_in_j * kwh,
        "soc_start_pct": drive.state_of_charge_start * 100,
        "soc_end_pct": drive.state_of_charge_end * 100,
        "speed_error_max_kmh": drive.speed_error_max_kmh,
    }
    rounded = {
        key: value if value is None else round(value, DIGITS) for key, value in numbers.items()
    }
    return {"profile": profile, "cycle": cycle, **rounded}


def _air(cycle: "Cycle", args: argparse.Namespace) -> str:
    if cycle.ambient_degc is None:
        return f"{_start_degc(cycle, args):g} °C"
    return f"{cycle.ambient_degc.min():g} to {cycle.ambient_degc.max():g} °C"


def _times_text(repeat: int) -> str:
    return f" × {repeat}" if repeat > 1 else ""


LINES = (
    ("distance", "distance_km", 3, "km"),
    ("duration", "duration_s", 0, "s"),
    ("energy out of the battery, net", "energy_battery_kwh", 3, "kWh"),
    ("energy recuperated", "recuperated_kwh", 3, "kWh"),
    ("energy at the wall to recharge", "energy_wall_kwh", 3, "kWh"),
    ("consumption", "consumption_wh_per_km", 1, "Wh/km"),
    ("state of charge at the start", "soc_start_pct", 1, "%"),
    ("state of charge at the end", "soc_end_pct", 1, "%"),
    ("speed error, at most", "speed_error_max_kmh", 1, "km/h"),
)
"""What it is called, its key, digits, unit."""


def _print_facts(facts: dict[str, object], repeat: int, air: str) -> None:
    print(f"{facts['profile']} drives {facts['cycle']}{_times_text(repeat)} at {air}")
    for words, key, digits, unit in LINES:
        value = facts[key]
        if isinstance(value, float):
            print(f"{words:<32}{value:>9.{digits}f} {unit}")
        else:
            print(f"{words:<32}{'—':>9}")


def _tell_limits(drive: "CycleDrive") -> None:
    """Say why the car did not drive what it was asked to."""
    from contactor.physics.follow import BEHIND_KMH

    if drive.empty_s is not None:
        note(f"the battery was empty after {drive.empty_s:.0f} s")
    if drive.behind_s > 0:
        note(
            f"the car was more than {BEHIND_KMH:g} km/h slower than the cycle for"
            f" {drive.behind_s:.1f} s, {drive.at_limit_s:.1f} s of it at the limit of motor,"
            f" battery or top speed; the most at {drive.speed_error_max_at_s:.1f} s"
        )


def _write(series: "Mapping[str, Values]", path: Path) -> None:
    """The series as a file, which appears only when it is whole."""
    import polars as pl

    from contactor.can.output.parquet import write_parquet
    from contactor.can.output.whole import whole_file

    table = pl.DataFrame(dict(series))
    with whole_file(path) as part:
        if path.suffix.lower() == ".csv":
            table.write_csv(part, float_precision=DIGITS)
        else:
            write_parquet(table, part)
