"""The CAN objects of a Vector BLF log, out of the unpacked bytes of its containers.

    | LOBJ | head bytes u2 | version u2 | object bytes u4 | type u4 |        16 bytes
    | flags u4 | ... | ts u8 |                                            + 16, version 2: + 24
    | body, by type (`LAYOUTS`) | 0..3 bytes of padding |

Objects follow each other. Where none begins within 8 bytes of where one ended, the next "LOBJ" is
looked for and the gap is counted once. Objects of other types are passed over; one whose stated
size ends where no object begins is taken for garbled, and the search goes on from within it.

An id above 0x7FF is extended whatever its flag says. Channel 1 is bus 0; channel 0, which no
channel has, is bus 0 too, and what lies above 256 is bus 255.

    scan = scan_objects(buffer, size, start_ns=0, is_last=True)
    scan.frames, scan.used

Source: object layouts as published in Vector's binlog_objects.h and in vector_blf; python-can 4.6.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from contactor.can.frames import (
    CLASSIC_BYTES,
    DLC_BYTES,
    FD_BYTES,
    MAX_DLC,
    MAX_EXTENDED_ID,
    MAX_STANDARD_ID,
    FrameTable,
)
from contactor.can.kernels import are_wanted
from contactor.can.readers.lines import Mask, Positions
from contactor.can.readers.numbers import MAX_TS_NS
from contactor.can.readers.parsed import Cause, Fault

Octets = NDArray[np.uint8]

SIGNATURE = b"LOBJ"
BASE_BYTES = 16
# Of head version 1 and 2.
HEAD_BYTES = (0, 32, 40)
MAX_PADDING = 8
MAX_FRAME_OBJECT = 1024
MAX_OBJECT = 16 * 1024 * 1024
# What may be read past the end of a buffer: the fields of an object that is too short.
PAD = 256
TEN_MICROSECONDS = 1
TEN_MICROSECONDS_NS = 10_000
EXTENDED_FLAG = 1 << 31
MAX_CHANNEL = 256

# Columns of `LAYOUTS`: places in the body, -1 for what a type does not have; a flag is the place of
# its byte and its bit there.
FIXED, CHANNEL_BYTES, ID, DLC, VALID, REMOTE, REMOTE_BIT, FD, FD_BIT, DATA, EXTRA, IS_ERROR = range(
    12
)
TYPES = (1, 86, 2, 73, 100, 101, 104)
LAYOUTS = np.array(
    [
        (8, 2, 4, 3, -1, 2, 0x80, -1, 0, 8, -1, 0),  # CAN_MESSAGE
        (8, 2, 4, 3, -1, 2, 0x80, -1, 0, 8, -1, 0),  # CAN_MESSAGE2
        (2, 2, -1, -1, -1, -1, 0, -1, 0, 0, -1, 1),  # CAN_ERROR
        (24, 2, 16, 10, -1, -1, 0, -1, 0, 24, -1, 1),  # CAN_ERROR_EXT
        (20, 2, 4, 3, 14, 2, 0x80, 13, 0x01, 20, -1, 0),  # CAN_FD_MESSAGE
        (40, 1, 4, 1, 2, 12, 0x10, 13, 0x10, 40, 35, 0),  # CAN_FD_MESSAGE_64
        (44, 1, 12, 1, 2, -1, 0, -1, 0, 44, 10, 1),  # CAN_FD_ERROR_64
    ],
    np.int64,
)
# The row of `LAYOUTS` by type, -1 where a type holds no frame; the last stands for all above.
ROWS = np.full(max(TYPES) + 2, -1, np.int64)
ROWS[list(TYPES)] = range(len(TYPES))

# Verdicts on an object, 0 where it is a frame; compiled code keeps these numbers.
IS_SHORT, IS_LENGTH, IS_TIME, IS_GARBLED, IS_CUT = 1, 2, 3, 4, 5
VERDICTS = {
    IS_SHORT: Cause.SHORT,
    IS_LENGTH: Cause.LENGTH,
    IS_TIME: Cause.TIME,
    IS_GARBLED: Cause.GARBLED,
    IS_CUT: Cause.CUT_RECORD,
}
SHOWN_BYTES = 24


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The way through the objects of a buffer.

    Fields:
        places: int64 (n,), where objects begin that hold a frame.
        used: the bytes used up; the rest comes again before the next buffer.
        is_lost: whether the search for an object goes on, with its gap counted.
        wrong: for `IS_GARBLED` and `IS_CUT` how many, the place of the first, and the frames
            before it.
    """

    places: Positions
    used: int
    is_lost: bool
    wrong: dict[int, tuple[int, int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What objects say, a row each: columns as of `FrameTable`.

    Fields:
        payload: int64 (n,), where payloads begin in the buffer.
        present: uint8 (n,), the payload bytes that are there; the rest are zeros.
        verdict: uint8 (n,), 0, or a key of `VERDICTS`.
    """

    ts: NDArray[np.int64]
    bus: Octets
    can_id: NDArray[np.uint32]
    is_extended: Mask
    is_fd: Mask
    is_remote: Mask
    is_error: Mask
    length: Octets
    payload: Positions
    present: Octets
    verdict: Octets

    @classmethod
    def of_rows(cls, rows: int) -> "Columns":
        """Columns that are not filled yet."""
        return cls(
            ts=np.empty(rows, np.int64),
            bus=np.empty(rows, np.uint8),
            can_id=np.empty(rows, np.uint32),
            is_extended=np.empty(rows, np.bool_),
            is_fd=np.empty(rows, np.bool_),
            is_remote=np.empty(rows, np.bool_),
            is_error=np.empty(rows, np.bool_),
            length=np.empty(rows, np.uint8),
            payload=np.empty(rows, np.int64),
            present=np.empty(rows, np.uint8),
            verdict=np.empty(rows, np.uint8),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What a buffer held; `rows` counts its frames, refused ones too. Else as of `Walk`."""

    frames: FrameTable
    faults: tuple[Fault, ...]
    rows: int
    used: int
    is_lost: bool


def scan_objects(
    buffer: Octets,
    size: int,
    *,
    start_ns: int,
    is_last: bool,
    is_lost: bool = False,
    before: int = 0,
    is_compiled: bool | None = None,
) -> Scan:
    """The frames of all whole objects.

    Args:
        buffer: the bytes, and `PAD` zeros behind them.
        size: the number of bytes.
        start_ns: what the stamps count from.
        is_last: whether nothing comes after.
        is_lost: as the scan before gave it.
        before: the frames in all buffers before this one.
        is_compiled: whether to take the compiled path; None chooses by size.
    """
    if is_compiled is None:
        is_compiled = are_wanted(size // HEAD_BYTES[1])
    if is_compiled:
        from contactor.can.kernels import blf as compiled

        steps = (compiled.walk_objects, compiled.columns_of, compiled.payloads_of)
    else:
        steps = (walk_objects, columns_of, payloads_of)
    walk_through, columns_at, payloads_at = steps
    walk = walk_through(buffer, size, is_last=is_last, is_lost=is_lost)
    columns = columns_at(buffer, walk.places, start_ns)
    is_kept = columns.verdict == 0
    faults = [
        Fault(VERDICTS[code], count, before + rows + 1, shown(buffer, place, size))
        for code, (count, place, rows) in walk.wrong.items()
    ]
    if not is_kept.all():
        for code in np.unique(columns.verdict[~is_kept]).tolist():
            rows = np.flatnonzero(columns.verdict == code)
            first = int(rows[0])
            text = shown(buffer, int(walk.places[first]), size)
            faults.append(Fault(VERDICTS[code], len(rows), before + first + 1, text))
        kept = {name: getattr(columns, name)[is_kept] for name in Columns.__slots__}
        columns = Columns(**kept)
    width = FD_BYTES if int(columns.length.max(initial=0)) > CLASSIC_BYTES else CLASSIC_BYTES
    frames = FrameTable(
        ts=columns.ts,
        bus=columns.bus,
        can_id=columns.can_id,
        is_extended=columns.is_extended,
        is_fd=columns.is_fd,
        is_remote=columns.is_remote,
        is_error=columns.is_error,
        length=columns.length,
        data=payloads_at(buffer, columns.payload, columns.present, width),
    )
    return Scan(frames, tuple(faults), len(walk.places), walk.used, walk.is_lost)


def shown(buffer: Octets, place: int, size: int) -> str:
    """The bytes at a place, as messages show them."""
    return buffer[place : min(place + SHOWN_BYTES, size)].tobytes().hex(" ")


def walk_objects(buffer: Octets, size: int, *, is_last: bool, is_lost: bool) -> Walk:
    """The way through the objects, a column at a time; see the top of the module for its rules."""
    marks = _marks(buffer, size)
    sizes, types = _number(buffer, marks + 8, 4), _number(buffer, marks + 12, 4)
    ends = marks + sizes
    is_headless = marks + BASE_BYTES > size
    is_frame = ROWS[np.minimum(types, len(ROWS) - 1)] >= 0
    limits = np.where(is_frame, MAX_FRAME_OBJECT, MAX_OBJECT)
    is_odd = (sizes < BASE_BYTES) | (sizes > limits)
    following = np.searchsorted(marks, ends)
    distance = np.append(marks, size + PAD)[following] - ends
    is_at_end = is_last & (ends <= size) & (ends + MAX_PADDING >= size)
    is_followed = is_frame | is_at_end | (distance <= MAX_PADDING)
    needed = np.where(is_frame, ends, ends + MAX_PADDING + len(SIGNATURE))
    is_open = (not is_last) & (is_headless | (~is_odd & (needed > size)))
    # Another object within it shows that not its end is missing, but that its size is wrong.
    is_cut = is_last & (is_headless | (~is_odd & (ends > size)))
    is_odd |= is_cut
    is_cut[:-1] = False
    is_wrong = ~is_open & (is_cut | is_odd | ~is_followed)
    goes_on = np.where(is_wrong, marks + len(SIGNATURE), ends)
    next_mark = np.searchsorted(marks, goes_on)

    is_visited = np.ones(len(marks), np.bool_)
    here = 0
    for jump in np.flatnonzero(next_mark != np.arange(1, len(marks) + 1)).tolist():
        if jump >= here:
            here = int(next_mark[jump])
            is_visited[jump + 1 : here] = False
    stops = np.flatnonzero(is_visited & is_open)
    stop = int(stops[0]) if len(stops) else len(marks)
    way = np.flatnonzero(is_visited[:stop])
    places = marks[way[(is_frame & ~is_wrong)[way]]]

    # Where each search began, whether it was on the way to what is counted already, where it ended.
    is_through = stop == len(marks)
    from_place = np.append(0, goes_on[way])
    was_lost = np.append(is_lost, is_wrong[way])
    if not is_through:
        used = int(marks[stop])
    else:
        used = size if is_last else max(int(from_place[-1]), size - len(SIGNATURE) + 1)
    is_gap = (np.append(marks[way], used) - from_place > MAX_PADDING) & ~was_lost
    is_lost_after = is_through and not is_last and bool(was_lost[-1] | is_gap[-1])
    garbled = np.concatenate((from_place[is_gap], marks[way[(is_wrong & ~is_cut)[way]]]))
    cut = marks[way[is_cut[way]]]
    wrong = {
        code: (len(found), int(found.min()), int(np.searchsorted(places, found.min())))
        for code, found in ((IS_GARBLED, garbled), (IS_CUT, cut))
        if len(found)
    }
    return Walk(places, used, is_lost_after, wrong)


def columns_of(buffer: Octets, places: Positions, start_ns: int) -> Columns:
    """What the objects at `places` say."""
    columns = Columns.of_rows(len(places))
    types = _number(buffer, places + 12, 4)
    for number, layout in zip(TYPES, LAYOUTS.tolist(), strict=True):
        rows = np.flatnonzero(types == number)
        if len(rows):
            _fill(columns, rows, buffer, places[rows], layout)
    version = _number(buffer, places + 6, 2)
    head = np.array((*HEAD_BYTES, 0))[np.minimum(version, len(HEAD_BYTES))]
    stamps = sliding_window_view(buffer, 8)[places + 24].view("<u8")[:, 0]
    is_coarse = (buffer[places + 16] & 3) == TEN_MICROSECONDS
    unit_ns = np.where(is_coarse, TEN_MICROSECONDS_NS, 1)
    is_late = stamps > ((MAX_TS_NS - start_ns) // unit_ns).astype(np.uint64)
    columns.ts[:] = np.where(is_late, 0, stamps).astype(np.int64) * unit_ns + start_ns
    columns.verdict[(columns.verdict == 0) & is_late] = IS_TIME
    columns.verdict[head == 0] = IS_GARBLED
    return columns


def _fill(
    columns: Columns, rows: Positions, buffer: Octets, places: Positions, layout: list[int]
) -> None:
    """The columns of objects of one type, but for their stamps."""
    version = np.minimum(_number(buffer, places + 6, 2), len(HEAD_BYTES))
    body = places + np.array((*HEAD_BYTES, HEAD_BYTES[1]))[version]
    ends = places + _number(buffer, places + 8, 4)
    none = np.zeros(len(rows), np.int64)
    channel = _number(buffer, body, layout[CHANNEL_BYTES])
    can_id = _number(buffer, body + layout[ID], 4) if layout[ID] >= 0 else none
    dlc = _number(buffer, body + layout[DLC], 1) if layout[DLC] >= 0 else none
    is_remote = _flag(buffer, body, layout[REMOTE], layout[REMOTE_BIT])
    is_fd = _flag(buffer, body, layout[FD], layout[FD_BIT])
    length = np.minimum(dlc, CLASSIC_BYTES)
    if layout[VALID] >= 0:
        asked = np.where(is_fd, DLC_BYTES[np.minimum(dlc, MAX_DLC)], length)
        length = np.where(is_remote, asked, _number(buffer, body + layout[VALID], 1))
    payload = body + layout[DATA]
    room = np.maximum(ends - payload, 0)
    if layout[EXTRA] >= 0:
        extra = places + _number(buffer, body + layout[EXTRA], 1)
        room = np.where((extra >= payload) & (extra <= ends), extra - payload, room)
    present = np.where(is_remote, 0, np.minimum(length, room))
    is_short = ends < body + layout[FIXED]
    if layout[EXTRA] < 0:
        is_short |= ~is_remote & (room < np.minimum(length, FD_BYTES))
    verdict = np.where(length > FD_BYTES, IS_LENGTH, 0)
    verdict[is_short] = IS_SHORT
    present[verdict > 0] = 0
    number = can_id & MAX_EXTENDED_ID
    columns.bus[rows] = np.clip(channel, 1, MAX_CHANNEL) - 1
    columns.can_id[rows] = number
    columns.is_extended[rows] = (can_id >= EXTENDED_FLAG) | (number > MAX_STANDARD_ID)
    columns.is_fd[rows] = is_fd | (length > CLASSIC_BYTES)
    columns.is_remote[rows] = is_remote
    columns.is_error[rows] = bool(layout[IS_ERROR])
    columns.length[rows] = length
    columns.payload[rows] = payload
    columns.present[rows] = present
    columns.verdict[rows] = verdict


def payloads_of(buffer: Octets, payload: Positions, present: Octets, width: int) -> Octets:
    """The payloads, (n, width), zeros where no byte is present."""
    found = sliding_window_view(buffer, width)[payload]
    return np.where(np.arange(width) < present[:, None], found, np.uint8(0))


def _marks(buffer: Octets, size: int) -> Positions:
    """Where the bytes read LOBJ."""
    is_mark = np.ones(max(size - len(SIGNATURE) + 1, 0), np.bool_)
    for place, octet in enumerate(SIGNATURE):
        is_mark &= buffer[place : place + len(is_mark)] == octet
    return np.flatnonzero(is_mark)


def _number(buffer: Octets, places: Positions, count: int) -> Positions:
    """The little-endian number of `count` bytes, up to 4, at each place."""
    number = np.zeros(len(places), np.int64)
    for place in range(count):
        number |= buffer[places + place].astype(np.int64) << (8 * place)
    return number


def _flag(buffer: Octets, body: Positions, place: int, bit: int) -> Mask:
    if place < 0:
        return np.zeros(len(body), np.bool_)
    is_set: Mask = (buffer[body + place] & bit) != 0
    return is_set
