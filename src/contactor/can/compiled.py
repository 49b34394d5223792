"""Frames to columns by compiled code, in two steps.

First each table's frames are sorted out (which of them has which signal), then, when it is known
how many readings there are in all, every value is written once, where it stays:

    parts = [sort_out(table, plan, group_frames(table, plan)) for table in tables]
    columns_of(FrameTable.concat(tables), plan, parts)       # as `decode.decode_columns` gives them
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Later, Mask, Raw, Rows, SignalColumn, merged
from contactor.can.decode import decode_group, raw_of
from contactor.can.flat_plan import FlatPlan, flat_plan_of
from contactor.can.frames import FrameTable
from contactor.can.groups import FrameGroups
from contactor.can.plan import DecodePlan, SignalPlan

WORD_BYTES = 8
NOTHING = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class SortedOut:
    """Which frames of one table have which signal; the arrays are those of `kernels.decode`."""

    groups: FrameGroups
    order: NDArray[np.int32]
    frames: int
    picked: NDArray[np.int32]
    group_first_place: Rows
    start: Rows
    count: Rows
    is_picked: Mask

    def rows_of(self, place: int) -> NDArray[np.int32]:
        """The rows of the table that a place has."""
        source = self.picked if self.is_picked[place] else self.order
        return source[self.start[place] : self.start[place] + self.count[place]]


def sort_out(frames: FrameTable, plan: DecodePlan, groups: FrameGroups) -> SortedOut:
    """Find the frames of every signal of every group of a table."""
    from contactor.can.kernels.decode import choose

    flat = flat_plan_of(plan)
    order = groups.groups[0].order if groups.groups else NOTHING
    messages = np.array([group.place for group in groups.groups], np.int64)
    group_places, group_first_place = _sections(flat.places.first, messages)
    places = int(group_first_place[-1])
    start, count = np.empty(places, np.int64), np.empty(places, np.int64)
    is_picked = np.empty(places, np.bool_)
    words, width = _words(frames.data)
    picked = choose(
        words,
        width,
        frames.length,
        order,
        np.array([group.start for group in groups.groups], np.int64),
        np.array([group.count for group in groups.groups], np.int64),
        group_places,
        group_first_place,
        flat.places.rows,
        flat.ids,
        start,
        count,
        is_picked,
    )
    return SortedOut(groups, order, len(frames), picked, group_first_place, start, count, is_picked)


def columns_of(
    frames: FrameTable,
    plan: DecodePlan,
    parts: Sequence[SortedOut],
    executor: Executor | None = None,
) -> list[SignalColumn]:
    """The columns of all frames.

    Args:
        frames: the frames of all parts, one after another.
        executor: works on several parts at a time, where there is one.

    Returns:
        A column for each signal with at least one reading, in the order of the plan.
    """
    whole = _Whole(frames, plan, parts)
    list((executor.map if executor else map)(whole.decode, range(len(parts))))
    return merged(whole.columns())


class _Whole:
    """The columns of all parts while they are being written.

    A key is a message with its label; its signals are numbered one after another, over all keys.
    """

    def __init__(self, frames: FrameTable, plan: DecodePlan, parts: Sequence[SortedOut]) -> None:
        self._frames = frames
        self._parts = parts
        self._flat = flat_plan_of(plan)
        self._bases = _starts(np.array([part.frames for part in parts], np.int64))
        self._found: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for number, part in enumerate(parts):
            for place, found in enumerate(part.groups.groups):
                self._found.setdefault((found.place, found.label), []).append((number, place))
        self._keys = sorted(self._found)
        key_numbers = {key: number for number, key in enumerate(self._keys)}
        messages = np.array([message for message, _ in self._keys], np.int64)
        self._key_signals, self._key_first = _sections(self._flat.signals.first, messages)
        rows = _rows_in(self._flat, self._key_signals, self._key_first)
        has_mask = rows["unavailable_end"] > rows["unavailable_start"]
        signals = int(self._key_first[-1])
        counts = np.zeros((len(parts), signals), np.int64)
        self._signals: list[tuple[Rows, Rows, Rows]] = []
        for number, part in enumerate(parts):
            keys = np.array(
                [key_numbers[group.place, group.label] for group in part.groups.groups], np.int64
            )
            group_signals, group_first = _sections(
                self._flat.signals.first, np.array([g.place for g in part.groups.groups], np.int64)
            )
            group = np.repeat(np.arange(len(keys)), np.diff(group_first))
            of_key = self._key_first[keys[group]] + np.arange(len(group)) - group_first[group]
            places = part.group_first_place[group] + rows["place"][of_key]
            counts[number, of_key] = part.count[places]
            self._signals.append((group_signals, group_first, of_key))
        totals = counts.sum(axis=0)
        self._value_first = _starts(totals)
        self._mask_first = _starts(np.where(has_mask, totals, 0))
        before = np.cumsum(counts, axis=0) - counts
        self._value_start = self._value_first[:-1] + before
        self._mask_start = np.where(has_mask, self._mask_first[:-1] + before, -1)
        self._values = np.empty(int(self._value_first[-1]), np.float64)
        self._masks = np.empty(int(self._mask_first[-1]), np.bool_)

    def decode(self, number: int) -> None:
        """Write the values of one part."""
        from contactor.can.kernels.decode import decode

        part = self._parts[number]
        group_signals, group_first, of_key = self._signals[number]
        words, width = _words(self._frames.data[self._bases[number] : self._bases[number + 1]])
        decode(
            words,
            width,
            part.order,
            part.picked,
            group_signals,
            group_first,
            part.group_first_place,
            self._flat.signals.rows,
            part.start,
            part.count,
            part.is_picked,
            self._flat.unavailable,
            self._value_start[number, of_key],
            self._mask_start[number, of_key],
            self._values,
            self._masks,
        )

    def columns(self) -> Iterator[SignalColumn]:
        """All columns with a reading, in the order of the plan."""
        for number, key in enumerate(self._keys):
            by_row = {**self._fast(number, key), **self._slow(key)}
            for row in sorted(by_row):
                yield by_row[row]

    def _fast(self, number: int, key: tuple[int, str]) -> dict[int, SignalColumn]:
        """The columns that the kernel wrote of one key, by the row of the message's plan."""
        found = self._found[key]
        message = self._parts[found[0][0]].groups.groups[found[0][1]].message
        first, end = self._key_first[number : number + 2].tolist()
        in_plan = slice(self._key_signals[number], self._key_signals[number] + end - first)
        plan_rows = self._flat.signal_rows[in_plan].tolist()
        places = self._flat.signals.rows["place"][in_plan].tolist()
        begins = self._value_first[first : end + 1].tolist()
        rows_of_place: dict[int, Later[Rows]] = {}
        columns = {}
        # Lists and no NumPy numbers: there are as many turns as signals, for every chunk of a log.
        for at, (row, place) in enumerate(zip(plan_rows, places, strict=True)):
            if begins[at] == begins[at + 1]:
                continue
            rows = rows_of_place.get(place)
            if rows is None:
                rows = rows_of_place[place] = Later(self._rows_maker(found, place))
            signal = message.signals[row]
            mask = None
            if signal.unavailable:
                begin, stop = self._mask_first[first + at : first + at + 2].tolist()
                mask = self._masks[begin:stop]
            columns[row] = SignalColumn(
                message=key[1],
                signal=signal.name,
                unit=signal.unit,
                rows=rows,
                raw=Later(partial(self._raw, signal, rows)),
                values=self._values[begins[at] : begins[at + 1]],
                is_unavailable=mask,
                labels=signal.labels,
            )
        return columns

    def _raw(self, signal: SignalPlan, rows: Later[Rows]) -> Raw:
        return raw_of(self._frames, signal, rows.get())

    def _slow(self, key: tuple[int, str]) -> dict[int, SignalColumn]:
        """The columns that the kernel leaves, by the row of the message's plan."""
        slow = self._flat.slow_rows[key[0]]
        if slow == ():
            return {}
        found = self._found[key]
        first = self._parts[found[0][0]].groups.groups[found[0][1]]
        rows = np.concatenate(
            [self._parts[n].groups.groups[of].rows + self._bases[n] for n, of in found]
        )
        return dict(decode_group(self._frames, first.label, first.message, rows, slow))

    def _rows_maker(self, found: Sequence[tuple[int, int]], place: int) -> Callable[[], Rows]:
        """Makes the rows of a place in all parts."""

        def make() -> Rows:
            pieces = []
            for number, of in found:
                part = self._parts[number]
                rows = part.rows_of(int(part.group_first_place[of]) + place)
                pieces.append(rows + self._bases[number])
            return np.concatenate(pieces)

        return make


def _words(data: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], int]:
    """Payloads as words in one row, and how many a frame has."""
    words = np.ascontiguousarray(data).view(np.uint64)
    return words.reshape(-1), data.shape[1] // WORD_BYTES


def _sections(first: Rows, messages: Rows) -> tuple[Rows, Rows]:
    """Where each message's rows begin in the plan, and where they would one after another."""
    begins = first[messages]
    return begins, _starts(first[messages + 1] - begins)


def _starts(sizes: Rows) -> Rows:
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


def _rows_in(flat: FlatPlan, begins: Rows, first: Rows) -> NDArray[np.void]:
    """The plan's rows of sections, one after another."""
    section = np.repeat(np.arange(len(begins)), np.diff(first))
    rows: NDArray[np.void] = flat.signals.rows[
        begins[section] + np.arange(len(section)) - first[section]
    ]
    return rows
