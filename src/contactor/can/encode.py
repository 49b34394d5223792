"""Columns of physical values to payloads: the reverse of `decode`, in plain NumPy.

    values ─(v - offset) / scale, rounded half to even─► bit patterns ─bit by bit─► payloads
                                                          counter and checksum filled ─┘

The raw numbers are those of cantools for the same values. A value that its signal cannot hold is
refused, or moved to the nearest that it can on request. NaN, and a signal that no column gives, is
the raw value that means "not available". Bits that no signal covers are 0.

    encoder = MessageEncoder(database.message("BatteryPower"))
    encoder.encode({"PackVoltage": np.array([371.2, 370.9]), ...}, first_count=3)   # uint8 (2, 8)
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.can.checksum import COUNTS, Checksum
from contactor.can.database import Database, MessageFormat, SignalRole
from contactor.can.decode import FLOAT_WORDS, FLOATS
from contactor.can.plan import NO_PARENT, WORD_BITS, SignalPlan, compile_plan
from contactor.errors import InvalidValue

Mask: TypeAlias = NDArray[np.bool_]
Patterns: TypeAlias = NDArray[np.uint64]
Payloads: TypeAlias = NDArray[np.uint8]
Values: TypeAlias = NDArray[np.float64]

ROWS_AT_ONCE = 4_096
BYTE_BITS = 8
FLOAT_ENDS = {
    16: float(np.finfo(np.float16).max),
    32: float(np.finfo(np.float32).max),
    64: float(np.finfo(np.float64).max),
}


class RawConverter:
    """Physical values of some signals to bit patterns, all signals in the same few array steps.

    Args:
        signals: what to convert, in the order of the matrix's columns.
    """

    def __init__(self, signals: Sequence[SignalPlan]) -> None:
        self._signals = tuple(signals)
        ends = [raw_range(signal) for signal in signals]
        self._offset = np.array([float(signal.offset) for signal in signals])
        self._scale = np.array([float(signal.scale) for signal in signals])
        self._low = np.array([float(low) for low, _ in ends])
        # exclusive: the highest of 64 bits is no float64, what follows it is
        self._beyond = np.array([float(high + 1) for _, high in ends])
        self._high = np.minimum(self._beyond - 1, np.nextafter(self._beyond, 0.0))
        self._masks = np.array([(1 << signal.length) - 1 for signal in signals], np.uint64)
        self._is_integer = np.array([not signal.is_float for signal in signals], np.bool_)
        self._floats = np.flatnonzero(~self._is_integer).tolist()
        self._wide = [
            place
            for place, signal in enumerate(signals)
            if signal.length == WORD_BITS and not signal.is_signed and not signal.is_float
        ]
        self._can_be_silent = np.array(
            [signal.is_float or bool(signal.unavailable) for signal in signals], np.bool_
        )

    def patterns(self, values: Values, *, saturate: bool = False) -> tuple[Patterns, Mask]:
        """Convert `values` (n, signals).

        Returns:
            The bit patterns (n, signals) in the low bits, and which values cannot be sent.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            exact = (values - self._offset) / self._scale
        is_silent = np.isnan(values)
        raw = np.where(is_silent | ~self._is_integer, 0.0, np.rint(exact))
        is_refused = ((raw < self._low) | (raw >= self._beyond)) & self._is_integer
        if is_refused.any():
            raw = np.clip(raw, self._low, self._high)
            is_refused &= not saturate
        is_refused |= is_silent & ~self._can_be_silent
        wide = [raw[:, place].astype(np.uint64) for place in self._wide]
        raw[:, self._wide] = 0.0
        patterns = raw.astype(np.int64).view(np.uint64) & self._masks
        for place, column in zip(self._wide, wide, strict=True):
            patterns[:, place] = column
        for place in self._floats:
            column, is_beyond = _float_patterns(exact[:, place], self._signals[place].length)
            patterns[:, place] = column
            if not saturate:
                is_refused[:, place] |= is_beyond
        if is_silent.any():
            self._put_silence(patterns, is_silent)
        return patterns, is_refused

    def _put_silence(self, patterns: Patterns, is_silent: Mask) -> None:
        for place in np.flatnonzero(is_silent.any(axis=0)).tolist():
            for silence in self._signals[place].unavailable[-1:]:
                patterns[is_silent[:, place], place] = silence


def raw_range(signal: SignalPlan) -> tuple[int, int]:
    """The least and greatest raw number, without those at the ends that say "not available"."""
    beyond = 1 << signal.length
    low, high = (-(beyond >> 1), (beyond >> 1) - 1) if signal.is_signed else (0, beyond - 1)
    while low < high and low & (beyond - 1) in signal.unavailable:
        low += 1
    while low < high and high & (beyond - 1) in signal.unavailable:
        high -= 1
    return low, high


def _float_patterns(numbers: Values, length: int) -> tuple[Patterns, Mask]:
    """IEEE 754 bits, and which finite numbers lie beyond the greatest; those become it."""
    greatest = FLOAT_ENDS[length]
    with np.errstate(over="ignore", invalid="ignore"):
        cells = numbers.astype(FLOATS[length])
    is_beyond = np.isinf(cells) & np.isfinite(numbers)
    if is_beyond.any():
        cells = np.where(is_beyond, np.copysign(greatest, numbers), cells).astype(FLOATS[length])
    return cells.view(FLOAT_WORDS[length]).astype(np.uint64), is_beyond


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
        self._branches = _branches(self.signals)
        self._bits = _bit_sources(self.signals, message.length)
        roles = {signal.role: signal.name for signal in message.signals if signal.role is not None}
        counter, checksum = roles.get(SignalRole.COUNTER), roles.get(SignalRole.CRC8_J1850)
        self.counter = counter
        self._counter = None if counter is None else self._places[counter]
        self._checksum = None if checksum is None else self._new_checksum(checksum)
        self._filled = [self._places[name] for name in (counter, checksum) if name is not None]

    def _new_checksum(self, name: str) -> Checksum:
        signal = self.signals[self._places[name]]
        if signal.length != BYTE_BITS or signal.first_bit % BYTE_BITS:
            raise InvalidValue(f"{self.message.name}.{name}: a checksum is one whole byte")
        at_byte = signal.first_bit // BYTE_BITS
        return Checksum(self.message.can_id, length=self.message.length, at_byte=at_byte)

    def place(self, name: str) -> int:
        """The column of a signal in a matrix of patterns.

        Raises:
            InvalidValue: the message has no such signal.
        """
        if name not in self._places:
            raise InvalidValue(f"{self.message.name} has no signal {name!r}")
        return self._places[name]

    def encode(
        self, columns: Mapping[str, Values], *, first_count: int = 0, saturate: bool = False
    ) -> Payloads:
        """The payloads of n frames; counter and checksum need no column.

        Args:
            columns: float64 (n,) physical values by the signal's name; NaN for not available.
            first_count: what the counter of the first frame says; the others go on from there.
            saturate: move what is out of range to the nearest that is not, instead of refusing it.

        Returns:
            uint8 (n, length).

        Raises:
            InvalidValue: naming signal, value and what is allowed.
        """
        rows = max((len(column) for column in columns.values()), default=0)
        values = np.full((rows, len(self.signals)), np.nan)
        for name, column in columns.items():
            values[:, self.place(name)] = column
        values[:, self._filled] = 0.0
        parts = [
            self._encode(values[start : start + ROWS_AT_ONCE], first_count + start, saturate)
            for start in range(0, rows, ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.message.length), np.uint8)

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

    def _encode(self, values: Values, first_count: int, saturate: bool) -> Payloads:
        patterns, is_refused = self._converter.patterns(values, saturate=saturate)
        is_refused &= self.presence(patterns)
        is_refused[:, self._filled] = False
        if is_refused.any():
            raise self._refusal(values, is_refused)
        return self.payloads(patterns, first_count=first_count)

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
        is_there = np.ones(patterns.shape, np.bool_)
        for parent, ids, places in self._branches:
            chosen = (
                patterns[:, parent] == ids[0]
                if len(ids) == 1
                else np.isin(patterns[:, parent], ids)
            )
            is_there[:, places] = (is_there[:, parent] & chosen)[:, np.newaxis]
        return is_there

    def payloads(self, patterns: Patterns, *, first_count: int = 0) -> Payloads:
        """The payloads of n frames from bit patterns.

        Args:
            patterns: uint64 (n, signals) in the order of `signals`, nothing above their length;
                what stands for counter, checksum, or signals of other frames is not used.
            first_count: what the counter of the first frame says.

        Returns:
            uint8 (n, length).
        """
        rows, count = patterns.shape
        words = np.zeros((rows, count + 1), ">u8")
        words[:, :count] = patterns
        if self._branches:
            words[:, :count] *= self.presence(patterns)
        words[:, self._filled] = 0
        if self._counter is not None:
            words[:, self._counter] = np.arange(first_count, first_count + rows) % COUNTS
        bits = np.unpackbits(words.view(np.uint8), axis=1)
        chosen = bits[:, self._bits[0]] if len(self._bits) == 1 else bits[:, self._bits].max(axis=1)
        payloads = np.packbits(chosen, axis=1)
        if self._checksum is not None:
            payloads[:, self._checksum.at_byte] = self._checksum.of(payloads)
        return payloads

    def is_sound(self, payloads: Payloads) -> Mask:
        """Whether the checksum of each payload (n, length) is right; True where there is none."""
        if self._checksum is None:
            return np.ones(len(payloads), np.bool_)
        sums = self._checksum.of(payloads)
        return np.equal(payloads[:, self._checksum.at_byte], sums)


def _branches(
    signals: Sequence[SignalPlan],
) -> list[tuple[int, NDArray[np.uint64], list[int]]]:
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
