"""Names that a DBC may not have, under ones that it may.

A parser takes C identifiers of ASCII letters; people write "4WD", "Pack Current" and "电压". The
parser is given a stand-in, and the user the name as it was, with "_" for what would part words.

    names = Names()
    names.standing_for("Pack Current")    # Name(short="_Pack_Current", shown="Pack_Current")
"""

import re
from dataclasses import dataclass

from contactor.can.databases.faults import shown
from contactor.can.databases.statements import KEYWORDS

_GOOD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Name:
    """What the parser reads, and what the user sees."""

    short: str
    shown: str


def defect_of(name: str) -> str | None:
    """Why a parser does not take a name, in words, or None where it does."""
    if _GOOD.fullmatch(name):
        return "is a keyword of DBC" if name in KEYWORDS else None
    if name[:1].isdigit() and _GOOD.fullmatch("_" + name):
        return "begins with a digit"
    bad = next((one for one in name if not re.match(r"\w", one, re.ASCII)), "")
    return f"holds {bad!r}"


def renaming(original: str, name: Name, defect: str) -> str:
    """What to tell of a name that a parser does not take."""
    what = "it is kept" if name.shown == original else f"read as {name.shown!r}"
    return f"name {shown(original)!r} {defect}: {what}"


class Names:
    """The names of one scope, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def standing_for(self, name: str) -> Name:
        """A name that is not taken yet; a good one stands for itself while it is free."""
        name = name[:_LONGEST]
        seen = re.sub(r"[^\w-]+", "_", name).strip("_") or "_"
        if defect_of(name) is None:
            seen, short = name, name
        else:
            short = "_" + re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
        number, stem, head = 1, short, seen
        while short in self._taken:
            number += 1
            short, seen = f"{stem}_{number}", f"{head}_{number}"
        self._taken.add(short)
        return Name(short, seen)
