"""A SYM file of version 5.0, or with defects of one certain reading, as the parser takes it.

The parser takes version 6.0. Version 5.0 says `enum Name(...)` for `Enum=Name(...)` and `DLC=` for
`Len=`; its variables stand in their symbols, as they may in 6.0. `Ah` is the number `0Ah`, a text
as a default decides no value, and an id beyond 11 bits can only be an extended one.

    repair_sym('FormatVersion=5.0 // Do not edit this line!\\nenum Gear(0="P")\\n', "car.sym")
    # ('FormatVersion=6.0 // Do not edit this line!\\nEnum=Gear(0="P")\\n', (Repair(...),))
"""

import re

from contactor.can.databases.dbc_message import MAX_EXTENDED_ID, MAX_STANDARD_ID
from contactor.can.databases.faults import Repair, RepairLog, Unrepairable

_VERSION = re.compile(r"^(\s*FormatVersion\s*=\s*)(\d+(?:\.\d+)?)", re.MULTILINE)
_ENUM = re.compile(r"^([ \t]*)enum[ \t]+(\w+)[ \t]*\(", re.MULTILINE | re.IGNORECASE)
_LENGTH = re.compile(r"^([ \t]*)DLC[ \t]*=", re.MULTILINE)
_BARE = re.compile(
    r"^([ \t]*(?:Mux|ID)[ \t]*=(?:[^\n/]*?\s)?)([A-F][0-9A-F]*h)(?=[\s-]|$)", re.MULTILINE
)
_TEXT_DEFAULT = re.compile(r"/d:\"[^\"\n]*\"")
_SPACED = re.compile(
    r"^([ \t]*(?:Var|Sig)=)(\w{1,100}(?:[ \t]{1,9}\w{1,100}){1,20}?)"
    r"([ \t]+(?:unsigned|signed|float|double|bit|char|string|raw)\b)",
    re.MULTILINE,
)
_SYMBOL = re.compile(
    r"^(\[[^\]\n]*\][^\n]*\n)([^\[]*?\bID=)([0-9A-Fa-f]{1,8})(h[^\[]*)", re.MULTILINE
)
_TYPE = re.compile(r"^[ \t]*Type[ \t]*=", re.MULTILINE)
_DIGITS = 8
"""Of an id written so long the parser knows that it is extended."""
_READ, _LIKE_IT = "6.0", "5.0"


def repair_sym(text: str, path: str) -> tuple[str, tuple[Repair, ...]]:
    """A SYM that the parser takes, and what was done for that.

    Raises:
        Unrepairable: it is of a version that is not read.
    """
    log = RepairLog(path)
    text = _in_version_6(text, log)
    text = _TEXT_DEFAULT.sub("", _BARE.sub(r"\g<1>0\2", text))

    def quoted(found: re.Match[str]) -> str:
        log.note(_line(text, found), f"name {found[2]!r} has no quotes")
        return f'{found[1]}"{found[2]}"{found[3]}'

    text = _SPACED.sub(quoted, text)

    def flagged(found: re.Match[str]) -> str:
        can_id = int(found[3], 16)
        is_flagged = len(found[3]) == _DIGITS or _TYPE.search(found[0])
        if is_flagged or not MAX_STANDARD_ID < can_id <= MAX_EXTENDED_ID:
            return found[0]
        log.note(_line(text, found), f"id 0x{can_id:X} has more than 11 bits: read as extended")
        return f"{found[1]}Type=Extended\n{found[2]}{found[3]}{found[4]}"

    return _SYMBOL.sub(flagged, text), log.repairs


def _in_version_6(text: str, log: RepairLog) -> str:
    version = _VERSION.search(text)
    if version is None or version[2] == _READ:
        return text
    line = _line(text, version)
    if version[2] != _LIKE_IT:
        raise Unrepairable(line, f"SYM version {version[2][:20]}; {_LIKE_IT} and {_READ} are read")
    log.note(line, f"SYM version {_LIKE_IT} is read as {_READ}")
    text = text[: version.start(2)] + _READ + text[version.end(2) :]
    return _LENGTH.sub(r"\1Len=", _ENUM.sub(r"\1Enum=\2(", text))


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1
