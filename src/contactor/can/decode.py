"""Frames to columns of physical values: in plain NumPy, or for many frames by compiled code.

The values are exactly those of cantools: raw · scale + offset in the same order and the same
arithmetic, as float64. A signal that does not lie wholly inside a frame's payload, or whose
multiplexer has another value, has no reading in that frame.

    columns = decode_columns(frames, compile_plan(database))
    columns[0].name, columns[0].rows, columns[0].values
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Raw, Rows, SignalColumn, merged
from contactor.can.containers import unpack
from contactor.can.few import columns_of as few_columns_of
from contactor.can.frames import FrameTable
from contactor.can.groups import FrameGroup, FrameGroups, group_frames
from contactor.can.kernels import are_wanted
from contactor.can.plan import NO_PARENT, WORD_BITS, DecodePlan, MessagePlan, SignalPlan

Words: TypeAlias = NDArray[np.uint64]
# Which frames of a group have a signal: all of them, or those at these places, ascending.
Place: TypeAlias = slice | NDArray[np.int64]

EVERY_FRAME = slice(None)
NOTHING = np.zeros(0, np.int64)
WORD_BYTES = WORD_BITS // 8
FEW = 8
FEW_FRAMES = 500
"""So many are decoded at once sooner than signal by signal."""
FLOATS = {16: np.float16, 32: np.float32, 64: np.float64}
FLOAT_WORDS = {16: np.uint16, 32: np.uint32, 64: np.uint64}


def decode_columns(
    frames: FrameTable, plan: DecodePlan, groups: FrameGroups | None = None
) -> list[SignalColumn]:
    """Decode all frames that the plan knows.

    Args:
        frames: n frames.
        plan: what to decode.
        groups: `group_frames(frames, plan)` where the caller has it already.

    Returns:
        A column for each signal with at least one reading, in the order of the plan.
    """
    groups = groups or group_frames(frames, plan)
    if are_wanted(len(frames)):
        from contactor.can.compiled import columns_of, sort_out

        return columns_of(frames, plan, [sort_out(frames, plan, groups)])
    few = few_columns_of(frames, plan, groups.groups) if len(frames) <= FEW_FRAMES else {}
    return merged(
        column
        for number, group in enumerate(groups.groups)
        for column in (few[number] if number in few else _columns_of_group(frames, group))
    )


def _columns_of_group(frames: FrameTable, group: FrameGroup) -> Iterator[SignalColumn]:
    for _, column in decode_group(frames, group.label, group.message, group.rows):
        yield column


class _Payloads:
    """The payloads of one message as 64 bit words, each word made when first needed."""

    def __init__(self, data: NDArray[np.uint8], lengths: NDArray[np.uint8]) -> None:
        self.data = data
        self.lengths = lengths
        self.shortest = int(lengths.min(initial=data.shape[1]))
        self._words: dict[tuple[int, bool], Words] = {}

    def word(self, first_byte: int, *, is_little: bool) -> Words:
        """Eight bytes from `first_byte` on as a number in the given byte order, (k,)."""
        key = (first_byte, is_little)
        if key not in self._words:
            window = np.ascontiguousarray(self.data[:, first_byte : first_byte + WORD_BYTES])
            self._words[key] = window.view("<u8" if is_little else ">u8")[:, 0].astype(np.uint64)
        return self._words[key]


def decode_group(
    frames: FrameTable,
    label: str,
    message: MessagePlan,
    rows: Rows,
    only: Collection[int] | None = None,
) -> Iterator[tuple[int, SignalColumn]]:
    """Decode one message: multiplexers come before what depends on them.

    Args:
        label: what the columns call the message.
        rows: int64 (k,), its frames.
        only: the rows of the signals wanted in the message's plan; None for all.

    Returns:
        Each signal's row in the plan, and its column.
    """
    payloads = _Payloads(frames.data[rows], frames.length[rows])
    yield from _decode_payloads(payloads, label, message, rows, only)
    if message.contained:
        yield from _decode_contained(frames, label, message, rows)


def _decode_payloads(
    payloads: _Payloads,
    label: str,
    message: MessagePlan,
    rows: Rows,
    only: Collection[int] | None = None,
) -> Iterator[tuple[int, SignalColumn]]:
    """Decode the payloads of one message; `rows` (k,) is what they belong to."""
    needed = None if only is None else _with_parents(message.signals, only)
    places: list[Place] = []
    raws: list[Raw] = []
    branches: dict[tuple[int, tuple[int, ...]], Place] = {}
    for row, signal in enumerate(message.signals):
        if needed is not None and row not in needed:
            places.append(EVERY_FRAME)
            raws.append(NOTHING)
            continue
        branch = (signal.parent, signal.parent_ids)
        if branch not in branches:
            branches[branch] = _place(signal, places, raws)
        place = _inside(branches[branch], signal, payloads)
        if not isinstance(place, slice) and not len(place):
            places.append(place)
            raws.append(NOTHING)
            continue
        patterns = _patterns(signal, payloads, place)
        raw = _raw(signal, patterns)
        places.append(place)
        raws.append(raw)
        if signal.is_wanted and len(raw) and (only is None or row in only):
            yield row, _column(label, signal, rows[place], patterns, raw)


def _decode_contained(
    frames: FrameTable, label: str, container: MessagePlan, rows: Rows
) -> Iterator[tuple[int, SignalColumn]]:
    """Decode what container frames carry; its signals count on behind the container's own."""
    bus = label.removesuffix(container.name)
    place = len(container.signals)
    for part in unpack(frames, container, rows).parts:
        payloads = _Payloads(part.data, part.length)
        name = bus + part.message.name
        for row, column in _decode_payloads(payloads, name, part.message, part.rows):
            yield place + row, column
        place += len(part.message.signals)


def _with_parents(signals: Sequence[SignalPlan], only: Collection[int]) -> set[int]:
    """The rows of some signals and of all multiplexers above them."""
    needed: set[int] = set()
    for row in only:
        above = row
        while above != NO_PARENT and above not in needed:
            needed.add(above)
            above = signals[above].parent
    return needed


def raw_of(frames: FrameTable, signal: SignalPlan, rows: Rows) -> Raw:
    """The raw numbers of a signal in frames that have it."""
    payloads = _Payloads(frames.data[rows], frames.length[rows])
    return _raw(signal, _patterns(signal, payloads, EVERY_FRAME))


def column_of(message: str, signal: SignalPlan, rows: Rows, patterns: Words) -> SignalColumn:
    """The column of a signal whose bit patterns (k,) are known already.

    Args:
        rows: int64 (k,), what the patterns belong to.
    """
    return _column(message, signal, rows, patterns, _raw(signal, patterns))


def _column(
    message: str, signal: SignalPlan, rows: Rows, patterns: Words, raw: Raw
) -> SignalColumn:
    values = _physical(signal, raw)
    return SignalColumn(
        message=message,
        signal=signal.name,
        unit=signal.unit,
        rows=rows,
        raw=raw,
        values=values,
        is_unavailable=_is_unavailable(signal, patterns, values),
        labels=signal.labels,
    )


def _place(signal: SignalPlan, places: list[Place], raws: list[Raw]) -> Place:
    """Which frames of the group have the value of the multiplexer that this signal needs."""
    if signal.parent == NO_PARENT:
        return EVERY_FRAME
    is_chosen = _is_one_of(raws[signal.parent], signal.parent_ids)
    parent_place = places[signal.parent]
    if isinstance(parent_place, slice):
        return np.flatnonzero(is_chosen)
    return parent_place[is_chosen]


def _is_one_of(numbers: NDArray[np.generic], known: Sequence[int | np.uint64]) -> NDArray[np.bool_]:
    """As `np.isin`, which takes many times as long for few numbers and few known ones."""
    if len(known) > FEW:
        return np.isin(numbers, np.array(known))
    is_known = np.zeros(len(numbers), np.bool_)
    for one in known:
        is_known |= numbers == one
    return is_known


def _inside(place: Place, signal: SignalPlan, payloads: _Payloads) -> Place:
    """Leave out the frames that are too short for the signal."""
    if payloads.shortest >= signal.bytes_needed:
        return place
    is_inside = payloads.lengths[place] >= signal.bytes_needed
    return np.flatnonzero(is_inside) if isinstance(place, slice) else place[is_inside]


def _patterns(signal: SignalPlan, payloads: _Payloads, place: Place) -> Words:
    """The signal's bits in each frame, as the low bits of a word.

    A signal of up to 64 bits that does not begin at a byte may touch a ninth byte:

        little  word >> shift | ninth << (64 - shift)
        big     word << over  | ninth >> (8 - over)      over: its bits in the ninth byte
    """
    first_byte = min(signal.first_bit // 8, payloads.data.shape[1] - WORD_BYTES)
    word = payloads.word(first_byte, is_little=signal.is_little)[place]
    shift = signal.first_bit - 8 * first_byte
    over = shift + signal.length - WORD_BITS
    if over <= 0:
        bits = word >> np.uint64(shift if signal.is_little else -over)
    else:
        ninth = payloads.data[place, first_byte + WORD_BYTES].astype(np.uint64)
        if signal.is_little:
            bits = (word >> np.uint64(shift)) | (ninth << np.uint64(WORD_BITS - shift))
        else:
            bits = (word << np.uint64(over)) | (ninth >> np.uint64(8 - over))
    return bits & np.uint64((1 << signal.length) - 1)


def _raw(signal: SignalPlan, patterns: Words) -> Raw:
    """Bit patterns as numbers of the signal's type."""
    if signal.is_float:
        bits = patterns.astype(FLOAT_WORDS[signal.length])
        with np.errstate(invalid="ignore"):  # a signalling NaN stays a NaN
            return bits.view(FLOATS[signal.length]).astype(np.float64)
    if signal.is_signed:
        spare = WORD_BITS - signal.length
        return (patterns << np.uint64(spare)).view(np.int64) >> np.int64(spare)
    return patterns if signal.length == WORD_BITS else patterns.view(np.int64)


def _physical(signal: SignalPlan, raw: Raw) -> NDArray[np.float64]:
    """Raw numbers as physical values; in Python's integers where float64 would round too early."""
    if signal.is_exact:
        exact = raw.astype(object) * signal.scale + signal.offset
        return exact.astype(np.float64)
    if signal.scale == 1 and signal.offset == 0:
        return raw.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        values = raw.astype(np.float64)
        values *= float(signal.scale)
        values += float(signal.offset)
    return values


def _is_unavailable(
    signal: SignalPlan, patterns: Words, values: NDArray[np.float64]
) -> NDArray[np.bool_]:
    is_marked = np.zeros(len(patterns), np.bool_)
    if signal.unavailable:
        is_marked = _is_one_of(patterns, [np.uint64(one) for one in signal.unavailable])
    return is_marked | ~np.isfinite(values) if signal.is_float else is_marked
