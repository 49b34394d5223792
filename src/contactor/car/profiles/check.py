"""All that is wrong with a profile folder, with file and line, in one run.

for finding in check_profile(Path("my_car")):
    print(finding.place, finding.level, finding.message)
"""

import re
from collections.abc import Iterator
from pathlib import Path

from contactor.can.database import Database, MessageFormat, SignalFormat, load_database
from contactor.can.plan import compile_plan
from contactor.car.profiles.bits import is_beyond, overlaps
from contactor.car.profiles.document import Table, read_document
from contactor.car.profiles.finding import Finding, Level
from contactor.car.profiles.limits import Limits, check_limits, read_limits
from contactor.car.profiles.map_file import SignalMapFile, read_map
from contactor.car.profiles.mapping import SignalMap
from contactor.car.profiles.physics_file import read_physics
from contactor.car.profiles.profile import (
    DATABASE,
    LIMITS,
    MAP,
    PHYSICS,
    README,
    is_physics_alone,
)
from contactor.errors import DatabaseError, UsageError

FILE_ORDER = (DATABASE, MAP, LIMITS, PHYSICS, README)


def check_profile(folder: Path) -> list[Finding]:
    """What is wrong with the profile in `folder`, by file and line.

    Raises:
        UsageError: there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"no such folder: {folder}")
    findings: list[Finding] = []
    if not is_physics_alone(folder):
        database = _check_database(folder / DATABASE, findings)
        root = read_document(folder / MAP, findings)
        mapped = None if root is None else read_map(root, database)
        _check_limits(folder, mapped, root, findings)
    if (folder / PHYSICS).exists():
        physics = read_document(folder / PHYSICS, findings)
        if physics is not None:
            read_physics(physics)
    if not (folder / README).is_file():
        message = "this file is missing: which cars, and where do the facts come from?"
        findings.append(Finding(README, None, Level.WARNING, message))
    return sorted(findings, key=lambda one: (FILE_ORDER.index(one.file), one.line or 0))


def _check_limits(
    folder: Path, mapped: SignalMapFile | None, root: Table | None, findings: list[Finding]
) -> None:
    """Check `limits.toml`, and that map and limits agree."""
    limits = Limits()
    car = SignalMap(()) if mapped is None else mapped.map
    paths = {actuator.path for actuator in car.actuators}
    if not (folder / LIMITS).exists():
        message = "this file is missing: nothing may be asked of the car"
        findings.append(Finding(LIMITS, None, Level.WARNING, message))
    else:
        table = read_document(folder / LIMITS, findings)
        if table is None:
            return
        limits = read_limits(table)
        check_limits(limits, car, table)
    for path in sorted(paths):
        if root is not None and limits.of(path) is None:
            message = f"{LIMITS} has no limit for it: the guard will refuse every request"
            root.add(Level.WARNING, message, "actuators", path)


# ── car.dbc ──────────────────────────────────────────────────────────────────────────────────────


def _check_database(path: Path, findings: list[Finding]) -> Database | None:
    if not path.is_file():
        findings.append(Finding(path.name, None, Level.ERROR, "this file is missing"))
        return None
    try:
        database = load_database([path])
    except (DatabaseError, UsageError) as error:
        findings.append(_unreadable(path, str(error)))
        return None
    findings += (
        Finding(path.name, repair.line, Level.WARNING, repair.what) for repair in database.repairs
    )
    if not database.messages:
        findings.append(Finding(path.name, None, Level.ERROR, "no message (BO_) in it"))
    lines = DatabaseLines(path)
    for name, line in lines.repeated:
        text = f"{name} is there twice; only the last one counts"
        findings.append(Finding(path.name, line, Level.ERROR, text))
    for message in database.messages:
        findings += _check_message(message, lines, path.name)
    for name, line in lines.unread(database):
        text = f"SG_ {name} is not read as a signal: this line is no signal of a DBC"
        findings.append(Finding(path.name, line, Level.ERROR, text))
    for left_out in compile_plan(database).left_out:
        text = f"{left_out.name} cannot be decoded: {left_out.reason}"
        place = lines.named(left_out.name, database)
        findings.append(Finding(path.name, place, Level.ERROR, text))
    return database


def _unreadable(path: Path, problem: str) -> Finding:
    """The database reader's error as a finding; it gives the line in words."""
    line = re.search(r"\bline (\d+)", problem)
    message = problem.removeprefix(str(path)).lstrip(": ") or "cannot be read"
    return Finding(path.name, int(line[1]) if line else None, Level.ERROR, message)


def _check_message(message: MessageFormat, lines: "DatabaseLines", file: str) -> Iterator[Finding]:
    for signal in message.signals:
        if is_beyond(signal, message):
            yield Finding(
                file,
                lines.of(message, signal),
                Level.ERROR,
                f"{message.name}.{signal.name} ({signal.length} bits at {signal.start}) "
                f"does not fit the {message.length} bytes of its message",
            )
    for pair in overlaps(message):
        first, second = sorted(pair, key=lambda signal: lines.of(message, signal) or 0)
        text = f"{message.name}.{second.name} shares bits with {first.name}"
        yield Finding(file, lines.of(message, second), Level.ERROR, text)


class DatabaseLines:
    """Where the messages and signals of a DBC text stand, and which of them stand there twice."""

    def __init__(self, path: Path) -> None:
        self._lines: dict[tuple[int, str | None], int] = {}
        self.repeated: list[tuple[str, int]] = []
        number = 0
        for line, text in enumerate(path.read_bytes().decode("cp1252", "replace").splitlines(), 1):
            if found := re.match(r"\s*BO_\s+(\d+)\s", text):
                number = int(found[1])
                self._add((number, None), line, f"message id {number}")
            elif found := re.match(r"\s*SG_\s+(\w+)", text):
                self._add((number, found[1]), line, f"signal {found[1]}")

    def _add(self, key: tuple[int, str | None], line: int, name: str) -> None:
        if key in self._lines:
            self.repeated.append((name, line))
        self._lines[key] = line

    def unread(self, database: Database) -> Iterator[tuple[str, int]]:
        """Signals of the text that are not in the database read from it, with their lines."""
        known = {
            _number(message): {signal.name for signal in message.signals}
            for message in database.messages
        }
        for (number, name), line in self._lines.items():
            if name is not None and number in known and name not in known[number]:
                yield name, line

    def named(self, name: str, database: Database) -> int | None:
        """The line of the signal "Message.Signal"."""
        message_name, _, signal_name = name.partition(".")
        message = database.message(message_name)
        return next(
            (self.of(message, signal) for signal in message.signals if signal.name == signal_name),
            None,
        )

    def of(self, message: MessageFormat, signal: SignalFormat) -> int | None:
        """The line of a signal, or of its message."""
        number = _number(message)
        return self._lines.get((number, signal.name), self._lines.get((number, None)))


def _number(message: MessageFormat) -> int:
    """A message's number as a DBC writes it: extended ids are marked by bit 31."""
    return message.can_id | (0x8000_0000 if message.is_extended else 0)
