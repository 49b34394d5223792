"""`contactor profile fit`: a car's parameters out of recorded drives.

contactor profile fit trips/*.csv --map trips.toml --base contactor_ev --output my_car
contactor profile fit lab/*.parquet --map lab.toml --base my_base --output my_car --judge road/*
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.app.cars import existing_file
from contactor.app.output import note, print_json, print_table
from contactor.app.progress import progress_bar
from contactor.clock import SystemClock
from contactor.errors import UsageError

if TYPE_CHECKING:
    from contactor.car.profiles.profile import Profile
    from contactor.physics.calibration import Fit, Run

J_PER_M_TO_WH_PER_KM = 1 / 3.6
DIGITS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("recordings", nargs="+", metavar="RECORDING", help="Parquet, CSV or TSV")
    parser.add_argument(
        "--map", required=True, metavar="MAP.toml", help="which column is what, as for import"
    )
    parser.add_argument(
        "--base", required=True, metavar="PROFILE", help="the car that the fit starts from"
    )
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="the profile to write; a new folder"
    )
    parser.add_argument(
        "--parameter",
        action="append",
        metavar="NAME",
        help="fit this one beside rolling resistance, drag area and load, such as"
        " driveline.gear_efficiency or body.mass_kg; may be repeated;"
        " default: those that the recordings tell of",
    )
    parser.add_argument(
        "--judge",
        nargs="+",
        default=[],
        metavar="RECORDING",
        help="recordings that are not fitted, only predicted",
    )
    parser.add_argument(
        "--temperature-degc",
        type=float,
        default=20.0,
        metavar="DEGC",
        help="of recordings that do not tell theirs, default 20",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Fit, write the profile and tell of it."""
    from contactor.app.drives import check_map, read_drives
    from contactor.car.adapters.table_map import load_table_map
    from contactor.car.profiles.profile import load_profile
    from contactor.physics.calibration import fit
    from contactor.physics.calibration.fit import predict

    paths = [existing_file(name) for name in args.recordings]
    judged_paths = [existing_file(name) for name in args.judge]
    names = _names(args.parameter)
    output = _new_folder(args.output)
    base = load_profile(args.base)
    if base.physics is None:
        raise UsageError(f"profile {base.name!r} has no physics.toml to start from")
    table_map = load_table_map(Path(args.map))
    check_map(table_map)
    now_ns = SystemClock().now_ns()
    runs = read_drives(paths, table_map, now_ns=now_ns)
    judged = read_drives(judged_paths, table_map, now_ns=now_ns)
    with progress_bar("fit", "set") as on_progress:
        found = fit(
            base.physics,
            runs,
            names=names,
            unknown_degc=args.temperature_degc,
            on_progress=on_progress,
        )
    _write(output, base, found, len(runs))
    facts = _facts(runs, found.energies_j.tolist())
    judged_facts = []
    if judged:
        energies_j = predict(found, judged, unknown_degc=args.temperature_degc)
        judged_facts = _facts(judged, energies_j.tolist())
    if args.json:
        document: dict[str, object] = {"parameters": found.parameters, "runs": facts}
        print_json(document | ({"judged": judged_facts} if judged else {}))
    else:
        _print(found, base, facts, judged_facts)
        print(f"written: {output}")
    return 0


def _names(given: list[str] | None) -> list[str] | None:
    """Which parameters are to be fitted; None for those that the recordings tell of."""
    if given is None:
        return None
    from contactor.physics.calibration.parameters import BY_NAME

    for name in given:
        if name not in BY_NAME:
            raise UsageError(f"--parameter {name!r}; allowed are {', '.join(BY_NAME)}")
    return list(dict.fromkeys(given))


def _new_folder(name: str) -> Path:
    folder = Path(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--output {name}: it is there already; a new folder is expected")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"--output {name}: there is no folder {folder.parent}")
    return folder


def _facts(runs: "Sequence[Run]", energies_j: Sequence[float]) -> list[dict[str, object]]:
    facts: list[dict[str, object]] = []
    for one, energy_j in zip(runs, energies_j, strict=True):
        per_m = J_PER_M_TO_WH_PER_KM / one.distance_m
        error = (energy_j - one.energy_j) / one.energy_j if one.energy_j else 0.0
        facts.append(
            {
                "file": one.name,
                "measured_wh_per_km": round(one.energy_j * per_m, DIGITS),
                "model_wh_per_km": round(energy_j * per_m, DIGITS),
                "error_pct": round(error * 100, DIGITS),
            }
        )
    return facts


# ── the profile ──────────────────────────────────────────────────────────────────────────────────


def _write(folder: Path, base: "Profile", found: "Fit", count: int) -> None:
    """The base's files with the fitted numbers; all of them, or none."""
    from contactor.car.profiles.profile import PHYSICS
    from contactor.car.profiles.rewrite import rewritten
    from contactor.physics.calibration.fit import CONSTANT

    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir()
        for file in base.folder.iterdir():
            if file.is_file():
                shutil.copyfile(file, part / file.name)
        values = {name: one.value for name, one in found.parameters.items()}
        values[CONSTANT] = found.model.driveline.constant_w
        remark = f"fitted to {count} recordings"
        text = (base.folder / PHYSICS).read_text(encoding="utf-8")
        changed = rewritten(text, values, remark=remark)
        (part / PHYSICS).write_text(changed, encoding="utf-8")
        (part / "README.md").write_text(_readme(base.name, found, count), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _readme(base: str, found: "Fit", count: int) -> str:
    rows = [
        f"| {name} | {one.value:.4g} | {one.low:.4g} to {one.high:.4g} | {one.unit} |"
        for name, one in found.parameters.items()
    ]
    return "\n".join(
        [
            f"# {base}, fitted",
            "",
            f"The profile `{base}` with numbers fitted to {count} recordings by"
            " `contactor profile fit`; all others are those of the base.",
            "",
            "| parameter | value | 95 % interval | unit |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


# ── for people ───────────────────────────────────────────────────────────────────────────────────


def _print(
    found: "Fit",
    base: "Profile",
    facts: list[dict[str, object]],
    judged: list[dict[str, object]],
) -> None:
    from contactor.physics.calibration.parameters import value_of

    assert base.physics is not None
    rows = [
        [
            name,
            one.value,
            f"{one.low:.4g} to {one.high:.4g}",
            value_of(base.physics, name),
            one.unit,
        ]
        for name, one in found.parameters.items()
    ]
    print_table(["parameter", "value", "95 % interval", "base", "unit"], rows)
    if found.held:
        print(f"held at the base's: {', '.join(found.held)}")
    if found.bench_load_w is not None:
        print(f"load of recordings that do not tell of the weather: {found.bench_load_w:.0f} W")
    _print_runs("fitted", facts)
    if judged:
        _print_runs("judged", judged)
    worst = max(abs(float(str(one["error_pct"]))) for one in facts)
    if worst > 20:
        note(f"a recording is {worst:.0f} % off; look at it before you trust the profile")


def _print_runs(title: str, facts: list[dict[str, object]]) -> None:
    errors = [float(str(one["error_pct"])) for one in facts]
    mean = sum(map(abs, errors)) / len(errors)
    print()
    print_table(
        [title, "measured Wh/km", "model Wh/km", "error %"], [list(one.values()) for one in facts]
    )
    print(f"mean absolute error {mean:.2f} %, mean error {sum(errors) / len(errors):+.2f} %")
