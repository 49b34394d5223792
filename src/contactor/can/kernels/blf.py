"""The objects of a BLF log, one after another: what `readers/blf_objects.py` does by columns."""

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import (
    CLASSIC_BYTES,
    DLC_BYTES,
    FD_BYTES,
    MAX_EXTENDED_ID,
    MAX_STANDARD_ID,
)
from contactor.can.kernels.jit import kernel
from contactor.can.readers.blf_objects import (
    BASE_BYTES,
    CHANNEL_BYTES,
    DATA,
    DLC,
    EXTENDED_FLAG,
    EXTRA,
    FD,
    FD_BIT,
    FIXED,
    HEAD_BYTES,
    ID,
    IS_CUT,
    IS_ERROR,
    IS_GARBLED,
    IS_LENGTH,
    IS_SHORT,
    IS_TIME,
    LAYOUTS,
    MAX_CHANNEL,
    MAX_FRAME_OBJECT,
    MAX_OBJECT,
    MAX_PADDING,
    PAD,
    REMOTE,
    REMOTE_BIT,
    ROWS,
    SIGNATURE,
    TEN_MICROSECONDS,
    TEN_MICROSECONDS_NS,
    VALID,
    Columns,
    Walk,
)
from contactor.can.readers.numbers import MAX_TS_NS

L, O, B, J = SIGNATURE  # noqa: E741  # the letters
MARK_BYTES = len(SIGNATURE)
HEAD_1, HEAD_2 = HEAD_BYTES[1], HEAD_BYTES[2]
LAST_ROW = len(ROWS) - 1
Octets = NDArray[np.uint8]


u64 = np.uint64


@kernel
def number_2(buffer: Octets, place: int) -> int:
    """The little-endian number of 2 bytes."""
    at = u64(place)  # an index without a sign needs no check, and the loads become one
    return np.int64(u64(buffer[at]) | (u64(buffer[at + u64(1)]) << u64(8)))


@kernel
def number_4(buffer: Octets, place: int) -> int:
    """The little-endian number of 4 bytes."""
    at = u64(place)
    return np.int64(
        u64(buffer[at])
        | (u64(buffer[at + u64(1)]) << u64(8))
        | (u64(buffer[at + u64(2)]) << u64(16))
        | (u64(buffer[at + u64(3)]) << u64(24))
    )


@kernel
def mark_from(buffer: Octets, size: int, place: int) -> int:
    """Where LOBJ stands from a place on; -1 where it does not."""
    for at in range(place, size - MARK_BYTES + 1):
        if buffer[at] == L and buffer[at + 1] == O and buffer[at + 2] == B and buffer[at + 3] == J:
            return at
    return -1


@kernel
def is_mark_near(buffer: Octets, size: int, place: int) -> bool:
    """Whether LOBJ begins within the padding from a place on."""
    return mark_from(buffer, min(size, place + MAX_PADDING + MARK_BYTES), place) >= 0


@kernel
def walk(
    buffer: Octets,
    size: int,
    is_last: bool,
    is_lost: bool,
    rows: NDArray[np.int64],
    places: NDArray[np.int64],
    wrong: NDArray[np.int64],
) -> tuple[int, int, bool]:
    """Fill `places` with the objects that hold frames; returns their number, bytes used, is_lost.

    Args:
        rows: `ROWS`.
        wrong: int64 (2, 3), of the garbled and of the cut how many, the first, frames before it.
    """
    count, place = 0, 0
    while True:
        mark = mark_from(buffer, size, place)
        if mark < 0:
            break
        if mark - place > MAX_PADDING and not is_lost:
            note(wrong, 0, place, count)
        is_lost = False
        is_headless = mark + BASE_BYTES > size
        length = number_4(buffer, mark + 8)
        is_frame = rows[min(number_4(buffer, mark + 12), LAST_ROW)] >= 0
        end = mark + length
        is_odd = length < BASE_BYTES or length > (MAX_FRAME_OBJECT if is_frame else MAX_OBJECT)
        needed = end if is_frame else end + MAX_PADDING + MARK_BYTES
        if not is_last and (is_headless or (not is_odd and needed > size)):
            return count, mark, False
        if is_headless or (not is_odd and end > size):
            is_cut = mark_from(buffer, size, mark + MARK_BYTES) < 0
            note(wrong, 1 if is_cut else 0, mark, count)
            is_lost = True
        elif is_odd:
            note(wrong, 0, mark, count)
            is_lost = True
        elif not is_frame:
            is_at_end = is_last and end + MAX_PADDING >= size
            if not is_at_end and not is_mark_near(buffer, size, end):
                note(wrong, 0, mark, count)
                is_lost = True
        if is_lost:
            place = mark + MARK_BYTES
            continue
        if is_frame:
            places[count] = mark
            count += 1
        place = end
    used = size if is_last else max(place, size - MARK_BYTES + 1)
    if used - place > MAX_PADDING and not is_lost:
        note(wrong, 0, place, count)
        is_lost = True
    return count, used, is_lost and not is_last


@kernel
def note(wrong: NDArray[np.int64], row: int, place: int, before: int) -> None:
    """Count something wrong at a place."""
    if wrong[row, 0] == 0:
        wrong[row, 1] = place
        wrong[row, 2] = before
    wrong[row, 0] += 1


@kernel
def columns(
    buffer: Octets,
    places: NDArray[np.int64],
    start_ns: int,
    rows: NDArray[np.int64],
    layouts: NDArray[np.int64],
    fd_lengths: NDArray[np.int64],
    ts: NDArray[np.int64],
    bus: Octets,
    can_id: NDArray[np.uint32],
    is_extended: NDArray[np.bool_],
    is_fd: NDArray[np.bool_],
    is_remote: NDArray[np.bool_],
    is_error: NDArray[np.bool_],
    length: Octets,
    payload: NDArray[np.int64],
    present: Octets,
    verdict: Octets,
) -> None:
    """Fill the columns of `Columns`.

    Args:
        rows, layouts, fd_lengths: `ROWS`, `LAYOUTS`, `DLC_BYTES`.
    """
    last_fine = np.uint64(MAX_TS_NS - start_ns)
    last_coarse = np.uint64((MAX_TS_NS - start_ns) // TEN_MICROSECONDS_NS)
    for row in range(places.shape[0]):
        place = places[row]
        kind = rows[number_4(buffer, place + 12)]
        version = number_2(buffer, place + 6)
        body = place + (HEAD_2 if version == 2 else HEAD_1)
        end = place + number_4(buffer, place + 8)
        is_wide = layouts[kind, CHANNEL_BYTES] == 2
        channel = number_2(buffer, body) if is_wide else np.int64(buffer[body])
        identifier = number_4(buffer, body + layouts[kind, ID]) if layouts[kind, ID] >= 0 else 0
        dlc = np.int64(buffer[body + layouts[kind, DLC]]) if layouts[kind, DLC] >= 0 else 0
        asks = (
            layouts[kind, REMOTE] >= 0
            and buffer[body + layouts[kind, REMOTE]] & layouts[kind, REMOTE_BIT] != 0
        )
        flexible = (
            layouts[kind, FD] >= 0 and buffer[body + layouts[kind, FD]] & layouts[kind, FD_BIT] != 0
        )
        size = min(dlc, CLASSIC_BYTES)
        if layouts[kind, VALID] >= 0:
            if not asks:
                size = np.int64(buffer[body + layouts[kind, VALID]])
            elif flexible:
                size = fd_lengths[min(dlc, 15)]
        begin = body + layouts[kind, DATA]
        room = max(end - begin, 0)
        if layouts[kind, EXTRA] >= 0:
            extra = place + np.int64(buffer[body + layouts[kind, EXTRA]])
            if begin <= extra <= end:
                room = extra - begin
        there = 0 if asks else min(size, room)
        wrong = IS_LENGTH if size > FD_BYTES else 0
        if end < body + layouts[kind, FIXED] or (
            layouts[kind, EXTRA] < 0 and not asks and room < min(size, FD_BYTES)
        ):
            wrong = IS_SHORT
        low = np.uint64(number_4(buffer, place + 24))
        stamp = low | (np.uint64(number_4(buffer, place + 28)) << np.uint64(32))
        is_coarse = (buffer[place + 16] & 3) == TEN_MICROSECONDS
        unit_ns = TEN_MICROSECONDS_NS if is_coarse else 1
        is_late = stamp > (last_coarse if is_coarse else last_fine)
        ts[row] = (np.int64(0) if is_late else np.int64(stamp)) * unit_ns + start_ns
        if wrong > 0:
            there = 0
        elif is_late:
            wrong = IS_TIME
        if not 1 <= version <= 2:
            wrong = IS_GARBLED
        number = identifier & MAX_EXTENDED_ID
        bus[row] = min(max(channel, 1), MAX_CHANNEL) - 1
        can_id[row] = number
        is_extended[row] = identifier >= EXTENDED_FLAG or number > MAX_STANDARD_ID
        is_fd[row] = flexible or size > CLASSIC_BYTES
        is_remote[row] = asks
        is_error[row] = layouts[kind, IS_ERROR] != 0
        length[row] = size
        payload[row] = begin
        present[row] = there
        verdict[row] = wrong


@kernel
def payloads(buffer: Octets, payload: NDArray[np.int64], present: Octets, data: Octets) -> None:
    """Fill `data` (n, width) with the bytes that are present, and zeros."""
    width = data.shape[1]
    for row in range(payload.shape[0]):
        place, count = payload[row], min(np.int64(present[row]), width)
        for step in range(count):
            data[row, step] = buffer[place + step]
        for step in range(count, width):
            data[row, step] = 0


def walk_objects(buffer: Octets, size: int, *, is_last: bool, is_lost: bool) -> Walk:
    """As the function of that name in `blf_objects`."""
    places = np.empty(size // BASE_BYTES + 1, np.int64)
    wrong = np.zeros((2, 3), np.int64)
    count, used, is_lost = walk(buffer, size, is_last, is_lost, ROWS, places, wrong)
    found = {
        code: (int(row[0]), int(row[1]), int(row[2]))
        for code, row in ((IS_GARBLED, wrong[0]), (IS_CUT, wrong[1]))
        if row[0]
    }
    return Walk(places[:count].copy(), int(used), bool(is_lost), found)


def columns_of(buffer: Octets, places: NDArray[np.int64], start_ns: int) -> Columns:
    """As the function of that name in `blf_objects`."""
    filled = Columns.of_rows(len(places))
    arrays = [getattr(filled, name) for name in Columns.__slots__]
    columns(buffer, places, start_ns, ROWS, LAYOUTS, DLC_BYTES, *arrays)
    return filled


def payloads_of(buffer: Octets, payload: NDArray[np.int64], present: Octets, width: int) -> Octets:
    """As the function of that name in `blf_objects`."""
    data = np.empty((len(payload), width), np.uint8)
    payloads(buffer, payload, present, data)
    return data


def warm() -> None:
    """Compile for the types that the engine calls with."""
    buffer = np.zeros(PAD, np.uint8)
    found = walk_objects(buffer, 0, is_last=True, is_lost=False)
    filled = columns_of(buffer, found.places, 0)
    payloads_of(buffer, filled.payload, filled.present, CLASSIC_BYTES)
