"""What is wrong with a profile: file, line, how bad, and what to do.

Finding("map.toml", 12, Level.ERROR, "unknown signal 'Vehicle.Sped'; nearest: Vehicle.Speed")
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from contactor.errors import MalformedMap


class Level(StrEnum):
    """An error makes a profile unusable; a warning is likely a mistake; a note is good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a file of a profile; `line` counts from 1, None for the whole file."""

    file: str
    line: int | None
    level: Level
    message: str

    @property
    def place(self) -> str:
        """`map.toml, line 12`."""
        return self.file if self.line is None else f"{self.file}, line {self.line}"


def is_ok(findings: Iterable[Finding]) -> bool:
    """Whether there is no error among `findings`."""
    return all(finding.level is not Level.ERROR for finding in findings)


def refuse_errors(folder: Path, findings: Iterable[Finding]) -> None:
    """Raise for the first error.

    Raises:
        MalformedMap: naming file, line and what is allowed.
    """
    for finding in findings:
        if finding.level is Level.ERROR:
            raise MalformedMap(f"{folder / finding.place}: {finding.message}")
