"""Where the facts that people made are: in a file of the data folder, or in a PostgreSQL.

    DIR/contactor.sqlite3       the database itself, or
    DIR/database.json           {"url": "postgresql://me:secret@host/facts"}, for its owner only

    settle_database(folder, args.database)              # `run` and `serve`, who may say so
    Database.open(database_at(folder), [JOURNAL])       # everybody else

Said once, it holds for the folder. What its file held moves there, the first time.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contactor.app.folder import DataFolder
from contactor.app.place_file import remember_url, remembered_url
from contactor.app.settings import add_option
from contactor.errors import FolderError, UsageError

if TYPE_CHECKING:
    from contactor.cloud.database.areas import Area
    from contactor.cloud.database.database import Database

NAME: Final = "database.json"


def add_database_option(parser: argparse.ArgumentParser) -> None:
    """--database URL."""
    add_option(
        parser,
        "--database",
        metavar="URL",
        help="where journal, places, alerts and rules are kept: postgresql://USER@HOST/NAME,"
        " said once; default: in DIR",
    )


def settle_database(folder: DataFolder, text: str | None) -> None:
    """Let the facts that people made be at a URL from now on; None for where they are.

    What the folder's own file holds is moved there. A PostgreSQL is opened in any case, so that
    what is wrong with it is known at once.

    Raises:
        UsageError: that is no URL, the folder has another PostgreSQL already, or both the file and
            the PostgreSQL hold facts.
        MissingPart: the driver is not installed.
        FolderError: it cannot be opened, or the folder not be written.
    """
    known = database_url(folder)
    if text is None and known is None:
        return
    from contactor.cloud.database.database import Database
    from contactor.cloud.database.url import bare, read_url, shown

    said = read_url(text or known or "")
    if known is not None:
        before = read_url(known)
        if bare(said) != bare(before):
            raise UsageError(
                f"--database {shown(said)}: the facts of {folder.root} are at {shown(before)};"
                " allowed: no other"
            )
        said = said if said.password else before
    url = said.render_as_string(hide_password=False)
    target = Database.open(url, facts())
    try:
        if known is None and folder.database.exists():
            _move(folder, target, shown(said))
    finally:
        target.close()
    try:
        if url != known:
            remember_url(folder.root / NAME, url)
        for suffix in ("", "-wal", "-shm"):  # moved: an erasure finds it in one place
            Path(f"{folder.database}{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise FolderError(f"data folder {folder.root}: {error.strerror or error}") from error


def _move(folder: DataFolder, target: "Database", name: str) -> None:
    """Copy what the folder's file holds, unless that was done before."""
    from contactor.cloud.database.copying import copy_rows, count_rows, is_same
    from contactor.cloud.database.database import Database

    source = Database.open(folder.database, facts())
    try:
        if not count_rows(source, facts()) or is_same(source, target, facts()):
            return
        if count_rows(target, facts()):
            raise UsageError(
                f"--database {name}: it holds facts, and so does {folder.database};"
                " to go on with the former move that file away"
            )
        copy_rows(source, target, facts())
    finally:
        source.close()


def facts() -> "list[Area]":
    """The areas of what people made: it can be found nowhere else."""
    from contactor.cloud.access.area import ACCESS
    from contactor.cloud.alerts.tables import ALERTS
    from contactor.cloud.journal.area import JOURNAL

    return [JOURNAL, ALERTS, ACCESS]


def database_url(folder: DataFolder) -> str | None:
    """Where the facts are, if they are not in the folder; with its password, if it was said.

    Raises:
        FolderError: the folder says so in a way that cannot be read.
    """
    return remembered_url(folder.root / NAME)


def database_at(folder: DataFolder) -> str | Path:
    """What `Database.open` takes."""
    return database_url(folder) or folder.database


def has_database(folder: DataFolder) -> bool:
    """Whether there is one, here or elsewhere."""
    return folder.database.exists() or database_url(folder) is not None
