"""Columns of physical values to payloads: the reverse of `decode`.

    values ─(v - offset) / scale, rounded half to even─► bit patterns ─bit by bit─► payloads
                                                          counter and checksum filled ─┘

The raw numbers are those of cantools for the same values. A value that its signal cannot hold is
refused, or moved to the nearest that it can on request. NaN, and a signal that no column gives, is
the raw value that means "not available". A word is the raw value that the database labels so.
Bits that no signal covers are 0. Many rows are encoded by compiled code, few without arrays.

    encoder = MessageEncoder(database.message("BatteryPower"))
    encoder.encode({"PackVoltage": np.array([371.2, 370.9]), ...}, first_count=3)   # uint8 (2, 8)
"""

from collections.abc import Collection, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.can.checksum import Checksum, checksum_of, counts_of
from contactor.can.database import Database, MessageFormat, SignalFormat
from contactor.can.kernels import are_wanted
from contactor.can.payload_bits import Payloads, Placer
from contactor.can.plan import MAX_EXACT, MessagePlan, SignalPlan, compile_plan
from contactor.can.raw_numbers import (
    Mask,
    Patterns,
    RawConverter,
    Values,
    exact_pattern,
    raw_range,
)
from contactor.errors import InvalidValue

__all__ = ["MessageEncoder", "Patterns", "Payloads", "RawConverter", "Values", "raw_range"]

Column: TypeAlias = Values | NDArray[np.integer] | NDArray[np.str_] | NDArray[np.object_]

ROWS_AT_ONCE = 4_096
# How far beyond its declared range a value may lie, in steps of its signal, as in cantools.
RANGE_SLACK_STEPS = 1e-6
MAX_WORDS_SHOWN = 8
# Up to here whole numbers are faster than arrays.
FEW_ROWS = 8


class MessageEncoder:
    """Makes the payloads of one message; keeps no state, where the counter stands is given.

    Args:
        message: the message.
        unavailable: for "Message.Signal" the raw values that mean "not available", beside those
            that the database labels so.

    Fields:
        signals: in the order of the columns of patterns.
        counter: the name of the signal that counts its frames, or None.

    Raises:
        InvalidValue: a signal that cannot be encoded, or does not lie in the message.
    """

    def __init__(
        self,
        message: MessageFormat,
        *,
        unavailable: Mapping[str, Collection[int]] | None = None,
    ) -> None:
        self.message = message
        own = {f"{message.name}.{signal.name}" for signal in message.signals}
        declared = {name: raws for name, raws in (unavailable or {}).items() if name in own}
        plan = compile_plan(Database((message,)), unavailable=declared)
        if plan.left_out:
            raise InvalidValue(f"{plan.left_out[0].name}: {plan.left_out[0].reason}")
        self.signals = plan.messages[0].signals
        for signal in self.signals:
            if signal.bytes_needed > message.length:
                raise InvalidValue(
                    f"{message.name}.{signal.name} does not fit {message.length} bytes"
                )
        self._places = {signal.name: place for place, signal in enumerate(self.signals)}
        self._converter = RawConverter(self.signals)
        self.counter: str | None = None
        self._counter: int | None = None
        self._checksum: Checksum | None = None
        self._filled: list[int] = []
        left_out = self._protect(plan.messages[0])
        self._placer = Placer(self.signals, length=message.length, left_out=left_out)
        self._ranges = _DeclaredRanges(message.signals, self._places)

    def _protect(self, message: MessagePlan) -> list[int]:
        """Set up counter and checksum; gives the place of the latter, which is written last."""
        protection = message.protection
        if protection is None:
            return []
        if protection.counter is not None and protection.counter_role is not None:
            self.counter = protection.counter.name
            self._counter = self._places[self.counter]
            self._counts = counts_of(protection.counter_role, protection.counter.length) or 1
            self._filled.append(self._counter)
        if protection.checksum is None:
            return []
        try:
            self._checksum = checksum_of(message.can_id, protection, protection.checksum)
        except InvalidValue as error:
            raise InvalidValue(f"{message.name}.{error}") from error
        left_out = [self._places[protection.checksum.name]]
        self._filled += left_out
        return left_out

    def place(self, name: str) -> int:
        """The column of a signal in a matrix of patterns.

        Raises:
            InvalidValue: the message has no such signal.
        """
        if name not in self._places:
            raise InvalidValue(f"{self.message.name} has no signal {name!r}")
        return self._places[name]

    def encode(
        self,
        columns: Mapping[str, Column],
        *,
        first_count: int = 0,
        saturate: bool = False,
        is_strict: bool = False,
    ) -> Payloads:
        """The payloads of n frames; counter and checksum need no column.

        Args:
            columns: (n,) physical values by the signal's name; NaN for not available. Whole
                numbers beyond 53 bits are exact in columns of an integer type; words are labels of
                the database.
            first_count: what the counter of the first frame says; the others go on from there.
            saturate: move what is out of range to the nearest that is not, instead of refusing it.
            is_strict: refuse values outside the range that the database declares, too; raw values
                with a label are allowed there.

        Returns:
            uint8 (n, length).

        Raises:
            InvalidValue: naming signal, value and what is allowed.
        """
        rows = max((len(column) for column in columns.values()), default=0)
        values = np.full((rows, len(self.signals)), np.nan)
        given: dict[int, dict[int, int]] = {}
        for name, column in columns.items():
            place = self.place(name)
            kind = np.asarray(column).dtype.kind
            if kind in "fb" or (kind in "iu" and not _is_beyond_exact(column)):
                values[:, place] = column
            else:
                given[place] = self._exact(place, name, column, values, saturate)
        values[:, self._filled] = 0.0
        at_once = rows if are_wanted(rows) else ROWS_AT_ONCE
        parts = [
            self._encode(
                values[start : start + at_once],
                {
                    place: {row - start: raw for row, raw in raws.items()}
                    for place, raws in given.items()
                },
                first_count + start,
                saturate,
                is_strict,
            )
            for start in range(0, rows, max(at_once, 1))
        ]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.zeros((0, self.message.length), np.uint8)

    def _exact(
        self, place: int, name: str, column: Column, values: Values, saturate: bool
    ) -> dict[int, int]:
        """Bit patterns, by row, of words and of whole numbers that no float64 holds.

        Everything else of the column, and the nearest float64 of those numbers, goes to `values`.
        """
        signal = self.signals[place]
        raws: dict[int, int] = {}
        for row, value in enumerate(np.asarray(column).tolist()):
            if value is None:
                continue
            if isinstance(value, str):
                raws[row] = self._raw_of(signal, name, value) & ((1 << signal.length) - 1)
                values[row, place] = raws[row] * signal.scale + signal.offset
            else:
                values[row, place] = float(value)
                if isinstance(value, int) and abs(value) > MAX_EXACT and not signal.is_float:
                    pattern = exact_pattern(signal, value)
                    if pattern is not None:
                        raws[row] = pattern
        return raws

    def _raw_of(self, signal: SignalPlan, name: str, word: str) -> int:
        found = [raw for raw, text in signal.labels.items() if text == word]
        if found:
            return found[-1]
        some = ", ".join(repr(text) for text in list(signal.labels.values())[:MAX_WORDS_SHOWN])
        allowed = f"; it has {some}" if some else ", nor any"
        raise InvalidValue(f"{self.message.name}.{name} has no label {word!r}{allowed}")

    def patterns_of(self, name: str, values: Values) -> Patterns:
        """The bit patterns (n,) of one signal's physical values (n,).

        Raises:
            InvalidValue: a value that cannot be sent.
        """
        place = self.place(name)
        matrix = np.full((len(values), len(self.signals)), np.nan)
        matrix[:, place] = values
        patterns, is_refused = self._converter.patterns(matrix)
        if is_refused[:, place].any():
            others = np.arange(len(self.signals)) != place
            raise self._refusal(matrix, is_refused & ~others)
        return patterns[:, place]

    def _encode(
        self,
        values: Values,
        given: Mapping[int, Mapping[int, int]],
        first_count: int,
        saturate: bool,
        is_strict: bool,
    ) -> Payloads:
        patterns, is_refused = self._converter.patterns(values, saturate=saturate)
        for place, raws in given.items():
            for row, raw in raws.items():
                if 0 <= row < len(values):
                    patterns[row, place] = raw
                    is_refused[row, place] = False
        is_outside = self._ranges.are_broken(values, patterns) if is_strict else None
        if is_outside is not None or is_refused.any():
            is_there = self._placer.presence(patterns)
            is_there[:, self._filled] = False
            if (is_refused & is_there).any():
                raise self._refusal(values, is_refused & is_there)
            if is_outside is not None and (is_outside & is_there).any():
                raise self._outside(values, is_outside & is_there)
        return self.payloads(patterns, first_count=first_count)

    def _outside(self, values: Values, is_outside: Mask) -> InvalidValue:
        row, place = (int(places[0]) for places in np.nonzero(is_outside))
        signal, allowed = self.signals[place], self._ranges.shown(place)
        name = f"{self.message.name}.{signal.name}"
        return InvalidValue(
            f"{name}: {values[row, place]:.15g} is outside {allowed} {signal.unit}".rstrip()
        )

    def _refusal(self, values: Values, is_refused: Mask) -> InvalidValue:
        row, place = (int(places[0]) for places in np.nonzero(is_refused))
        signal, value = self.signals[place], float(values[row, place])
        name = f"{self.message.name}.{signal.name}"
        if np.isnan(value):
            return InvalidValue(f'{name}: no value, and no raw value means "not available"')
        if signal.is_float:
            return InvalidValue(f"{name}: {value:g} is beyond a float of {signal.length} bits")
        low, high = sorted(raw * signal.scale + signal.offset for raw in raw_range(signal))
        allowed = f"{low:.15g}..{high:.15g} {signal.unit}".rstrip()
        return InvalidValue(f"{name}: {value:.15g} is outside {allowed}")

    def presence(self, patterns: Patterns) -> Mask:
        """Which signals are in which frame, by the multiplexers' patterns: bool (n, signals)."""
        return self._placer.presence(patterns)

    def payloads(self, patterns: Patterns, *, first_count: int = 0) -> Payloads:
        """The payloads of n frames from bit patterns.

        Args:
            patterns: uint64 (n, signals) in the order of `signals`, nothing above their length;
                what stands for counter, checksum, or signals of other frames is not used.
            first_count: what the counter of the first frame says.

        Returns:
            uint8 (n, length).
        """
        if len(patterns) <= FEW_ROWS:
            return self._few(patterns, first_count)
        if self._counter is not None:
            patterns = patterns.copy()
            patterns[:, self._counter] = (
                np.arange(first_count, first_count + len(patterns)) % self._counts
            )
        payloads = self._placer.payloads(patterns)
        if self._checksum is not None:
            self._checksum.write(payloads)
        return payloads

    def _few(self, patterns: Patterns, first_count: int) -> Payloads:
        """The same, frame by frame."""
        data = bytearray()
        for number, row in enumerate(patterns.tolist()):
            if self._counter is not None:
                row[self._counter] = (first_count + number) % self._counts
            payload = self._placer.payload(row)
            if self._checksum is not None:
                self._checksum.write_one(payload)
            data += payload
        return np.frombuffer(data, np.uint8).reshape(len(patterns), self.message.length)

    def is_sound(self, payloads: Payloads) -> Mask:
        """Whether the checksum of each payload (n, length) is right; True where there is none."""
        if self._checksum is None:
            return np.ones(len(payloads), np.bool_)
        return np.equal(self._checksum.read(payloads), self._checksum.of(payloads))


class _DeclaredRanges:
    """The ranges that the database declares for physical values."""

    def __init__(self, signals: Collection[SignalFormat], places: Mapping[str, int]) -> None:
        self._low = np.full(len(places), -np.inf)
        self._high = np.full(len(places), np.inf)
        self._slack = np.zeros(len(places))
        self._labels: dict[int, NDArray[np.uint64]] = {}
        for signal in signals:
            place = places[signal.name]
            self._low[place] = -np.inf if signal.minimum is None else signal.minimum
            self._high[place] = np.inf if signal.maximum is None else signal.maximum
            self._slack[place] = abs(signal.scale) * RANGE_SLACK_STEPS
            mask = (1 << signal.length) - 1
            raws = [raw & mask for raw in signal.labels if -mask <= raw <= mask]
            if raws:
                self._labels[place] = np.array(raws, np.uint64)

    def are_broken(self, values: Values, patterns: Patterns) -> Mask:
        """Which values (n, signals) are outside; one whose raw value has a label never is."""
        is_outside = (values < self._low - self._slack) | (values > self._high + self._slack)
        for place, raws in self._labels.items():
            is_outside[:, place] &= ~np.isin(patterns[:, place], raws)
        return is_outside

    def shown(self, place: int) -> str:
        """A range in words."""
        return f"{self._low[place]:.15g}..{self._high[place]:.15g}"


def _is_beyond_exact(column: Column) -> bool:
    """Whether a column of whole numbers has one that a float64 may round."""
    numbers = np.asarray(column)
    return len(numbers) > 0 and (int(numbers.max()) > MAX_EXACT or int(numbers.min()) < -MAX_EXACT)
