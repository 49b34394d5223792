"""Which file describes which bus, as the command line and Python say it.

database_argument("1=body.dbc")     # DatabaseFile(path=Path("body.dbc"), bus=1); can1= is the same
database_argument("body.dbc")       # DatabaseFile(path=Path("body.dbc"), bus=None)
database_argument("./1=body.dbc")   # the file of that name, for all buses
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from contactor.errors import UsageError

MAX_BUS = 255
"""Frames number their bus in 8 bits."""

_BUS = re.compile(r"(?:v?can)?(\d+)=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A database file and the bus it describes; None for every bus."""

    path: Path
    bus: int | None = None


def database_argument(text: str) -> DatabaseFile:
    """Read `FILE` or `BUS=FILE`.

    A number, alone or after "can" or "vcan" as Linux names buses, and "=" before a name mean a bus,
    unless only a file of the whole name is there; any other "=" is part of the name.

    Raises:
        UsageError: there is no name, or the bus is beyond `MAX_BUS`.
    """
    if not text:
        raise UsageError("a database is given as FILE or BUS=FILE, not as an empty word")
    found = _BUS.fullmatch(text)
    if found is None or (Path(text).exists() and not Path(found[2]).exists()):
        return DatabaseFile(Path(text))
    return DatabaseFile(Path(found[2]), _checked(int(found[1][:9]), text))


def database_files(
    given: Iterable[Path | str | DatabaseFile] | Mapping[Path | str, int | None],
) -> tuple[DatabaseFile, ...]:
    """Files for all buses, files for one each, or a mapping of files to buses.

    Raises:
        UsageError: a bus is beyond `MAX_BUS`.
    """
    if isinstance(given, Mapping):
        given = [DatabaseFile(Path(path), bus) for path, bus in given.items()]
    files = (one if isinstance(one, DatabaseFile) else DatabaseFile(Path(one)) for one in given)
    return tuple(
        DatabaseFile(file.path, _checked(file.bus, str(file.path)))
        if file.bus is not None
        else file
        for file in files
    )


def _checked(bus: int, text: str) -> int:
    if not 0 <= bus <= MAX_BUS:
        raise UsageError(f"bus {bus} of database {text!r} is not 0..{MAX_BUS}")
    return bus
