"""Everything of a vehicle or a person of a data folder, as a zip.

save_vehicle(Path("contactor-data"), "leaf", Path("leaf.zip"))     # through a running instance, too
everything = FolderEverything(folder, keeper=keeper, people=people, records=records)
everything.of_vehicle("leaf", lake, file)

What one thread at a time may use is opened anew for each archive.
"""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from contactor.app.database_place import database_at
from contactor.app.folder import DataFolder
from contactor.app.history import open_journal, open_keeper
from contactor.app.instance_api import InstanceApi, quoted
from contactor.app.lake_place import has_lake, lake_at
from contactor.app.people import held_people
from contactor.can.output.whole import whole_file
from contactor.clock import SystemClock
from contactor.errors import ContactorError, UnknownPerson, UnknownVehicle

if TYPE_CHECKING:
    from contactor.cloud.access.people import People
    from contactor.cloud.access.records import Records
    from contactor.cloud.commands.keys import KeyBook
    from contactor.cloud.commands.store import CommandStore
    from contactor.cloud.history.keeper import HistoryKeeper
    from contactor.cloud.identities.register import Register
    from contactor.cloud.lake.lake import Lake

TIMEOUT_S: Final = 3_600.0
"""An archive is made before its first byte is sent."""


class FolderEverything:
    """Makes archives of what a folder keeps, for who holds it; calls block, any thread may call.

    Args:
        keeper: what is asked of the facts of the folder.
    """

    def __init__(
        self,
        folder: DataFolder,
        *,
        keeper: "HistoryKeeper | None",
        people: "People",
        records: "Records",
    ) -> None:
        self._folder, self._keeper = folder, keeper
        self._people, self._records = people, records
        self._stopped = threading.Event()

    @property
    def place(self) -> Path:
        """Where an archive is put together."""
        return self._folder.root

    def stop(self) -> None:
        """End what is under way soon."""
        self._stopped.set()

    def of_vehicle(self, vehicle_id: str, lake: "Lake", file: BinaryIO) -> None:
        """Write the archive of a vehicle.

        Raises:
            UnknownVehicle: nothing is stored of it.
            LakeError, FolderError: something cannot be read.
        """
        from contactor.cloud.alerts.store import AlertStore
        from contactor.cloud.alerts.tables import ALERTS
        from contactor.cloud.database.database import Database
        from contactor.cloud.everything.vehicle import VehicleSources, write_vehicle
        from contactor.cloud.journal.book import Book

        assert self._keeper is not None
        clock = SystemClock()
        with contextlib.ExitStack() as open_here:
            journal = open_here.enter_context(contextlib.closing(open_journal(self._folder)))
            database = Database.open(database_at(self._folder), [ALERTS])
            open_here.callback(database.close)
            register, keys = _identities(self._folder, open_here)
            sources = VehicleSources(
                lake=lake,
                keeper=self._keeper,
                book=Book(journal, self._keeper, clock=clock),
                commands=_commands(self._folder, open_here),
                alerts=AlertStore(database),
                people=self._people,
                records=self._records,
                register=register,
                keys=keys,
                place=self._folder.root,
            )
            write_vehicle(
                *(sources, vehicle_id, file),
                now_ns=clock.now_ns(),
                is_stopped=self._stopped.is_set,
            )

    def of_person(self, name: str, file: BinaryIO) -> None:
        """Write the archive of a person.

        Raises:
            UnknownPerson: there is none of that name.
            FolderError: something cannot be read.
        """
        from contactor.cloud.everything.person import PersonSources, write_person

        with contextlib.ExitStack() as open_here:
            commands = _commands(self._folder, open_here)
            sources = PersonSources(self._people, self._records, commands)
            write_person(
                *(sources, name, file),
                now_ns=SystemClock().now_ns(),
                is_stopped=self._stopped.is_set,
            )


def save_vehicle(data: Path, vehicle_id: str, output: Path) -> None:
    """Write the archive of a vehicle to a file, which appears when it is whole.

    Raises:
        UnknownVehicle: nothing is stored of it.
        FolderInUse: somebody else than a running instance holds the folder.
        ContactorError: something cannot be read, or the file cannot be written.
    """

    def of_folder(folder: DataFolder, file: BinaryIO) -> None:
        from contactor.cloud.access.door import LOCAL
        from contactor.cloud.lake.lake import open_lake

        if not has_lake(folder):
            raise UnknownVehicle(f"nothing is stored of {vehicle_id!r}; stored: none")
        with held_people(folder) as (people, records), open_keeper(folder) as keeper:
            everything = FolderEverything(folder, keeper=keeper, people=people, records=records)
            everything.of_vehicle(vehicle_id, open_lake(lake_at(folder)), file)
            what = "GET /vehicles/{vehicle_id}/everything"
            records.note(LOCAL, what, "done", vehicle_id=vehicle_id)

    _save(data, f"/vehicles/{vehicle_id}/everything", output, of_folder, unknown=UnknownVehicle)


def save_person(data: Path, name: str, output: Path) -> None:
    """Write the archive of a person to a file; raises as `save_vehicle`, and UnknownPerson."""

    def of_folder(folder: DataFolder, file: BinaryIO) -> None:
        from contactor.cloud.access.door import LOCAL

        with held_people(folder) as (people, records):
            FolderEverything(folder, keeper=None, people=people, records=records).of_person(
                name, file
            )
            records.note(LOCAL, "GET /people/{name}/everything", "done", about=name)

    _save(data, f"/people/{quoted(name)}/everything", output, of_folder, unknown=UnknownPerson)


def _save(
    data: Path,
    place: str,
    output: Path,
    of_folder: Callable[[DataFolder, BinaryIO], None],
    *,
    unknown: type[ContactorError],
) -> None:
    folder = DataFolder.existing(data)
    running = folder.running()
    with whole_file(output) as part, part.open("wb") as file:
        part.chmod(0o600)
        if running is None:
            of_folder(folder, file)
        else:
            InstanceApi(
                f"{running.url}/api/v1",
                secret=folder.shown_secret(),
                timeout_s=TIMEOUT_S,
                unknown=unknown,
            ).save(place, file)


def _commands(folder: DataFolder, open_here: contextlib.ExitStack) -> "CommandStore":
    from contactor.cloud.commands.store import CommandStore

    place = folder.commands if folder.commands.exists() else ":memory:"
    return open_here.enter_context(contextlib.closing(CommandStore(place)))


def _identities(
    folder: DataFolder, open_here: contextlib.ExitStack
) -> "tuple[Register | None, KeyBook | None]":
    """Who is enrolled, and the keys that were given; None where there never was any."""
    from contactor.cloud.commands.keys import KeyBook
    from contactor.cloud.identities.register import Register
    from contactor.link.identities.authority import Authority

    if not folder.register.exists():
        return None, None
    register = open_here.enter_context(contextlib.closing(Register(folder.register)))
    if not folder.keys.exists():
        return register, None
    authority = Authority.kept(folder.authority, SystemClock().now_ns())
    keys = KeyBook(folder.keys, authority=authority)
    return register, open_here.enter_context(contextlib.closing(keys))
