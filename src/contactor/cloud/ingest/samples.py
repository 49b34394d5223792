"""Samples in JSON of many devices at once: those of one shape become one batch. No I/O.

    found = read_samples([("leaf", message), ...], now_ns=now_ns)
    found.batches, found.odd

A shape is which signals a sample names, in which order. What is out of the ordinary (a value that
is null, of another type or out of range, a signal that the catalogue has not) is left to
`json_form`, message by message, which says what is wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_MS
from contactor.errors import InvalidValue
from contactor.signals.batch import BatchColumn, RowsBatch
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, State, object_array
from contactor.signals.validation import refused_elements
from contactor.signals.wire.json_form import JsonMessage, instant_of


class ManySamples(NamedTuple):
    """What was read of messages.

    Fields:
        vehicles: those that the messages came from; of each batch too.
        read: (vehicles,), how many of its messages were read.
        odd: the messages that were not, by their number.
    """

    vehicles: tuple[str, ...]
    read: NDArray[np.int64]
    batches: list[RowsBatch]
    odd: list[int]


class Shaped(NamedTuple):
    """The samples of one shape.

    Fields:
        message, ts: (samples,), of each the number of its message, and its instant, ns.
        columns: of each signal, with its group.
    """

    message: NDArray[np.int64]
    ts: NDArray[np.int64]
    columns: Sequence[tuple[Group, BatchColumn]]


class Senders:
    """The vehicles of messages: (messages,) `places` in `names`, which are sorted."""

    def __init__(self, vehicles: Sequence[str]) -> None:
        self.names = tuple(sorted(set(vehicles)))
        places = {name: place for place, name in enumerate(self.names)}
        self.places = np.array([places[name] for name in vehicles], np.int32)

    def found(self, shapes: Iterable[Shaped], is_odd: NDArray[np.bool_]) -> ManySamples:
        """What was read of their messages, but the odd: a batch for each shape and group."""
        batches = [batch for shape in shapes for batch in self._batches(shape, is_odd)]
        read = np.bincount(self.places[~is_odd], minlength=len(self.names))
        return ManySamples(self.names, read, batches, np.flatnonzero(is_odd).tolist())

    def _batches(self, shape: Shaped, is_odd: NDArray[np.bool_]) -> Iterator[RowsBatch]:
        """The rows of a shape by group, those of one vehicle by ts."""
        vehicle = self.places[shape.message]
        order = np.lexsort((shape.ts, vehicle))
        order = order[~is_odd[shape.message[order]]]
        if not len(order):
            return
        by_group: dict[Group, list[BatchColumn]] = {}
        for group, column in shape.columns:
            by_group.setdefault(group, []).append(column)
        for group, columns in by_group.items():
            yield RowsBatch(group, self.names, vehicle, shape.ts, tuple(columns)).take(order)


@dataclass(slots=True)
class _Shape:
    """The samples that name the same signals: of each its message, instant and values."""

    messages: list[int] = field(default_factory=list)
    ts: list[int] = field(default_factory=list)
    cells: list[Iterable[object]] = field(default_factory=list)


def read_samples(
    messages: Sequence[tuple[str, JsonMessage]], *, now_ns: int, latest_ns: int
) -> ManySamples:
    """Read messages, each with its vehicle, in the order in which they came.

    Args:
        now_ns: the instant of samples that have none.
        latest_ns: a message with a later instant, or one before 1970, is odd.
    """
    shapes: dict[tuple[str, ...], _Shape] = {}
    odd: set[int] = set()
    for number, (_, message) in enumerate(messages):
        for sample in message.samples:
            ts = sample.ts
            try:
                ts_ns = ts * NS_PER_MS if type(ts) is int else instant_of(ts, now_ns)
            except InvalidValue:
                odd.add(number)
                continue
            if not 0 <= ts_ns <= latest_ns:
                odd.add(number)
                continue
            shape = shapes.setdefault(tuple(sample.values), _Shape())
            shape.messages.append(number)
            shape.ts.append(ts_ns)
            shape.cells.append(sample.values.values())
    made: list[Shaped] = []
    for paths, shape in shapes.items():
        columns = _columns(paths, shape)
        if columns is None:
            odd.update(shape.messages)
        else:
            numbers, instants = (np.array(one, np.int64) for one in (shape.messages, shape.ts))
            made.append(Shaped(numbers, instants, columns))
    is_odd = np.zeros(len(messages), np.bool_)
    is_odd[list(odd)] = True
    return Senders([name for name, _ in messages]).found(made, is_odd)


def _columns(paths: Sequence[str], shape: _Shape) -> list[tuple[Group, BatchColumn]] | None:
    """The columns of a shape, with their groups; None where any cell is out of the ordinary."""
    known, columns = catalogue(), list[tuple[Group, BatchColumn]]()
    for path, cells in zip(paths, zip(*shape.cells, strict=True), strict=True):
        if path not in known:
            return None
        signal = known[path]
        values = _typed(signal, cells)
        if values is None or refused_elements(signal, values).any():
            return None
        state = np.full(len(cells), State.VALID, np.uint8)
        columns.append((signal.group, Column(path, signal.datatype, values, state)))
    return columns


def _typed(signal: Signal, cells: Sequence[object]) -> NDArray[np.generic] | None:
    """Cells in the signal's type; None where any has another."""
    kinds, datatype = set(map(type, cells)), signal.datatype
    if datatype.is_array:
        return None
    if datatype.is_text:
        return object_array(cells) if kinds == {str} else None
    if datatype is Datatype.BOOLEAN:
        return np.array(cells, np.bool_) if kinds == {bool} else None
    try:
        if datatype.is_float and kinds <= {float, int}:
            with np.errstate(over="ignore"):  # what a float cannot hold is infinite, so refused
                return np.array(cells, np.float64).astype(datatype.dtype)
        if datatype.is_integer and kinds == {int}:
            low, high = datatype.integer_limits
            numbers = np.array(cells, np.int64)
            if int(numbers.min()) >= low and int(numbers.max()) <= high:
                return numbers.astype(datatype.dtype)
    except OverflowError:
        return None
    return None
