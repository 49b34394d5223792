"""A DBC that parsers refuse, as one that they take.

    repaired = repair_dbc(text, "car.dbc")
    repaired.text        # messages, signals, labels, types, multiplexing and attributes, one form
    repaired.repairs     # what was wrong, with its lines
    repaired.lines       # the line in the file of each line of `repaired.text`
    repaired.shown       # the names that parsers do not take: {(message, signal): "4WD"}

Every statement is read by itself and written anew. What decides values (`BO_`, `SG_`,
`SIG_VALTYPE_`, `SG_MUL_VAL_`) is put right only where one reading is possible; else the file is
refused. What decides none (comments, senders, value tables) is left out, and so is what refers to
messages and signals that are not there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from contactor.can.databases.dbc_attributes import (
    Definition,
    parse_default,
    parse_definition,
    parse_value,
    render_default,
)
from contactor.can.databases.dbc_message import EXTENDED, MessageStatement, parse_message
from contactor.can.databases.dbc_names import Names, defect_of
from contactor.can.databases.dbc_numbers import whole
from contactor.can.databases.dbc_signal import SignalStatement, parse_signal
from contactor.can.databases.dbc_values import (
    clipped,
    parse_float_type,
    parse_labels,
    parse_multiplexing,
)
from contactor.can.databases.faults import Repair, RepairLog, Unrepairable, shown
from contactor.can.databases.statements import Statement, split_statements

FLOAT_BITS = (32, 64)
_COMMENT = re.compile(
    r"((SG_\s+\d+\s+[A-Za-z_]\w*|BO_\s+\d+|(BU_|EV_)\s+[A-Za-z_]\w*)\s*)?\"[^\"]*\"", re.ASCII
)

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RepairedDbc:
    """A text that parsers take, and what was done to it."""

    text: str
    repairs: tuple[Repair, ...]
    lines: tuple[int, ...]
    shown: dict[tuple[str, str], str]


def repair_dbc(text: str, path: str) -> RepairedDbc:
    """Put a DBC right.

    Args:
        text: with line ends as "\\n".
        path: the file's name, for the repairs.

    Raises:
        Unrepairable: a statement that decides values has no certain reading.
    """
    return _Repair(path).of(text)


@dataclass(slots=True)
class _Repair:
    path: str
    log: RepairLog = field(init=False)
    messages: list[MessageStatement] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    nodes: frozenset[str] = frozenset()
    last: MessageStatement | None = None
    is_left_out: bool = False
    by_id: dict[int, MessageStatement] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    multiplexed: set[tuple[int, str]] = field(default_factory=set)
    output: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = RepairLog(self.path)

    def of(self, text: str) -> RepairedDbc:
        statements = split_statements(text)
        self._objects(statements)
        self._drop_doubled()
        self.output.append((1, 'VERSION ""'))
        for message in self.messages:
            self.output.append((message.line, message.render()))
            self.output += [(signal.line, signal.render()) for signal in message.signals]
        for keyword, write in _WRITERS.items():
            for statement in statements:
                if statement.keyword == keyword:
                    write(self, statement)
        self._tell_lost_switches()
        self._end(statements, has_whole_lines=text.endswith("\n"))
        names = {
            (message.name.short, signal.name.short if signal else ""): name.shown
            for message in self.messages
            for signal in (None, *message.signals)
            if (name := (signal or message).name).shown != name.short
        }
        return RepairedDbc(
            "\n".join(line for _, line in self.output) + "\n",
            self.log.repairs,
            tuple(line for line, _ in self.output),
            names,
        )

    def _note(self, line: int) -> Note:
        return lambda what: self.log.note(line, what)

    def _objects(self, statements: list[Statement]) -> None:
        """The messages and signals, in their order."""
        for before, after in pairwise(statements):
            if before.keyword == "NS_" and after.keyword not in ("BS_", "BU_"):
                self.log.note(before.line, "no BS_ after NS_")
        for statement in statements:
            if statement.keyword == "BU_":
                self.nodes |= frozenset(statement.body.strip(" :").split())
            elif statement.keyword == "BO_":
                note = self._note(statement.line)
                self.last = parse_message(
                    statement.line, statement.body, names=self.names, note=note
                )
                self.is_left_out = self.last is None
                self.messages += [self.last] if self.last else []
            elif statement.keyword == "SG_":
                self._signal(statement)
            elif statement.keyword == "":
                self._foreign(statement)

    def _signal(self, statement: Statement) -> None:
        if self.last is None:
            if not self.is_left_out:
                raise Unrepairable(statement.line, "a signal before the first message")
            return
        note = self._note(statement.line)
        signal = parse_signal(
            statement.line,
            statement.body,
            names=self.last.signal_names,
            nodes=self.nodes,
            note=note,
        )
        if signal.length == 0:
            note(f"signal {signal.original!r} has no bits: left out")
        else:
            self.last.signals.append(signal)

    def _foreign(self, statement: Statement) -> None:
        """Text of no statement: what looks like a signal's bits is not dropped."""
        if "|" in statement.body and "@" in statement.body:
            raise Unrepairable(statement.line, f"no statement: {shown(statement.body)!r}")
        self.log.note(statement.line, f"no statement of a DBC: {shown(statement.body)!r}")

    def _drop_doubled(self) -> None:
        """The last message of an id counts, and of equal signals the first."""
        for message in self.messages:
            if before := self.by_id.get(message.can_id):
                self.log.note(
                    before.line,
                    f"message {before.name.shown!r} is left out:"
                    f" line {message.line} defines its id again as {message.name.shown!r}",
                )
            self.by_id[message.can_id] = message
        self.messages = [one for one in self.messages if self.by_id[one.can_id] is one]
        for message in self.messages:
            message.signals = self._without_equals(message.signals)

    def _without_equals(self, signals: list[SignalStatement]) -> list[SignalStatement]:
        seen: set[tuple[object, ...]] = set()
        kept: list[SignalStatement] = []
        for signal in signals:
            key = (signal.original, *signal.layout)
            if key in seen:
                self.log.note(signal.line, f"signal {signal.original!r} once more: left out")
                continue
            seen.add(key)
            kept.append(signal)
            if signal.name.short != signal.original and defect_of(signal.original) is None:
                self.log.note(
                    signal.line,
                    f"signal {signal.original!r} is defined again: read as {signal.name.shown!r}",
                )
        return kept

    def _message(self, written_id: int) -> MessageStatement | None:
        """The message of an id as a statement names it, with or without its bit 31."""
        low = written_id & (2 * EXTENDED - 1)
        for can_id in (low, low | EXTENDED, low & ~EXTENDED):
            if message := self.by_id.get(can_id):
                return message
        return None

    def _signals(self, statement: Statement, can_id: int, name: str) -> list[SignalStatement]:
        message = self._message(can_id)
        signals = message.named(name) if message else []
        if not signals:
            what = f"{statement.keyword} of signal {name!r} of {can_id}: no such signal"
            self.log.note(statement.line, what)
        return signals

    def _labels(self, statement: Statement) -> None:
        note = self._note(statement.line)
        self._check_end(statement)
        found = parse_labels(statement.body, note)
        if found is None:
            return
        can_id, name, labels = found
        message = self._message(can_id)
        for signal in self._signals(statement, can_id, name):
            pairs = " ".join(f'{key} "{_escaped(text)}"' for key, text in labels)
            assert message is not None
            self._write(statement, f"VAL_ {message.can_id} {signal.name.short} {pairs} ;")

    def _float_type(self, statement: Statement) -> None:
        found = parse_float_type(statement.body)
        if found is None:
            raise Unrepairable(statement.line, f"no signal's type: {shown(statement.body)!r}")
        self._check_end(statement)
        can_id, name, number = found
        message = self._message(can_id)
        for signal in self._signals(statement, can_id, name):
            assert message is not None
            self._write(statement, f"SIG_VALTYPE_ {message.can_id} {signal.name.short} : {number};")

    def _multiplexing(self, statement: Statement) -> None:
        found = parse_multiplexing(statement.body)
        if found is None:
            raise Unrepairable(statement.line, f"no multiplexing: {shown(statement.body)!r}")
        self._check_end(statement)
        can_id, name, switch_name, ranges = found
        message = self._message(can_id)
        switches = message.named(switch_name) if message else []
        if message is None or not switches:
            self.log.note(statement.line, f"multiplexer {switch_name!r} of {can_id} is not there")
            return
        inside = clipped(statement.line, ranges, switches[0].length, self._note(statement.line))
        values = ", ".join(f"{low}-{high}" for low, high in inside)
        for signal in self._signals(statement, can_id, name) if inside else ():
            self.multiplexed.add((message.can_id, name))
            self._write(
                statement,
                f"SG_MUL_VAL_ {message.can_id} {signal.name.short}"
                f" {switches[0].name.short} {values};",
            )

    def _definition(self, statement: Statement) -> None:
        definition = parse_definition(statement.body, self._note(statement.line))
        if definition is None:
            return
        if definition.name in self.definitions:
            self.log.note(statement.line, f"attribute {definition.name!r} is defined again")
            return
        self.definitions[definition.name] = definition
        self._write(statement, definition.render())

    def _default(self, statement: Statement) -> None:
        found = parse_default(statement.body)
        definition = self.definitions.get(found[0]) if found else None
        if found is None or definition is None:
            return
        if rendered := render_default(definition, found[1]):
            self._write(statement, rendered)
        else:
            self.log.note(
                statement.line, f"default {shown(found[1])} of attribute {found[0]!r} does not fit"
            )

    def _attribute(self, statement: Statement) -> None:
        value = parse_value(statement.body)
        definition = self.definitions.get(value.name) if value else None
        if value is None or definition is None or value.kind in ("BU_", "EV_"):
            return
        text = definition.value(value.text)
        if text is None:
            self.log.note(
                statement.line, f"{shown(value.text)} of attribute {value.name!r} does not fit"
            )
            return
        if not value.kind:
            self._write(statement, f'BA_ "{value.name}" {text};')
            return
        can_id = whole(value.can_id)
        message = None if can_id is None else self._message(can_id)
        if message is None:
            return
        if value.kind == "BO_":
            self._write(statement, f'BA_ "{value.name}" BO_ {message.can_id} {text};')
        for signal in message.named(value.signal) if value.kind == "SG_" else ():
            self._write(
                statement,
                f'BA_ "{value.name}" SG_ {message.can_id} {signal.name.short} {text};',
            )

    def _comment(self, statement: Statement) -> None:
        """Comments decide nothing: they are left out, and only defects are told."""
        self._check_end(statement)
        if not _COMMENT.fullmatch(statement.body.replace('\\"', "")):
            self.log.note(statement.line, f"comment that cannot be read: {shown(statement.body)!r}")

    def _tell_lost_switches(self) -> None:
        """Signals that depend on a switch which cannot be known are in every frame."""
        for message in self.messages:
            if sum(signal.mux.endswith("M") for signal in message.signals) == 1:
                continue
            for signal in message.signals:
                is_known = (message.can_id, signal.original) in self.multiplexed
                if signal.mux.startswith("m") and not is_known:
                    self.log.note(
                        signal.line,
                        f"signal {signal.original!r} is multiplexed, by which signal is not told:"
                        " read in every frame",
                    )

    def _check_end(self, statement: Statement) -> None:
        if not statement.has_end and not statement.is_cut:
            self.log.note(statement.line, f"no semicolon after {statement.keyword}")

    def _write(self, statement: Statement, text: str) -> None:
        self.output.append((statement.line, text))

    def _end(self, statements: list[Statement], *, has_whole_lines: bool) -> None:
        """A file that ends within a statement has lost the rest.

        Raises:
            Unrepairable: what is lost may be the types and the multiplexing of its signals.
        """
        last = statements[-1] if statements else None
        if last is None:
            return
        if last.keyword == "SG_" and last.body.count('"') < 2 and not has_whole_lines:
            raise Unrepairable(last.line, "the file ends within a signal")
        if not last.is_cut:
            return
        for message in self.messages:
            for signal in message.signals:
                if signal.length in FLOAT_BITS or signal.mux:
                    raise Unrepairable(
                        last.line,
                        "the file ends within a string; types and multiplexing that may follow"
                        f" are lost, of {signal.original!r} as one",
                    )
        self.log.note(last.line, "the file ends within a string: what followed is lost")


def _escaped(text: str) -> str:
    return text.replace('\\"', '"').replace('"', '\\"')


# In this order: a value is read by its definition, wherever that stands.
_WRITERS: dict[str, Callable[[_Repair, Statement], None]] = {
    "BA_DEF_": _Repair._definition,
    "BA_DEF_DEF_": _Repair._default,
    "BA_": _Repair._attribute,
    "CM_": _Repair._comment,
    "VAL_": _Repair._labels,
    "SIG_VALTYPE_": _Repair._float_type,
    "SG_MUL_VAL_": _Repair._multiplexing,
}
