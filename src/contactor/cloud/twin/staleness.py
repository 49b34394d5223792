"""Which values are no longer known to hold. Pure, of all cars at once.

A value is stale once it is older than the limit of the group that it came in, and every value of a
lost car is. But a car that is awake and heard without a pause writes no row while nothing changes:
what its newest row told still holds, until the heartbeat that should have told it is overdue.

All of it comes down to one stamp for each group and car: what is older is stale.

    limits = stale_before(cells.newest, held_from, is_lost, now_ns)     # (groups, vehicles)
    is_stale(cells, limits)                                             # (signals, vehicles)
"""

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_S
from contactor.cloud.twin.cells import GROUPS, NEVER, Cells
from contactor.signals.groups import GROUP_RULES

ALWAYS = int(np.iinfo(np.int64).max)
LIMITS_NS = np.array([round(GROUP_RULES[group].stale_s * NS_PER_S) for group in GROUPS], np.int64)
_BEATS_NS = LIMITS_NS + np.array(
    [round(GROUP_RULES[group].heartbeat_s * NS_PER_S) for group in GROUPS], np.int64
)


def stale_before(
    newest: NDArray[np.int64],
    held_from: NDArray[np.int64],
    is_lost: NDArray[np.bool_],
    now_ns: int,
) -> NDArray[np.int64]:
    """(groups, vehicles): the stamp before which a cell is stale.

    Args:
        newest: (groups, vehicles), the newest row of each; no cell of the group is newer.
        held_from: (vehicles,), from which stamp on a newest row holds though it is old.
        is_lost: (vehicles,).
    """
    limit = (now_ns - LIMITS_NS)[:, np.newaxis]
    is_held = newest >= np.maximum(held_from, (now_ns - _BEATS_NS)[:, np.newaxis])
    before = np.where(is_held, np.minimum(newest, limit), limit)
    before[:, is_lost] = ALWAYS
    return before


def is_stale(cells: Cells, before: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(signals, vehicles): which cells hold something that is stale."""
    stale = np.empty(cells.shape, np.bool_)
    for column in range(len(cells.signals)):
        stale[column] = is_stale_of(cells, column, before)
    return stale


def is_stale_of(cells: Cells, column: int, before: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(vehicles,): which cells of one signal hold something that is stale."""
    stamps, codes = cells.stamps[column], cells.group_codes(column)
    limits = before[codes] if isinstance(codes, int) else before[codes, np.arange(len(stamps))]
    stale: NDArray[np.bool_] = (stamps < limits) & (stamps != NEVER)
    return stale
