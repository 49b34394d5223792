"""Records of one codebook, from their bytes to one batch per layout.

table = SignalTable.of(codebook)                    # kept: one per codebook that was seen
found = decode(records, table, latest_ns=tomorrow)
found.batches                                       # rows of many vehicles, checked
found.odd                                           # records left to `signals`, one by one
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contactor.cloud.ingest.arrays import fill, scan
from contactor.cloud.ingest.arrays.signal_table import SignalTable
from contactor.cloud.ingest.arrays.tables import (
    BLOCK_WIDTH,
    CELLS_AT,
    CODE,
    COLUMN_WIDTH,
    COLUMNS,
    FIRST_COLUMN,
    FORM,
    GROUP,
    LAYOUT,
    LIST,
    NO_CELLS,
    RECORD,
    ROWS,
    STATES_MASK,
    TEXT,
    WORDS_AT,
    WORDS_HASH,
)
from contactor.signals.batch import BatchColumn, ListColumn, RowsBatch, TextColumn
from contactor.signals.catalogue import Signal
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column
from contactor.signals.validation import MAX_ARRAY_ELEMENTS, refused_elements

GROUPS = tuple(Group)
LEAST_BLOCK_BYTES, LEAST_COLUMN_BYTES = 24, 3
_FINITE = float(np.finfo(np.float64).max)

Table = NDArray[np.int64]


class Raw(NamedTuple):
    """The bytes of a record: its blocks begin at `start` of `payload`."""

    vehicle_id: str
    payload: bytes
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What was read of some records.

    Fields:
        batches: a batch per layout, rows by vehicle and ts.
        odd: the records that were not read, by their number; none of their rows is in a batch.
        rows: (records,), how many rows each has; 0 for the odd ones.
        first_ts, last_ts: (records,), ns; only where there are rows.
        paths: for each record that was read, the signals of its blocks.
    """

    batches: tuple[RowsBatch, ...]
    odd: tuple[int, ...]
    rows: Table
    first_ts: Table
    last_ts: Table
    paths: tuple[tuple[tuple[str, ...], ...], ...]


def decode(records: Sequence[Raw], table: SignalTable, *, latest_ns: int) -> Decoded:
    """Read records, all of one codebook.

    Args:
        latest_ns: a record with a later instant, or one before 1970, is odd.
    """
    data = np.frombuffer(b"".join(one.payload for one in records), np.uint8)
    sizes = np.array([len(one.payload) for one in records], np.int64)
    ends = np.cumsum(sizes)
    starts = ends - sizes + np.array([one.start for one in records], np.int64)
    blocks = np.empty((len(data) // LEAST_BLOCK_BYTES + 1, BLOCK_WIDTH), np.int64)
    columns = np.empty((len(data) // LEAST_COLUMN_BYTES + 1, COLUMN_WIDTH), np.int64)
    is_odd = np.zeros(len(records), np.bool_)
    block_count, column_count = scan.scan(
        data, starts, ends, table.kinds, table.widths, blocks, columns, is_odd
    )
    reader = _Reader(data, records, table, columns[:column_count], is_odd, latest_ns)
    parts = [reader.layout(some) for some in _by_layout(blocks[:block_count])]
    return _decoded(parts, is_odd)


class _Part(NamedTuple):
    """One layout: its batch, and which record each row and block is of."""

    batch: RowsBatch
    paths: tuple[str, ...]
    blocks: Table
    offsets: Table
    order: Table | None


class _Reader:
    """Fills the columns of one layout after another."""

    def __init__(
        self,
        data: NDArray[np.uint8],
        records: Sequence[Raw],
        table: SignalTable,
        columns: Table,
        is_odd: NDArray[np.bool_],
        latest_ns: int,
    ) -> None:
        self._data, self._table, self._columns = data, table, columns
        self._is_odd, self._latest_ns = is_odd, latest_ns
        self._names = tuple(sorted({one.vehicle_id for one in records}))
        places = {name: place for place, name in enumerate(self._names)}
        self._vehicles = np.array([places[one.vehicle_id] for one in records], np.int32)

    def layout(self, blocks: Table) -> _Part:
        """The batch of some blocks of one layout."""
        vehicles = self._vehicles[blocks[:, RECORD]]
        blocks = blocks[np.argsort(vehicles, kind="stable")]
        vehicles = self._vehicles[blocks[:, RECORD]]
        offsets = np.concatenate([[0], np.cumsum(blocks[:, ROWS])])
        ts = np.empty(int(offsets[-1]), np.int64)
        fill.fill_times(self._data, blocks, offsets, ts)
        wrong = (ts[offsets[:-1]] < 0) | (ts[offsets[1:] - 1] > self._latest_ns)
        made: list[BatchColumn] = []
        for number in range(int(blocks[0, COLUMNS])):
            column = self._columns[blocks[:, FIRST_COLUMN] + number]
            made.append(self._column(column, offsets, wrong))
        self._is_odd[blocks[wrong, RECORD]] = True
        vehicle = np.repeat(vehicles, blocks[:, ROWS])
        batch = RowsBatch(GROUPS[int(blocks[0, GROUP])], self._names, vehicle, ts, tuple(made))
        is_late = (ts[1:] < ts[:-1]) & (vehicle[1:] == vehicle[:-1])
        order = np.lexsort((ts, vehicle)) if is_late.any() else None
        return _Part(batch, tuple(one.path for one in made), blocks, offsets, order)

    def _column(self, column: Table, offsets: Table, wrong: NDArray[np.bool_]) -> BatchColumn:
        """One signal of all blocks; those with something wrong in it are marked."""
        code = int(column[0, CODE])
        signal = self._table.signals[code]
        assert signal is not None, "the scan leaves such records out"
        state = np.empty(int(offsets[-1]), np.uint8)
        fill.fill_states(self._data, column, offsets, state, wrong)
        kind = self._table.kinds[code]
        if kind == TEXT:
            return self._texts(signal, code, column, offsets, state, wrong)
        if kind == LIST:
            return self._lists(signal, code, column, offsets, state, wrong)
        dtype = signal.datatype.dtype
        values = np.empty(len(state), np.uint8 if dtype == np.bool_ else dtype)
        is_same = fill.fill_numbers(
            self._data, column, offsets, code, dtype.itemsize, values.view(np.uint8)
        )
        wrong |= not is_same
        low, high = _range(signal)
        fill.settle_numbers(values, state, offsets, low, high, wrong)
        cells = values.view(np.bool_) if dtype == np.bool_ else values
        return Column(signal.path, signal.datatype, cells, state)

    def _texts(
        self,
        signal: Signal,
        code: int,
        column: Table,
        offsets: Table,
        state: NDArray[np.uint8],
        wrong: NDArray[np.bool_],
    ) -> TextColumn:
        words, numbers = self._words(signal, column, wrong)
        codes = np.empty(len(state), np.int32)
        wrong |= not fill.fill_codes(
            self._data, column, offsets, code, numbers, state, codes, wrong
        )
        return TextColumn(signal.path, signal.datatype, words, codes, state)

    def _words(
        self, signal: Signal, column: Table, wrong: NDArray[np.bool_]
    ) -> tuple[tuple[str, ...], Table]:
        """All words of the blocks, and for each block the numbers of its own."""
        words: dict[str, int] = {}
        lists: dict[bytes, list[int]] = {}
        has_cells = (column[:, FORM] & STATES_MASK) != NO_CELLS
        _, first, inverse = np.unique(
            np.where(has_cells, column[:, WORDS_HASH], 0), return_index=True, return_inverse=True
        )
        wrong |= has_cells & ~fill.same_bytes(
            self._data, column, first[inverse], WORDS_AT, CELLS_AT
        )
        rows: list[list[int]] = []
        for place in first.tolist():
            packed = b""
            if has_cells[place]:
                start, end = int(column[place, WORDS_AT]), int(column[place, CELLS_AT])
                packed = self._data[start:end].tobytes()
            if packed not in lists:
                lists[packed] = _numbered(_unpacked(packed), signal, words)
            rows.append(lists[packed])
        numbers = np.full((len(rows), max(map(len, rows)) or 1), -1, np.int64)
        for place, row in enumerate(rows):
            numbers[place, : len(row)] = row
        return tuple(words), numbers[inverse]

    def _lists(
        self,
        signal: Signal,
        code: int,
        column: Table,
        offsets: Table,
        state: NDArray[np.uint8],
        wrong: NDArray[np.bool_],
    ) -> ListColumn:
        lengths = np.empty(len(state), np.int64)
        wrong |= not fill.fill_ends(
            self._data, column, offsets, code, state, lengths, MAX_ARRAY_ELEMENTS, wrong
        )
        ends = np.cumsum(lengths)
        dtype = signal.datatype.dtype
        elements = np.empty(int(ends[-1]), np.uint8 if dtype == np.bool_ else dtype)
        fill.fill_elements(
            self._data, column, offsets, dtype.itemsize, state, ends, elements.view(np.uint8)
        )
        low, high = _range(signal)
        fill.check_elements(elements, ends, offsets, low, high, wrong)
        cells = elements.view(np.bool_) if dtype == np.bool_ else elements
        return ListColumn(signal.path, signal.datatype, cells, ends, state)


def _by_layout(blocks: Table) -> list[Table]:
    """The blocks of each layout, in their order."""
    _, inverse = np.unique(blocks[:, LAYOUT], return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    cuts = np.flatnonzero(np.diff(inverse[order])) + 1
    return [blocks[some] for some in np.split(order, cuts) if len(some)]


def _decoded(parts: list[_Part], is_odd: NDArray[np.bool_]) -> Decoded:
    """The batches without the rows of odd records, by vehicle and ts."""
    count = len(is_odd)
    rows = np.zeros(count, np.int64)
    first = np.full(count, np.iinfo(np.int64).max)
    last = np.full(count, np.iinfo(np.int64).min)
    paths: list[tuple[tuple[str, ...], ...]] = [()] * count
    batches = []
    for part in parts:
        records = part.blocks[:, RECORD]
        kept = ~is_odd[records]
        of_kept = records[kept]
        np.add.at(rows, of_kept, part.blocks[kept, ROWS])
        np.minimum.at(first, of_kept, part.batch.ts[part.offsets[:-1]][kept])
        np.maximum.at(last, of_kept, part.batch.ts[part.offsets[1:] - 1][kept])
        for record in of_kept.tolist():
            paths[record] = (*paths[record], part.paths)
        chosen = part.order
        if not kept.all():
            is_kept = np.repeat(kept, part.blocks[:, ROWS])
            chosen = np.flatnonzero(is_kept) if chosen is None else chosen[is_kept[chosen]]
        batch = part.batch if chosen is None else part.batch.take(chosen)
        if len(batch):
            batches.append(batch)
    odd = tuple(np.flatnonzero(is_odd).tolist())
    return Decoded(tuple(batches), odd, rows, first, last, tuple(paths))


def _range(signal: Signal) -> tuple[float, float]:
    """What a signal of numbers allows; a boolean 0 and 1."""
    if signal.datatype.element is Datatype.BOOLEAN:
        return 0.0, 1.0
    low = -_FINITE if signal.minimum is None else signal.minimum
    high = _FINITE if signal.maximum is None else signal.maximum
    return low, high


def _unpacked(packed: bytes) -> list[str | None]:
    """The words of a list of words, None for one that is no UTF-8."""
    words: list[str | None] = []
    at = 2
    while at < len(packed):
        end = at + 2 + int.from_bytes(packed[at : at + 2], "little")
        try:
            words.append(packed[at + 2 : end].decode())
        except UnicodeDecodeError:
            words.append(None)
        at = end
    return words


def _numbered(texts: list[str | None], signal: Signal, words: dict[str, int]) -> list[int]:
    """The number of each text among all `words`; -1 for one that is not allowed."""
    numbers = []
    for text in texts:
        if text is None or refused_elements(signal, np.array([text], np.object_))[0]:
            numbers.append(-1)
        else:
            numbers.append(words.setdefault(text, len(words)))
    return numbers
