"""`BA_DEF_`, `BA_DEF_DEF_` and `BA_`: attributes of the network, its messages and its signals.

    BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
    BA_DEF_DEF_ "GenMsgCycleTime" 0;
    BA_ "GenMsgCycleTime" BO_ 475 10;

An attribute that cannot be read decides nothing about values: it is left out, and that is noted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from contactor.can.databases.dbc_numbers import number
from contactor.can.databases.faults import shown

_DEFINITION = re.compile(r"(?:(SG_|BO_|BU_|EV_)\s+)?\"([^\"]*)\"\s*([A-Za-z]+)\s*(.*)", re.DOTALL)
_DEFAULT = re.compile(r"\"([^\"]*)\"\s*(.*)", re.DOTALL)
_VALUE = re.compile(
    r"\"([^\"]*)\"\s*"
    r"(?:(BO_)\s+(-?\w+)\s*|(SG_)\s+(-?\w+)\s+([^\"]{1,1000}?)\s+|(BU_|EV_)\s+(\S+)\s*)?"
    r"(\"[^\"]*\"|[^\s\"]{1,400})?\s*"
)
_NUMBERS = ("INT", "HEX", "FLOAT")
_UNREAD = frozenset(("GenMsgSendType", "GenSigStartValue"))
"""What decides nothing here, and what parsers refuse a file for."""

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Definition:
    """One attribute: `choices` are the words of an ENUM."""

    kind: str
    name: str
    type_name: str
    choices: tuple[str, ...] = ()

    def render(self) -> str:
        """The statement in the one form that all parsers take."""
        kind = f"{self.kind} " if self.kind else ""
        words = ",".join(_quoted(word) for word in self.choices)
        return f'BA_DEF_ {kind}"{self.name}" {self.type_name} {words};'

    def value(self, text: str) -> str | None:
        """A value of this attribute as the parser takes it, or None where it is none."""
        text = text.strip()
        is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
        bare = text[1:-1] if is_quoted else text
        if self.type_name == "ENUM" and bare in self.choices:
            return str(self.choices.index(bare))
        if self.type_name == "ENUM":
            return bare if bare.isdigit() and int(bare[:9]) < len(self.choices) else None
        if self.type_name in _NUMBERS:
            value = number(bare)
            return value if value is not None and abs(float(value)) < 2**63 else None
        return _quoted(bare.replace('"', "'"))


@dataclass(frozen=True, slots=True)
class Value:
    """One attribute's value; `kind` is BO_ or SG_, or "" for the network."""

    name: str
    kind: str
    can_id: str
    signal: str
    text: str


def parse_definition(body: str, note: Note) -> Definition | None:
    """Read what follows `BA_DEF_`; None for what is left out."""
    found = _DEFINITION.fullmatch(body)
    if found is None:
        note(f"attribute definition that cannot be read: {shown(body)!r}")
        return None
    kind, name, type_name = found[1] or "", found[2], found[3].upper()
    if name in _UNREAD or kind in ("BU_", "EV_"):
        return None
    if name == "SPN" and type_name not in ("INT", "HEX"):
        note(f"attribute {name!r} of type {type_name} is no number")
        return None
    if type_name == "ENUM":
        words = re.findall(r"\"([^\"]*)\"", found[4]) or re.split(r"[\s,]+", found[4].strip())
        return Definition(kind, name, type_name, tuple(words))
    if type_name not in (*_NUMBERS, "STRING"):
        note(f"attribute {name!r} of the unknown type {found[3]!r}")
        return None
    return Definition(kind, name, type_name)


def parse_default(body: str) -> tuple[str, str] | None:
    """Read what follows `BA_DEF_DEF_`: the attribute's name and value."""
    found = _DEFAULT.fullmatch(body)
    return (found[1], found[2]) if found else None


def render_default(definition: Definition, text: str) -> str | None:
    """A default in the one form that all parsers take: an ENUM's is a word, not a number."""
    value = definition.value(text)
    if value is None:
        return None
    if definition.type_name == "ENUM":
        value = _quoted(definition.choices[int(value)])
    return f'BA_DEF_DEF_ "{definition.name}" {value};'


def parse_value(body: str) -> Value | None:
    """Read what follows `BA_`."""
    found = _VALUE.fullmatch(body)
    if found is None:
        return None
    kind = found[2] or found[4] or found[7] or ""
    return Value(
        found[1],
        kind,
        found[3] or found[5] or "",
        " ".join((found[6] or "").split()),
        found[9] or "",
    )


def _quoted(text: str) -> str:
    return f'"{text}"'
