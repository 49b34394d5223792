"""Who may do what in an instance: its people, its door, its audit log, and its own way in.

DIR/audit.jsonl     what was done, in a chain of hashes
DIR/own-secret      what commands on this folder show the instance that runs on it; mode 0600

access = open_access(folder, has_login=True, clock=clock)       # in the instance
folder.shown_secret()                                           # in a command
"""

import secrets
from dataclasses import dataclass

from contactor.app.database_place import database_at
from contactor.app.folder import DataFolder
from contactor.clock import Clock
from contactor.cloud.access.area import ACCESS
from contactor.cloud.access.audit import AuditLog
from contactor.cloud.access.door import Door, OpenDoor
from contactor.cloud.access.people import People
from contactor.cloud.access.records import Records
from contactor.cloud.database.database import Database
from contactor.errors import FolderError
from contactor.faces.web.login import Access
from contactor.whole_files import write_whole


@dataclass(frozen=True, slots=True)
class OpenedAccess:
    """People behind a door, and where it is noted what they do."""

    access: Access
    records: Records

    def close(self) -> None:
        """Let go of the database."""
        self.access.people.close()


def open_access(
    folder: DataFolder, *, has_login: bool, clock: Clock, addresses: tuple[str, ...] = ()
) -> OpenedAccess:
    """The people of an instance; the commands on its folder get a new secret.

    Args:
        has_login: whether anybody is asked who they are.
        addresses: how people reach the instance; links are made with the first.

    Raises:
        AuditBroken: the audit log's end is not as it was written.
        FolderError: something cannot be read or written.
    """
    log = AuditLog.open(folder.audit)
    database = Database.open(database_at(folder), [ACCESS])
    people = People(database, clock=clock)
    door = Door(people, own_secret=_new_secret(folder), clock=clock) if has_login else OpenDoor()
    return OpenedAccess(Access(people, door, clock, addresses), Records(log, database, clock=clock))


def _new_secret(folder: DataFolder) -> str:
    secret = secrets.token_urlsafe(32)
    try:
        write_whole(folder.own_secret, secret + "\n")
    except OSError as error:
        raise FolderError(f"{folder.own_secret}: {error.strerror or error}") from error
    return secret
