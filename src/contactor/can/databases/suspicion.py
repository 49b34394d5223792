"""What a text shows before a parser is let at it: what would cost the parser all time or memory.

Parsers write out every value of a multiplexer's range and every bit of a message, and look for the
end of a string one state per character.

    is_too_much("SG_MUL_VAL_ 100 Cell Page 0-4294967295;")      # True: not as it is
    check_numbers("[A]\\nID=1h\\nLen=99999999\\n", "sym")        # Unrepairable: line 3: ...
"""

import re

from contactor.can.databases.faults import Unrepairable, shown

MAX_VALUES = 100_000
"""Multiplexer values of a whole DBC, and messages of a SYM's ranges."""
MAX_STRING = 1_000_000
"""Characters between two quotes."""

_RANGES = re.compile(r"\bSG_MUL_VAL_\b([^;\"]*)")
_RANGE = re.compile(r"(\d{1,30})\s*-\s*(\d{1,30})")
_MULTIPLEXED = re.compile(r"^[ \t]*SG_[ \t]+\S+[ \t]+m\d+M?[ \t]*:", re.MULTILINE)
# A second word that is neither M nor m5 nor m5M: a name of two words.
_WORDY = re.compile(
    r"(?<!\S)SG_[ \t]+[^\s\":|]+[ \t]+(?!(?:M|m\d+M?)[ \t]*:)[^\s\":|]+[ \t]*:\s*\d+\s*\|"
)
_SYM_IDS = re.compile(
    r"^[ \t]*ID[ \t]*=[ \t]*([0-9A-F]{1,16})h[ \t]*-[ \t]*([0-9A-F]{1,16})h",
    re.MULTILINE | re.IGNORECASE,
)
# Numbers of six digits and more where bytes or bits are counted.
_NUMBERS = {
    "dbc": re.compile(
        r"\bBO_\s+\S+\s+[^\s\":]+\s*:\s*\d{6,}\b"
        r"|\bSG_\s[^\":|]{0,400}:\s*(\d{6,}\s*\||\d+\s*\|\s*\d{6,}\b)"
    ),
    "kcd": re.compile(r"\b(length|offset)\s*=\s*[\"']\d{6,}"),
    "arxml": re.compile(r"\b(FRAME-LENGTH|START-POSITION)>\s*\d{6,}\s*</"),
    "sym": re.compile(
        r"^[ \t]*(Len|DLC)[ \t]*=[ \t]*\d{6,}"
        r"|^[ \t]*(Var|Mux)[ \t]*=[^\n/]*?[ \t](\d{6,},\d|\d+,\d{6,})"
        r"|^[ \t]*Sig[ \t]*=[^\n/]*?[ \t]\d{6,}",
        re.MULTILINE,
    ),
}
# The parser of SYM files looks at such a run once for each of its digits.
_LONG_NUMBER = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{400}")


def is_too_much(text: str) -> bool:
    """Whether a DBC must be read statement by statement."""
    return _has_vast_ranges(text) or _has_endless_text(text) or bool(_NUMBERS["dbc"].search(text))


def check_numbers(text: str, kind: str) -> None:
    """Refuse a message of a hundred thousand bytes, a signal as far within, and as many ids.

    Raises:
        Unrepairable: there is such a number.
    """
    if found := _NUMBERS[kind].search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise Unrepairable(line, f"no message is so long: {shown(found[0])!r}")
    if kind != "sym":
        return
    if found := _LONG_NUMBER.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise Unrepairable(line, f"no number is so long: {shown(found[0])!r}")
    count = 0
    for ids in _SYM_IDS.finditer(text):
        count += max(int(ids[2], 16) - int(ids[1], 16), 0)
        if count > MAX_VALUES:
            line = text.count("\n", 0, ids.start()) + 1
            raise Unrepairable(line, f"more than {MAX_VALUES} messages: {shown(ids[0])!r}")


def _has_vast_ranges(text: str) -> bool:
    count = 0
    for ranges in _RANGES.finditer(text):
        count += sum(max(int(m[2]) - int(m[1]), 0) for m in _RANGE.finditer(ranges[1]))
        if count > MAX_VALUES:
            return True
    return False


def _has_endless_text(text: str) -> bool:
    """Whether a string may be longer than any comment."""
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


def has_names_of_words(text: str) -> bool:
    """Whether a DBC has a signal whose name is several words; parsers keep the first alone."""
    return _WORDY.search(text) is not None
