"""CAN databases as our own frozen values; the only module that knows cantools.

DBC, KCD, SYM and ARXML are read by what they hold, in any encoding. A file is given to cantools as
it is; where that fails, or is known to read it wrongly, what has one certain reading is put right
in memory and told as `Database.repairs` (`contactor.can.databases`), and the rest is refused.

    database = load_database([Path("car.dbc")])
    database.repairs         # (Repair(path="car.dbc", line=12, what="..."),), () for most files
    database.message("BatteryState").signals[0]
    # SignalFormat(name="PackCurrent", start=7, length=11, byte_order="big_endian", scale=0.5, ...)

Bits are counted as DBC does (Vector, "DBC File Format"), here a 10 bit signal at 5, little endian,
and one at 23, big endian; `start` names the bit marked S:

    byte 0   7  6 [S] 4  3  2  1  0        byte 2  [S] . . . . . . .    23 22 ... 16
    byte 1  15 14 13 12 11 10  9  8        byte 3   .  .
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from contactor.can.databases.argument import DatabaseFile, database_argument, database_files
from contactor.can.databases.beyond import beyond
from contactor.can.databases.faults import Repair, Unrepairable
from contactor.can.databases.kinds import kind_of, other_kind
from contactor.can.databases.reading import read_messages
from contactor.can.databases.text import read_text
from contactor.can.databases.text_repair import line_of, text_repairs
from contactor.can.databases.xml_place import place_of
from contactor.can.frames import MAX_EXTENDED_ID
from contactor.can.j1939 import NULL_ADDRESS, SOURCE_MASK
from contactor.errors import DatabaseError

if TYPE_CHECKING:
    from cantools.database.can import Message, Signal

__all__ = [
    "ByteOrder",
    "Database",
    "DatabaseFile",
    "MessageFormat",
    "Number",
    "Repair",
    "SignalFormat",
    "SignalRole",
    "database_argument",
    "load_database",
]

Number: TypeAlias = int | float
ByteOrder: TypeAlias = Literal["little_endian", "big_endian"]

ROLE_ATTRIBUTE = "SignalRole"
DATA_IDS_ATTRIBUTE = "DataIds"
_LONGEST_REASON = 500
_LONGEST_NAME = 80
_LOG_HEAD = 65_536
"""Characters by which a log shows."""
# cantools drops a statement that the end of the file cuts, without a word; before another it fails.
_LAST_STATEMENT = {"dbc": "\nBS_:\n", "sym": "\n{SEND}\n"}

_NAMED = re.compile(r"message (\w+)\.?$|: /(?:[^/\s]+/)*([^/\s]+)$|'([^']+)'")
# cantools lets through whatever goes wrong inside its parsers.
_PARSER_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)


class SignalRole(StrEnum):
    """What a signal does for its frame, as the DBC's signal attribute `SignalRole` says.

    How each is worked out, and its source, is in checksum.py.
    """

    COUNTER = "counter"
    """Counts the frames of its message from 0 to 14, and again."""
    COUNTER_FULL = "counter_full"
    """Counts the frames of its message from 0 to the most that its bits hold, and again."""
    CRC8_J1850 = "crc8_j1850"
    """A checksum with the polynomial of SAE J1850 over the frame's id and all its other bytes."""
    CRC8_SAE_J1850 = "crc8_sae_j1850"
    """SAE J1850's own CRC (begun and combined with FF) over all the other bytes."""
    CRC8_H2F = "crc8_h2f"
    """The same with the polynomial 0x2F."""
    E2E_P2 = "e2e_p2"
    """AUTOSAR Profile 2: that, and one of 16 data ids by the counter; see `data_ids`."""
    E2E_P5 = "e2e_p5"
    """AUTOSAR Profile 5: 16 bits over all the other bytes and the data id."""
    XOR8 = "xor8"
    """Exclusive or of all the other bytes."""
    SUM8 = "sum8"
    """The sum of all the other bytes, modulo 256."""


@dataclass(frozen=True, slots=True)
class SignalFormat:
    """How one signal lies in its message, and what it means.

    Fields:
        start, length: bits; `start` is the least significant bit of a little endian signal and the
            most significant of a big endian one, both in DBC numbering.
        scale, offset: physical = raw · scale + offset. Both are int where that is computed in
            integers, as cantools does.
        labels: raw value to text.
        multiplexer: the signal whose raw value must be one of `multiplexer_ids`, or None.
        is_multiplexer: whether other signals depend on this one.
        role: what it does for its frame; None where it is a value of the car.
        minimum, maximum: the physical range that the database allows, None where it does not say.
    """

    name: str
    start: int
    length: int
    byte_order: ByteOrder
    is_signed: bool
    is_float: bool
    scale: Number
    offset: Number
    unit: str
    labels: Mapping[int, str]
    multiplexer: str | None
    multiplexer_ids: tuple[int, ...]
    is_multiplexer: bool
    role: SignalRole | None = None
    minimum: Number | None = None
    maximum: Number | None = None


@dataclass(frozen=True, slots=True)
class MessageFormat:
    """One message: its id, its length in bytes, its signals; `source` is the file's name.

    `bus` is the one bus that it is defined for, None for every bus. A frame is matched by its bus,
    id and format first, and only then by id and format alone: what is said of one bus counts there
    before what is said of all.

    Fields:
        is_j1939: whether any id with the same parameter group number carries it (see j1939.py).
        contained: the messages that a container may carry (see containers.py), `header_id` each.
        header_order: the byte order of a container's header ids.
        data_ids: what its checksum knows it by, none where that is its id; of a DBC the message
            attribute `DataIds`, numbers with spaces or commas between them.
    """

    name: str
    can_id: int
    is_extended: bool
    length: int
    cycle_time_ms: int | None
    signals: tuple[SignalFormat, ...]
    source: str
    bus: int | None = None
    is_j1939: bool = False
    contained: tuple["MessageFormat", ...] = ()
    header_id: int | None = None
    header_order: ByteOrder = "big_endian"
    data_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Database:
    """The messages of one or more files, in the order of the files.

    An id occurs once for each bus and once for all: within a file the last definition counts (as in
    cantools), between files the first.

    Fields:
        shared_names: the message names that more than one file defines.
        repairs: what was put right in the files, in their order.
    """

    messages: tuple[MessageFormat, ...]
    shared_names: frozenset[str] = frozenset()
    repairs: tuple[Repair, ...] = ()

    def message(self, name: str) -> MessageFormat:
        """The first message of that name.

        Raises:
            DatabaseError: there is none.
        """
        for message in self.messages:
            if message.name == name:
                return message
        raise DatabaseError(f"no message {name!r} in the database")


def load_database(
    files: Iterable[Path | str | DatabaseFile] | Mapping[Path | str, int | None],
) -> Database:
    """Read one or more database files.

    Args:
        files: files for every bus, `DatabaseFile`s with a bus, or a mapping of files to buses.

    Raises:
        UsageError: there is no such file, it is a directory, or a bus is not 0..255.
        DatabaseError: a file cannot be read as a database; the message names the file and the
            reason, with the line where there is one.
    """
    messages: dict[tuple[int | None, int, bool], MessageFormat] = {}
    files_of: Counter[str] = Counter()
    repairs: list[Repair] = []
    for file in database_files(files):
        loaded, put_right = _load_file(file.path)
        repairs += put_right
        files_of.update({message.name for message in loaded})
        for message in loaded:
            key = (file.bus, message.can_id, message.is_extended)
            messages.setdefault(key, replace(message, bus=file.bus))
    shared = frozenset(name for name, files in files_of.items() if files > 1)
    return Database(tuple(messages.values()), shared, tuple(dict.fromkeys(repairs)))


def _load_file(path: Path) -> tuple[list[MessageFormat], list[Repair]]:
    """The messages of one file, each id once, and what was put right."""
    text = read_text(path)
    kind = kind_of(text.content)
    if kind is None:
        what = other_kind(text.content) or _log_kind(text.content)
        known = "no CAN database (DBC, KCD, SYM or ARXML)"
        raise DatabaseError(f"{path} is {known}: it is {what}" if what else f"{path} is {known}")
    repairs = list(text_repairs(path.name, text))
    try:
        formats, put_right = read_messages(path, text, kind, _parsed)
    except Unrepairable as error:
        raise DatabaseError(f"{path}: {error}") from error.__cause__
    repairs += put_right
    by_id: dict[tuple[int, bool], MessageFormat] = {}
    for message in formats:
        if not 0 <= message.can_id <= MAX_EXTENDED_ID:
            line = line_of(text.content, message.name)
            raise DatabaseError(
                f"{path}: line {line}: message {message.name[:_LONGEST_NAME]!r} has the id "
                f"{message.can_id}; allowed are 0 to {MAX_EXTENDED_ID}"
            )
        key = (message.can_id, message.is_extended)
        if before := by_id.pop(key, None):
            what = f"message {before.name!r} is left out: {message.name!r} has its id too"
            repairs.append(Repair(path.name, line_of(text.content, before.name), what))
        by_id[key] = message
    messages = list(by_id.values())
    return messages, [*repairs, *beyond(path.name, text.content, kind, messages)]


def _log_kind(content: str) -> str | None:
    """What log a text is, in words, or None where it is none."""
    from contactor.can.readers.table import reader_of  # here: a database as a rule needs no reader

    reader = reader_of(content[:_LOG_HEAD].encode(errors="replace"))
    return None if reader is None else f"a log of CAN frames ({reader.name}): give it as LOG"


def _parsed(path: Path, text: str, kind: str, lines: tuple[int, ...]) -> list[MessageFormat]:
    """The messages as cantools reads them, also those of one id.

    Args:
        lines: the line in the file of each line of `text`, if these differ.
    """
    import cantools  # here, for its 130 ms: a command without a database need not wait
    from cantools.database.can import Database as CanDatabase

    try:
        with _quiet_parser():
            whole = text + _LAST_STATEMENT.get(kind, "")
            loaded = cantools.database.load_string(whole, database_format=kind, strict=False)
            if not isinstance(loaded, CanDatabase):
                raise DatabaseError(f"{path} describes diagnostics, not CAN messages")
            return [_message_format(message, path.name) for message in loaded.messages]
    except (cantools.Error, *_PARSER_FAILURES) as error:
        reason = _reason(error, lines)
        found = place_of(error, text) if kind in ("kcd", "arxml") else ""
        place = f"{found}: " if found else _place(reason, text, lines)
        raise DatabaseError(f"{path}: {place}{reason}") from error


@contextmanager
def _quiet_parser() -> Iterator[None]:
    """Without cantools' warnings on standard error: what it warns of, we decide by rule."""
    logger = logging.getLogger("cantools")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _reason(error: Exception, lines: tuple[int, ...]) -> str:
    """A parser's message on one line, without the name of the format it begins with."""
    text = re.sub(r'^[A-Z]+: "(.*)"$', r"\1", " ".join(str(error).split()))
    if lines:
        text = re.sub(
            r"\bat line (\d+)", lambda m: f"at line {lines[min(int(m[1]), len(lines)) - 1]}", text
        )
    return text[:_LONGEST_REASON] or type(error.__cause__ or error).__name__


def _place(reason: str, text: str, lines: tuple[int, ...]) -> str:
    """The line of what a reason names, where it does not tell one itself."""
    named = _NAMED.search(reason)
    if "at line" in reason or named is None:
        return ""
    name = next(filter(None, named.groups()))
    line = line_of(text, name)
    return f"line {lines[min(line, len(lines)) - 1] if lines else line}: " if name in text else ""


def _message_format(message: "Message", source: str) -> MessageFormat:
    return MessageFormat(
        name=message.name,
        can_id=message.frame_id,
        is_extended=message.is_extended_frame,
        length=message.length,
        cycle_time_ms=message.cycle_time or None,
        signals=tuple(_signal_format(signal) for signal in message.signals),
        source=source,
        is_j1939=_is_j1939(message),
        contained=tuple(_message_format(inner, source) for inner in message.contained_messages),
        header_id=message.header_id,
        header_order="big_endian" if message.header_byte_order == "big_endian" else "little_endian",
        data_ids=_data_ids(message),
    )


def _data_ids(message: "Message") -> tuple[int, ...]:
    """The data ids of a message; what is no list of numbers is none."""
    if message.autosar is not None and message.autosar.e2e is not None:
        return tuple(message.autosar.e2e.data_ids or ())
    attribute = message.dbc.attributes.get(DATA_IDS_ATTRIBUTE) if message.dbc else None
    words = [] if attribute is None else re.split(r"[\s,]+", str(attribute.value).strip())
    try:
        return tuple(int(word, 0) for word in words if word)
    except ValueError:
        return ()


def _is_j1939(message: "Message") -> bool:
    """Whether the file says so, or its id is for any sender and the file says nothing."""
    if message.protocol == "j1939":
        return True
    frame_format = message.dbc.attributes.get("VFrameFormat") if message.dbc else None
    is_for_any_sender = message.frame_id & SOURCE_MASK == NULL_ADDRESS
    return message.is_extended_frame and frame_format is None and is_for_any_sender


def _signal_format(signal: "Signal") -> SignalFormat:
    conversion = signal.conversion
    scale, offset = _exact(conversion.scale, conversion.offset, is_float=conversion.is_float)
    return SignalFormat(
        name=signal.name,
        start=signal.start,
        length=signal.length,
        byte_order=signal.byte_order,
        is_signed=signal.is_signed,
        is_float=conversion.is_float,
        scale=scale,
        offset=offset,
        unit=signal.unit or "",
        labels={int(raw): str(text) for raw, text in (conversion.choices or {}).items()},
        multiplexer=signal.multiplexer_signal,
        multiplexer_ids=tuple(signal.multiplexer_ids or ()),
        is_multiplexer=signal.is_multiplexer,
        role=_role(signal),
        minimum=signal.minimum,
        maximum=signal.maximum,
    )


def _role(signal: "Signal") -> SignalRole | None:
    """The role that the DBC gives a signal; a word that we do not know is none."""
    attribute = signal.dbc.attributes.get(ROLE_ATTRIBUTE)
    value = None if attribute is None else str(attribute.value)
    return SignalRole(value) if value in set(SignalRole) else None


def _exact(scale: Number, offset: Number, *, is_float: bool) -> tuple[Number, Number]:
    """Both as int where cantools computes in integers (its `BaseConversion.factory`)."""
    if not is_float and float(scale).is_integer() and float(offset).is_integer():
        return int(scale), int(offset)
    return scale, offset
