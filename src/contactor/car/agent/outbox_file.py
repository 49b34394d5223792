"""The outbox's file: opened, checked, and set aside when it is damaged.

database = open_outbox_file(Path("outbox.db"))
"""

import logging
import sqlite3
import time
from pathlib import Path

from contactor.car.agent.outbox_schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION
from contactor.errors import OutboxError

_log = logging.getLogger(__name__)


def open_outbox_file(path: Path | str) -> sqlite3.Connection:
    """Open the file; one that is no outbox any more is set aside and a new one begun."""
    try:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        return _connect(path)
    except OSError as error:
        raise OutboxError(f"outbox {path}: {error.strerror}") from error
    except sqlite3.OperationalError as error:
        raise OutboxError(f"outbox {path}: {error}") from error
    except sqlite3.DatabaseError as damage:
        return _begin_anew(Path(path), damage)


def _begin_anew(path: Path, damage: sqlite3.DatabaseError) -> sqlite3.Connection:
    """Set a damaged file aside and begin a new one."""
    aside = path.with_suffix(f".damaged-{time.time_ns()}")
    _log.warning("outbox damaged, set aside file=%s reason=%s", aside.name, damage)
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{aside}{suffix}")
    try:
        return _connect(path)
    except sqlite3.Error as error:
        raise OutboxError(f"outbox {path}: {error}") from error


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
        while found in MIGRATIONS:
            database.executescript(f"begin; {MIGRATIONS[found]}; commit;")
            found = database.execute("pragma user_version").fetchone()[0]
        if found not in (0, SCHEMA_VERSION):
            raise OutboxError(
                f"outbox {path}: format {found}; this Contactor reads {SCHEMA_VERSION}"
            )
    except BaseException:
        database.close()
        raise
    return database
