"""How near `contactor profile fit` comes to a measured car: MOTIVES-LAB, dynamometer and road.

    make bench AREA=fit

bench     37 runs on a dynamometer: all fitted; then each kind of cycle left out (its repeats and
          cold twin leave together) and predicted from the others. The mean over the kinds is that
          of each kind's mean absolute error; cold are the first CLTC, UDDS and WLTC of their days.
road      The same runs and trips 001 to 020 fitted, trips 021 to 040 driven by their own speed,
          elevation and air temperature; the load is learnt from the fitted ones.

Energy is that at the battery, by the first of the two shunts. The base is `contactor_ev`: no number
of it comes from these recordings, and none of what is fitted to them goes into a profile of ours.

Asked for: bench at most 3 % with all in, left out 4 % warm and 7 % cold; road 6 %, bias within 3 %.
Measured:  1.9 %; 2.7 % warm and 2.4 % cold; road 3.3 %, bias -1.8 %. The trips 021 to 040 are no
fresh proof: while this was made, their errors were looked at about ten times.
"""

import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.errors import FitError

if TYPE_CHECKING:
    from contactor.physics.calibration import Fit, Run
    from contactor.physics.parameters import CarParameters

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("CONTACTOR_TEST_DATA") or ROOT.parent / "shared/data") / "motives"
MAP = ROOT / "examples/import/motives.toml"
BASE = "contactor_ev"
Row = dict[str, str | float]
COLD = {"lab_CLTC_01_CLTC_01", "lab_UDDS_01_UDDS_01", "lab_WLTC_01_WLTC_01"}
FITTED_TRIPS = 20


def kind_of(name: str) -> str:
    """The cycle that a bench run drove, without the number of its repeat."""
    return re.sub(r"^lab_[A-Z]+_\d+_|_\d+$", "", name)


def read(pattern: str) -> "list[Run]":
    """The runs of some files, by name."""
    from contactor.car.adapters.table_map import load_table_map
    from contactor.car.adapters.table_runs import read_run

    table_map = load_table_map(MAP)
    paths = sorted(DATA.glob(pattern))
    return [read_run(path, table_map, now_ns=time.time_ns()) for path in paths]


def errors_pct(found: "Fit", runs: "Sequence[Run]") -> list[float]:
    """How far the model is off on each run."""
    from contactor.physics.calibration import predict

    taken_j = predict(found, runs).tolist()
    return [(j / run.energy_j - 1) * 100 for j, run in zip(taken_j, runs, strict=True)]


def mean(values: Iterable[float]) -> float:
    """Of sizes, whatever their sign."""
    sizes = [abs(value) for value in values]
    return sum(sizes) / len(sizes)


def named(run: "Run") -> str:
    return Path(run.name).stem


def bench(base: "CarParameters", runs: "Sequence[Run]") -> list[Row]:
    """All in, then each kind left out."""
    from contactor.physics.calibration import fit

    found = fit(base, runs)
    print("dynamometer, all runs fitted")
    tell(found)
    rows = [row("dynamometer, all fitted", mean(errors_pct(found, runs)), goal_pct=3)]
    print()
    print("dynamometer, one kind of cycle left out")
    warm: dict[str, list[float]] = defaultdict(list)
    cold: dict[str, list[float]] = defaultdict(list)
    for kind in sorted({kind_of(named(run)) for run in runs}):
        left = [run for run in runs if kind_of(named(run)) == kind]
        try:
            found = fit(base, [run for run in runs if run not in left])
        except FitError as error:
            print(f"  {kind}: {error}")
            continue
        for run, error_pct in zip(left, errors_pct(found, left), strict=True):
            (cold if named(run) in COLD else warm)[kind].append(error_pct)
        texts = [f"{value:+.1f}" for value in [*cold[kind], *warm[kind]]]
        print(f"  {kind:20} {' '.join(texts)} %{' (the first cold)' if cold[kind] else ''}")
    for title, kinds, goal_pct in (("warm", warm, 4), ("cold", cold, 7)):
        of_kinds = mean(mean(values) for values in kinds.values() if values)
        rows.append(row(f"kinds left out, {title}", of_kinds, goal_pct=goal_pct))
    return rows


def road(base: "CarParameters", runs: "Sequence[Run]", trips: "Sequence[Run]") -> list[Row]:
    """Some trips fitted, the others judged."""
    from contactor.physics.calibration import fit

    fitted, judged = trips[:FITTED_TRIPS], trips[FITTED_TRIPS:]
    found = fit(base, [*runs, *fitted])
    print(f"\ndynamometer and trips 001 to {FITTED_TRIPS:03d} fitted")
    tell(found)
    errors = errors_pct(found, judged)
    total_j = sum(run.energy_j for run in judged)
    off_j = sum(run.energy_j * one / 100 for run, one in zip(judged, errors, strict=True))
    print(f"trips {FITTED_TRIPS + 1:03d} to {len(trips):03d} judged")
    return [
        row("trips judged", mean(errors), goal_pct=6),
        row("trips judged, bias", off_j / total_j * 100, goal_pct=3),
    ]


def row(name: str, value_pct: float, *, goal_pct: float) -> Row:
    """A figure, printed; its ratio is that to the goal."""
    print(f"  {name}: {value_pct:.2f} %, asked for {goal_pct:g} %")
    figures = {"value": value_pct, "low": value_pct, "high": value_pct}
    return {"name": name, **figures, "unit": "%", "ratio": abs(value_pct) / goal_pct}


def tell(found: "Fit") -> None:
    """The fitted numbers."""
    for name, one in found.parameters.items():
        print(f"  {name:28} {one.value:.4g} ({one.low:.4g} to {one.high:.4g}) {one.unit}")
    for name, reason in found.held.items():
        print(f"  held: {name}, {reason}")


def main() -> int:
    """Both protocols."""
    sys.path.remove(str(Path(__file__).parent))  # else cantools takes can.py for python-can
    if not DATA.is_dir():
        print(f"no recordings in {DATA}; CONTACTOR_TEST_DATA names another folder")
        return 0
    sys.path.insert(0, str(Path(__file__).parent / "rounds"))
    from harness import save

    from contactor.car.profiles.profile import load_profile

    began_s = time.monotonic()
    base = load_profile(BASE).physics
    assert base is not None
    runs, trips = read("lab_*.parquet"), read("real_*.parquet")
    rows = [*bench(base, runs), *road(base, runs, trips)]
    save("fit", rows, rounds=1)
    print(f"\n17 fits in {time.monotonic() - began_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
