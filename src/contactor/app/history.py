"""The kept facts of a data folder, and the journal beside them.

with open_keeper(folder) as keeper:
    keeper.refresh("leaf")
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contactor.app.database_place import database_at
from contactor.app.folder import DataFolder
from contactor.app.lake_place import open_reader
from contactor.clock import SystemClock

if TYPE_CHECKING:
    from contactor.cloud.history.keeper import HistoryKeeper
    from contactor.cloud.history.store import FactStore
    from contactor.cloud.journal.store import Journal


@contextmanager
def open_keeper(folder: DataFolder) -> "Iterator[HistoryKeeper]":
    """What is asked of the facts of a folder that is not in use.

    Raises:
        FolderError: they cannot be kept there.
        LakeError: there is no lake.
    """
    from contactor.cloud.history.keeper import HistoryKeeper

    reader = open_reader(folder)
    store, journal = open_facts(folder), open_journal(folder)
    try:
        yield HistoryKeeper(store=store, reader=reader, clock=SystemClock(), journal=journal)
    finally:
        store.close()
        journal.close()


def open_facts(folder: DataFolder) -> "FactStore":
    """The facts of a folder, to read and to write.

    Raises:
        FolderError: they cannot be kept there.
    """
    from contactor.cloud.database.database import Database
    from contactor.cloud.history.area import HISTORY
    from contactor.cloud.history.store import FactStore

    return FactStore(Database.open(folder.history, [HISTORY], is_derivable=True))


def open_journal(folder: DataFolder) -> "Journal":
    """What people said, wherever the folder keeps it.

    Raises:
        FolderError: it cannot be opened.
    """
    from contactor.cloud.database.database import Database
    from contactor.cloud.journal.area import JOURNAL
    from contactor.cloud.journal.store import Journal

    return Journal(Database.open(database_at(folder), [JOURNAL]))
