"""`contactor erase`: one vehicle, gone from a data folder that is not in use."""

import argparse
import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from contactor.app.cars import vehicle_id
from contactor.app.database_place import database_at, has_database
from contactor.app.folder import DataFolder
from contactor.app.history import open_facts, open_journal
from contactor.app.lake_place import has_lake, open_store
from contactor.app.output import note, print_json
from contactor.app.progress import progress_bar
from contactor.app.settings import add_data_option
from contactor.clock import SystemClock
from contactor.errors import FolderInUse, UnknownVehicle, UsageError

_CHUNK = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--vehicle", required=True, metavar="ID", help="the vehicle that goes")
    parser.add_argument("--yes", action="store_true", help="do not ask for the id again")
    add_data_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Erase, and say what is gone and what still names the vehicle."""
    from contactor.cloud.campaigns.store import CampaignStore
    from contactor.cloud.commands.store import CommandStore
    from contactor.cloud.lake.lake import Lake
    from contactor.cloud.lake.upkeep.erasure import erase
    from contactor.cloud.twin.snapshot import NAME as TWIN

    vehicle = vehicle_id(args.vehicle)
    folder = DataFolder.existing(args.data)
    if folder.running() is not None:
        raise FolderInUse(
            f"{folder.root} is in use by a running instance; stop it, then erase {vehicle}"
        )
    if not args.yes:
        _ask(vehicle)
    with folder.held():
        given = 0
        if folder.commands.exists():
            asked = CommandStore(folder.commands)
            given = asked.erase(vehicle)
            asked.close()
        if folder.campaigns.exists():
            campaigns = CampaignStore(folder.campaigns)
            campaigns.erase(vehicle)
            campaigns.close()
        known_as = _erase_identity(folder, vehicle)
        said = _erase_said(folder, vehicle)
        # Made anew from the lake.
        shutil.rmtree((folder.root / TWIN).parent, ignore_errors=True)
        rows, files, known = 0, 0, "none"
        if has_lake(folder):
            store = open_store(folder)
            with progress_bar(f"erase {vehicle}", "row") as on_progress:
                erased = erase(store, vehicle, on_progress=on_progress)
            rows, files = erased.rows, erased.files
            known = ", ".join(Lake(store).vehicles()["vehicle_id"].to_list()[:10]) or known
        left = sorted({*_files_that_name(folder.root, vehicle), *_backups(folder.root)})
    if not (rows or files or given or known_as or said or set(left) - set(_backups(folder.root))):
        raise UnknownVehicle(f"nothing is stored of {vehicle!r}; stored: {known}")
    document = {
        "vehicle_id": vehicle,
        "rows": rows,
        "commands": given,
        "identities": known_as,
        "facts": said,
        "files_deleted": files,
        "still_named_in": left,
    }
    if args.json:
        print_json(document)
    else:
        gone = f"{rows} rows, {given} commands and {said} facts"
        print(f"{vehicle}: {gone} erased, {files} files deleted")
    for name in left:
        note(f"{folder.root / name} still names {vehicle}, or may: {_reason(name)}")
    return 0


def _erase_identity(folder: DataFolder, vehicle: str) -> int:
    """Remove a vehicle's keys, here and in the register, and those given for it; how many rows."""
    shutil.rmtree(folder.car_identities / vehicle, ignore_errors=True)
    if not folder.register.exists():
        return 0
    from contactor.cloud.commands.keys import KeyBook
    from contactor.cloud.identities.register import Register
    from contactor.link.identities.authority import Authority

    gone = 0
    if folder.keys.exists():
        authority = Authority.kept(folder.authority, SystemClock().now_ns())
        with contextlib.closing(KeyBook(folder.keys, authority=authority)) as keys:
            gone += keys.erase(vehicle)
    with contextlib.closing(Register(folder.register)) as register:
        return gone + register.erase(vehicle)


def _erase_said(folder: DataFolder, vehicle: str) -> int:
    """Remove what was found of a vehicle, and what people said of it; how many entries."""
    gone = 0
    if folder.history.exists():
        facts = open_facts(folder)
        gone += facts.erase(vehicle)
        facts.close()
    if has_database(folder):
        journal = open_journal(folder)
        gone += journal.erase(vehicle)
        journal.close()
        _forget_alerts(folder, vehicle)
        gone += _forget_access(folder, vehicle)
    return gone


def _forget_access(folder: DataFolder, vehicle: str) -> int:
    """Remove who may do what of a vehicle, and under what name the audit log has it."""
    from contactor.cloud.access.area import ACCESS
    from contactor.cloud.access.people import People
    from contactor.cloud.database.database import Database

    people = People(Database.open(database_at(folder), [ACCESS]), clock=SystemClock())
    with contextlib.closing(people):
        return people.forget_vehicle(vehicle)


def _forget_alerts(folder: DataFolder, vehicle: str) -> None:
    """Remove the alerts of a vehicle, which came of its rows."""
    from contactor.cloud.alerts.store import AlertStore
    from contactor.cloud.alerts.tables import ALERTS
    from contactor.cloud.database.database import Database

    database = Database.open(database_at(folder), [ALERTS])
    AlertStore(database).forget(vehicle)
    database.scrub()
    database.close()


def _ask(vehicle: str) -> None:
    """Have the id typed again.

    Raises:
        UsageError: it was not.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"to erase {vehicle} without being asked say --yes")
    print(f"This erases everything of {vehicle}, for good. Its id again: ", end="", file=sys.stderr)
    sys.stderr.flush()
    if sys.stdin.readline().strip() != vehicle:
        raise UsageError("that is another id; nothing was erased")


def _reason(name: str) -> str:
    room = name.partition("/")[0]
    return {
        "backups": "a backup is not opened; if the vehicle was there, it is in it: delete it",
        "agent": "it is the car's own outbox, of an agent on this folder",
        "broker": "the broker's store holds what was on its way; it may be deleted",
        "log": "a log of a process; it may be deleted",
    }.get(room, "not a file of the lake")


def _files_that_name(root: Path, vehicle: str) -> Iterator[str]:
    """Every file below in which the id stands as it is."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and _holds(path, vehicle):
            yield str(path.relative_to(root))


def _backups(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.glob("backups/*") if path.is_file()]


def _holds(path: Path, vehicle: str) -> bool:
    from contactor.cloud.lake.upkeep.erasure import mentions

    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if mentions(tail + chunk, vehicle):
                return True
            tail = chunk[-len(vehicle) - 2 :]
    return False
