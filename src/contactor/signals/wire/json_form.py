"""The wire form for devices made by hand: samples as JSON. docs/reference/wire.md has its rules.

    {"ts": "2026-11-26T16:00:00Z", "values": {"Vehicle.Speed": 41.5, "Vehicle.IsMoving": true}}
    [{"ts": 1795708800000, "values": {...}}, ...]
    {"stream": 7, "sequence": 12, "samples": [...]}

message = read_json(payload)
message.rows(now_ns=clock.now_ns())                 # rows of each signal's own group
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType

from contactor.clock import NS_PER_MS
from contactor.errors import InvalidValue, MalformedRecord
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, Scalar, State, Value, object_array, zero_of
from contactor.signals.wire.limits import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_MESSAGE_BYTES,
    MAX_PATH_BYTES,
    MAX_ROWS,
    MAX_SEQUENCE,
)

UNNUMBERED_STREAM: Final = 0
"""The stream of what came without a number: counted here, acknowledged to nobody."""
MAX_SHOWN_CHARACTERS: Final = 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INT64: Final = range(-(2**63), 2**63)

_Cell = Scalar | None | list[Scalar]
_Path = Annotated[str, Meta(min_length=1, max_length=MAX_PATH_BYTES)]


class Sample(Struct, frozen=True, forbid_unknown_fields=True):
    """What a device knew at one instant; without `ts`, when it arrived."""

    values: Annotated[dict[_Path, _Cell], Meta(max_length=MAX_COLUMNS)]
    ts: str | int | UnsetType = UNSET


_Samples = Annotated[list[Sample], Meta(max_length=MAX_ROWS)]


class _Object(Struct, frozen=True, forbid_unknown_fields=True):
    values: Annotated[dict[_Path, _Cell], Meta(max_length=MAX_COLUMNS)] | UnsetType = UNSET
    ts: str | int | UnsetType = UNSET
    stream: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    sequence: Annotated[int, Meta(ge=1, le=MAX_SEQUENCE)] | UnsetType = UNSET
    samples: _Samples | UnsetType = UNSET


_list = msgspec.json.Decoder(_Samples)
_object = msgspec.json.Decoder(_Object)


@dataclass(frozen=True, slots=True)
class JsonRows:
    """Rows of the signals that the catalogue has; of the others, how often each came."""

    groups: tuple[Rows, ...]
    unknown: dict[str, int]


@dataclass(frozen=True, slots=True)
class JsonMessage:
    """Samples; `stream` and `sequence` are None for a device that does not number its messages."""

    stream: int | None
    sequence: int | None
    samples: Sequence[Sample]

    def rows(self, *, now_ns: int) -> JsonRows:
        """The samples as rows, in time order.

        Args:
            now_ns: the instant of samples that have none.

        Raises:
            InvalidValue: an instant cannot be read, or a value has another type than its signal.
        """
        timed = [(instant_of(one.ts, now_ns), one.values) for one in self.samples]
        timed.sort(key=lambda one: one[0])
        by_group: dict[Group, dict[str, Signal]] = {}
        unknown: dict[str, int] = {}
        known = catalogue()
        for _, values in timed:
            for path in values:
                if path in known:
                    signal = known[path]
                    by_group.setdefault(signal.group, {})[path] = signal
                else:
                    unknown[path] = unknown.get(path, 0) + 1
        rows = {
            group: [one for one in timed if not signals.keys().isdisjoint(one[1])]
            for group, signals in by_group.items()
        }
        if sum(len(rows[group]) * len(signals) for group, signals in by_group.items()) > MAX_CELLS:
            raise InvalidValue(f"more than {MAX_CELLS} cells")
        groups = [_rows(group, signals, rows[group]) for group, signals in by_group.items()]
        return JsonRows(tuple(groups), unknown)


def is_json(payload: bytes) -> bool:
    """Whether it can only be meant as JSON."""
    return payload[:64].lstrip()[:1] in (b"{", b"[")


def read_json(payload: bytes) -> JsonMessage:
    """The samples in `payload`, checked for size and form.

    Raises:
        MalformedRecord: it is too large, no JSON, or not of one of the three shapes.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise MalformedRecord(f"message of {len(payload)} bytes; the limit is {MAX_MESSAGE_BYTES}")
    try:
        if payload.lstrip()[:1] == b"[":
            return JsonMessage(None, None, _list.decode(payload))
        return _read_object(_object.decode(payload))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(f"JSON: {error}") from error


def unnumbered(payload: bytes) -> JsonMessage | None:
    """The samples of a device that does not number its messages; None of anything else."""
    if payload[:1] not in (b"{", b"["):
        return None
    try:
        message = read_json(payload)
    except MalformedRecord:
        return None
    return message if message.stream is None else None


def _read_object(found: _Object) -> JsonMessage:
    if found.samples is UNSET:
        if found.values is UNSET or found.stream is not UNSET or found.sequence is not UNSET:
            raise ValueError("allowed: {ts, values} or {stream, sequence, samples}")
        return JsonMessage(None, None, [Sample(found.values, found.ts)])
    if found.values is not UNSET or found.ts is not UNSET:
        raise ValueError("allowed: {ts, values} or {stream, sequence, samples}")
    if found.stream is UNSET or found.sequence is UNSET:
        raise ValueError("'samples' needs 'stream' and 'sequence'; without them send the array")
    if found.stream >= 2**64:
        raise ValueError(f"stream {found.stream} is no unsigned 64-bit number")
    return JsonMessage(found.stream, found.sequence, found.samples)


def instant_of(ts: str | int | UnsetType, now_ns: int) -> int:
    """The `ts` of a sample in ns UTC; `now_ns` where it has none.

    Raises:
        InvalidValue: it cannot be read.
    """
    if isinstance(ts, UnsetType):
        return now_ns
    if isinstance(ts, int):
        instant_ns = ts * NS_PER_MS
    else:
        try:
            instant = datetime.fromisoformat(ts)
        except ValueError as error:
            raise InvalidValue(f"ts {ts[:MAX_SHOWN_CHARACTERS]!r} is no ISO 8601") from error
        if instant.tzinfo is None:
            raise InvalidValue(f"ts {ts!r} lacks 'Z' or an offset from UTC")
        instant_ns = (instant - _EPOCH) // timedelta(microseconds=1) * 1000
    if instant_ns not in _INT64:
        raise InvalidValue(f"ts {ts} is no instant")
    return instant_ns


def _rows(
    group: Group, signals: dict[str, Signal], timed: Sequence[tuple[int, dict[str, _Cell]]]
) -> Rows:
    columns = tuple(
        _column(signal, [values.get(path, UNSET) for _, values in timed])
        for path, signal in signals.items()
    )
    return Rows(group, np.array([ts for ts, _ in timed], np.int64), columns)


def _column(signal: Signal, cells: Sequence[_Cell | UnsetType]) -> Column:
    zero = zero_of(signal.datatype)
    values: list[Value] = []
    states: list[State] = []
    for cell in cells:
        if cell is None or isinstance(cell, UnsetType):
            values.append(zero)
            states.append(State.UNAVAILABLE if cell is None else State.UNKNOWN)
        else:
            values.append(_value(signal, cell))
            states.append(State.VALID)
    made = object_array(values)
    is_object = signal.datatype.is_array or signal.datatype.is_text
    with np.errstate(over="ignore"):  # what a float cannot hold is infinite in it, so refused
        typed = made if is_object else made.astype(signal.datatype.dtype)
    return Column(signal.path, signal.datatype, typed, np.array(states, np.uint8))


def _value(signal: Signal, cell: Scalar | list[Scalar]) -> Value:
    if isinstance(cell, list) != signal.datatype.is_array:
        raise InvalidValue(f"{signal.path}: {_shown(cell)} is no {signal.datatype}")
    if isinstance(cell, list):
        return tuple(_scalar(signal, one) for one in cell)
    return _scalar(signal, cell)


def _scalar(signal: Signal, value: Scalar) -> Scalar:
    """`value` in the signal's type, if nothing of it is lost; its range is `validation`'s."""
    element = signal.datatype.element
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if element.is_text and isinstance(value, str):
        return value
    if element is Datatype.BOOLEAN and isinstance(value, bool):
        return value
    if element.is_integer and is_number and value == int(value):
        low, high = element.integer_limits
        if low <= int(value) <= high:
            return int(value)
        raise InvalidValue(f"{signal.path}: {_shown(value)} is outside {low}..{high}")
    if element.is_float and is_number:
        try:
            return float(value)
        except OverflowError as error:
            raise InvalidValue(f"{signal.path}: {_shown(value)} is no {element}") from error
    raise InvalidValue(f"{signal.path}: {_shown(value)} is no {element}")


def _shown(value: object) -> str:
    return repr(value)[:MAX_SHOWN_CHARACTERS]
