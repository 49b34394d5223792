"""A decode plan as flat arrays, for kernels that know no Python.

Every message has places and signals. A place is a choice among the frames of a message: all of
them (the first), those of another place that are long enough, or those of another place whose
multiplexer has one of some values. A signal stands on the frames of one place.

    flat = flat_plan_of(plan)
    flat.signals.first[3], flat.signals.first[4]     # the signals of the fourth message

A signal that is beyond the kernels (floats, 64 bits that touch nine bytes, values that need
Python's integers) is not in here; a message whose multiplexer is such a one, and a container, has
no signals here at all. `decode.py` decodes those. Source of the arithmetic: see plan.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES
from contactor.can.plan import NO_PARENT, WORD_BITS, DecodePlan, MessagePlan, SignalPlan

ALL, LONG, CHOSEN = 0, 1, 2
UNSIGNED_31, UNSIGNED_63, UNSIGNED_64, SIGNED_32, SIGNED_64 = range(5)
WORD_BYTES = 8

PLACE = np.dtype(
    [
        ("kind", np.uint8),
        ("base", np.int32),  # the place chosen from, counted within the message
        ("bytes", np.uint8),
        ("is_little", np.bool_),
        ("is_signed", np.bool_),
        ("first_byte", np.uint8),
        ("left", np.uint8),
        ("right", np.uint8),
        ("ids_start", np.int32),
        ("ids_end", np.int32),
    ]
)
SIGNAL = np.dtype(
    [
        ("place", np.int32),  # counted within the message
        ("kind", np.uint8),
        ("is_little", np.bool_),
        ("first_byte", np.uint8),
        ("left", np.uint8),
        ("right", np.uint8),
        ("scale", np.float64),
        ("offset", np.float64),
        ("unavailable_start", np.int32),
        ("unavailable_end", np.int32),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Rows of all messages one after another.

    Fields:
        rows: a structured array.
        first: int64 (messages + 1,), where each message's rows begin.
    """

    rows: NDArray[np.void]
    first: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FlatPlan:
    """Places and signals of all messages.

    Fields:
        places, signals: rows of dtype `PLACE` and `SIGNAL`; signals in the order of their places.
        signal_rows: int32, for each signal its row in its message's plan.
        ids: int64 (k, 2), ranges of multiplexer values, both ends included.
        unavailable: uint64, bit patterns.
        slow_rows: for each message the rows of signals that are not in here; None of one that
            `decode.py` has to decode whole.
    """

    places: Section
    signals: Section
    signal_rows: NDArray[np.int32]
    ids: NDArray[np.int64]
    unavailable: NDArray[np.uint64]
    slow_rows: tuple[tuple[int, ...] | None, ...]


def flat_plan_of(plan: DecodePlan) -> FlatPlan:
    """The flat form of a plan, made when first needed."""
    flat = _flat_plans.get(plan)
    if flat is None:
        flat = _flat_plans.setdefault(plan, _Flattener().of(plan))
    return flat


_flat_plans: WeakKeyDictionary[DecodePlan, FlatPlan] = WeakKeyDictionary()


class _Flattener:
    """Collects the rows of a plan."""

    def __init__(self) -> None:
        self._places: list[tuple[int | bool, ...]] = []
        self._signals: list[tuple[int | float | bool, ...]] = []
        self._signal_rows: list[int] = []
        self._ids: list[tuple[int, int]] = []
        self._unavailable: list[int] = []

    def of(self, plan: DecodePlan) -> FlatPlan:
        place_first, signal_first = [0], [0]
        slow_rows: list[tuple[int, ...] | None] = []
        for message in plan.messages:
            is_beyond = bool(message.contained) or any(
                not _is_simple(message.signals[row]) for row in _parents(message)
            )
            slow_rows.append(None if is_beyond else tuple(self._add(message)))
            place_first.append(len(self._places))
            signal_first.append(len(self._signals))
        return FlatPlan(
            places=Section(np.array(self._places, PLACE), np.array(place_first, np.int64)),
            signals=Section(np.array(self._signals, SIGNAL), np.array(signal_first, np.int64)),
            signal_rows=np.array(self._signal_rows, np.int32),
            ids=np.array(self._ids, np.int64).reshape(-1, 2),
            unavailable=np.array(self._unavailable, np.uint64),
            slow_rows=tuple(slow_rows),
        )

    def _add(self, message: MessagePlan) -> list[int]:
        """Add a message; gives the rows of its signals that stay outside."""
        first = len(self._places)
        self._places.append((ALL, 0, 0, False, False, 0, 0, 0, 0, 0))
        known: dict[tuple[int, ...], int] = {}
        place_of: list[int] = []
        simple: list[tuple[int, int]] = []
        slow: list[int] = []
        for row, signal in enumerate(message.signals):
            place = 0
            if signal.parent != NO_PARENT:
                key = (CHOSEN, signal.parent, *signal.parent_ids)
                if key not in known:
                    known[key] = len(self._places) - first
                    parent = message.signals[signal.parent]
                    self._places.append(self._chosen(place_of[signal.parent], parent, signal))
                place = known[key]
            key = (LONG, place, signal.bytes_needed)
            if key not in known:
                known[key] = len(self._places) - first
                self._places.append(
                    (LONG, place, min(signal.bytes_needed, 255), False, False, 0, 0, 0, 0, 0)
                )
            place_of.append(known[key])
            if signal.is_wanted and _is_simple(signal):
                simple.append((known[key], row))
            elif signal.is_wanted:
                slow.append(row)
        for place, row in sorted(simple):
            self._signals.append(self._signal(place, message.signals[row]))
            self._signal_rows.append(row)
        return slow

    def _chosen(self, base: int, parent: SignalPlan, signal: SignalPlan) -> tuple[int | bool, ...]:
        start = len(self._ids)
        self._ids += _ranges(signal.parent_ids)
        first_byte, left, right = _cut(parent)
        return (
            CHOSEN,
            base,
            0,
            parent.is_little,
            parent.is_signed,
            first_byte,
            left,
            right,
            start,
            len(self._ids),
        )

    def _signal(self, place: int, signal: SignalPlan) -> tuple[int | float | bool, ...]:
        start = len(self._unavailable)
        self._unavailable += signal.unavailable
        first_byte, left, right = _cut(signal)
        return (
            place,
            _kind(signal),
            signal.is_little,
            first_byte,
            left,
            right,
            float(signal.scale),
            float(signal.offset),
            start,
            len(self._unavailable),
        )


def _parents(message: MessagePlan) -> set[int]:
    return {signal.parent for signal in message.signals} - {NO_PARENT}


def _is_simple(signal: SignalPlan) -> bool:
    """Whether a kernel can decode a signal from one word."""
    if signal.is_float or signal.is_exact or signal.bytes_needed > FD_BYTES:
        return False
    first_byte = _first_byte(signal)
    return signal.first_bit - 8 * first_byte + signal.length <= WORD_BITS


def _first_byte(signal: SignalPlan) -> int:
    """The byte where the signal's word begins: the payload's first where that word holds it."""
    if signal.bytes_needed <= CLASSIC_BYTES:
        return 0
    return min(signal.first_bit // 8, FD_BYTES - WORD_BYTES)


def _cut(signal: SignalPlan) -> tuple[int, int, int]:
    """The word's first byte, and the shifts that leave the signal alone in it."""
    first_byte = _first_byte(signal)
    shift = signal.first_bit - 8 * first_byte
    spare = WORD_BITS - signal.length
    return first_byte, spare - shift if signal.is_little else shift, spare


def _kind(signal: SignalPlan) -> int:
    if signal.is_signed:
        return SIGNED_32 if signal.length <= 32 else SIGNED_64
    if signal.length <= 31:
        return UNSIGNED_31
    return UNSIGNED_63 if signal.length < WORD_BITS else UNSIGNED_64


def _ranges(numbers: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Whole numbers as ranges of neighbours."""
    ordered = sorted(set(numbers))
    start = 0
    for place in range(1, len(ordered) + 1):
        if place == len(ordered) or ordered[place] != ordered[place - 1] + 1:
            yield ordered[start], ordered[place - 1]
            start = place
