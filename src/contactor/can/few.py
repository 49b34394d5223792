"""A few frames decoded at once, in plain NumPy: every signal of every frame in one step.

`decode.py` goes signal by signal, which costs some microseconds for each, however few frames there
are; a live car says some thirty frames in a tenth of a second, with a hundred signals.

    pairs     (frame, signal)     (0, Speed) (3, Speed) (0, Moving) (3, Moving) (1, Torque) ...
    word      of the frame's eight bytes, in the signal's byte order
    pattern   word >> shift & mask        then as in decode.py

A message is decoded like that if all of it is simple: whole numbers in eight bytes, at most one
multiplexer, each signal at one of its values. All others are left to `decode.py`.

    columns_of(frames, plan, groups.groups)     # what `decode_group` gives, by group
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Rows, SignalColumn
from contactor.can.frames import CLASSIC_BYTES, FrameTable
from contactor.can.groups import FrameGroup
from contactor.can.plan import NO_PARENT, WORD_BITS, DecodePlan, MessagePlan, SignalPlan

MAX_MARKS = 4
"""How many patterns of a signal may mean "not available"."""


@dataclass(frozen=True, slots=True)
class _Simple:
    """A message that is decoded here.

    Fields:
        bytes_needed: how long its frames must be.
        plain: the signals of every frame, each with its place in the arrays of `FewPlan`.
        parent: the multiplexer; None where there is none.
        chosen: the signals at each of its values.
    """

    bytes_needed: int
    plain: tuple[tuple[int, SignalPlan], ...]
    parent: SignalPlan | None
    chosen: dict[int, tuple[tuple[int, SignalPlan], ...]]


class FewPlan:
    """The simple messages of a plan, as arrays over all their signals."""

    def __init__(self, plan: DecodePlan) -> None:
        signals: list[SignalPlan] = []
        self.messages: dict[int, _Simple] = {}
        for place, message in enumerate(plan.messages):
            if _is_simple(message):
                self.messages[place] = _simple(message, len(signals))
                signals += message.signals
        self.is_little = np.array([one.is_little for one in signals], np.bool_)
        self.shift = np.array([_shift(one) for one in signals], np.uint64)
        self.mask = np.array([(1 << one.length) - 1 for one in signals], np.uint64)
        spare = [WORD_BITS - one.length if one.is_signed else 0 for one in signals]
        self.spare = np.array(spare, np.uint64)
        self.scale = np.array([float(one.scale) for one in signals])
        self.offset = np.array([float(one.offset) for one in signals])
        width = max((len(one.unavailable) for one in signals), default=0)
        self.marks = np.zeros((width, len(signals)), np.uint64)
        self.is_mark = np.zeros((width, len(signals)), np.bool_)
        for place, one in enumerate(signals):
            self.marks[: len(one.unavailable), place] = one.unavailable
            self.is_mark[: len(one.unavailable), place] = True


_plans: WeakKeyDictionary[DecodePlan, FewPlan] = WeakKeyDictionary()


def few_plan_of(plan: DecodePlan) -> FewPlan:
    """The one such form of a plan, made when first needed."""
    found = _plans.get(plan)
    if found is None:
        found = _plans.setdefault(plan, FewPlan(plan))
    return found


def columns_of(
    frames: FrameTable, plan: DecodePlan, groups: Sequence[FrameGroup]
) -> dict[int, list[SignalColumn]]:
    """The columns of those groups that are decoded here, by their number in `groups`."""
    if frames.data.shape[1] != CLASSIC_BYTES:
        return {}
    few = few_plan_of(plan)
    words = _Words(frames.data)
    found: dict[int, list[SignalColumn]] = {}
    asked: list[_Asked] = []
    pairs: tuple[list[int], list[int]] = ([], [])
    for number, group in enumerate(groups):
        message, its = few.messages.get(group.place), group.rows
        if message is None or int(frames.length[its].min()) < message.bytes_needed:
            continue
        found[number] = []
        for place, signal, rows in sorted(_chosen(message, its, words), key=itemgetter(0)):
            start = len(pairs[0])
            pairs[0].extend([place] * len(rows))
            pairs[1].extend(rows.tolist())
            asked.append(_Asked(number, group.label, signal, rows, slice(start, len(pairs[0]))))
    if not asked:
        return found
    raw, values, is_unavailable = _decoded(few, words, *pairs)
    has_marks = bool(is_unavailable.any())
    for one in asked:
        column = SignalColumn(
            message=one.label,
            signal=one.signal.name,
            unit=one.signal.unit,
            rows=one.rows,
            raw=raw[one.pairs],
            values=values[one.pairs],
            is_unavailable=is_unavailable[one.pairs] if has_marks else None,
            labels=one.signal.labels,
        )
        found[one.group].append(column)
    return found


class _Asked(NamedTuple):
    """A column that is to be made of some pairs."""

    group: int
    label: str
    signal: SignalPlan
    rows: Rows
    pairs: slice


class _Words:
    """The payloads of all frames as numbers, in both byte orders."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        data = np.ascontiguousarray(data)
        self.little = data.view("<u8")[:, 0].astype(np.uint64)
        self.big = data.view(">u8")[:, 0].astype(np.uint64)

    def raws_of(self, signal: SignalPlan, rows: Rows) -> list[int]:
        """The raw values of a signal without a sign, one by one."""
        words = (self.little if signal.is_little else self.big)[rows].tolist()
        shift, mask = _shift(signal), (1 << signal.length) - 1
        return [word >> shift & mask for word in words]


def _chosen(message: _Simple, rows: Rows, words: _Words) -> Iterator[tuple[int, SignalPlan, Rows]]:
    """The signals that frames have, each with its place in the plan's arrays and the frames."""
    for place, signal in message.plain:
        yield place, signal, rows
    if message.parent is None:
        return
    by_value: dict[int, list[int]] = {}
    for row, value in zip(rows.tolist(), words.raws_of(message.parent, rows), strict=True):
        by_value.setdefault(value, []).append(row)
    for value, listed in by_value.items():
        some = np.array(listed, np.int64)
        for place, signal in message.chosen.get(value, ()):
            yield place, signal, some


def _decoded(
    few: FewPlan, words: _Words, places: list[int], rows: list[int]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Raw number, physical value and "not available" of each pair of a signal and a frame."""
    place, row = np.array(places), np.array(rows)
    patterns = np.where(few.is_little[place], words.little[row], words.big[row])
    patterns >>= few.shift[place]
    patterns &= few.mask[place]
    spare = few.spare[place]
    raw = (patterns << spare).view(np.int64) >> spare.view(np.int64)
    values = raw.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        values *= few.scale[place]
        values += few.offset[place]
    is_unavailable = np.zeros(len(place), np.bool_)
    for marks, is_mark in zip(few.marks, few.is_mark, strict=True):
        is_unavailable |= (patterns == marks[place]) & is_mark[place]
    return raw, values, is_unavailable


def _simple(message: MessagePlan, first: int) -> _Simple:
    """A message whose signals are at `first` and on in the plan's arrays."""
    wanted = [(first + row, one) for row, one in enumerate(message.signals) if one.is_wanted]
    chosen: dict[int, tuple[tuple[int, SignalPlan], ...]] = {}
    for place, signal in wanted:
        if signal.parent != NO_PARENT:
            (value,) = signal.parent_ids
            chosen[value] = (*chosen.get(value, ()), (place, signal))
    parents = {one.parent for one in message.signals} - {NO_PARENT}
    return _Simple(
        bytes_needed=max((one.bytes_needed for one in message.signals), default=0),
        plain=tuple((place, one) for place, one in wanted if one.parent == NO_PARENT),
        parent=message.signals[parents.pop()] if parents else None,
        chosen=chosen,
    )


def _is_simple(message: MessagePlan) -> bool:
    signals = message.signals
    parents = {one.parent for one in signals} - {NO_PARENT}
    return (
        not message.contained
        and len(parents) <= 1
        and all(signals[one].parent == NO_PARENT and not signals[one].is_signed for one in parents)
        and all(one.parent == NO_PARENT or len(one.parent_ids) == 1 for one in signals)
        and all(_is_plain(one) for one in signals)
    )


def _is_plain(signal: SignalPlan) -> bool:
    return (
        not (signal.is_float or signal.is_exact)
        and signal.length < WORD_BITS
        and signal.bytes_needed <= CLASSIC_BYTES
        and len(signal.unavailable) <= MAX_MARKS
    )


def _shift(signal: SignalPlan) -> int:
    """How far the word is shifted for the signal's lowest bit."""
    if signal.is_little:
        return signal.first_bit
    return max(WORD_BITS - signal.first_bit - signal.length, 0)
