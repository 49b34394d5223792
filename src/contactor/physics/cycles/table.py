"""A cycle of your own out of a CSV text, checked line by line.

    time_s,speed_kmh,elevation_m,ambient_degc
    0,0,446,12.5
    1,3.6,446,12.5

The last two columns may be missing, and columns may stand in any order. Time may begin anywhere:
the first point is second 0 of the cycle. Size comes first, then form, then meaning.
"""

from array import array
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from contactor.errors import TableError
from contactor.physics.constants import KMH_PER_MPS
from contactor.physics.cycles.cycle import GRADE_OVER_M, Cycle, Values

MOST_BYTES = 64 * 2**20
MOST_POINTS = 1_000_000
MOST_LETTERS = 40
SHORTEST_S, LONGEST_S = 1.0, 7 * 86_400.0
# Steeper than any street (Baldwin Street, Dunedin: 0.35): then an elevation is wrong.
GRADE_MAX = 0.5


class Limit(NamedTuple):
    """The least and the most that a column may say."""

    low: float
    high: float


COLUMNS = {
    "time_s": Limit(-1e12, 1e12),
    "speed_kmh": Limit(0, 300),
    "elevation_m": Limit(-500, 9000),
    "ambient_degc": Limit(-60, 60),
}
NEEDED = ("time_s", "speed_kmh")


def read_cycle(text: str, *, name: str) -> Cycle:
    """A cycle out of a CSV text.

    Args:
        name: what it is called in errors and results.

    Raises:
        TableError: naming the line, the value, and what is allowed.
    """
    if len(text) > MOST_BYTES:
        raise TableError(f"{name}: {len(text)} characters; at most {MOST_BYTES}")
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > MOST_POINTS + 1:
        raise TableError(f"{name}: {len(lines)} lines; at most {MOST_POINTS + 1}")
    names = _heads(lines[0] if lines else "", name)
    columns = {column: array("d") for column in names}
    numbers = array("l")
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            _read_line(line, names, columns, f"{name}, line {number}")
            numbers.append(number)
    values = {column: np.array(cells, np.float64) for column, cells in columns.items()}
    _check_time(values["time_s"], numbers, name)
    cycle = _cycle(values, name)
    _check_grades(cycle, numbers)
    return cycle


def _heads(line: str, name: str) -> list[str]:
    """The columns of the first line."""
    heads = [head.strip().strip('"') for head in line.split(",")]
    expected = f"expected is time_s,speed_kmh[,elevation_m,ambient_degc], not {_short(line)}"
    for head in heads:
        if head not in COLUMNS:
            raise TableError(f"{name}, line 1: {expected}")
        if heads.count(head) > 1:
            raise TableError(f"{name}, line 1: {head} stands twice")
    for head in NEEDED:
        if head not in heads:
            raise TableError(f"{name}, line 1: {head} is missing; {expected}")
    return heads


def _read_line(
    line: str, names: list[str], columns: Mapping[str, "array[float]"], place: str
) -> None:
    cells = line.split(",")
    if len(cells) != len(names):
        raise TableError(f"{place}: {len(cells)} cells; {len(names)} are expected: {_short(line)}")
    for column, cell in zip(names, cells, strict=True):
        low, high = COLUMNS[column]
        try:
            value = float(cell.strip().strip('"'))
        except ValueError:
            raise TableError(f"{place}: {column} is {_short(cell)}, which is no number") from None
        # What is no number is not in any range either.
        if not low <= value <= high:
            raise TableError(
                f"{place}: {column} is {_short(cell)}; allowed are {low:.15g} to {high:.15g}"
            )
        columns[column].append(value)


def _check_time(time_s: Values, numbers: "array[int]", name: str) -> None:
    if len(time_s) < 2:
        raise TableError(f"{name}: {len(time_s)} points; a cycle has at least 2")
    steps = np.diff(time_s)
    if not (steps > 0).all():
        at = int(np.argmin(steps > 0))
        raise TableError(
            f"{name}, line {numbers[at + 1]}: time_s is {time_s[at + 1]:.15g} after"
            f" {time_s[at]:.15g}; it must ascend"
        )
    duration_s = float(time_s[-1] - time_s[0])
    if not SHORTEST_S <= duration_s <= LONGEST_S:
        raise TableError(
            f"{name}: takes {duration_s:.6g} s; allowed are {SHORTEST_S:g} to {LONGEST_S:.0f} s"
        )


def _cycle(values: Mapping[str, Values], name: str) -> Cycle:
    return Cycle(
        name=name,
        time_s=values["time_s"] - values["time_s"][0],
        speed_mps=values["speed_kmh"] / KMH_PER_MPS,
        elevation_m=values.get("elevation_m"),
        ambient_degc=values.get("ambient_degc"),
    )


def _check_grades(cycle: Cycle, numbers: "array[int]") -> None:
    """No street is so steep: an elevation jumps, as where a receiver has no fix."""
    grades = cycle.grades()
    at = int(np.abs(grades).argmax())
    if abs(grades[at]) <= GRADE_MAX:
        return
    from_m = at * cycle.distance_m / len(grades)
    row = min(int(np.searchsorted(cycle.distances_m(), from_m, "right")), len(numbers) - 1)
    raise TableError(
        f"{cycle.name}, near line {numbers[row]}: elevation_m makes a grade of {grades[at]:.2f}"
        f" over {GRADE_OVER_M:g} m; allowed are {-GRADE_MAX} to {GRADE_MAX}"
    )


def _short(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…")
