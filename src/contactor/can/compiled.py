"""Frames to columns by compiled code: block after block, and all blocks as one at the end.

    block = decode_block(frames, plan, groups)
    block.columns()                             # as `decode.decode_columns` gives them
    joined_columns([first, second, third])      # the same of all frames, in one piece

A block is arrays alone; the columns are made of them when they are wanted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Later, Mask, Raw, Rows, SignalColumn, Values, merged
from contactor.can.decode import decode_group, raw_of
from contactor.can.flat_plan import FlatPlan, flat_plan_of
from contactor.can.frames import FrameTable
from contactor.can.groups import FrameGroups
from contactor.can.plan import DecodePlan, SignalPlan

WORD_BYTES = 8
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBlock:
    """What was decoded of a frame table; see `kernels.decode` for the arrays."""

    frames: FrameTable
    groups: FrameGroups
    flat: FlatPlan
    order: Rows
    picked: Rows
    group_first_place: Rows
    group_first_signal: Rows
    start: Rows
    count: Rows
    is_picked: Mask
    value_start: Rows
    mask_start: Rows
    values: Values
    masks: Mask

    def columns(self) -> list[SignalColumn]:
        """A column for each signal with at least one reading, in the order of the plan."""
        return joined_columns([self])

    def rows_of(self, place: int) -> Rows:
        """The rows of the frame table that a place has."""
        source = self.picked if self.is_picked[place] else self.order
        return source[self.start[place] : self.start[place] + self.count[place]]


def decode_block(frames: FrameTable, plan: DecodePlan, groups: FrameGroups) -> DecodedBlock:
    """Decode all frames of a table that are in `groups`."""
    from contactor.can.kernels.decode import choose, decode

    flat = flat_plan_of(plan)
    width = frames.data.shape[1] // WORD_BYTES
    words = np.ascontiguousarray(frames.data).view(np.uint64).reshape(-1)
    messages = np.array([group.place for group in groups.groups], np.int64)
    group_start = np.array([group.start for group in groups.groups], np.int64)
    group_count = np.array([len(group.rows) for group in groups.groups], np.int64)
    group_places, group_first_place = _sections(flat.places.first, messages)
    group_signals, group_first_signal = _sections(flat.signals.first, messages)
    places = int(group_first_place[-1])
    start, count = np.empty(places, np.int64), np.empty(places, np.int64)
    is_picked = np.empty(places, np.bool_)
    picked = choose(
        words,
        width,
        frames.length,
        groups.order,
        group_start,
        group_count,
        group_places,
        group_first_place,
        flat.places.rows,
        flat.ids,
        start,
        count,
        is_picked,
    )
    rows, sizes = _signal_rows(flat, group_signals, group_first_signal, group_first_place, count)
    value_start = _starts(sizes)
    has_mask = rows["unavailable_end"] > rows["unavailable_start"]
    mask_start = np.where(has_mask, _starts(np.where(has_mask, sizes, 0))[:-1], -1)
    values = np.empty(int(value_start[-1]), np.float64)
    masks = np.empty(int(sizes[has_mask].sum()), np.bool_)
    decode(
        words,
        width,
        groups.order,
        picked,
        group_signals,
        group_first_signal,
        group_first_place,
        flat.signals.rows,
        start,
        count,
        is_picked,
        flat.unavailable,
        value_start,
        mask_start,
        values,
        masks,
    )
    return DecodedBlock(
        frames,
        groups,
        flat,
        groups.order,
        picked,
        group_first_place,
        group_first_signal,
        start,
        count,
        is_picked,
        value_start,
        mask_start,
        values,
        masks,
    )


def joined_columns(blocks: Sequence[DecodedBlock]) -> list[SignalColumn]:
    """The columns of all blocks, whose frame tables follow each other.

    Returns:
        A column for each signal with at least one reading, in the order of the plan; its rows count
        from the first block's first frame.
    """
    bases = np.concatenate(([0], np.cumsum([len(block.frames) for block in blocks])))
    found: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for number, block in enumerate(blocks):
        for place, group in enumerate(block.groups.groups):
            found.setdefault((group.place, group.label), []).append((number, place))
    return merged(
        column
        for key in sorted(found)
        for column in _message_columns(blocks, bases.tolist(), found[key])
    )


def _message_columns(
    blocks: Sequence[DecodedBlock], bases: Sequence[int], found: Sequence[tuple[int, int]]
) -> Iterator[SignalColumn]:
    """The columns of one message, which is a group in each of the blocks found, in plan order."""
    first_block, first_group = found[0]
    flat = blocks[first_block].flat
    group = blocks[first_block].groups.groups[first_group]
    columns = dict(_slow_columns(blocks, bases, found))
    signals = slice(flat.signals.first[group.place], flat.signals.first[group.place + 1])
    rows_of_place: dict[int, Later[Rows]] = {}
    for number, row in enumerate(flat.signal_rows[signals].tolist()):
        place = int(flat.signals.rows[signals.start + number]["place"])
        parts = [
            (blocks[at], bases[at], int(blocks[at].group_first_signal[of]) + number)
            for at, of in found
        ]
        values = _joined(
            [block.values[block.value_start[s] : block.value_start[s + 1]] for block, _, s in parts]
        )
        if not len(values):
            continue
        if place not in rows_of_place:
            rows_of_place[place] = Later(_rows_maker(blocks, bases, found, place))
        signal = group.message.signals[row]
        columns[row] = SignalColumn(
            message=group.label,
            signal=signal.name,
            unit=signal.unit,
            rows=rows_of_place[place],
            raw=Later(_raw_maker(signal, blocks, found, place)),
            values=values,
            is_unavailable=_mask(parts) if signal.unavailable else None,
            labels=signal.labels,
        )
    for row in sorted(columns):
        yield columns[row]


def _slow_columns(
    blocks: Sequence[DecodedBlock], bases: Sequence[int], found: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, SignalColumn]]:
    """The columns of the signals that the kernels leave, with their rows in the message's plan."""
    flat = blocks[found[0][0]].flat
    place = blocks[found[0][0]].groups.groups[found[0][1]].place
    slow = set(flat.slow_rows[place])
    if not slow:
        return
    parts: dict[int, list[tuple[int, SignalColumn]]] = {}
    for number, of in found:
        block = blocks[number]
        for row, column in decode_group(block.frames, block.groups.groups[of], slow):
            parts.setdefault(row, []).append((bases[number], column))
    for row, columns in parts.items():
        first = columns[0][1]
        yield (
            row,
            SignalColumn(
                message=first.message,
                signal=first.signal,
                unit=first.unit,
                rows=_joined([column.rows + base for base, column in columns]),
                raw=np.concatenate([column.raw for _, column in columns]),
                values=_joined([column.values for _, column in columns]),
                is_unavailable=_joined([column.is_unavailable for _, column in columns]),
                labels=first.labels,
            ),
        )


def _rows_maker(
    blocks: Sequence[DecodedBlock],
    bases: Sequence[int],
    found: Sequence[tuple[int, int]],
    place: int,
) -> Callable[[], Rows]:
    """Makes the rows of a place in all blocks."""

    def make() -> Rows:
        return _joined(
            [
                blocks[at].rows_of(int(blocks[at].group_first_place[of]) + place) + bases[at]
                for at, of in found
            ]
        )

    return make


def _raw_maker(
    signal: SignalPlan,
    blocks: Sequence[DecodedBlock],
    found: Sequence[tuple[int, int]],
    place: int,
) -> Callable[[], Raw]:
    """Makes the raw numbers of a signal in all blocks."""

    def make() -> Raw:
        return np.concatenate(
            [
                raw_of(
                    blocks[at].frames,
                    signal,
                    blocks[at].rows_of(int(blocks[at].group_first_place[of]) + place),
                )
                for at, of in found
            ]
        )

    return make


def _mask(parts: Sequence[tuple[DecodedBlock, int, int]]) -> Mask:
    return _joined(
        [
            block.masks[
                block.mask_start[s] : block.mask_start[s]
                + block.value_start[s + 1]
                - block.value_start[s]
            ]
            for block, _, s in parts
        ]
    )


def _joined(parts: Sequence[NDArray[Scalar]]) -> NDArray[Scalar]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _sections(first: Rows, messages: Rows) -> tuple[Rows, Rows]:
    """Where each message's rows begin in the plan, and where they would one after another."""
    begins = first[messages]
    return begins, _starts(first[messages + 1] - begins)


def _starts(sizes: Rows) -> Rows:
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


def _signal_rows(
    flat: FlatPlan, group_signals: Rows, first_signal: Rows, first_place: Rows, count: Rows
) -> tuple[NDArray[np.void], Rows]:
    """The plan's row of every signal of every group, and how many readings it has."""
    signals = np.diff(first_signal)
    group = np.repeat(np.arange(len(signals)), signals)
    rows = flat.signals.rows[
        group_signals[group] + np.arange(first_signal[-1]) - first_signal[group]
    ]
    return rows, count[first_place[group] + rows["place"]]
