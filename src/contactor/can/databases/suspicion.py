"""What a DBC shows before a parser is let at it: texts that would cost it all memory.

A parser writes out every value of a multiplexer's range, and looks for the end of a string one
state per character.

    has_vast_ranges("SG_MUL_VAL_ 100 Cell Page 0-4294967295;")      # True
"""

import re

MAX_VALUES = 1_000_000
"""Multiplexer values of a whole file."""
MAX_STRING = 1_000_000
"""Characters between two quotes."""

_RANGES = re.compile(r"\bSG_MUL_VAL_\b([^;\"]*)")
_RANGE = re.compile(r"(\d{1,30})\s*-\s*(\d{1,30})")
_MULTIPLEXED = re.compile(r"^[ \t]*SG_[ \t]+\S+[ \t]+m\d+M?[ \t]*:", re.MULTILINE)


def has_vast_ranges(text: str) -> bool:
    """Whether the multiplexer ranges hold more values than any file means."""
    count = 0
    for ranges in _RANGES.finditer(text):
        count += sum(max(int(m[2]) - int(m[1]), 0) for m in _RANGE.finditer(ranges[1]))
        if count > MAX_VALUES:
            return True
    return False


def has_endless_text(text: str) -> bool:
    """Whether a string in it may be longer than any comment."""
    place = 0
    while len(text) - place > MAX_STRING:
        following = text.rfind('"', place, place + MAX_STRING)
        if following < 0:
            return True
        place = following + 1
    return False


def multiplexed_lines(text: str) -> int:
    """How many signals a DBC says to be multiplexed."""
    return len(_MULTIPLEXED.findall(text))
