"""The file that campaigns are kept in: opened, checked, and set aside when it is damaged.

database = open_database(folder.root / "campaigns.db")
"""

import sqlite3
from functools import partial
from pathlib import Path

from contactor.errors import FolderError
from contactor.sqlite_file import FileFormat, OtherFormatError, folder_errors, open_sqlite

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


our_errors = partial(folder_errors, "campaigns.db")


def open_database(path: Path | str) -> sqlite3.Connection:
    """Open the file; one that is no database any more is set aside and a new one begun.

    Raises:
        FolderError: it cannot be opened, or a newer Contactor wrote it.
    """
    with our_errors():
        try:
            return open_sqlite(path, FileFormat("campaigns", SCHEMA, VERSION))
        except OtherFormatError as error:
            raise FolderError(f"{path}: {error}") from error
