"""Rows of many vehicles at once: what the ingest, the twin and the lake hand on.

    batch = RowsBatch.of("leaf", rows)          # of one vehicle
    batch.vehicles[batch.vehicle[0]]            # 'leaf'

A column of texts or arrays of a batch is kept as codes or elements, and made into Python's objects
only where somebody asks for `values`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State, object_array

Chosen: TypeAlias = NDArray[np.int64] | NDArray[np.bool_] | slice


@dataclass(frozen=True, eq=False)
class TextColumn:
    """The cells of a signal of text: `codes` int32 (n,) into `words`; see `Column`."""

    path: str
    datatype: Datatype
    words: tuple[str, ...]
    codes: NDArray[np.int32]
    state: NDArray[np.uint8]

    @cached_property
    def values(self) -> NDArray[np.object_]:
        """The texts, "" where not VALID."""
        texts = object_array(self.words)[self.codes] if self.words else np.full(len(self.codes), "")
        texts = texts.astype(np.object_)
        texts[self.state != State.VALID] = ""
        return texts

    def take(self, rows: Chosen) -> "TextColumn":
        """The cells at `rows`, in that order."""
        return TextColumn(self.path, self.datatype, self.words, self.codes[rows], self.state[rows])


@dataclass(frozen=True, eq=False)
class ListColumn:
    """The cells of a signal of arrays of numbers: cell i is elements[ends[i-1]:ends[i]].

    Fields:
        elements: in the data type of an element.
        ends: int64 (n,), ascending.
    """

    path: str
    datatype: Datatype
    elements: NDArray[np.generic]
    ends: NDArray[np.int64]
    state: NDArray[np.uint8]

    @cached_property
    def values(self) -> NDArray[np.object_]:
        """The cells as tuples, () where not VALID."""
        flat, cells, start = self.elements.tolist(), [], 0
        for end, state in zip(self.ends.tolist(), self.state.tolist(), strict=True):
            cells.append(tuple(flat[start:end]) if state == State.VALID else ())
            start = end
        return object_array(cells)

    def take(self, rows: Chosen) -> "ListColumn":
        """The cells at `rows`, in that order."""
        lengths = np.diff(self.ends, prepend=0)
        starts, lengths = (self.ends - lengths)[rows], lengths[rows]
        ends = np.cumsum(lengths)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        elements = self.elements[np.repeat(starts, lengths) + within]
        return ListColumn(self.path, self.datatype, elements, ends, self.state[rows])


BatchColumn: TypeAlias = Column | TextColumn | ListColumn


@dataclass(frozen=True, slots=True, eq=False)
class RowsBatch:
    """n rows of one group with the same columns, of any number of vehicles.

    Fields:
        vehicle: int32 (n,), each row's vehicle, an index into `vehicles`.
        ts: int64 (n,) ns UTC; the rows of one vehicle are in the order in which they came.
    """

    group: Group
    vehicles: tuple[str, ...]
    vehicle: NDArray[np.int32]
    ts: NDArray[np.int64]
    columns: tuple[BatchColumn, ...]

    def __len__(self) -> int:
        return int(self.ts.shape[0])

    @property
    def nbytes(self) -> int:
        """About how much memory it takes; a text counts in each row, as it will in the lake."""
        cells = sum(_cell_bytes(column) for column in self.columns)
        return cells + self.ts.nbytes + self.vehicle.nbytes

    def take(self, rows: Chosen) -> "RowsBatch":
        """The given rows, in that order."""
        return RowsBatch(
            self.group,
            self.vehicles,
            self.vehicle[rows],
            self.ts[rows],
            tuple(column.take(rows) for column in self.columns),
        )

    @classmethod
    def of(cls, vehicle_id: str, rows: Rows) -> Self:
        """The rows of one vehicle."""
        vehicle = np.zeros(len(rows), np.int32)
        return cls(rows.group, (vehicle_id,), vehicle, rows.ts, rows.columns)


def _cell_bytes(column: BatchColumn) -> int:
    if isinstance(column, TextColumn):
        lengths = np.array([*map(len, column.words), 0], np.int64)
        return int(lengths[column.codes].sum()) + column.state.nbytes
    if isinstance(column, ListColumn):
        return column.elements.nbytes + column.ends.nbytes + column.state.nbytes
    if column.datatype.is_text:
        return sum(map(len, column.values.tolist())) + column.state.nbytes
    return column.values.nbytes + column.state.nbytes


def joined_column(columns: Sequence[BatchColumn]) -> BatchColumn:
    """The cells of columns (at least one) of one signal, one column after another."""
    path, datatype = columns[0].path, columns[0].datatype
    state = np.concatenate([column.state for column in columns])
    if all(isinstance(column, TextColumn) for column in columns):
        return _joined_texts(columns, state)  # type: ignore[arg-type]  # all are
    if all(isinstance(column, ListColumn) for column in columns):
        return _joined_lists(columns, state)  # type: ignore[arg-type]  # all are
    return Column(path, datatype, np.concatenate([column.values for column in columns]), state)


def _joined_texts(columns: Sequence[TextColumn], state: NDArray[np.uint8]) -> TextColumn:
    words: dict[str, int] = {}
    codes = []
    for column in columns:
        places = [words.setdefault(word, len(words)) for word in column.words]
        codes.append(np.array([*places, 0], np.int32)[column.codes])
    first = columns[0]
    return TextColumn(first.path, first.datatype, tuple(words), np.concatenate(codes), state)


def _joined_lists(columns: Sequence[ListColumn], state: NDArray[np.uint8]) -> ListColumn:
    before = np.cumsum([0, *(len(column.elements) for column in columns[:-1])])
    ends = [column.ends + offset for column, offset in zip(columns, before, strict=True)]
    elements = np.concatenate([column.elements for column in columns])
    first = columns[0]
    return ListColumn(first.path, first.datatype, elements, np.concatenate(ends), state)
