"""Answers of OBD-II service 01 to several identifiers at once: each is followed by its data.

    41 0C 0B B8 0D 32        two: 0C with two bytes, 0D with one

Only the standard's sizes tell where the next identifier is. So an answer is divided only if the
sizes of all its identifiers are known and add up to the whole; else it is one identifier's.

Source: SAE J1979 (ISO 15031-5), annex B: bytes of data by identifier.
"""

import numpy as np
from numpy.typing import NDArray

from contactor.can.isotp import Transfers

OBD_SERVICE = 0x01
OBD_ANSWER = 0x41
# A request has at most so many identifiers (ISO 15765-4).
MAX_IDENTIFIERS = 6

# Bytes of data, sixteen identifiers a row: 00 to 0F, 10 to 1F ... and 60 to 64.
_SIZES = (
    "4422111111112111"
    "2111222222221112"
    "4222444444441111"
    "1221444444442222"
    "4422211111111224"
    "4112222222111221"
    "41125"
)


def _table() -> NDArray[np.int64]:
    sizes = np.zeros(256, np.int64)
    known = [int(size) for size in _SIZES]
    sizes[: len(known)] = known
    return sizes


def pieces_of(
    transfers: Transfers, numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Divide answers of service 01.

    Args:
        numbers: int64 (n,), which transfers.

    Returns:
        Of each piece the transfer, where its identifier begins, and where its data end.
    """
    sizes, ends = _table(), transfers.sizes[numbers]
    cursor = np.ones(len(numbers), np.int64)
    is_whole = transfers.is_complete[numbers].copy()
    begins, is_there = [], []
    for _ in range(MAX_IDENTIFIERS):
        more = is_whole & (cursor < ends)
        begins.append(cursor.copy())
        is_there.append(more)
        size = sizes[transfers.matrix(numbers, cursor, 1)[:, 0]]
        is_whole &= ~more | (size > 0)
        cursor += np.where(more, 1 + size, 0)
    is_whole &= cursor == ends
    undivided = np.flatnonzero(~is_whole)
    places, firsts = [undivided], [np.ones(len(undivided), np.int64)]
    lasts = [ends[undivided]]
    for step, (begin, there) in enumerate(zip(begins, is_there, strict=True)):
        place = np.flatnonzero(there & is_whole)
        after = begins[step + 1] if step + 1 < MAX_IDENTIFIERS else cursor
        places.append(place)
        firsts.append(begin[place])
        lasts.append(after[place])
    found = np.concatenate(places)
    first, last = np.concatenate(firsts), np.concatenate(lasts)
    order = np.lexsort((first, found))
    return numbers[found[order]], first[order], last[order]
