"""The records of an MF4 run, one after another: what `readers/mf4/splitting.py` does by columns."""

import numpy as np
from numpy.typing import NDArray

from contactor.can.kernels.jit import kernel

LENGTH_BYTES = 4


@kernel
def number_at(buffer: NDArray[np.uint8], place: int, count: int) -> int:
    """The little-endian number of `count` bytes, up to 8."""
    number = np.int64(0)
    for step in range(count):
        number |= np.int64(buffer[place + step]) << np.int64(8 * step)
    return number


@kernel
def walk(
    buffer: NDArray[np.uint8],
    size: int,
    id_bytes: int,
    ids: NDArray[np.int64],
    sizes: NDArray[np.int64],
    places: NDArray[np.int64],
    numbers: NDArray[np.int64],
) -> tuple[int, int]:
    """Fill `places` and `numbers`; returns how many, and the bytes used up.

    Args:
        ids: the known ids, ascending.
        sizes: bytes of their records, -1 where a record states them.
    """
    count, place, row = 0, 0, 0
    while place + id_bytes <= size and count < places.shape[0]:
        number = number_at(buffer, place, id_bytes)
        if ids[row] != number:
            row = np.searchsorted(ids, number)
            if row == ids.shape[0] or ids[row] != number:
                break
        end = place + id_bytes
        if sizes[row] >= 0:
            end += sizes[row]
        else:
            end += LENGTH_BYTES + number_at(buffer, end, LENGTH_BYTES)
        if end > size or end == place:
            break
        places[count] = place
        numbers[count] = number
        count += 1
        place = end
    return count, place


def split_records(
    buffer: NDArray[np.uint8],
    size: int,
    id_bytes: int,
    ids: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Places and ids of whole records, and the bytes used up."""
    room = size // max(id_bytes, 1) + 1
    places, numbers = np.empty(room, np.int64), np.empty(room, np.int64)
    count, used = walk(buffer, size, id_bytes, ids, sizes, places, numbers)
    return places[:count].copy(), numbers[:count].copy(), int(used)


def warm() -> None:
    """Compile for the types that the engine calls with."""
    none = np.zeros(1, np.int64)
    split_records(np.zeros(128, np.uint8), 0, 1, none, none)
