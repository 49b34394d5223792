"""What the first bytes of a Vector ASC log say of all its lines.

head = AscHead.of(b"base dec  timestamps relative\\n")
head.has_decimal_numbers, head.is_relative          # (True, True)
"""

import re
from dataclasses import dataclass
from typing import Self

from contactor.can.readers.spelled_dates import read_date

_STAMP = rb"(?:^|\r)[ \t]*\d+(?:[.,]\d+)?[ \t]+"
FORM = re.compile(
    rb"(?:^|\r)[ \t]*base[ \t]+(?:hex|dec)\b|"
    + _STAMP
    + rb"(?:\d{1,3}[ \t]+\S+[ \t]+(?:\S+[ \t]+)?(?:Rx|Tx)[ \t]+[dr]\b"
    rb"|\d{1,3}[ \t]+ErrorFrame\b|CANFD[ \t]+\d{1,3}[ \t]+(?:Rx|Tx)\b)",
    re.MULTILINE | re.IGNORECASE,
)
BASE = re.compile(
    rb"(?:^|\r)[ \t]*base[ \t]+(hex|dec)\b(?:[ \t]+timestamps[ \t]+(absolute|relative)\b)?",
    re.MULTILINE | re.IGNORECASE,
)
DATE = re.compile(
    rb"(?:^|\r|\xef\xbb\xbf)[ \t]*(?:(date)\b:?|Begin[ \t]+Triggerblock\b)[ \t]*([^\r\n]*)",
    re.MULTILINE | re.IGNORECASE,
)
_CHANNEL_0 = re.compile(
    _STAMP + rb"(?:0[ \t]+(?:\S+[ \t]+(?:Rx|Tx)|ErrorFrame)\b|CANFD[ \t]+0[ \t])",
    re.MULTILINE | re.IGNORECASE,
)
_EVENT = re.compile(_STAMP + rb"\S", re.MULTILINE)
_FD_BYTES = re.compile(
    rb"CANFD[ \t]+\d+[ \t]+(?:Rx|Tx)[ \t]+([0-9A-F]+)x?[ \t]+(?:[^\d\s]\S*[ \t]+)?"
    rb"[01][ \t]+[01][ \t]+([0-9A-F]+)[ \t]+(\d+)((?:[ \t]+[0-9A-F]+)*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AscHead:
    """The form of a log's lines.

    Fields:
        has_decimal_numbers: whether ids, DLCs and bytes are decimal (`base dec`).
        has_decimal_fd: whether those of CAN FD lines are, too; Vector's are not.
        is_relative: whether each stamp counts from the event before.
        is_dated: whether the date of the start, or of the first block, can be read.
        first_channel: the channel that is bus 0: 1, or 0 where there is a channel 0.
    """

    has_decimal_numbers: bool
    has_decimal_fd: bool
    is_relative: bool
    is_dated: bool
    first_channel: int

    @classmethod
    def of(cls, head: bytes) -> Self:
        """The form of the log that begins with `head`."""
        base = BASE.search(head)
        has_decimal_numbers = base is not None and base.group(1).lower() == b"dec"
        timestamps = (base.group(2) or b"") if base else b""
        first = _EVENT.search(head)
        dates = DATE.finditer(head, 0, first.start() + 1 if first else len(head))
        return cls(
            has_decimal_numbers=has_decimal_numbers,
            has_decimal_fd=has_decimal_numbers and _fd_is_decimal(head),
            is_relative=timestamps.lower() == b"relative",
            is_dated=any(read_date(date.group(2)) is not None for date in dates),
            first_channel=0 if _CHANNEL_0.search(head) else 1,
        )


def _fd_is_decimal(head: bytes) -> bool:
    """Whether a CAN FD line shows that its bytes are decimal: hexadecimal ones have two digits."""
    for line in _FD_BYTES.finditer(head):
        count = int(line.group(3)[:3])
        digits = line.group(4).split()[:count]
        if any(len(byte) != 2 for byte in digits):
            return True
    return False
