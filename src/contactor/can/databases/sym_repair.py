"""A SYM file of version 5.0, or with bare hexadecimals, in the form that the parser takes.

The parser takes version 6.0. Version 5.0 says `enum Name(...)` for `Enum=Name(...)` and `DLC=` for
`Len=`; its variables stand in their symbols, as they may in 6.0. `Ah` is the number `0Ah`; a text as a
default decides no value.

    repair_sym('FormatVersion=5.0 // Do not edit this line!\\nenum Gear(0="P")\\n', "car.sym")
    # ('FormatVersion=6.0 // Do not edit this line!\\nEnum=Gear(0="P")\\n', (Repair(...),))
"""

import re

from contactor.can.databases.faults import Repair, Unrepairable

_VERSION = re.compile(r"^(\s*FormatVersion\s*=\s*)(\d+(?:\.\d+)?)", re.MULTILINE)
_ENUM = re.compile(r"^([ \t]*)enum[ \t]+(\w+)[ \t]*\(", re.MULTILINE | re.IGNORECASE)
_LENGTH = re.compile(r"^([ \t]*)DLC[ \t]*=", re.MULTILINE)
_BARE = re.compile(
    r"^([ \t]*(?:Mux|ID)[ \t]*=(?:[^\n/]*?\s)?)([A-F][0-9A-F]*h)(?=[\s-]|$)", re.MULTILINE
)
_TEXT_DEFAULT = re.compile(r"/d:\"[^\"\n]*\"")
_READ, _LIKE_IT = "6.0", "5.0"


def repair_sym(text: str, path: str) -> tuple[str, tuple[Repair, ...]]:
    """A SYM in version 6.0, and what was done for that.

    Raises:
        Unrepairable: it is of a version that is not read.
    """
    text = _TEXT_DEFAULT.sub("", _BARE.sub(r"\g<1>0\2", text))
    version = _VERSION.search(text)
    if version is None or version[2] == _READ:
        return text, ()
    line = text.count("\n", 0, version.start(2)) + 1
    if version[2] != _LIKE_IT:
        raise Unrepairable(line, f"SYM version {version[2]}; {_LIKE_IT} and {_READ} are read")
    text = text[: version.start(2)] + _READ + text[version.end(2) :]
    text = _ENUM.sub(r"\1Enum=\2(", text)
    text = _LENGTH.sub(r"\1Len=", text)
    return text, (Repair(path, line, f"SYM version {_LIKE_IT} is read as {_READ}"),)
