"""How a file of each kind becomes messages: as the parser reads it, or put right for it.

    messages, repairs = read_messages(path, text, "dbc", parse)

`parse` is the parser of a third party; a text that it refuses, or is known to read wrongly, is
given to it once more when it has been put right.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from contactor.can.databases.dbc_message import EXTENDED
from contactor.can.databases.dbc_repair import RepairedDbc, repair_dbc
from contactor.can.databases.faults import Repair, Unrepairable
from contactor.can.databases.kinds import kind_of
from contactor.can.databases.suspicion import (
    check_numbers,
    has_names_of_words,
    is_too_much,
    multiplexed_lines,
)
from contactor.can.databases.sym_repair import repair_sym
from contactor.can.databases.text import DatabaseText
from contactor.can.databases.text_repair import mended_unit, unit_repair
from contactor.can.databases.xml_repair import check_entities, repair_kcd
from contactor.errors import DatabaseError

if TYPE_CHECKING:
    from contactor.can.database import MessageFormat

Parse: TypeAlias = Callable[[Path, str, str, tuple[int, ...]], "list[MessageFormat]"]
"""Of the path, the text, its kind and the line in the file of each line of the text, () where that
is its own: the messages, also those of one id. Raises DatabaseError."""
Reading: TypeAlias = "tuple[list[MessageFormat], tuple[Repair, ...]]"

_LONG_NAME = re.compile(
    r"\bBA_\s+\"SystemSignalLongSymbol\"\s+SG_\s+(\d{1,10})\s+(\w+)\s+\"(\w+)\"\s*;"
)


def read_messages(path: Path, text: DatabaseText, kind: str, parse: Parse) -> Reading:
    """The messages of a file, also those of one id, and what was put right.

    Raises:
        DatabaseError: the parser refuses it.
        Unrepairable: it has a defect of no certain remedy.
    """
    read = {"dbc": _read_dbc, "sym": _read_sym}.get(kind, _read_xml)
    messages, repairs = read(path, text, parse)
    mended: list[Repair] = []
    messages = [_with_units(message, path, text, mended) for message in messages]
    return messages, (*repairs, *mended)


def _with_units(
    message: "MessageFormat", path: Path, text: DatabaseText, repairs: list[Repair]
) -> "MessageFormat":
    """The message with units as they were before they were read in a wrong encoding."""
    if all(signal.unit.isascii() for signal in message.signals):
        return message
    signals = []
    for signal in message.signals:
        mended = mended_unit(signal.unit)
        if mended != signal.unit:
            repairs.append(unit_repair(path.name, text.content, signal.unit))
        signals.append(replace(signal, unit=mended))
    return replace(message, signals=tuple(signals))


def _read_xml(path: Path, text: DatabaseText, parse: Parse) -> Reading:
    check_entities(text.content)
    kind = "kcd" if kind_of(text.content) == "kcd" else "arxml"
    check_numbers(text.content, kind)
    if kind != "kcd":
        return parse(path, text.content, kind, ()), ()
    content, repairs = repair_kcd(text.content, path.name)
    return parse(path, content, "kcd", ()), repairs


def _read_sym(path: Path, text: DatabaseText, parse: Parse) -> Reading:
    check_numbers(text.content, "sym")
    try:
        return parse(path, text.content, "sym", ()), ()
    except DatabaseError:
        content, repairs = repair_sym(text.content, path.name)
        if content == text.content:
            raise
    return parse(path, content, "sym", ()), repairs


def _read_dbc(path: Path, text: DatabaseText, parse: Parse) -> Reading:
    """As cantools reads it; where it fails or is known to read wrongly, as it can be put right."""
    plain: list[MessageFormat] | None = None
    refusal: DatabaseError | None = None
    if not is_too_much(text.content):
        try:
            plain = parse(path, text.content, "dbc", ())
        except DatabaseError as error:
            refusal = error
    if plain is not None and has_names_of_words(text.content):
        plain = None  # cut names are no reading to fall back to
    if plain is not None and not _is_read_wrongly(plain, text.content):
        return _with_long_multiplexers(plain, text.content), ()
    try:
        repaired = repair_dbc(text.content, path.name)
        formats = parse(path, repaired.text, "dbc", repaired.lines)
    except (Unrepairable, DatabaseError) as error:
        if plain is not None:
            return _with_long_multiplexers(plain, text.content), ()
        raise error from refusal
    repairs = repaired.repairs
    if not repairs and refusal is not None:
        repairs = (_left_out(path, refusal),)
    formats = _with_long_multiplexers(formats, repaired.text)
    return [_renamed(message, repaired) for message in formats], repairs


def _with_long_multiplexers(messages: "list[MessageFormat]", text: str) -> "list[MessageFormat]":
    """Multiplexers by the long names that their signals have; cantools keeps the short ones."""
    long_names = {(int(m[1]), m[2]): m[3] for m in _LONG_NAME.finditer(text)}
    if not long_names:
        return messages

    def with_long(message: "MessageFormat") -> "MessageFormat":
        dbc_id = message.can_id | (EXTENDED if message.is_extended else 0)
        signals = tuple(
            replace(signal, multiplexer=long_names.get((dbc_id, signal.multiplexer)))
            if (dbc_id, signal.multiplexer) in long_names
            else signal
            for signal in message.signals
        )
        return replace(message, signals=signals)

    return [with_long(message) for message in messages]


def _is_read_wrongly(messages: "list[MessageFormat]", text: str) -> bool:
    """Whether a definition is lost or a value is: what cantools passes over."""
    ids = {(message.can_id, message.is_extended) for message in messages}
    signals = [signal for message in messages for signal in message.signals]
    names = {
        (message.can_id, message.is_extended, signal.name)
        for message in messages
        for signal in message.signals
    }
    return (
        len(ids) < len(messages)
        or len(names) < len(signals)
        or any(signal.scale == 0 for signal in signals)
        or sum(bool(signal.multiplexer_ids) for signal in signals) < multiplexed_lines(text)
    )


def _left_out(path: Path, refusal: DatabaseError) -> Repair:
    """What decides no value and cannot be read was left out."""
    reason = str(refusal).removeprefix(f"{path}: ")
    line = re.search(r"at line (\d+)", reason)
    what = f"what decides no value is left out, for it cannot be read: {reason}"
    return Repair(path.name, int(line[1]) if line else 1, what)


def _renamed(message: "MessageFormat", repaired: RepairedDbc) -> "MessageFormat":
    """The message with the names that its file gave it."""
    if not repaired.shown:
        return message

    def shown(signal: str) -> str:
        return repaired.shown.get((message.name, signal), signal)

    signals = tuple(
        replace(
            signal,
            name=shown(signal.name),
            multiplexer=None if signal.multiplexer is None else shown(signal.multiplexer),
        )
        for signal in message.signals
    )
    return replace(message, name=shown("") or message.name, signals=signals)
