"""One `BO_` statement, and the signals that follow it.

    BO_ 2566869221 HVIL: 2 VCM
        id         name  length sender

An id is what the frames carry, with bit 31 set where it has 29 bits (Vector, "DBC File Format").
Tools forget that bit: an id beyond 11 bits can have been meant in one way only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from contactor.can.databases.dbc_names import Name, Names, defect_of, renaming
from contactor.can.databases.dbc_numbers import whole
from contactor.can.databases.dbc_signal import SignalStatement
from contactor.can.databases.faults import Unrepairable, shown

NO_NODE = "Vector__XXX"
EXTENDED = 0x80000000
MAX_STANDARD_ID = 0x7FF
MAX_EXTENDED_ID = 0x1FFFFFFF
MAX_LENGTH_BYTES = 65_535
"""More than any protocol carries in one message over CAN but ISO-TP with its long form."""
UNUSED_SIGNALS = "VECTOR__INDEPENDENT_SIG_MSG"
"""The message under which Vector's tools keep the signals of no message."""

_BODY = re.compile(r"(\S+)\s+([^\":]+?)\s*:\s*(\S+)(?:\s+(\S.*))?")
_WITHOUT_COLON = re.compile(r"(\d+)\s+(\w+)\s+(\d+)(?:\s+(\w+))?", re.ASCII)
_LONGEST = 2000

Note = Callable[[str], None]


@dataclass(slots=True)
class MessageStatement:
    """A message as the parser will be given it; `can_id` has bit 31 where it is extended."""

    line: int
    written_id: int
    can_id: int
    name: Name
    length: int
    sender: str = NO_NODE
    signals: list[SignalStatement] = field(default_factory=list)
    signal_names: Names = field(default_factory=Names)

    def named(self, original: str) -> list[SignalStatement]:
        """The signals that the file calls so."""
        return [signal for signal in self.signals if signal.original == original]

    def render(self) -> str:
        """The statement in the one form that all parsers take."""
        return f"BO_ {self.can_id} {self.name.short}: {self.length} {self.sender}"


def parse_message(line: int, body: str, *, names: Names, note: Note) -> MessageStatement | None:
    """Read what follows `BO_`.

    Returns:
        The message; None where no frame can carry it, which is noted.

    Raises:
        Unrepairable: its id, its name or its length has no certain reading.
    """
    if len(body) > _LONGEST:
        raise Unrepairable(line, f"a message of {len(body)} characters")
    found = _BODY.fullmatch(body)
    if found is None:
        found = _WITHOUT_COLON.fullmatch(body)
        if found is None:
            raise Unrepairable(line, f"no id, name, colon and length in message {shown(body)!r}")
        note(f"the colon after the name {found[2]!r} is missing")
    original = " ".join(found[2].split())
    written, length = whole(found[1]), whole(found[3].rstrip(",;"))
    if written is None:
        raise Unrepairable(line, f"id {shown(found[1])!r} of message {original!r} is no number")
    if length is None or not 0 <= length <= MAX_LENGTH_BYTES:
        raise Unrepairable(
            line,
            f"length {shown(found[3])!r} of message {original!r} is no number of bytes"
            f" up to {MAX_LENGTH_BYTES}",
        )
    if original == UNUSED_SIGNALS:
        return None
    can_id = _id(written, original, note)
    if can_id is None:
        return None
    name = names.standing_for(original) if defect_of(original) else Name(original, original)
    if defect := defect_of(original):
        note(renaming(original, name, defect))
    sender = (found[4] or "").strip()
    if not sender or defect_of(sender):
        note(f"message {original!r} has no readable sender")
        sender = NO_NODE
    return MessageStatement(line, written, can_id, name, length, sender)


def _id(written: int, name: str, note: Note) -> int | None:
    can_id = written
    if -EXTENDED <= written < 0:
        can_id = written + 2 * EXTENDED
        note(f"id {written} of message {name!r} is read as {can_id}: 32 bits without sign")
    if can_id & EXTENDED and can_id < 2 * EXTENDED and can_id - EXTENDED <= MAX_EXTENDED_ID:
        return can_id
    if 0 <= can_id <= MAX_STANDARD_ID:
        return can_id
    if MAX_STANDARD_ID < can_id <= MAX_EXTENDED_ID:
        note(f"id 0x{can_id:X} of message {name!r} has more than 11 bits: read as extended")
        return can_id | EXTENDED
    note(f"message {name!r} is left out: no frame can carry id {can_id:#x}")
    return None
