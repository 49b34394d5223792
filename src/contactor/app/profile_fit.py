"""`contactor profile fit`: a car's parameters out of recorded drives.

contactor profile fit trips/*.csv --map trips.toml --base contactor_ev --output my_car
contactor profile fit lab/*.parquet --map lab.toml --base ./base --output my_car --judge road/*
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contactor.app.cars import existing_file
from contactor.app.output import note, print_json, print_table
from contactor.app.progress import progress_bar
from contactor.clock import SystemClock
from contactor.errors import UsageError
from contactor.physics.constants import KMH_PER_MPS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from contactor.car.adapters.table_map import TableMap
    from contactor.physics.calibration import Estimate, Fit, Run
    from contactor.physics.parameters import CarParameters

COLDEST_DEGC, HOTTEST_DEGC = -40.0, 60.0
DIGITS = 6
# What is further off than this is told to whoever asked for the fit.
FAR_PCT, FAR_KMH = 20.0, 5.0


class RunFacts(NamedTuple):
    """One recording, and what the fitted car takes on it."""

    file: str
    measured_wh_per_km: float
    model_wh_per_km: float
    error_pct: float | None


class Facts(NamedTuple):
    """What is told of some recordings; the bias is that of the sum of their energies."""

    runs: list[RunFacts]
    mean_error_pct: float
    bias_pct: float

    @classmethod
    def of(cls, runs: "Sequence[Run]", energies_j: "NDArray[np.float64]") -> "Facts":
        """From the model's energies, (runs,)."""
        facts = []
        for one, energy_j in zip(runs, energies_j.tolist(), strict=True):
            j_per_wh_per_km = 3.6 * one.distance_m
            error = (energy_j / one.energy_j - 1) * 100 if one.energy_j > 0 else None
            facts.append(
                RunFacts(
                    one.name,
                    round(one.energy_j / j_per_wh_per_km, DIGITS),
                    round(energy_j / j_per_wh_per_km, DIGITS),
                    None if error is None else round(error, DIGITS),
                )
            )
        errors = [abs(one.error_pct) for one in facts if one.error_pct is not None]
        measured_j = sum(one.energy_j for one in runs)
        return cls(
            facts,
            sum(errors) / len(errors) if errors else 0.0,
            (float(energies_j.sum()) / measured_j - 1) * 100 if measured_j > 0 else 0.0,
        )

    def documents(self) -> list[dict[str, object]]:
        """As `--json` prints them."""
        return [one._asdict() for one in self.runs]


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
        type=_temperature,
        default=20.0,
        metavar="DEGC",
        help="of recordings that do not tell theirs, default 20",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Fit, write the profile and tell of it."""
    from contactor.app.fitted_profile import check_rewritable, write_profile
    from contactor.car.adapters.table_map import load_table_map
    from contactor.car.adapters.table_runs import check_fits
    from contactor.car.profiles.profile import load_profile
    from contactor.physics.calibration import fit, predict

    paths = [existing_file(name) for name in args.recordings]
    judged_paths = [existing_file(name) for name in args.judge]
    _check_once([*paths, *judged_paths])
    names = _names(args.parameter)
    output = _new_folder(args.output)
    base = load_profile(args.base)
    physics = check_rewritable(base)
    table_map = load_table_map(Path(args.map))
    check_fits(table_map)
    runs, judged = _read(paths, table_map), _read(judged_paths, table_map)
    with progress_bar("fit", "set") as on_progress:
        found = fit(
            physics,
            runs,
            names=names,
            unknown_degc=args.temperature_degc,
            on_progress=on_progress,
        )
    facts = Facts.of(runs, found.energies_j)
    judged_facts = None
    if judged:
        energies_j = predict(found, judged, unknown_degc=args.temperature_degc)
        judged_facts = Facts.of(judged, energies_j)
    write_profile(output, base=base, found=found, names=[one.name for one in runs])
    if args.json:
        document: dict[str, object] = {
            "parameters": found.parameters,
            "runs": facts.documents(),
            "held": found.held,
        }
        if judged_facts is not None:
            document["judged"] = judged_facts.documents()
        print_json(document)
    else:
        _print(found, physics, facts, judged_facts)
        print(f"written: {output}")
    _tell_doubts(found, facts)
    return 0


# ── what is asked for ────────────────────────────────────────────────────────────────────────────


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not COLDEST_DEGC <= value <= HOTTEST_DEGC:
        raise argparse.ArgumentTypeError(
            f"{text} is beyond what is allowed: {COLDEST_DEGC:g} to {HOTTEST_DEGC:g}"
        )
    return value


def _check_once(paths: Sequence[Path]) -> None:
    real = [path.resolve() for path in paths]
    for place, path in enumerate(real):
        if path in real[:place]:
            raise UsageError(f"{paths[place]} is given twice: each recording is fitted or judged")


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


def _read(paths: Sequence[Path], table_map: "TableMap") -> "list[Run]":
    from contactor.car.adapters.table_runs import read_run

    now_ns = SystemClock().now_ns()
    return [read_run(path, table_map, now_ns=now_ns) for path in paths]


# ── what is told ─────────────────────────────────────────────────────────────────────────────────


def _print(found: "Fit", base: "CarParameters", facts: Facts, judged: Facts | None) -> None:
    from contactor.physics.calibration.parameters import value_of

    print_table(
        ["parameter", "value", "95 % interval", "base", "unit"],
        [
            [name, f"{one.value:.4g}", _interval(one), f"{value_of(base, name):.4g}", one.unit]
            for name, one in found.parameters.items()
        ],
    )
    for name, reason in found.held.items():
        print(f"held: {name}, {reason}")
    if found.bench_load_w is not None:
        print(f"load where a recording does not tell the weather: {found.bench_load_w:.0f} W")
    _print_runs("fitted", facts)
    if judged is not None:
        _print_runs("judged", judged)


def _interval(one: "Estimate") -> str:
    return f"{one.low:.4g} to {one.high:.4g}"


def _print_runs(title: str, facts: Facts) -> None:
    print()
    print_table(
        [title, "measured Wh/km", "model Wh/km", "error %"],
        [
            [
                one.file,
                f"{one.measured_wh_per_km:.1f}",
                f"{one.model_wh_per_km:.1f}",
                None
                if one.error_pct is None
                else f"{round(one.error_pct, 1) + 0.0:.1f}",  # no -0.0
            ]
            for one in facts.runs
        ],
    )
    print(f"mean absolute error {facts.mean_error_pct:.2f} %, bias {facts.bias_pct:+.2f} %")


def _tell_doubts(found: "Fit", facts: Facts) -> None:
    """What makes a fit doubtful."""
    error_pct, file = max((abs(one.error_pct or 0.0), one.file) for one in facts.runs)
    if error_pct > FAR_PCT:
        note(f"{file} is {error_pct:.0f} % off; look at it before you trust the profile")
    errors_kmh = (found.speed_errors_mps * KMH_PER_MPS).tolist()
    error_kmh, file = max(zip(errors_kmh, (one.file for one in facts.runs), strict=True))
    if error_kmh > FAR_KMH:
        note(
            f"the car was {error_kmh:.0f} km/h beside the speed of {file}: has the base the power"
            " of the car, or the recording spikes?"
        )
