"""Everything that is kept of one vehicle.

    with tempfile.TemporaryFile() as file:
        write_vehicle(sources, "leaf", file, now_ns=now_ns)

Stored values go into the archive a day at a time, so memory holds one day. Calls block.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import polars as pl

from contactor.clock import to_iso
from contactor.cloud.access.consents_told import ConsentNow
from contactor.cloud.access.people import People
from contactor.cloud.access.records import Records
from contactor.cloud.access.told import PersonNow
from contactor.cloud.alerts.store import Alert, AlertStore
from contactor.cloud.commands.keys import DigitalKey, KeyBook
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.commands.told import told
from contactor.cloud.everything.archive import Archive, Rows
from contactor.cloud.history.keeper import HistoryKeeper
from contactor.cloud.identities.register import Register
from contactor.cloud.journal.book import Book
from contactor.cloud.lake.export import Wanted, export_file
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.reading import read_parts
from contactor.cloud.lake.schema import HOUR, MINUTE
from contactor.cloud.lake.upkeep.tiers import SUMS
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.rights import EVERY_VEHICLE

PAGE: Final = 1_000
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class VehicleSources:
    """Where everything of a vehicle is kept; another closes them.

    Fields:
        register, keys: None where nobody was ever enrolled.
        place: a folder for files that are put together.
    """

    lake: Lake
    keeper: HistoryKeeper
    book: Book
    commands: CommandStore
    alerts: AlertStore
    people: People
    records: Records
    register: Register | None
    keys: KeyBook | None
    place: Path


def write_vehicle(
    sources: VehicleSources,
    vehicle_id: str,
    file: BinaryIO,
    *,
    now_ns: int,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Write the archive of a vehicle.

    Args:
        is_stopped: says when it is to end.

    Raises:
        UnknownVehicle: nothing is stored of it.
        InstanceError: it was to end.
        LakeError, FolderError: something cannot be read.
    """
    sources.lake.paths(vehicle_id)
    title = f"everything of {vehicle_id}"
    with Archive(file, title=title, now_ns=now_ns, is_stopped=is_stopped) as archive:
        _signals(archive, sources, vehicle_id)
        _history(archive, sources, vehicle_id)
        _asked(archive, sources, vehicle_id)
        _access(archive, sources, vehicle_id, now_ns)


def _signals(archive: Archive, sources: VehicleSources, vehicle_id: str) -> None:
    lake = sources.lake
    stored = lake.paths(vehicle_id)
    with tempfile.TemporaryDirectory(prefix=".contactor-export-", dir=sources.place) as folder:
        for group in Group:
            paths = tuple(path for path in stored if catalogue()[path].group is group)
            if paths:
                file = Path(folder) / f"{group}.parquet"
                exported = export_file(
                    *(lake, Wanted(vehicle_id, paths), file, ".parquet"),
                    on_progress=lambda *_: archive.check(),
                )
                says = f"stored values, a column per signal ({len(paths)}); `ts` in ns"
                archive.file(f"signals/{group}.parquet", file, says, rows=exported.rows)
                file.unlink()
        for tier in (MINUTE, HOUR):
            file = Path(folder) / f"{tier}.parquet"
            rows = _write_sums(archive, lake, vehicle_id, tier, file)
            if rows:
                says = f"each {tier}: how many values of a signal, least, greatest, mean, last"
                archive.file(f"signals/{tier}.parquet", file, says, rows=rows)
    for name, frame, says in (
        ("gaps", lake.gaps(vehicle_id), "records that the car had to drop"),
        ("quarantined", lake.quarantined(vehicle_id), "messages that could not be read"),
    ):
        archive.table(name, _rows_of(frame), says)


def _write_sums(archive: Archive, lake: Lake, vehicle_id: str, tier: str, file: Path) -> int:
    """Write the sums of a tier, one of its files after the other; how many rows."""
    mine, parts, rows = pl.col("vehicle_id") == vehicle_id, list[Path](), 0
    for part in lake.view.snapshot.parts:
        if part.group == tier and part.may_hold(vehicle_id, None, None):
            archive.check()
            found = read_parts([part], SUMS, mine)
            parts.append(file.with_name(f"{tier}-{len(parts)}.parquet"))
            found.write_parquet(parts[-1])
            rows += found.height
    if rows:
        pl.scan_parquet(parts, glob=False).sink_parquet(file)
    for one in parts:
        one.unlink()
    return rows


def _history(archive: Archive, sources: VehicleSources, vehicle_id: str) -> None:
    keeper, book, whole = sources.keeper, sources.book, (vehicle_id, None, None)
    keeper.refresh(vehicle_id)
    for name, rows, says in (
        ("trips", keeper.trip_documents(*whole), "every trip"),
        ("charges", keeper.charge_documents(*whole), "every charge"),
        ("places", keeper.places(*whole), "where it stopped, the most visited first"),
    ):
        archive.table(name, _same(rows), says)
    archive.document("battery.json", keeper.battery(vehicle_id), "the battery, as it is known")
    entries, loose = book.entries(vehicle_id), book.loose(vehicle_id)
    archive.table("journal", lambda: map(msgspec.structs.asdict, entries), "what was said of it")
    says = "what was said of trips and charges that are not found any more"
    archive.table("journal-loose", lambda: map(msgspec.structs.asdict, loose), says)


def _asked(archive: Archive, sources: VehicleSources, vehicle_id: str) -> None:
    commands, alerts = sources.commands, sources.alerts
    archive.table("commands", lambda: commands_of(commands, vehicle_id), "what it was asked")
    archive.table("alerts", lambda: _alerts(alerts, vehicle_id), "what was told of it")


def commands_of(store: CommandStore, vehicle_id: str) -> Iterator[Row]:
    """Every command of a vehicle, newest first."""
    before = None
    while page := store.page(vehicle_id, limit=PAGE, before=before):
        yield from (msgspec.structs.asdict(told(one)) for one in page)
        before = page[-1].id


def _alerts(store: AlertStore, vehicle_id: str) -> Iterator[Row]:
    before = None
    while page := store.alerts(limit=PAGE, before=before):
        yield from (_alert(one) for one in page if one.vehicle_id == vehicle_id)
        before = page[-1].number


def _access(archive: Archive, sources: VehicleSources, vehicle_id: str, now_ns: int) -> None:
    people, records = sources.people, sources.records
    here = (vehicle_id, EVERY_VEHICLE)
    who = [PersonNow.of(one) for one in people.all()]
    roles = [
        {"name": one.name, **msgspec.structs.asdict(role)}
        for one in who
        for role in one.roles
        if role.vehicle_id in here
    ]
    archive.table("people", lambda: roles, "who is what to it")
    consents = [
        msgspec.structs.asdict(ConsentNow.of(one, now_ns, seen=frozenset({vehicle_id})))
        for one in people.consents.all()
        if vehicle_id in one.vehicles
    ]
    archive.table("consents", lambda: consents, "what third parties may read of it")
    register, keys = sources.register, sources.keys
    certificates = [] if register is None else register.certificates(vehicle_id)
    rows = [_instants(msgspec.structs.asdict(one)) for one in certificates]
    archive.table("certificates", lambda: rows, "the certificates of its units")
    given = [] if keys is None else [_key(one) for one in keys.given(vehicle_id)]
    archive.table("keys", lambda: given, "the digital keys that were given for it")
    mine = records.of_vehicle(vehicle_id)
    noted = partial(map, msgspec.structs.asdict)
    archive.table("audit", lambda: noted(records.select(mine)), "who did what of it")


def _same(rows: Sequence[Row]) -> Rows:
    return lambda: rows


def _rows_of(frame: pl.DataFrame) -> Rows:
    return lambda: frame.iter_rows(named=True)


def _alert(one: Alert) -> Row:
    at = {"at": to_iso(one.at_ns), "text": one.text, "severity": one.severity}
    seen = None if one.acknowledged_at is None else to_iso(one.acknowledged_at)
    return {"id": one.id, "rule": one.rule, **at, "acknowledged_at": seen}


def _key(one: DigitalKey) -> Row:
    return {
        "id": one.id,
        "rights": sorted(one.rights),
        "issued_to": one.issued_to,
        "begin": to_iso(one.not_before),
        "until": to_iso(one.not_after),
        "revoked_at": None if one.revoked_at is None else to_iso(one.revoked_at),
    }


def _instants(row: dict[str, object]) -> Row:
    """Numbers that are instants, in ISO 8601."""
    return {
        name: to_iso(value) if name.endswith("_at") and isinstance(value, int) else value
        for name, value in row.items()
    }
