"""One `SG_` statement, read for what it can only mean.

     SG_ Park m0 : 24|8@1+ (2,-40) [0|0] "degC" VCM
         name mux  geometry factor  range  unit  receivers

Without a certain reading of name, geometry and factor there is no signal: it is refused with its
line. A range, a unit and receivers decide nothing about values, and are left out where they cannot
be read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from contactor.can.databases.dbc_names import Name, Names, defect_of, renaming
from contactor.can.databases.dbc_numbers import comma_number, factor_and_offset, is_plain
from contactor.can.databases.faults import Unrepairable, shown

_GEOMETRY = re.compile(r"(:|\s):?\s*(\d{1,9})\s*\|\s*(\d{1,9})\s*@\s*(\d)\s*([+-])")
_MUX = re.compile(r"M|m\d{1,9}M?")
_LIKE_MUX = re.compile(r"[Mm]\d*[Mm]?")
_BRACKETS = re.compile(r"\s*\(([^()]{0,400})\)")
_RANGE = re.compile(r"\s*\[([^\[\]\"]{0,400})\]")
_LONGEST = 20_000
MAX_BITS = 8 * 65_535
"""As many as the longest message has that is read."""
_NO_RECEIVER = "Vector__XXX"

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SignalStatement:
    """A signal as the parser will be given it."""

    line: int
    original: str
    name: Name
    mux: str
    start: int
    length: int
    byte_order: str
    sign: str
    factor: str
    offset: str
    limits: tuple[str, str]
    unit: str

    @property
    def layout(self) -> tuple[object, ...]:
        """All that decides its values."""
        return (
            *(self.mux, self.start, self.length, self.byte_order, self.sign),
            *(float(self.factor), float(self.offset)),
        )

    def render(self) -> str:
        """The statement in the one form that all parsers take."""
        mux = f" {self.mux}" if self.mux else ""
        unit = self.unit.replace('"', '\\"')
        return (
            f" SG_ {self.name.short}{mux} : {self.start}|{self.length}"
            f"@{self.byte_order}{self.sign} ({self.factor},{self.offset})"
            f' [{self.limits[0]}|{self.limits[1]}] "{unit}" {_NO_RECEIVER}'
        )


def parse_signal(
    line: int, body: str, *, names: Names, nodes: frozenset[str], note: Note
) -> SignalStatement:
    """Read what follows `SG_`.

    Raises:
        Unrepairable: its name, its bits or its factor and offset have no certain reading.
    """
    if len(body) > _LONGEST:
        raise Unrepairable(line, f"a signal of {len(body)} characters")
    geometry = _GEOMETRY.search(body)
    if geometry is None:
        raise Unrepairable(
            line, f"SG_ {shown(body)} is not read as a signal: no start|length@order and sign in it"
        )
    if geometry[1] != ":" and ":" not in geometry[0]:
        note("the colon before the bits is missing")
    if max(int(geometry[2]), int(geometry[3])) > MAX_BITS:
        raise Unrepairable(line, f"bits beyond {MAX_BITS} in signal {shown(body)!r}")
    original, mux = _name_and_mux(line, body[: geometry.start()].strip().rstrip(":"))
    name = names.standing_for(original)
    if defect := defect_of(original):
        note(renaming(original, name, defect))
    rest = body[geometry.end() :]
    factor, offset, rest = _conversion(line, original, rest, note)
    limits, rest = _limits(original, rest, note)
    return SignalStatement(
        line=line,
        original=original,
        name=name,
        mux=mux,
        start=int(geometry[2]),
        length=int(geometry[3]),
        byte_order=geometry[4],
        sign=geometry[5],
        factor=factor,
        offset=offset,
        limits=limits,
        unit=_unit(original, rest.strip(), nodes, note),
    )


def _name_and_mux(line: int, head: str) -> tuple[str, str]:
    words = head.split()
    if not words:
        raise Unrepairable(line, "a signal without a name")
    if len(words) > 1 and _MUX.fullmatch(words[-1]):
        return " ".join(words[:-1]), words[-1]
    if len(words) > 1 and _LIKE_MUX.fullmatch(words[-1]):
        raise Unrepairable(
            line, f"{shown(words[-1])!r} of signal {shown(words[0])!r} is not M, m5 or m5M"
        )
    return " ".join(words), ""


def _conversion(line: int, name: str, rest: str, note: Note) -> tuple[str, str, str]:
    brackets = _BRACKETS.match(rest)
    pair = factor_and_offset(brackets[1]) if brackets else None
    if brackets is None or pair is None:
        raise Unrepairable(
            line, f"no certain (factor,offset) of signal {name!r} in {shown(rest)!r}"
        )
    parts = [part.strip() for part in brackets[1].split(",")]
    if not (len(parts) == 2 and all(is_plain(part) for part in parts)):
        note(f"({shown(brackets[1])}) of signal {name!r} is read as ({pair[0]},{pair[1]})")
    if float(pair[0]) == 0:
        note(f"factor 0 of signal {name!r} would leave no value: read as 1")
        pair = ("1", pair[1])
    return *pair, rest[brackets.end() :]


def _limits(name: str, rest: str, note: Note) -> tuple[tuple[str, str], str]:
    brackets = _RANGE.match(rest)
    if brackets is None:
        note(f"signal {name!r} has no [min|max]")
        return ("0", "0"), rest
    low, _, high = brackets[1].partition("|")
    values = comma_number(low), comma_number(high)
    if not (is_plain(low.strip()) and is_plain(high.strip())):
        note(f"[{shown(brackets[1])}] of signal {name!r} is no range of two plain numbers")
    if values[0] is None or values[1] is None:
        return ("0", "0"), rest[brackets.end() :]
    return (values[0], values[1]), rest[brackets.end() :]


def _unit(name: str, rest: str, nodes: frozenset[str], note: Note) -> str:
    for quote in "“”„":
        rest = rest.replace(quote, '"')
    first, last = rest.find('"'), rest.rfind('"')
    if first >= 0 and last > first and not rest[:first].strip():
        unit, receivers = rest[first + 1 : last], rest[last + 1 :].strip()
        if not re.fullmatch(r"\w+(\s*,\s*\w+)*", receivers, re.ASCII):
            note(f"signal {name!r} has no readable receivers")
        if '"' in unit.replace('\\"', ""):
            note(f"quotes within the unit of signal {name!r}")
        return unit.replace('\\"', '"')
    words = rest.replace('"', " ").split()
    if words and words[-1].strip(",") in nodes | {_NO_RECEIVER, "XXX"}:
        words = words[:-1]
    if len(words) > 1:
        note(f"the unit of signal {name!r} is not certain in {shown(rest)!r}: left out")
        return ""
    unit = words[0] if words else ""
    note(f"the unit of signal {name!r} is not in quotes: read as {unit!r}")
    return unit
