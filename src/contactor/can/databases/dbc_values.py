"""`VAL_`, `SIG_VALTYPE_` and `SG_MUL_VAL_`: what signals' raw values mean.

VAL_ 475 Gear 0 "Park" 1 "Drive" ;
SIG_VALTYPE_ 1037 Temperature : 1;                1: IEEE float, 2: double
SG_MUL_VAL_ 100 Cell Page 0-3, 7-7;               Cell is there while Page is 0..3 or 7
"""

import re
from collections.abc import Callable, Iterator

from contactor.can.databases.dbc_numbers import whole
from contactor.can.databases.faults import Unrepairable, shown

MAX_RANGE = 65_536
"""Multiplexer values of one signal: as many as a multiplexer of 16 bits has."""

_HEAD = re.compile(r"\s*(-?\w+)\s+([^\"]+?)(?=(?:\s+-?\d[\w.]*)?\s*$)")
_KEY = re.compile(r"[\s,;]*(-?\d[\w.]*)\s*")
_TYPE = re.compile(r"(-?\w+)\s+([^:;]+?)\s*(?::|\s)\s*([0-3])")
_MUX = re.compile(r"(-?\w+)\s+(\S+)\s+(\S+)\s+([-\d\s,]+)")
_MUX_RANGE = re.compile(r"(\d{1,20})\s*-\s*(\d{1,20})")
_LONGEST_HEAD = 2000
_MOST_QUOTES = 100

Note = Callable[[str], None]


def parse_labels(body: str, note: Note) -> tuple[int, str, list[tuple[int, str]]] | None:
    """The message's id, the signal's name and its labels; None where there are none to read."""
    first = body[: body.find('"')] if '"' in body else body
    head = _HEAD.match(first) if len(first) <= _LONGEST_HEAD else None
    can_id = whole(head[1]) if head else None
    if head is None or can_id is None:
        if '"' in body:
            note(f"labels that cannot be read: {shown(body)!r}")
        return None
    labels = list(_labels(body[head.end() :].split('"'), note))
    return can_id, " ".join(head[2].split()), labels


def _labels(parts: list[str], note: Note) -> Iterator[tuple[int, str]]:
    """Pairs of key and text: `parts` lie between quotes, so that keys are at every second."""
    place = 0
    while place + 1 < len(parts):
        key = _KEY.fullmatch(parts[place])
        end = _end_of_text(parts, place + 1)
        if key is not None and (value := whole(key[1])) is not None:
            text = '"'.join(parts[place + 1 : end])
            if end > place + 2:
                note(f"quotes within the label {shown(text)!r}")
            yield value, text
        else:
            note(f"label without a whole number: {shown(parts[place])!r}")
        place = end
    if place < len(parts) and parts[place].strip(" \t\n,;"):
        note(f"what follows the labels is left out: {shown(parts[place])!r}")


def _end_of_text(parts: list[str], begin: int) -> int:
    """The first part after a text that is a key again, or the end."""
    for place in range(begin + 1, min(len(parts), begin + _MOST_QUOTES)):
        if _KEY.fullmatch(parts[place]):
            return place
        if place == len(parts) - 1 and not parts[place].strip(" \t\n,;"):
            return place
    return begin + 1


def parse_float_type(body: str) -> tuple[int, str, int] | None:
    """The message's id, the signal's name and 0..3; None where it cannot be read."""
    found = _TYPE.fullmatch(body[:_LONGEST_HEAD].strip())
    can_id = whole(found[1]) if found else None
    return (
        None
        if found is None or can_id is None
        else (can_id, " ".join(found[2].split()), int(found[3]))
    )


def parse_multiplexing(body: str) -> tuple[int, str, str, list[tuple[int, int]]] | None:
    """The message's id, the signal, its multiplexer and the ranges; None where unreadable."""
    found = _MUX.fullmatch(body.strip())
    can_id = whole(found[1]) if found else None
    if found is None or can_id is None:
        return None
    ranges = [(int(one[1]), int(one[2])) for one in _MUX_RANGE.finditer(found[4])]
    return (can_id, found[2], found[3], ranges) if ranges else None


def clipped(
    line: int, ranges: list[tuple[int, int]], bits: int, note: Note
) -> list[tuple[int, int]]:
    """The ranges within what a multiplexer of so many bits can hold.

    Raises:
        Unrepairable: they still hold more than `MAX_RANGE` values.
    """
    top = (1 << min(bits, 64)) - 1
    inside = [(low, min(high, top)) for low, high in ranges if low <= min(high, top)]
    if inside != ranges:
        note(f"multiplexer values beyond its {bits} bits are left out")
    count = sum(high - low + 1 for low, high in inside)
    if count > MAX_RANGE:
        raise Unrepairable(line, f"{count} multiplexer values, more than {MAX_RANGE}")
    return inside
