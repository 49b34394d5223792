"""A SQLite file of ours: opened, checked, brought up to date, and set aside when it is damaged.

    COMMANDS = FileFormat("commands", schema=SCHEMA, version=1)
    database = open_sqlite(folder.root / "commands.db", COMMANDS)

    with folder_errors("commands.db"), transaction(database):
        database.execute(...)

A car's outbox says in its own words what the library's errors mean.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contactor.errors import FolderError, FolderFull

_log = logging.getLogger(__name__)


class OtherFormatError(Exception):
    """The file has a format that this Contactor does not read; the text names both."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """What a file holds.

    Fields:
        what: a word for the log.
        schema: makes an empty file one of `version`, which it sets as `user_version`.
        migrations: by version, what makes it one of the next.
    """

    what: str
    schema: str
    version: int
    migrations: Mapping[int, str] = field(default_factory=dict)


def open_sqlite(path: Path | str, form: FileFormat) -> sqlite3.Connection:
    """Open the file; one that is no database any more is set aside and a new one begun.

    Each write is on disk when it returns.

    Raises:
        OtherFormatError: it was written by another version.
        sqlite3.Error, OSError: it cannot be opened.
    """
    try:
        return _connect(path, form)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as damage:
        _set_aside(Path(path), form.what, damage)
        return _connect(path, form)


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: on disk when the block ends, undone when it raises."""
    database.execute("begin immediate")
    try:
        yield
    except BaseException:
        database.execute("rollback")
        raise
    database.execute("commit")


@contextmanager
def folder_errors(name: str) -> Iterator[None]:
    """The library's errors as those of a file of a data folder.

    Raises:
        FolderFull: no space left.
        FolderError: it cannot be opened, read or written.
    """
    try:
        yield
    except sqlite3.Error as error:
        is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        kind = FolderFull if is_full else FolderError
        raise kind(f"{name}: {error}") from error
    except OSError as error:
        raise FolderError(f"{name}: {error.strerror}") from error


def _connect(path: Path | str, form: FileFormat) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        found = database.execute("pragma user_version").fetchone()[0]
        health = database.execute("pragma quick_check(1)").fetchone()[0]
        if health != "ok":
            raise sqlite3.DatabaseError(health)
        if found == 0:
            database.executescript(f"begin; {form.schema}; commit;")
        while found in form.migrations:
            database.executescript(f"begin; {form.migrations[found]}; commit;")
            found = database.execute("pragma user_version").fetchone()[0]
        if found not in (0, form.version):
            raise OtherFormatError(f"format {found}; this Contactor reads {form.version}")
    except BaseException:
        database.close()
        raise
    return database


def _set_aside(path: Path, what: str, damage: sqlite3.DatabaseError) -> None:
    aside = path.with_suffix(f".damaged-{time.time_ns()}")
    _log.warning("%s damaged, set aside file=%s reason=%s", what, aside.name, damage)
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{aside}{suffix}")
