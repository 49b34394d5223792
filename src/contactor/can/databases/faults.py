"""What was wrong in a database file: put right and told, or beyond certainty.

log = RepairLog("car.dbc")
log.note(12, "signal 'Speed' has no unit")
log.repairs                       # (Repair(path="car.dbc", line=12, what="signal ..."),)
raise Unrepairable(13, "message 'ABS' has no length")
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Repair:
    """One defect that was put right in memory; the file stays as it is.

    Fields:
        path: the file's name.
        line: where, counted from 1.
        what: what was wrong and how it was read.
    """

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


class Unrepairable(Exception):
    """A defect that has no certain remedy; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(slots=True)
class RepairLog:
    """The repairs of one file, in the order in which they were made."""

    path: str
    _repairs: list[Repair] = field(default_factory=list)

    def note(self, line: int, what: str) -> None:
        """Keep one repair."""
        self._repairs.append(Repair(self.path, line, what))

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """All of them, by line."""
        return tuple(sorted(self._repairs, key=lambda repair: repair.line))


def shown(text: str, limit: int = 60) -> str:
    """A piece of a file for a message: one line, and not long."""
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
