"""The frames of the virtual car: each message at its cycle, from rows of values.

    steps     (--- row 0 ---](--- row 1 ---](--- row 2 ---]       a row holds over its step
    frames      x   x   x   x   x   x   x   x   x   x   x         at k cycles + an offset

Messages are a little apart, so that no two frames have one instant. A multiplexer goes round its
values, one a frame. Counters go on from call to call.

    bus = Bus(profile)
    bus.names                                               # what `values` must hold, in order
    bus.frames(values, starts, ends, after_ns=..., until_ns=...)
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn
from contactor.can.decode import column_of
from contactor.can.encode import MessageEncoder, Patterns, RawConverter
from contactor.can.frames import CLASSIC_BYTES, FrameTable
from contactor.can.plan import NO_PARENT, SignalPlan
from contactor.car.profiles.profile import Profile
from contactor.clock import NS_PER_MS

Instants = NDArray[np.int64]
Values = NDArray[np.float64]

APART_NS = NS_PER_MS // 2


@dataclass(slots=True)
class _Message:
    """A message that is sent; `count` is how many of its frames were.

    Fields:
        columns: its signals in the matrix of all.
        cycle_ns: between two of its frames.
        around: the column of its multiplexer and the values that it goes round, or None.
    """

    encoder: MessageEncoder
    columns: slice
    cycle_ns: int
    around: tuple[int, NDArray[np.uint64]] | None
    count: int = 0


class Bus:
    """Owns the counters of all that is sent cyclically.

    Args:
        profile: whose DBC says what is sent; messages without a cycle are not.
    """

    def __init__(self, profile: Profile) -> None:
        unavailable = profile.map.unavailable
        self.names: tuple[str, ...] = ()
        self._messages: list[_Message] = []
        self._signals: list[SignalPlan] = []
        for message in profile.database.messages:
            if message.cycle_time_ms is None:
                continue
            encoder = MessageEncoder(message, unavailable=unavailable)
            first = len(self._signals)
            self._signals += encoder.signals
            self.names += tuple(f"{message.name}.{signal.name}" for signal in encoder.signals)
            self._messages.append(
                _Message(
                    encoder=encoder,
                    columns=slice(first, len(self._signals)),
                    cycle_ns=message.cycle_time_ms * NS_PER_MS,
                    around=_around(encoder),
                )
            )
        self._converter = RawConverter(self._signals)
        formats = [one.encoder.message for one in self._messages]
        self._cycles = np.array([one.cycle_ns for one in self._messages], np.int64)
        self._offsets = np.arange(len(formats)) * APART_NS % self._cycles
        self._can_ids = np.array([one.can_id for one in formats], np.uint32)
        self._is_extended = np.array([one.is_extended for one in formats], np.bool_)
        self._lengths = np.array([one.length for one in formats], np.uint8)
        self._width = max([CLASSIC_BYTES, *(one.length for one in formats)])

    def patterns(self, values: Values) -> Patterns:
        """The bit patterns of `values` (n, names); what is out of range is the nearest that is."""
        return self._converter.patterns(values, saturate=True)[0]

    def frames(
        self, values: Values, starts: Instants, ends: Instants, *, after_ns: int, until_ns: int
    ) -> FrameTable:
        """All frames in (after_ns, until_ns], by time.

        Args:
            values: float64 (n, names), a row a step.
            starts, ends: int64 (n,), ascending: a row holds in (start, end]; none are sent between.
        """
        if not len(values):
            return FrameTable.empty()
        patterns = self.patterns(values)
        sent, ts = self._due(after_ns, until_ns)
        rows = np.searchsorted(ends, ts)
        is_there = (rows < len(ends)) & (starts[np.minimum(rows, len(ends) - 1)] < ts)
        if not is_there.all():
            sent, ts, rows = sent[is_there], ts[is_there], rows[is_there]
        data = np.zeros((len(ts), self._width), np.uint8)
        cuts = np.flatnonzero(np.diff(sent, prepend=-1, append=-1)).tolist()
        for start, end in pairwise(cuts):
            message, its = self._messages[sent[start]], slice(start, end)
            payloads = _payloads(message, patterns[rows[its], message.columns], ts[its])
            data[its, : payloads.shape[1]] = payloads
        order = np.argsort(ts, kind="stable")
        sent, no = sent[order], np.zeros(len(ts), np.bool_)
        return FrameTable(
            ts=ts[order],
            bus=np.zeros(len(ts), np.uint8),
            can_id=self._can_ids[sent],
            is_extended=self._is_extended[sent],
            is_fd=no,
            is_remote=no,
            is_error=no,
            length=self._lengths[sent],
            data=data[order],
        )

    def _due(self, after_ns: int, until_ns: int) -> tuple[NDArray[np.int64], Instants]:
        """The messages due in (after_ns, until_ns], one after another, and when."""
        first = (after_ns - self._offsets) // self._cycles + 1
        counts = (until_ns - self._offsets) // self._cycles + 1 - first
        sent = np.repeat(np.arange(len(counts)), counts)
        # The number of each frame within its message: up from the first one due.
        number = np.arange(len(sent)) + np.repeat(first - (np.cumsum(counts) - counts), counts)
        return sent, number * self._cycles[sent] + self._offsets[sent]

    def columns(self, values: Values, rows: Instants, wanted: frozenset[str]) -> list[SignalColumn]:
        """What `decode_columns` would give of the `wanted` signals, had frames been sent.

        Args:
            values: float64 (k, names).
            rows: int64 (k,), what the columns point into.
        """
        patterns = self.patterns(values)
        return [
            column_of(name.partition(".")[0], signal, rows, patterns[:, place])
            for place, (name, signal) in enumerate(zip(self.names, self._signals, strict=True))
            if name in wanted
        ]


def _around(encoder: MessageEncoder) -> tuple[int, NDArray[np.uint64]] | None:
    """The multiplexer of a message, and its values."""
    parents = {one.parent for one in encoder.signals if one.parent != NO_PARENT}
    if not parents:
        return None
    parent = min(parents)
    ids = {one for signal in encoder.signals for one in signal.parent_ids}
    return parent, np.array(sorted(ids), np.uint64)


def _payloads(message: _Message, patterns: Patterns, ts: Instants) -> NDArray[np.uint8]:
    if message.around is not None:
        place, ids = message.around
        patterns[:, place] = ids[ts // message.cycle_ns % len(ids)]
    payloads = message.encoder.payloads(patterns, first_count=message.count)
    message.count += len(ts)
    return payloads
