"""The file that campaigns are kept in: opened, checked, and set aside when it is damaged.

database = open_database(folder.root / "campaigns.db")
"""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contactor.errors import FolderError, FolderFull

VERSION = 1
SCHEMA = f"""
create table campaign (
    number     integer primary key autoincrement,  -- in the order in which they were started
    id         text not null unique,
    started_at integer not null,
    stopped_at integer,
    until      integer not null,
    body       blob not null                       -- the Campaign as JSON
);
create table progress (
    campaign   text not null,
    vehicle_id text not null,
    body       blob not null,                      -- the Progress as JSON
    primary key (campaign, vehicle_id)
) without rowid;
create index progress_vehicle on progress (vehicle_id);
create table vehicle (
    vehicle_id   text primary key,
    revision     integer not null,
    acknowledged integer not null
) without rowid;
pragma user_version = {VERSION}
"""

_log = logging.getLogger(__name__)


def open_database(path: Path | str) -> sqlite3.Connection:
    """Open the file; one that is no database any more is set aside and a new one begun.

    Raises:
        FolderError: it cannot be opened, or a newer Contactor wrote it.
    """
    with our_errors():
        try:
            return _connect(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as damage:
            _set_aside(Path(path), damage)
            return _connect(path)


def _connect(path: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        found = database.execute("pragma user_version").fetchone()[0]
        health = database.execute("pragma quick_check(1)").fetchone()[0]
        if health != "ok":
            raise sqlite3.DatabaseError(health)
        if found == 0:
            database.executescript(f"begin; {SCHEMA}; commit;")
        elif found != VERSION:
            raise FolderError(f"{path}: format {found}; this Contactor reads {VERSION}")
    except BaseException:
        database.close()
        raise
    return database


def _set_aside(path: Path, damage: sqlite3.DatabaseError) -> None:
    aside = path.with_suffix(f".damaged-{time.time_ns()}")
    _log.warning("campaigns damaged, set aside file=%s reason=%s", aside.name, damage)
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{aside}{suffix}")


@contextmanager
def our_errors() -> Iterator[None]:
    """The library's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        kind = FolderFull if is_full else FolderError
        raise kind(f"campaigns.db: {error}") from error
    except OSError as error:
        raise FolderError(f"campaigns.db: {error.strerror}") from error
