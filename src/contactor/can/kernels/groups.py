"""Frames to lanes, and lanes one after another: a table of ids, and a counting sort."""

import numpy as np
from numpy.typing import NDArray

from contactor.can.kernels.jit import kernel


@kernel
def look_up(
    bus: NDArray[np.uint8],
    can_id: NDArray[np.uint32],
    is_extended: NDArray[np.bool_],
    is_error: NDArray[np.bool_],
    is_remote: NDArray[np.bool_],
    standard: NDArray[np.int16],
    keys: NDArray[np.int64],
    values: NDArray[np.int16],
    lanes: NDArray[np.int16],
) -> None:
    """The lane of each frame, -1 where its id is in no table.

    Args:
        standard: (256 · 2048,), the lane of each standard id of each bus.
        keys, values: sorted keys of extended ids (bus << 32 | 1 << 31 | id), and their lanes.
        lanes: (n,), filled.
    """
    for row in range(lanes.shape[0]):
        if is_error[row] or is_remote[row]:
            lanes[row] = 0
        elif not is_extended[row] and can_id[row] < 2048:
            lanes[row] = standard[np.int64(bus[row]) * 2048 + np.int64(can_id[row])]
        else:
            wanted = np.int64(bus[row]) << 32 | np.int64(is_extended[row]) << 31
            wanted |= np.int64(can_id[row])
            low, high = 0, keys.shape[0]
            while low < high:
                middle = (low + high) // 2
                if keys[middle] < wanted:
                    low = middle + 1
                else:
                    high = middle
            is_known = low < keys.shape[0] and keys[low] == wanted
            lanes[row] = values[low] if is_known else -1


@kernel
def sort_by_lane(
    lanes: NDArray[np.int16], starts: NDArray[np.int64], order: NDArray[np.int32]
) -> None:
    """A stable counting sort.

    Args:
        lanes: (n,), each 0 or more and below the number of lanes.
        starts: (lanes + 1,), filled with where each lane begins in `order`.
        order: (n,), filled with the rows of each lane, ascending.
    """
    starts[:] = 0
    for row in range(lanes.shape[0]):
        starts[lanes[row] + 1] += 1
    for lane in range(1, starts.shape[0]):
        starts[lane] += starts[lane - 1]
    places = starts[:-1].copy()
    for row in range(lanes.shape[0]):
        lane = lanes[row]
        order[places[lane]] = row
        places[lane] += 1


def warm() -> None:
    """Compile for the types that the engine calls with."""
    flags = np.zeros(1, np.bool_)
    lanes = np.empty(1, np.int16)
    look_up(
        np.zeros(1, np.uint8),
        np.zeros(1, np.uint32),
        flags,
        flags,
        flags,
        np.zeros(256 * 2048, np.int16),
        np.zeros(0, np.int64),
        np.zeros(0, np.int16),
        lanes,
    )
    sort_by_lane(lanes, np.empty(2, np.int64), np.empty(1, np.int32))
