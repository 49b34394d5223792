"""Which word of a PEAK TRC line is what, by what the first bytes of the log say.

    columns = TrcColumns.of(b";$FILEVERSION=2.0\\n;$COLUMNS=N,O,T,I,d,l,D\\n")
    columns.identifier, columns.data                 # (3, 6)
    start_of(b";$STARTTIME=45244.92578125\\n")        # nanoseconds since 1970

Lines of versions 1.x tell by themselves which of the forms they have; a log without a version has
one of these. A log of version 2.0 or 2.1 that does not list its columns has the usual ones.
Source: PEAK-System, "PEAK CAN TRC File Format", 2023-08-22.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from contactor.clock import NS_PER_DAY, NS_PER_US

_ROW = rb"(?:^|\r)[ \t]*\d+\)?[ \t]+\d+(?:[.,]\d+)?[ \t]+"
_ID = rb"[0-9A-F]{4,8}[ \t]+"
FORM = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*;(?:\$FILEVERSION|#{10})|(?:^|\r);\$COLUMNS=|"
    rb"(?:^|\r)[ \t]*\d+\)[ \t]+\d+(?:[.,]\d+)?[ \t]+"
    rb"(?:(?:\d+[ \t]+)?(?:Rx|Tx)[ \t]+)?" + _ID + rb"(?:-[ \t]+)?\d+\b",
    re.MULTILINE,
)
_VERSION = re.compile(rb";\$FILEVERSION=[ \t]*(\d{1,3})\.(\d{1,3})")
_COLUMNS = re.compile(rb";\$COLUMNS=[ \t]*([A-Za-z, \t]{1,100})")
_START = re.compile(rb";\$STARTTIME=[ \t]*(\d{1,6}(?:[.,]\d{1,30})?)[ \t\r\n]")
_FORMS = (  # of versions 1.x: what a line looks like after its time, and its columns
    (re.compile(_ROW + rb"\d+[ \t]+(?:Rx|Tx|Warng|Error)[ \t]+" + _ID + rb"-", re.M), "NOBTIRLD"),
    (re.compile(_ROW + rb"\d+[ \t]+(?:Rx|Tx|Warng|Error)\b", re.MULTILINE), "NOBTILD"),
    (re.compile(_ROW + rb"(?:Rx|Tx|Warng|Error)\b", re.MULTILINE), "NOTILD"),
    (re.compile(_ROW + _ID, re.MULTILINE), "NOILD"),
)
_USUAL = {0: "NOILD", 1: "NOTILD", 2: "NOBTILD", 3: "NOBTIRLD"}
_USUAL_2 = {0: "NOTIdlD", 1: "NOTBIdRLD"}
# Days from 1899-12-30, from where Windows counts them, to 1970-01-01.
_DAYS_TO_1970 = 25_569
_US_PER_DAY = NS_PER_DAY // NS_PER_US
_FIRST_DAY = 36_526  # 2000-01-01; an earlier start is that of a recorder that knew no time
_LAST_DAY = 78_892  # 2115-12-30


@dataclass(frozen=True, slots=True)
class TrcColumns:
    """The word of each column from 0, None where the log has no such column.

    Fields:
        is_2: whether types are those of version 2: `DT`, `FD`, `ER` and so on.
        has_length: whether `size` is the payload in bytes; otherwise a DLC.
    """

    is_2: bool
    time: int
    kind: int | None
    bus: int | None
    identifier: int
    direction: int | None
    reserved: int | None
    size: int
    data: int
    has_length: bool

    @classmethod
    def of(cls, head: bytes) -> Self:
        """The columns of the log that begins with `head`."""
        version = _VERSION.search(head)
        major, minor = (int(version.group(1)), int(version.group(2))) if version else (1, 0)
        listed = _COLUMNS.search(head)
        names = ""
        if major >= 2:
            names = listed.group(1).decode() if listed else _USUAL_2.get(minor, _USUAL_2[1])
            names = names.replace(",", "").replace(" ", "").strip()
            if not {"O", "T", "I", "D"} <= set(names) or not {"l", "L"} & set(names):
                names = _USUAL_2.get(minor, _USUAL_2[1])
        else:
            found = (form for pattern, form in _FORMS if pattern.search(head))
            names = next(found, _USUAL.get(minor, _USUAL[3]))

        def place(name: str) -> int | None:
            return names.index(name) if name in names else None

        has_length = "l" in names
        return cls(
            is_2=major >= 2,
            time=names.index("O"),
            kind=place("T"),
            bus=place("B"),
            identifier=names.index("I"),
            direction=place("d"),
            reserved=place("R"),
            size=names.index("l" if has_length else "L"),
            data=names.index("D"),
            has_length=has_length,
        )


def start_of(head: bytes) -> int:
    """When the log began, in nanoseconds since 1970 taken as UTC; 0 where that is not said.

    The start is in days, of which a float64 tells 0.6 microseconds; it is rounded to one.
    """
    found = _START.search(head)
    if not found:
        return 0
    days = Decimal(float(found.group(1).replace(b",", b".")))
    if not _FIRST_DAY <= days < _LAST_DAY:
        return 0
    return round((days - _DAYS_TO_1970) * _US_PER_DAY) * NS_PER_US
