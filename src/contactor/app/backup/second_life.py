"""What a restored folder may not go on with, for the first life of it went on after the backup.

**Numbers.** A stream's next numbers may be taken: the cloud may have messages under them that the
copy never made. So each stream that was made with the outbox goes on under a new number. What it
holds keeps its old one: it is the same message, and a cloud that has it knows it by that number.

    before      stream 1f0c: made 1..9, acknowledged 1..5, holds 6..9
    after       stream 1f0c: holds 6..9, makes no more         stream 77ab: makes 1, 2, 3, ...

**Commands.** Whether a car has done what was asked is not known any more, and it is not asked
twice: what had no end is expired.
"""

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from contactor.app.folder import DataFolder
from contactor.errors import FolderError
from contactor.signals.command import CommandState

EXPIRED: Final = "restored from a backup: it is not known whether the car did it"


def begin_second_life(folder: DataFolder) -> None:
    """Make the files of a restored folder safe to go on with.

    Raises:
        FolderError: one of them is none of ours.
    """
    if folder.outbox.exists():
        _renumber(folder.outbox)
    if folder.commands.exists():
        _expire(folder.commands)


def _renumber(path: Path) -> None:
    """Give each random stream a successor; the statement is right for every schema so far."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("pragma synchronous = full")
            database.execute("begin immediate")
            streams = database.execute(
                "select stream, vehicle_id, lane, profile from stream where random"
            ).fetchall()
            for stream, vehicle_id, lane, profile in streams:
                successor = f"{secrets.randbits(64):016x}"
                database.execute(
                    "update stream set random = 0, renewed = ? where stream = ?",
                    (successor, stream),
                )
                database.execute(
                    "insert into stream (stream, vehicle_id, lane, profile, random)"
                    " values (?, ?, ?, ?, 1)",
                    (successor, vehicle_id, lane, profile),
                )
            database.execute("commit")
    except sqlite3.Error as error:
        raise FolderError(f"the outbox of the backup cannot be read: {error}") from error


def _expire(path: Path) -> None:
    from contactor.cloud.commands.store import CommandStore

    store = CommandStore(path)
    try:
        for command in store.unfinished():
            store.put(msgspec.structs.replace(command, state=CommandState.EXPIRED, reason=EXPIRED))
    finally:
        store.close()
