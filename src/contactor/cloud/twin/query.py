"""Questions to the fleet as text, and what they mean. Pure; `select` answers them.

    Vehicle.Speed > 100 and not stale(Vehicle.Speed)
    (Vehicle.Powertrain.TractionBattery.StateOfCharge.Current < 20 or known(PATH)) and not PATH
    connectivity == "online" and Vehicle.VehicleIdentification.Brand != "Volvo"

    question   := all { "or" all }
    all        := one { "and" one }
    one        := "not" one | "(" question ")" | claim
    claim      := PATH OPERATOR literal | PATH | "known" "(" PATH ")" | "stale" "(" PATH ")"
                | "connectivity" ("==" | "!=") ("online" | "asleep" | "lost", in quotes)
    OPERATOR   := "<" | "<=" | ">" | ">=" | "==" | "!="      of texts, true and false == and != only
    literal    := a number | a text in ' or " | true | false

Paths are whole VSS paths; one alone, of a boolean, claims that it is true. The last value counts,
also when it is stale. **A value that is not known makes a claim neither true nor false**: neither
`PATH < 20` nor `not PATH < 20` then finds the car. `known`, `stale` and `connectivity` are always
one or the other.

So `not` is moved inwards until it stands at claims alone, and each claim is asked for the side
that makes it count: `not (A < 20 and B)` is `A >= 20 or not B`.

    parse("not Vehicle.Speed < 20")     # Compare("Vehicle.Speed", ">=", 20.0)
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from contactor.cloud.ingest.presence import CONNECTIVITIES
from contactor.errors import MalformedQuery, UnknownSignal
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype

MAX_CHARACTERS = 4_000
MAX_CLAIMS = 64
MAX_DEPTH = 32
OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<text>"[^"\n]*"|'[^'\n]*')
      | (?P<operator><=|>=|==|!=|<|>)
      | (?P<mark>[()])
      | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Compare:
    """The value of a signal against a literal: a number, a text, or a boolean."""

    path: str
    operator: str
    literal: float | str | bool


@dataclass(frozen=True, slots=True)
class Known:
    """A value of the signal is held (or none is)."""

    path: str
    is_so: bool


@dataclass(frozen=True, slots=True)
class IsStale:
    """What is held of the signal is stale (or it is not, or nothing is held)."""

    path: str
    is_so: bool


@dataclass(frozen=True, slots=True)
class Stands:
    """Where the car stands: the index of a connectivity."""

    code: int
    is_so: bool


@dataclass(frozen=True, slots=True)
class All:
    """Every part is so."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Any part is so."""

    parts: tuple["Query", ...]


Query: TypeAlias = Compare | Known | IsStale | Stands | All | Some


def parse(text: str) -> Query:
    """What a question means.

    Raises:
        MalformedQuery: naming the place in the text and what may stand there.
    """
    if len(text) > MAX_CHARACTERS:
        raise MalformedQuery(f"where has {len(text)} characters; at most {MAX_CHARACTERS}")
    return _Parser(text).whole()


def named_in(query: Query) -> tuple[frozenset[str], bool]:
    """The paths that a question asks about, and whether it asks where a car stands."""
    match query:
        case All(parts) | Some(parts):
            found = [named_in(part) for part in parts]
            paths = frozenset[str]().union(*(named for named, _ in found))
            return paths, any(has_connectivity for _, has_connectivity in found)
        case Stands():
            return frozenset(), True
        case _:
            return frozenset({query.path}), False


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


class _Parser:
    """Reads from left to right; `is_so` is False inside an odd number of nots."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._claims = 0
        self._depth = 0

    def whole(self) -> Query:
        found = self._any(is_so=True)
        if self._peek().kind != "end":
            raise self._wrong("and, or, or the end")
        return found

    def _any(self, *, is_so: bool) -> Query:
        return self._joined("or", self._all, is_so=is_so)

    def _all(self, *, is_so: bool) -> Query:
        return self._joined("and", self._one, is_so=is_so)

    def _joined(self, word: str, part: Callable[..., Query], *, is_so: bool) -> Query:
        parts = [part(is_so=is_so)]
        while self._takes("word", word):
            parts.append(part(is_so=is_so))
        if len(parts) == 1:
            return parts[0]
        return All(tuple(parts)) if (word == "and") is is_so else Some(tuple(parts))

    def _one(self, *, is_so: bool) -> Query:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong(f"at most {MAX_DEPTH} of not and ( in each other")
        if self._takes("word", "not"):
            found = self._one(is_so=not is_so)
        elif self._takes("mark", "("):
            found = self._any(is_so=is_so)
            self._expect(")")
        else:
            found = self._claim(is_so=is_so)
        self._depth -= 1
        return found

    def _claim(self, *, is_so: bool) -> Query:
        self._claims += 1
        if self._claims > MAX_CLAIMS:
            raise self._wrong(f"at most {MAX_CLAIMS} claims")
        token = self._peek()
        if token.kind != "word" or token.text in ("and", "or", "true", "false"):
            raise self._wrong("a path, known(PATH), stale(PATH), connectivity, not or (")
        self._next += 1
        if token.text in ("known", "stale") and self._takes("mark", "("):
            path = self._signal(self._word("a path")).path
            self._expect(")")
            return Known(path, is_so) if token.text == "known" else IsStale(path, is_so)
        if token.text == "connectivity":
            return self._stands(is_so=is_so)
        return self._compare(self._signal(token), token, is_so=is_so)

    def _stands(self, *, is_so: bool) -> Query:
        operator = self._peek()
        if operator.text not in ("==", "!="):
            raise self._wrong("== or !=")
        self._next += 1
        token = self._peek()
        if token.kind != "text" or token.text[1:-1] not in CONNECTIVITIES:
            raise self._wrong(" or ".join(f'"{one}"' for one in CONNECTIVITIES))
        self._next += 1
        places = [place for place, one in enumerate(CONNECTIVITIES) if one == token.text[1:-1]]
        return Stands(places[0], is_so is (operator.text == "=="))

    def _compare(self, signal: Signal, token: _Token, *, is_so: bool) -> Query:
        if signal.datatype.is_array:
            raise self._wrong(f"known or stale: {signal.path} is {signal.datatype}", token)
        operator = self._peek()
        if operator.kind != "operator":
            if signal.datatype is not Datatype.BOOLEAN:
                raise self._wrong(f"an operator: {signal.path} is {signal.datatype}")
            return Compare(signal.path, "==", is_so)
        self._next += 1
        is_ordered = not (signal.datatype.is_text or signal.datatype is Datatype.BOOLEAN)
        if not is_ordered and operator.text not in ("==", "!="):
            raise self._wrong(f"== or !=: {signal.path} is {signal.datatype}", operator)
        literal = self._literal(signal)
        return Compare(signal.path, operator.text if is_so else OPPOSITES[operator.text], literal)

    def _literal(self, signal: Signal) -> float | str | bool:
        token = self._peek()
        if signal.datatype.is_text:
            if token.kind != "text":
                raise self._wrong(f"a text in quotes: {signal.path} is {signal.datatype}")
            word = token.text[1:-1]
            if signal.allowed and word not in signal.allowed:
                raise self._wrong(f"{', '.join(signal.allowed)}: the words of {signal.path}")
            literal: float | str | bool = word
        elif signal.datatype is Datatype.BOOLEAN:
            if token.text not in ("true", "false"):
                raise self._wrong(f"true or false: {signal.path} is {signal.datatype}")
            literal = token.text == "true"
        else:
            if token.kind != "number":
                raise self._wrong(f"a number: {signal.path} is {signal.datatype}")
            literal = float(token.text)
        self._next += 1
        return literal

    def _signal(self, token: _Token) -> Signal:
        try:
            return catalogue()[token.text]
        except UnknownSignal as error:
            raise MalformedQuery(f"where, character {token.start + 1}: {error}") from error

    def _word(self, what: str) -> _Token:
        token = self._peek()
        if token.kind != "word":
            raise self._wrong(what)
        self._next += 1
        return token

    def _expect(self, mark: str) -> None:
        if not self._takes("mark", mark):
            raise self._wrong(mark)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _takes(self, kind: str, text: str) -> bool:
        token = self._peek()
        if token.kind != kind or token.text != text:
            return False
        self._next += 1
        return True

    def _wrong(self, allowed: str, token: _Token | None = None) -> MalformedQuery:
        at = token or self._peek()
        found = "the end" if at.kind == "end" else repr(at.text[:60])
        return MalformedQuery(f"where, character {at.start + 1}: {found}; allowed: {allowed}")


def _tokens(text: str) -> list[_Token]:
    """The tokens, and the end; each with its place in the text."""
    tokens, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            place += len(text[place:]) - len(text[place:].lstrip())
            raise MalformedQuery(
                f"where, character {place + 1}: {text[place : place + 12]!r}; "
                "allowed: paths, numbers, texts in quotes, < <= > >= == != ( ) and or not"
            )
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        place = match.end()
    return [*tokens, _Token("end", "", len(text))]
