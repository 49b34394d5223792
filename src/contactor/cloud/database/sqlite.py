"""How a file of SQLite is set up: what is written is on disk, and one writer waits for another.

engine = sqlite_engine(Path("contactor.sqlite3"))
"""

import logging
import sqlite3
import time
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from contactor.errors import FolderError

MEMORY = ":memory:"
BUSY_MS = 30_000
WRITES = "contactor_writes"
"""Option of a connection: it is going to write, so it begins as a writer and never as a reader that
turns into one, which SQLite refuses when another wrote meanwhile."""
_PRAGMAS = (
    f"busy_timeout = {BUSY_MS}",
    "journal_mode = wal",
    "synchronous = full",
    "foreign_keys = on",
    "secure_delete = on",  # what was erased is overwritten
)
_NOT_A_DATABASE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_log = logging.getLogger(__name__)
_Driver: TypeAlias = sqlite3.Connection


def sqlite_engine(path: Path | str) -> Engine:
    """An engine over a file, or over ":memory:", which one thread at a time may use."""
    if path == MEMORY:
        engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
    else:
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_MS / 1000})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: _Driver, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where sqlite3 guesses
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def check_file(path: Path, *, is_derivable: bool) -> None:
    """See that a file, where there is one, is a sound database.

    Args:
        is_derivable: whether what it holds can be found again: a damaged one is then set aside.

    Raises:
        FolderError: it is damaged, and what it holds is nowhere else.
        sqlite3.Error: it cannot be opened.
    """
    if not path.exists():
        return
    damage = _damage(path)
    if damage is None:
        return
    if not is_derivable:
        raise FolderError(
            f"{path} is damaged ({damage}); restore it from a backup, or move it away"
        )
    aside = path.with_suffix(f".damaged-{time.time_ns()}")
    _log.warning("database damaged, set aside file=%s reason=%s", aside.name, damage)
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{aside}{suffix}")


def _damage(path: Path) -> str | None:
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000)
    try:
        health = str(connection.execute("pragma quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NOT_A_DATABASE:
            raise
        return str(error)
    finally:
        connection.close()
    return None if health == "ok" else health
