"""Answers questions to the fleet: one array operation for each claim.

mask = where(parse("Vehicle.Speed > 100"), cells, codes=codes, stale_before=stale_before)
[cells.vehicles[row] for row in np.flatnonzero(mask)]
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from contactor.cloud.twin.cells import Cells
from contactor.cloud.twin.query import All, Compare, IsStale, Known, Query, Some, Stands
from contactor.cloud.twin.staleness import is_stale_of

Mask = NDArray[np.bool_]

_OPERATORS: Mapping[str, Callable[[NDArray[np.float64], float], Mask]] = MappingProxyType(
    {
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
        "==": np.equal,
        "!=": np.not_equal,
    }
)


def where(
    query: Query,
    cells: Cells,
    *,
    codes: Callable[[], NDArray[np.uint8]],
    stale_before: Callable[[], NDArray[np.int64]],
) -> Mask:
    """(vehicles,): of which the question is true.

    Args:
        codes: (vehicles,), where each stands; asked only if the question does.
        stale_before: (groups, vehicles), as of `staleness`; the same.
    """
    match query:
        case Compare():
            return _compare(query, cells)
        case Known():
            return _known(query, cells)
        case IsStale():
            column = cells.find_column(query.path)
            if column is None:
                return np.full(len(cells.vehicles), not query.is_so)
            mask: Mask = is_stale_of(cells, column, stale_before()) == query.is_so
            return mask
        case Stands():
            found: Mask = (codes() == query.code) == query.is_so
            return found
        case All() | Some():
            join = np.logical_and if isinstance(query, All) else np.logical_or
            joined: Mask | None = None
            for part in query.parts:
                told = where(part, cells, codes=codes, stale_before=stale_before)
                joined = told if joined is None else join(joined, told, out=joined)
            assert joined is not None
            return joined


def _compare(query: Compare, cells: Cells) -> Mask:
    """A comparison: false of both it and its opposite where no value is held (NaN)."""
    column = cells.find_column(query.path)
    if column is None:
        return np.zeros(len(cells.vehicles), np.bool_)
    numbers, literal = cells.values[column], query.literal
    if isinstance(literal, str):
        code = cells.words[column].find(literal)
        literal = -1.0 if code is None else float(code)
    mask = _OPERATORS[query.operator](numbers, float(literal))
    if query.operator == "!=":  # which alone is true of NaN
        mask &= numbers == numbers  # noqa: PLR0124
    return mask


def _known(query: Known, cells: Cells) -> Mask:
    column = cells.find_column(query.path)
    if column is None:
        return np.full(len(cells.vehicles), not query.is_so)
    is_none: Mask = np.isnan(cells.values[column])
    return ~is_none if query.is_so else is_none
