"""KCD and ARXML: what their text shows before an XML parser is let at it.

An id beyond 11 bits can only be an extended one, whose `format="extended"` tools forget.

    repair_kcd('<Message id="0x18FF50E5" name="HVIL">', "car.kcd")
    # ('<Message format="extended" id="0x18FF50E5" name="HVIL">', (Repair(...),))
"""

import re

from contactor.can.databases.dbc_message import MAX_EXTENDED_ID, MAX_STANDARD_ID
from contactor.can.databases.dbc_numbers import whole
from contactor.can.databases.faults import Repair, RepairLog, Unrepairable, shown

_ENTITY = re.compile(r"<!ENTITY\b")
_MESSAGE = re.compile(r"<(?:\w+:)?Message(?=\s)[^<>]{0,4000}>")
_ID = re.compile(r"\sid\s*=\s*[\"']([^\"'<>]{1,40})[\"']")
_FORMAT = re.compile(r"\sformat\s*=\s*[\"'](\w+)[\"']")


def check_entities(text: str) -> None:
    """Refuse an XML that defines texts of its own, which can grow without bound.

    Raises:
        Unrepairable: it does.
    """
    if found := _ENTITY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise Unrepairable(line, "entities of its own are not read from an XML file")


def repair_kcd(text: str, path: str) -> tuple[str, tuple[Repair, ...]]:
    """A KCD whose extended ids are flagged, and what was flagged."""
    log = RepairLog(path)

    def flagged(found: re.Match[str]) -> str:
        tag = found[0]
        number, written = _ID.search(tag), _FORMAT.search(tag)
        can_id = whole(number[1]) if number else None
        is_extended = written is not None and written[1] == "extended"
        if can_id is None or is_extended or not MAX_STANDARD_ID < can_id <= MAX_EXTENDED_ID:
            return tag
        line = text.count("\n", 0, found.start()) + 1
        log.note(line, f"id 0x{can_id:X} has more than 11 bits: read as extended in {shown(tag)!r}")
        tag = _FORMAT.sub("", tag)
        return re.sub(r"Message(?=\s)", 'Message format="extended"', tag, count=1)

    return _MESSAGE.sub(flagged, text), log.repairs
