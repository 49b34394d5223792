"""The outbox's file: opened, checked, and set aside when it is damaged.

database = open_outbox_file(Path("outbox.db"))
"""

import sqlite3
from pathlib import Path

from contactor.car.agent.outbox_schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION
from contactor.errors import OutboxError
from contactor.sqlite_file import FileFormat, OtherFormatError, open_sqlite

_FORMAT = FileFormat("outbox", SCHEMA, SCHEMA_VERSION, MIGRATIONS)


def open_outbox_file(path: Path | str) -> sqlite3.Connection:
    """Open the file; one that is no outbox any more is set aside and a new one begun."""
    try:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        return open_sqlite(path, _FORMAT)
    except OSError as error:
        raise OutboxError(f"outbox {path}: {error.strerror}") from error
    except (sqlite3.Error, OtherFormatError) as error:
        raise OutboxError(f"outbox {path}: {error}") from error
