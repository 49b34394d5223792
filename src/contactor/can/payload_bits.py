"""Bit patterns to payloads: each signal's bits in their place, as its byte order says.

Of many frames in columns (bit by bit, or by compiled code), of one in Python's whole numbers, which
need no arrays: all give the same bytes.

    placer = Placer(plan.messages[0].signals, length=8)
    placer.payloads(patterns)                    # uint64 (n, signals) to uint8 (n, 8)
    placer.payload([3, 0x1FF, 0])                # bytearray(b"...")
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.can.kernels import are_wanted
from contactor.can.plan import NO_PARENT, WORD_BITS, SignalPlan

Mask: TypeAlias = NDArray[np.bool_]
Patterns: TypeAlias = NDArray[np.uint64]
Payloads: TypeAlias = NDArray[np.uint8]

# A signal's place among the signals, and how far its bits are shifted.
Shift: TypeAlias = tuple[int, int]

BYTE_BITS = 8
MOST_KEPT = 1_024


class Placer:
    """Places the bits of one message's signals.

    Args:
        signals: all of them, multiplexers before what depends on them.
        length: of the message, in bytes.
        left_out: which signals are written by somebody else; their bits are 0.
    """

    def __init__(
        self, signals: Sequence[SignalPlan], *, length: int, left_out: Sequence[int] = ()
    ) -> None:
        self._length = length
        self._left_out = list(left_out)
        self._branches = _branches(signals)
        self._branch_sets = [
            (parent, frozenset(ids.tolist()), places) for parent, ids, places in self._branches
        ]
        self._parents = sorted({parent for parent, _, _ in self._branches})
        self._visible_of: dict[tuple[int, ...], tuple[list[Shift], list[Shift]]] = {}
        self._bits = _bit_sources(signals, length)
        placed = [place for place in range(len(signals)) if place not in self._left_out]
        self._little = [(p, signals[p].first_bit) for p in placed if signals[p].is_little]
        self._big = [
            (p, BYTE_BITS * length - signals[p].first_bit - signals[p].length)
            for p in placed
            if not signals[p].is_little
        ]
        self._table = _byte_table(signals, self._left_out)
        ids = [ids for _, ids, _ in self._branches]
        starts = np.cumsum([0, *(len(one) for one in ids)])
        self._ids = np.concatenate([*ids, np.zeros(0, np.uint64)])
        self._table["parent"] = [signal.parent for signal in signals]
        for number, (_, _, places) in enumerate(self._branches):
            self._table["ids_start"][places] = starts[number]
            self._table["ids_end"][places] = starts[number + 1]

    def presence(self, patterns: Patterns) -> Mask:
        """Which signals are in which frame, by the multiplexers' patterns: bool (n, signals)."""
        is_there = np.ones(patterns.shape, np.bool_)
        for parent, ids, places in self._branches:
            chosen = (
                patterns[:, parent] == ids[0]
                if len(ids) == 1
                else np.isin(patterns[:, parent], ids)
            )
            is_there[:, places] = (is_there[:, parent] & chosen)[:, np.newaxis]
        return is_there

    def payloads(self, patterns: Patterns) -> Payloads:
        """The payloads (n, length) of patterns (n, signals), nothing above their length."""
        if are_wanted(len(patterns)):
            from contactor.can.kernels.encode import place

            payloads = np.zeros((len(patterns), self._length), np.uint8)
            place(np.ascontiguousarray(patterns), self._table, self._ids, payloads)
            return payloads
        rows, count = patterns.shape
        words = np.zeros((rows, count + 1), ">u8")
        words[:, :count] = patterns
        if self._branches:
            words[:, :count] *= self.presence(patterns)
        words[:, self._left_out] = 0
        bits = np.unpackbits(words.view(np.uint8), axis=1)
        chosen = bits[:, self._bits[0]] if len(self._bits) == 1 else bits[:, self._bits].max(axis=1)
        return np.packbits(chosen, axis=1)

    def payload(self, row: list[int]) -> bytearray:
        """The payload of one frame, whose patterns are `row`: the sum of its signals, shifted."""
        little_ones, big_ones = self._little, self._big
        if self._branch_sets:
            little_ones, big_ones = self._visible(row)
        little = big = 0
        for place, shift in little_ones:
            little |= row[place] << shift
        for place, shift in big_ones:
            big |= row[place] << shift
        data = bytearray(little.to_bytes(self._length, "little"))
        if big:
            big |= int.from_bytes(data, "big")
            data[:] = big.to_bytes(self._length, "big")
        return data

    def _visible(self, row: list[int]) -> tuple[list[Shift], list[Shift]]:
        """What the multiplexers of a frame leave of the signals; kept for the next such frame."""
        key = tuple([row[parent] for parent in self._parents])
        known = self._visible_of.get(key)
        if known is None:
            hidden: set[int] = set()
            for parent, ids, places in self._branch_sets:
                if row[parent] not in ids or parent in hidden:
                    hidden.update(places)
            known = (
                [one for one in self._little if one[0] not in hidden],
                [one for one in self._big if one[0] not in hidden],
            )
            if len(self._visible_of) < MOST_KEPT:
                self._visible_of[key] = known
        return known


def _branches(
    signals: Sequence[SignalPlan],
) -> list[tuple[int, Patterns, list[int]]]:
    """Per value of a multiplexer its column, its patterns and the columns that depend on it.

    A multiplexer's own branch comes before those below it.
    """
    places: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for place, signal in enumerate(signals):
        if signal.parent != NO_PARENT:
            places.setdefault((signal.parent, signal.parent_ids), []).append(place)
    return [
        (
            parent,
            np.array([one & ((1 << signals[parent].length) - 1) for one in ids], np.uint64),
            columns,
        )
        for (parent, ids), columns in sorted(places.items())
    ]


def _bit_sources(signals: Sequence[SignalPlan], length: int) -> NDArray[np.intp]:
    """Where each payload bit comes from, (layers, 8 length), the highest bit of a byte first.

    The sources are the bits of the patterns side by side, 64 each, highest first; behind them all
    stands a zero. Signals of different frames share bits: each has a layer there.
    """
    zero = WORD_BITS * len(signals)
    sources: list[list[int]] = [[] for _ in range(BYTE_BITS * length)]
    for place, signal in enumerate(signals):
        for bit in range(signal.length):
            source = WORD_BITS * place + WORD_BITS - 1 - bit
            if signal.is_little:
                byte, inner = divmod(signal.first_bit + bit, BYTE_BITS)
                sources[BYTE_BITS * byte + BYTE_BITS - 1 - inner].append(source)
            else:
                sources[signal.first_bit + signal.length - 1 - bit].append(source)
    layers = max((len(found) for found in sources), default=0) or 1
    return np.array(
        [
            [found[layer] if layer < len(found) else zero for found in sources]
            for layer in range(layers)
        ],
        np.intp,
    )


BYTE_TABLE = np.dtype(
    [
        ("parent", np.int64),
        ("ids_start", np.int64),
        ("ids_end", np.int64),
        ("low_byte", np.int64),  # the byte of the lowest bit
        ("step", np.int64),  # to the byte of higher bits
        ("bytes", np.int64),
        ("shift", np.int64),  # where the lowest bit stands in its byte
        ("is_left_out", np.bool_),
    ]
)


def _byte_table(signals: Sequence[SignalPlan], left_out: Sequence[int]) -> NDArray[np.void]:
    """Which bytes each signal touches, for the kernel."""
    table = np.zeros(len(signals), BYTE_TABLE)
    for place, signal in enumerate(signals):
        end = signal.first_bit + signal.length
        lowest = signal.first_bit if signal.is_little else end - 1
        shift = lowest % BYTE_BITS if signal.is_little else BYTE_BITS - 1 - lowest % BYTE_BITS
        row = table[place]
        row["low_byte"] = lowest // BYTE_BITS
        row["step"] = 1 if signal.is_little else -1
        row["bytes"] = -(-(shift + signal.length) // BYTE_BITS)
        row["shift"] = shift
        row["is_left_out"] = place in left_out
    return table
