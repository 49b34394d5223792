"""CAN databases as our own frozen values; the only module that knows cantools.

DBC, KCD, SYM and ARXML are read by what they hold, in UTF-8 or else Windows-1252, which is what
most DBC tools write.

    database = load_database([Path("car.dbc")])
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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from contactor.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from cantools.database.can import Message, Signal

Number: TypeAlias = int | float
ByteOrder: TypeAlias = Literal["little_endian", "big_endian"]

ROLE_ATTRIBUTE = "SignalRole"

# What a database file holds, and cantools' name for it; the first row that is found counts.
_KINDS = (
    (re.compile(r"<(\w+:)?NetworkDefinition\b"), "kcd"),
    (re.compile(r"<(\w+:)?AUTOSAR\b"), "arxml"),
    (re.compile(r"^\s*FormatVersion\s*=", re.MULTILINE), "sym"),
    (re.compile(r"^\s*(VERSION|BO_|BU_|BS_|NS_|CM_|BA_DEF_)\b", re.MULTILINE), "dbc"),
)
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

    Source: AUTOSAR, "Specification of SW-C End-to-End Communication Protection Library", Profile 1.
    """

    COUNTER = "counter"
    """Counts the frames of its message from 0 to 14, and again."""
    CRC8_J1850 = "crc8_j1850"
    """A checksum with the polynomial of SAE J1850 over the frame's id and all its other bytes."""


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


@dataclass(frozen=True, slots=True)
class MessageFormat:
    """One message: its id, its length in bytes, its signals; `source` is the file's name."""

    name: str
    can_id: int
    is_extended: bool
    length: int
    cycle_time_ms: int | None
    signals: tuple[SignalFormat, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Database:
    """The messages of one or more files, in the order of the files.

    An id occurs once: within a file the last definition counts (as in cantools), between files the
    first. `shared_names` are the message names that more than one file defines.
    """

    messages: tuple[MessageFormat, ...]
    shared_names: frozenset[str] = frozenset()

    def message(self, name: str) -> MessageFormat:
        """The first message of that name.

        Raises:
            DatabaseError: there is none.
        """
        for message in self.messages:
            if message.name == name:
                return message
        raise DatabaseError(f"no message {name!r} in the database")


def load_database(paths: Sequence[Path]) -> Database:
    """Read one or more database files.

    Raises:
        UsageError: there is no such file, or it is a directory.
        DatabaseError: a file cannot be read as a database; the message names the file and the
            reason, with the line where the parser gives one.
    """
    messages: dict[tuple[int, bool], MessageFormat] = {}
    files_of: Counter[str] = Counter()
    for path in paths:
        loaded = _load_file(Path(path))
        files_of.update({message.name for message in loaded.values()})
        for key, message in loaded.items():
            messages.setdefault(key, message)
    shared = frozenset(name for name, files in files_of.items() if files > 1)
    return Database(tuple(messages.values()), shared)


def _load_file(path: Path) -> dict[tuple[int, bool], MessageFormat]:
    import cantools  # here, for its 130 ms: a command without a database need not wait
    from cantools.database.can import Database as CanDatabase

    text = _text_of(path)
    kind = next((kind for form, kind in _KINDS if form.search(text)), None)
    if kind is None:
        raise DatabaseError(f"{path} is no CAN database (DBC, KCD, SYM or ARXML)")
    try:
        with _quiet_parser():
            loaded = cantools.database.load_string(text, database_format=kind, strict=False)
            if not isinstance(loaded, CanDatabase):
                raise DatabaseError(f"{path} describes diagnostics, not CAN messages")
            formats = [_message_format(message, path.name) for message in loaded.messages]
    except (cantools.Error, *_PARSER_FAILURES) as error:
        raise DatabaseError(f"{path}: {_reason(error)}") from error
    return {(message.can_id, message.is_extended): message for message in formats}


def _text_of(path: Path) -> str:
    if path.is_dir():
        raise UsageError(f"{path} is a directory, not a CAN database")
    if not path.exists():
        raise UsageError(f"no such file: {path}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatabaseError(f"{path} cannot be read: {error.strerror}") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


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


def _reason(error: Exception) -> str:
    """A parser's message on one line, without the name of the format it begins with."""
    text = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r'^[A-Z]+: "(.*)"$', r"\1", text)


def _message_format(message: "Message", source: str) -> MessageFormat:
    return MessageFormat(
        name=message.name,
        can_id=message.frame_id,
        is_extended=message.is_extended_frame,
        length=message.length,
        cycle_time_ms=message.cycle_time or None,
        signals=tuple(_signal_format(signal) for signal in message.signals),
        source=source,
    )


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
