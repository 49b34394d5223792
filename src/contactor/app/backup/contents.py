"""What of a data folder goes into a backup, and in what order it is looked at.

1. the cars' databases (`agent/`)   copied by SQLite, so that a transaction is there whole or not
2. everything else                  databases likewise, other files as they are; a PostgreSQL as a
                                    file of SQLite
3. the lake                         as of its newest commit

In this order whatever a car was told is stored is in the lake, which is looked at later: nothing is
lost between the two. What is left out is made anew by a start: the broker's folder, the logs, who
is running; or found again in the lake: the facts of the history. Backups that lie in the folder are
left out too; so are private keys, that of the authority and those of cars: who has a backup is not
to pose as a car.

    with contents(folder, scratch) as found:
        for item in found.items:
            item.name, item.path
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from contactor.app.database_place import NAME as DATABASE
from contactor.app.database_place import database_url, facts
from contactor.app.folder import DataFolder
from contactor.errors import FolderError

BACKUPS: Final = "backups"
HISTORY: Final = "history.sqlite3"
"""Facts that are found again in the lake."""
MADE_ANEW: Final = frozenset(
    {
        *("format.json", "lock", "run.json", "own-secret", "broker", "log", "twin", "tls"),
        *(HISTORY, BACKUPS, DATABASE),
    }
)
_PRIVATE: Final = ("agent/identity", "identity/authority.pem")
_CARS: Final = "agent"
_LAKE: Final = "lake"
_SQLITE: Final = b"SQLite format 3\0"
_BESIDE_A_DATABASE: Final = ("-wal", "-shm", "-journal")
_SET_ASIDE: Final = ".damaged-"
_BUSY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Item:
    """A file to be put in: its name below the data folder, and where to read it."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a backup.

    Fields:
        lake_version, lake_flush: the commit of the lake; None without a lake.
        keep: to be called now and then while it is copied.
    """

    items: tuple[Item, ...]
    lake_version: int | None
    lake_flush: int | None
    keep: Callable[[], None]


@contextmanager
def contents(folder: DataFolder, scratch: Path) -> Iterator[Contents]:
    """Everything of a data folder, held fast until the end.

    Args:
        scratch: an empty folder for copies of what may change meanwhile.

    Raises:
        FolderError, LakeError: something cannot be read.
    """
    root = folder.root
    url = database_url(folder)
    items = [
        _copied(root, path, scratch)
        for path in _files(root)
        if url is None or path != folder.database
    ]
    if url is not None:
        items.append(_facts(url, folder.database.name, scratch))
    if not folder.has_lake:
        yield Contents(tuple(items), None, None, lambda: None)
        return
    from contactor.cloud.lake.frozen import frozen

    with frozen(root) as lake:
        items += [Item(name, path) for name, path in lake.sources.items()]
        yield Contents(tuple(items), lake.version, lake.flush, lake.keep)


def _facts(url: str, name: str, scratch: Path) -> Item:
    """What a PostgreSQL holds, as a file of SQLite: what comes of the backup needs no server."""
    from contactor.cloud.database.copying import copy_rows
    from contactor.cloud.database.database import Database

    source, copy = Database.open(url, facts()), Database.open(scratch / name, facts())
    try:
        copy_rows(source, copy, facts())
        copy.scrub()
    finally:
        copy.close()
        source.close()
    return Item(name, scratch / name)


def _files(root: Path) -> list[Path]:
    """What is to be copied, the cars' first."""
    left_out = {*MADE_ANEW, _LAKE}
    tops = [path for path in root.iterdir() if path.name not in left_out and _is_kept(path)]
    tops.sort(key=lambda path: (path.name != _CARS, path.name))
    found: list[Path] = []
    for top in tops:
        inner = sorted(top.rglob("*")) if top.is_dir() else [top]
        found += [path for path in inner if path.is_file() and _is_kept(path)]
    return [path for path in found if not _is_private(path.relative_to(root))]


def _is_private(name: Path) -> bool:
    """Whether it is a key of the cloud's authority or of a car."""
    return any(name.is_relative_to(one) for one in _PRIVATE)


def _is_kept(path: Path) -> bool:
    """Whether it is no draft, not what SQLite keeps beside a database, and not set aside."""
    return not (
        path.is_symlink()
        or path.name.startswith(".")
        or path.name.endswith(_BESIDE_A_DATABASE)
        or _SET_ASIDE in path.name
    )


def _copied(root: Path, path: Path, scratch: Path) -> Item:
    name = str(path.relative_to(root))
    copy = scratch / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    if _is_database(path):
        _copy_database(name, path, copy)
    else:
        shutil.copyfile(path, copy)
    return Item(name, copy)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _copy_database(name: str, path: Path, copy: Path) -> None:
    """As of one transaction, whoever writes it meanwhile; a writer waits for nothing."""
    url = f"file:{quote(str(path.absolute()))}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(url, uri=True, timeout=_BUSY_S)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            health = target.execute("pragma quick_check(1)").fetchone()[0]
            if health != "ok":
                raise sqlite3.DatabaseError(health)
    except sqlite3.Error as error:
        raise FolderError(f"{name} in {path.parent} cannot be copied: {error}") from error
