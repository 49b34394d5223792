"""How the samples in JSON of a kind of device are written: what is the same in each of them.

    {"ts": 1795708800000, "values": {"Vehicle.Speed": 41.5, "Vehicle.IsMoving": true}}
    └ literal┘└ a cell ┘└──────────── literal ─────┘└ ┘└────── literal ─────┘└  ┘└┘

A device writes all its samples alike, so they can be read by comparing bytes, and only the cells
are looked at. A shape is learnt from a message that was read the long way. No I/O.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from contactor.signals.catalogue import Signal, catalogue

MAX_SHAPES = 64
"""As many are known at a time; of those beyond, the one that was learnt first is forgotten."""

_TOKEN = re.compile(
    rb"[ \t\r\n]*(?:(?P<mark>[{}\[\]:,])"
    rb"|(?P<cell>\"[^\"\\]*\"|-?[0-9][-+.0-9Ee]*|true|false|null))"
)


class Kind(IntEnum):
    """What a cell holds, as the kernel knows it."""

    FLOAT = 0
    INTEGER = 1
    BOOLEAN = 2
    TEXT = 3
    MILLISECONDS = 4
    INSTANT = 5

    @property
    def is_quoted(self) -> bool:
        return self in (Kind.TEXT, Kind.INSTANT)


@dataclass(frozen=True, slots=True)
class Shape:
    """The literals of a sample, one more than cells, and of each cell what it is.

    Fields:
        signals: of each cell its signal; None for the `ts`.
    """

    literals: tuple[bytes, ...]
    kinds: tuple[Kind, ...]
    signals: tuple[Signal | None, ...]


class Shapes:
    """The shapes that are known; owned by the intake."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[bytes, ...], tuple[Kind, ...]], Shape] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Shape]:
        """The last learnt first."""
        return reversed(list(self._known.values()))

    def learn(self, payload: bytes) -> None:
        """Note how the first sample of a message is written that could be read."""
        shape = shape_of(payload)
        if shape is None or (key := (shape.literals, shape.kinds)) in self._known:
            return
        while len(self._known) >= MAX_SHAPES:
            del self._known[next(iter(self._known))]
        self._known[key] = shape


def shape_of(payload: bytes) -> Shape | None:
    """How the first sample of a message that could be read is written.

    None where it has arrays, escapes, signals that the catalogue has not, or no signals.
    """
    tokens = _tokens(payload)
    if tokens and tokens[0][0] == b"[":
        del tokens[0]
    cells = _cells(tokens)
    if cells is None:
        return None
    begin, end, found = cells
    known, signals, kinds, literals = catalogue(), list[Signal | None](), list[Kind](), []
    for path, cell, at in found:
        signal = known[path] if path is not None and path in known else None
        kind = _kind(cell) if path is None else None if signal is None else _kind_of(signal, cell)
        if kind is None:
            return None
        inset = int(kind.is_quoted)
        literals.append(payload[begin : at + inset])
        begin = at + len(cell) - inset
        signals.append(signal)
        kinds.append(kind)
    literals.append(payload[begin:end])
    return Shape(tuple(literals), tuple(kinds), tuple(signals))


def _tokens(payload: bytes) -> list[tuple[bytes, int]]:
    """The tokens of a text up to one that is no plain one, each with where it begins."""
    tokens, at = [], 0
    while found := _TOKEN.match(payload, at):
        at = found.end()
        group = found.lastgroup
        assert group is not None
        tokens.append((found[group], found.start(group)))
    return tokens


def _cells(
    tokens: Sequence[tuple[bytes, int]],
) -> tuple[int, int, list[tuple[str | None, bytes, int]]] | None:
    """Where the first object begins and ends, and its cells: path, text and place of each.

    The path of the `ts` is None.
    """
    depth, cells, names = 0, list[tuple[str | None, bytes, int]](), set[bytes]()
    for place, (token, at) in enumerate(tokens):
        before = tokens[place - 1][0] if place else b""
        if token == b"[":
            return None
        depth += (token == b"{") - (token == b"}")
        if depth == 0:
            has_values = any(path is not None for path, *_ in cells)
            return (tokens[0][1], at + 1, cells) if has_values else None
        if token[:1] not in b"{}:," and before == b":":
            name = tokens[place - 2][0]
            if name in names or (depth == 1 and name != b'"ts"'):
                return None
            names.add(name)
            cells.append((name[1:-1].decode() if depth > 1 else None, token, at))
    return None


def _kind(ts: bytes) -> Kind | None:
    if ts[:1] == b'"':
        return Kind.INSTANT
    return None if ts in (b"true", b"false", b"null") else Kind.MILLISECONDS


def _kind_of(signal: Signal, cell: bytes) -> Kind | None:
    """None where a cell of the signal is not written so, or so that its shape says little."""
    datatype = signal.datatype
    if datatype.is_array:
        return None
    if datatype.is_text:
        return Kind.TEXT if cell[:1] == b'"' else None
    if cell[:1] == b'"':
        return None
    if datatype.is_float:
        return Kind.FLOAT
    return Kind.INTEGER if datatype.is_integer else Kind.BOOLEAN
