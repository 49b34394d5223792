"""Signals that reach beyond the length of their message, told with their lines.

A longer frame may carry such a signal, and is read so; in a frame as long as the file says it has
no value, which must not look like a signal that was never sent.

    list(beyond("car.dbc", text, "dbc", messages))
    # [Repair("car.dbc", 6, "signal 'Off' (16 bits at 60) reaches into byte 10 of message ...")]
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from contactor.can.databases.faults import Repair

if TYPE_CHECKING:
    from contactor.can.database import MessageFormat, SignalFormat

MOST_BITS = 64
"""A longer signal is no number; that is told where plans are made."""

# Where messages (first group) and signals (second group) are defined.
_DEFINITIONS = {
    "dbc": re.compile(
        r"(?<!\S)BO_[ \t]{1,20}\S{1,40}[ \t]{1,20}([^\s\":][^\":\n]{0,199}?)[ \t]{0,20}:"
        r"|(?<!\S)SG_[ \t]{1,20}([^\s\":|][^\":|\n]{0,199}?)"
        r"(?:[ \t]{1,20}(?:M|m\d{1,9}M?))?[ \t]{0,20}:"
    ),
    "kcd": re.compile(
        r"<(?:\w+:)?Message\s[^<>]{0,4000}?\bname\s*=\s*[\"']([^\"'<>]{1,200})[\"']"
        r"|<(?:\w+:)?(?:Signal|Multiplex)\s[^<>]{0,4000}?\bname\s*=\s*[\"']([^\"'<>]{1,200})[\"']"
    ),
    "sym": re.compile(
        r"^[ \t]*\[\"?([^\]\"\n]{1,200})\"?\]"
        r"|^[ \t]*(?:Var|Sig|Mux)[ \t]*=[ \t]*(?:\"([^\"\n]{1,200})\"|(\w+))",
        re.MULTILINE,
    ),
    "arxml": re.compile(
        r"()<(?:\w+:)?SHORT-NAME[^<>]{0,400}>\s{0,99}([^\s<>][^<>]{0,199}?)\s{0,99}<"
    ),
}
_BETWEEN_WORDS = re.compile(r"[^\w-]+")


def beyond(
    path: str, text: str, kind: str, messages: Sequence["MessageFormat"]
) -> Iterator[Repair]:
    """What to tell of the signals of a file that reach beyond their messages."""
    lines: dict[tuple[str, str], int] | None = None
    for message in (one for outer in messages for one in (outer, *outer.contained)):
        for signal in message.signals:
            last = _last_byte(signal)
            if last <= message.length or signal.start < 0 or signal.length > MOST_BITS:
                continue
            lines = _lines(text, kind) if lines is None else lines
            yield Repair(
                path,
                _line_of(lines, message.name, signal.name),
                f"signal {signal.name!r} ({signal.length} bits at {signal.start}) reaches into "
                f"byte {last} of message {message.name!r}, which has {message.length}: it is read "
                "from longer frames alone",
            )


def _last_byte(signal: "SignalFormat") -> int:
    """The last byte of a payload that holds bits of a signal, counted from 1."""
    start = signal.start
    if signal.byte_order == "big_endian":
        start = 8 * (start // 8) + 7 - start % 8
    return -(-(start + signal.length) // 8)


def _lines(text: str, kind: str) -> dict[tuple[str, str], int]:
    """The line of each (message, signal) and (message, ""); of two of one name the last counts."""
    lines: dict[tuple[str, str], int] = {}
    message, line, counted = "", 1, 0
    for found in _DEFINITIONS[kind].finditer(text):
        line += text.count("\n", counted, found.start())
        counted = found.start()
        names = [_joined(name) for name in found.groups() if name]
        if found[1]:
            message, names = names[0], [""]
        lines.update(((message, name), line) for name in names)
    return lines


def _line_of(lines: dict[tuple[str, str], int], message: str, signal: str) -> int:
    message, signal = _joined(message), _joined(signal)
    places = ((message, signal), ("", signal), (message, ""), ("", message))
    return next((lines[place] for place in places if place in lines), 1)


def _joined(name: str) -> str:
    return _BETWEEN_WORDS.sub("_", name.strip())
