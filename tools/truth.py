"""Random fleets whose truth is known: what is found of their lives, and how right it is.

    make truth                                   # 200 cars, 30 days
    make truth ARGS="--cars 20 --days 10 --seed 1000 --spoil gaps"

Each car lives a random life by the equations of the virtual car, tells of it by the signals and
sensors of one kit, and something goes wrong on the way (`tests.history.truth`, which says what
counts as found). A row of the table is of the cars of one kit, or of one way to go wrong.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np

from tests.history.truth.judge import Count, Energy, Verdict, judge
from tests.history.truth.spoil import SPOILS
from tests.history.truth.told import KITS

HEAD = (
    f"{'':12} {'cars':>4} {'rows':>6}  {'trips':>6} {'recall':>6} {'precis.':>7}"
    f"  {'charges':>7} {'recall':>6} {'precis.':>7}  {'energy':>6} {'median':>6} {'in':>6}"
    f"  {'capacity':>8} {'±':>4}  {'range':>5}"
)
# A battery is known after so many windows: a car that hardly moves tells nothing of it.
SESSIONS = 20


def main() -> int:
    """Judge a fleet, and print it; 1 where what was continued is not what is found from scratch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cars", type=int, default=200)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of the first car")
    parser.add_argument("--kit", choices=KITS, help="the signals of all cars; by default any")
    parser.add_argument("--spoil", choices=SPOILS, help="what goes wrong; by default anything")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    one = partial(judge, days=args.days, kit=args.kit, spoil=args.spoil)
    seeds = range(args.seed, args.seed + args.cars)
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as executor:
        verdicts = list(executor.map(one, seeds))
    print(HEAD)
    for name in KITS:
        tell(name, [one for one in verdicts if one.kit == name])
    print()
    for name in SPOILS:
        tell(name, [one for one in verdicts if one.spoil == name])
    print()
    tell("all", verdicts)
    wrong = [one.seed for one in verdicts if not one.is_continued]
    if wrong:
        print(f"continued otherwise than from scratch: seeds {wrong}")
    return 1 if wrong else 0


def tell(name: str, verdicts: Sequence[Verdict]) -> None:
    """A row of the table."""
    if not verdicts:
        return
    trips = [one.trips for one in verdicts]
    charges = [one.charges for one in verdicts]
    energies = [energy for one in trips for energy in one.energies]
    given = [energy for one in charges for energy in one.energies]
    capacities = [
        one.capacity
        for one in verdicts
        if one.capacity is not None and one.capacity.sessions >= SESSIONS
    ]
    inside = [abs(one.found - one.true) <= one.half for one in capacities]
    halves = [100 * one.half / one.true for one in capacities]
    ranges = [inside for one in verdicts for inside in one.in_range]
    print(
        f"{name:12} {len(verdicts):>4} {sum(one.rows for one in verdicts) / 1e6:>5.1f}M"
        f"  {_found(trips)}  {_found(charges, width=7)}"
        f"  {_error(energies):>+5.2f}% {_usual_error(energies):>5.2f}% {_error(given):>+5.2f}%"
        f"  {_percent(inside):>8} {_mean(halves):>4}  {_percent(ranges):>5}"
    )


def _found(counts: Sequence[Count], *, width: int = 6) -> str:
    true, wrong = sum(one.true for one in counts), sum(one.wrong for one in counts)
    found = true - sum(one.missed for one in counts)
    recall = 100 * found / true if true else float("nan")
    precision = 100 * found / (found + wrong) if found + wrong else float("nan")
    return f"{true:>{width}} {recall:>6.2f} {precision:>7.2f}"


def _error(energies: Sequence[Energy]) -> float:
    """Of all together, against what the sensors would have had without a gap, %."""
    sensed = sum(one.sensed for one in energies)
    return 100 * (sum(one.found for one in energies) / sensed - 1) if sensed else float("nan")


def _usual_error(energies: Sequence[Energy]) -> float:
    errors = [abs(one.found / one.sensed - 1) for one in energies if one.sensed]
    return 100 * float(np.median(errors)) if errors else float("nan")


def _percent(flags: Sequence[bool]) -> str:
    return f"{100 * sum(flags) / len(flags):.0f}%" if flags else "—"


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.1f}" if values else "—"


if __name__ == "__main__":
    sys.exit(main())
