"""Who asks and who answers a command of a signal set, and of which model years it is.

    "hdr": "7E4", "rax": "7EC"                     7E4 asks, 7EC answers
    "hdr": "7E4"                                   the answer has the id 8 above (ISO 15765-4)
    "hdr": "7DF"                                   to all: 7E8..7EF answer, or 18DAF100..18DAF1FF
    "hdr": "6F1", "rax": "612", "eax": "12"        the first byte of each frame is an address
    "hdr": "DA10", "rax": "10"                     18DA10F1 asks, 18DAF110 answers
    "hdr": "FC00", "rax": "FE007B", "pri": "17"    17FE007B answers
    "hdr": "D016", "rax": "1EC60E80"               1EC60E80 answers

Source: the OBDb project's schema; ISO 15765-4:2016, 10.3 (legislated ids).
"""

from dataclasses import dataclass

from contactor.can.frames import MAX_EXTENDED_ID, MAX_STANDARD_ID
from contactor.can.isotp import Addressing
from contactor.can.json_fields import Field

OBD_REQUEST = "7DF"
OBD_ANSWERS = tuple(range(0x7E8, 0x7F0)) + tuple(range(0x18DAF100, 0x18DAF200))
# A control unit answers eight above the id that asks it.
ANSWER_STEP = 8
# BMW: 6F1 asks all control units, the address says which; 600 and the address answers.
BMW_REQUEST, BMW_ANSWERS = "6F1", 0x600
TESTER = "F1"
PRIORITY = "18"
MIN_YEAR, MAX_YEAR = 1900, 2200


@dataclass(frozen=True, slots=True)
class Route:
    """Whose answers count.

    Fields:
        answer_ids: CAN ids, those above 0x7FF of 29 bits.
        addressing: whether an address byte comes first.
        addresses: the address bytes that count; the answer carries the tester's or the unit's.
    """

    answer_ids: tuple[int, ...]
    addressing: Addressing
    addresses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Years:
    """Model years: a range, or all but one, and single ones."""

    first: int | None
    last: int | None
    single: tuple[int, ...]

    def __str__(self) -> str:
        if self.first is not None and self.last is not None and self.first < self.last:
            parts = [f"{self.first}-{self.last}"]
        else:
            parts = [f"{self.first}-"] if self.first is not None else []
            parts += [f"-{self.last}"] if self.last is not None else []
        return ";".join([*parts, *map(str, self.single)])


def years_of(field: Field) -> Years | None:
    """The years that a command's filter names, None where it has none."""
    given = field.get("filter")
    if given is None or not given.members():
        return None
    first, last, single = given.get("from"), given.get("to"), given.get("years")
    return Years(
        first.whole(MIN_YEAR, MAX_YEAR) if first else None,
        last.whole(MIN_YEAR, MAX_YEAR) if last else None,
        tuple(sorted(year.whole(MIN_YEAR, MAX_YEAR) for year in single.items())) if single else (),
    )


def is_for_year(years: Years, year: int) -> bool:
    """Whether a filter lets a model year through; a range that ends before it begins is a gap."""
    if year in years.single:
        return True
    first, last = years.first, years.last
    if first is None and last is None:
        return False
    after, before = first is None or year >= first, last is None or year <= last
    if first is not None and last is not None and first >= last:
        return after or before
    return after and before


def route_of(field: Field, header: str) -> Route | str:
    """Who answers a command, or why that cannot be seen on CAN."""
    protocol = field.get("proto")
    if protocol and not protocol.text().startswith("15765"):
        return f"its protocol {protocol.text()} is not on CAN"
    answers, extended = field.get("rax"), field.get("eax")
    tester = field.get("tst")
    from_tester = tester.hexadecimal(2) if tester else TESTER
    if len(header) == 3:
        ids = _standard_ids(header, answers, extended)
        if tester is None:
            from_tester = header[1:]
    else:
        priority = field.get("pri")
        ids = _extended_ids(
            header, answers, from_tester, priority.hexadecimal(2) if priority else PRIORITY
        )
    if not ids:
        return "it does not say who answers"
    if max(ids) > MAX_EXTENDED_ID:
        (answers or field).wrong(f"ids up to {MAX_EXTENDED_ID:X}")
    if extended is None:
        return Route(ids, Addressing.NORMAL, ())
    addresses = {int(extended.hexadecimal(2), 16), int(from_tester, 16)}
    return Route(ids, Addressing.EXTENDED, tuple(sorted(addresses)))


def _standard_ids(header: str, answers: Field | None, extended: Field | None) -> tuple[int, ...]:
    if answers is not None:
        can_id = int(answers.hexadecimal(3), 16)
        if can_id > MAX_STANDARD_ID:
            answers.wrong(f"ids up to {MAX_STANDARD_ID:X}")
        return (can_id,)
    if header == OBD_REQUEST:
        return OBD_ANSWERS
    if header == BMW_REQUEST and extended is not None:
        return (BMW_ANSWERS | int(extended.hexadecimal(2), 16),)
    can_id = int(header, 16) + ANSWER_STEP
    return (can_id,) if can_id <= MAX_STANDARD_ID else ()


def _extended_ids(
    header: str, answers: Field | None, tester: str, priority: str
) -> tuple[int, ...]:
    if answers is not None:
        written = answers.hexadecimal(2, 6, 8)
        before = {2: f"{priority}DA{tester}", 6: priority, 8: ""}[len(written)]
        return (int(before + written, 16),)
    kind, target = header[:2], header[2:]
    if kind == "DA":
        return (int(f"{priority}DA{tester}{target}", 16),)
    if kind == "DB":
        base = int(f"{priority}DA{tester}00", 16)
        return tuple(range(base, base + 0x100))
    return ()
