"""What went wrong with a file's characters: an encoding that had to be chosen, units read twice.

A unit that some tool read as Windows-1252 though it was UTF-8, and wrote as UTF-8, shows as "Â°C";
only one text can have become that.

    mended_unit("Â°C"), mended_unit("km/h")       # ("°C", "km/h")
"""

from collections.abc import Iterator

from contactor.can.databases.faults import Repair, shown
from contactor.can.databases.text import DatabaseText

_USUAL = frozenset(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"))
_LOST = "\ufffd"


def mended_unit(unit: str) -> str:
    """The unit as it was before it was read in a wrong encoding."""
    if unit.isascii():
        return unit
    if unit in (f"{_LOST}C", f"{_LOST}F", f"{_LOST}{_LOST}C", f"{_LOST}{_LOST}F"):
        return "°" + unit[-1]
    try:
        mended = unit.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return unit
    return mended if len(mended) < len(unit) else unit


def unit_repair(path: str, text: str, unit: str) -> Repair:
    """What to tell of a unit that was mended."""
    return Repair(
        path, line_of(text, f'"{unit}"'), f"unit {unit!r} is read as {mended_unit(unit)!r}"
    )


def text_repairs(path: str, text: DatabaseText) -> Iterator[Repair]:
    """What to tell of the encoding."""
    if text.encoding not in _USUAL:
        yield Repair(path, 1, f"read as {text.encoding}, which its bytes fit best")
    if _LOST in text.content:
        place = text.content.index(_LOST)
        line = text.content[: place + 1].rsplit("\n", 1)[-1] + text.content[place + 1 : place + 20]
        yield Repair(
            path,
            text.content.count("\n", 0, place) + 1,
            f"{text.content.count(_LOST)} characters cannot be known, the first in {shown(line)!r}",
        )


def line_of(text: str, piece: str) -> int:
    """The line that first holds a piece, or 1."""
    place = text.find(piece)
    return 1 if place < 0 else text.count("\n", 0, place) + 1
