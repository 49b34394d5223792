"""Samples in JSON of shapes that are known, from their bytes to batches.

    found = read_known([("leaf", payload), ...], shapes, now_ns=now_ns, latest_ns=tomorrow)
    found.batches, found.odd

Odd is what has no shape that is known, or a value that is not allowed.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_MS
from contactor.cloud.ingest.arrays.sample_scan import scan_samples
from contactor.cloud.ingest.samples import ManySamples, Senders, Shaped
from contactor.cloud.ingest.shapes import Kind, Shape
from contactor.errors import InvalidValue
from contactor.signals.batch import BatchColumn, TextColumn
from contactor.signals.catalogue import Signal
from contactor.signals.groups import Group
from contactor.signals.record import Column, State
from contactor.signals.validation import refused_elements
from contactor.signals.wire.json_form import instant_of

Flags = NDArray[np.bool_]
Table = NDArray[np.int64]
MAX_LONG_NUMBERS = 10_000
"""Of a shape at a time: numbers with so many digits that Python reads them."""


class _Found(NamedTuple):
    """The samples of one shape: of each its message, and its cells by place."""

    shape: Shape
    message: Table
    places: Sequence[int]
    cells: Table
    state: NDArray[np.uint8]


def read_known(
    messages: Sequence[tuple[str, bytes]],
    shapes: Iterable[Shape],
    *,
    now_ns: int,
    latest_ns: int,
) -> ManySamples:
    """Read what has a known shape of messages, each with its vehicle, in the order they came.

    Args:
        now_ns: the instant of samples that have none.
        latest_ns: a message with a later instant, or one before 1970, is odd.
    """
    text = b"".join(payload for _, payload in messages)
    data = np.frombuffer(text, np.uint8)
    ends = np.cumsum([len(payload) for _, payload in messages])
    starts = np.concatenate([[0], ends[:-1]])
    is_read = np.zeros(len(messages), np.bool_)
    is_odd = np.zeros(len(messages), np.bool_)
    read = list[Shaped]()
    for shape in shapes:
        found = _scanned(shape, data, starts, ends, is_read)
        if len(found.message):
            columns = _Columns(text, found, is_odd)
            read.append(Shaped(found.message, columns.instants(now_ns, latest_ns), columns.all()))
        if is_read.all():
            break
    is_odd |= ~is_read
    return Senders([name for name, _ in messages]).found(read, is_odd)


def _scanned(
    shape: Shape, data: NDArray[np.uint8], starts: Table, ends: Table, is_read: Flags
) -> _Found:
    """The samples of a shape; their messages are marked as read."""
    kinds = np.array(shape.kinds, np.int64)
    widths = np.array([1 + kind.is_quoted for kind in shape.kinds])
    places = np.cumsum(widths) - widths
    lengths = [len(literal) for literal in shape.literals]
    left = int((ends - starts)[~is_read].sum())
    # A cell takes at least a character, but a text.
    capacity = left // (sum(lengths) + int((widths == 1).sum()))
    cells = np.empty((int(widths.sum()), capacity + 1), np.int64)
    state = np.empty((len(kinds), capacity + 1), np.uint8)
    message = np.empty(capacity + 1, np.int64)
    longs = np.empty((MAX_LONG_NUMBERS, 4), np.int64)
    numbers = cells.view(np.float64)
    literals = np.frombuffer(b"".join(shape.literals), np.uint8)
    rows, left_over = scan_samples(
        *(data, starts, ends, literals, np.cumsum(lengths), kinds, places),
        *(cells, numbers, state, message, longs, is_read),
    )
    for place, row, start, end in longs[:left_over].tolist():
        numbers[place, row] = float(data[start:end].tobytes())
    return _Found(shape, message[:rows], places.tolist(), cells[:, :rows], state[:, :rows])


class _Columns:
    """The columns of samples of one shape; the messages with something wrong are marked odd."""

    def __init__(self, text: bytes, found: _Found, is_odd: Flags) -> None:
        self._text, self._found, self._is_odd = text, found, is_odd

    def instants(self, now_ns: int, latest_ns: int) -> Table:
        """The `ts` of each sample, ns; 0 of an odd one."""
        found = self._found
        cell = next((one for one, signal in enumerate(found.shape.signals) if signal is None), None)
        if cell is None:
            return np.full(len(found.message), now_ns)
        if found.shape.kinds[cell] is Kind.INSTANT:
            ts = np.array([self._instant(text) for text in self._texts(cell)], np.int64)
            wrong = (ts < 0) | (ts > latest_ns)
        else:
            ms = found.cells[found.places[cell]]
            wrong = (ms < 0) | (ms > latest_ns // NS_PER_MS)
            ts = np.where(wrong, 0, ms) * NS_PER_MS
        self._mark(wrong)
        return ts

    def all(self) -> list[tuple[Group, BatchColumn]]:
        """The column of each signal, with its group."""
        with np.errstate(over="ignore"):  # what a float cannot hold is infinite, so refused
            return [
                (signal.group, self._column(cell, signal))
                for cell, signal in enumerate(self._found.shape.signals)
                if signal is not None
            ]

    def _column(self, cell: int, signal: Signal) -> BatchColumn:
        state, kind = self._found.state[cell], self._found.shape.kinds[cell]
        if kind is Kind.TEXT:
            return self._text_column(cell, signal)
        numbers = self._found.cells[self._found.places[cell]]
        wrong = np.zeros(len(numbers), np.bool_)
        if kind is Kind.INTEGER:
            low, high = signal.datatype.integer_limits
            wrong = (numbers < max(low, -(2**63))) | (numbers > min(high, 2**63 - 1))
        elif kind is Kind.FLOAT:
            numbers = numbers.view(np.float64)
        values = numbers.astype(signal.datatype.dtype)
        wrong |= refused_elements(signal, values)
        self._mark(wrong & (state == State.VALID))
        return Column(signal.path, signal.datatype, values, state)

    def _text_column(self, cell: int, signal: Signal) -> TextColumn:
        words = dict[str, int]()
        texts = self._texts(cell)
        codes = [words.setdefault(text or "", len(words)) for text in texts]
        known = tuple(words)
        refused = refused_elements(signal, np.array(known, np.object_))
        is_no_text = np.array([text is None for text in texts], np.bool_)
        self._mark(refused[codes] | is_no_text)
        state = self._found.state[cell]
        return TextColumn(signal.path, signal.datatype, known, np.array(codes, np.int32), state)

    def _texts(self, cell: int) -> list[str | None]:
        """The texts of a cell; None for one that is no UTF-8."""
        place = self._found.places[cell]
        begins, ends = self._found.cells[place].tolist(), self._found.cells[place + 1].tolist()
        return [_decoded(self._text[a:b]) for a, b in zip(begins, ends, strict=True)]

    @staticmethod
    def _instant(text: str | None) -> int:
        """The instant that a text says, ns; -1 where it says none."""
        try:
            return -1 if text is None else instant_of(text, 0)
        except InvalidValue:
            return -1

    def _mark(self, wrong: Flags) -> None:
        if wrong.any():
            self._is_odd[self._found.message[wrong]] = True


def _decoded(text: bytes) -> str | None:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None
