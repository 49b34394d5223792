"""A twin kept in a file: restored as it was, with what the lake stored since; damage is told."""

import logging
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.clock import FakeClock
from contactor.cloud.ingest.intake import Intake
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.ports import LakeStore, Snapshot
from contactor.cloud.twin import restore
from contactor.cloud.twin.keeper import Keeper
from contactor.cloud.twin.kept_cells import restore_cells
from contactor.cloud.twin.snapshot import NAME, decoded, encoded, keep, kept_from, kept_of
from contactor.cloud.twin.twin import Twin
from contactor.errors import FolderError
from contactor.link.messages import Hello
from contactor.signals.record import Record
from tests.cloud.lake.samples import CELLS, GEAR, NA, SPEED, T0, VIN, S
from tests.cloud.twin.samples import LOCK, made, record, records, shown
from tests.signals.wire.version_1 import encode_version_1


def store_records(store: LakeStore, given: Sequence[Record]) -> None:
    """Commit records of streams that begin with them, as the ingest does."""
    intake = Intake(store.streams(), number=store.next_flush)
    for number, told in enumerate(given, 1):
        sent = Record(told.vehicle_id, store.next_flush * 100 + number, 1, told.groups)
        intake.take(sent.vehicle_id, encode_version_1(sent), now_ns=T0)
    store.commit(intake.cut().flush())


def keeper_of(twin: Twin, store: LakeStore, clock: FakeClock, folder: Path) -> Keeper:
    return Keeper(twin, store=store, path=folder / NAME, clock=clock)


@settings(deadline=None)
@given(records(), st.booleans())
def test_kept_twin_is_the_one_that_was(given_records: list[Record], is_asleep: bool) -> None:
    twin, presence, _ = made()
    for one in given_records:
        presence.greet(Hello(one.vehicle_id, "", (), asleep=is_asleep), T0)
        twin.take(one)
    kept = decoded(encoded(kept_of(twin, T0, [])))
    again, heard, _ = made()
    restore_cells(again.cells, kept.cells)
    heard.restore(kept.heard, T0)
    assert shown(again) == shown(twin)
    for vehicle_id in twin.vehicles:
        assert again.signals(vehicle_id) == twin.signals(vehicle_id)


@settings(deadline=None, max_examples=50)
@given(records(), records())
def test_restart_adds_what_the_lake_stored_since(before: list[Record], after: list[Record]) -> None:
    twin, _, _ = made()
    store = MemoryStore()
    for one in before:
        twin.take(one)
    store_records(store, before)
    kept = decoded(encoded(kept_of(twin, T0, store.snapshot().parts)))
    for one in after:
        twin.take(one)
    store_records(store, after)
    again, _, _ = made()
    restore.restore(again, store, kept)
    assert shown(again) == shown(twin)
    for vehicle_id in shown(twin):
        assert again.signals(vehicle_id) == twin.signals(vehicle_id)


def test_files_that_were_there_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path)
    twin, _, clock = made()
    for sequence in (1, 2):
        one = record(sequence, {SPEED: [10.0 * sequence], GEAR: [NA]}, ts=T0 + sequence * S)
        twin.take(one)
        store_records(store, [one])
        if sequence == 1:
            keeper_of(twin, store, clock, tmp_path).keep_now()
    read: list[Snapshot] = []
    take = restore.take_part

    def watched(twin: Twin, snapshot: Snapshot, part: object) -> None:
        read.append(snapshot)
        take(twin, snapshot, part)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(restore, "take_part", watched)
    again, _, _ = made()
    keeper_of(again, store, clock, tmp_path).restore()
    assert len(read) == 1
    assert again.signals("leaf") == twin.signals("leaf")


def test_desired_values_are_the_commands_own_to_restore() -> None:
    twin, _, _ = made()
    twin.take(record(1, {SPEED: [1.0]}))
    twin.want("leaf", LOCK, True)
    kept = decoded(encoded(kept_of(twin, T0, [])))
    again, _, _ = made()
    again.want("elm", LOCK, False)  # what is still under way, told before
    restore_cells(again.cells, kept.cells)
    assert again.signals("leaf")[SPEED].value == 1.0
    assert LOCK not in again.signals("leaf")
    assert again.signals("elm")[LOCK].desired is False


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[:-1], "damaged"),
        (lambda data: data[:10], "not a twin"),
        (lambda data: b"", "not a twin"),
        (lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:], "damaged"),
        (lambda data: data[:7] + b"\x02" + data[8:], "version 2; this Contactor reads 1"),
    ],
)
def test_damaged_twin_is_told_and_the_lake_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: object, words: str
) -> None:
    store = MemoryStore()
    twin, _, clock = made()
    one = record(1, {SPEED: [41.5], VIN: ["W0L"], CELLS: [(3.5, 3.25)]})
    twin.take(one)
    store_records(store, [one])
    keeper_of(twin, store, clock, tmp_path).keep_now()
    path = tmp_path / NAME
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]  # one of the above
    with pytest.raises(FolderError, match=words):
        kept_from(path)
    again, _, _ = made()
    with caplog.at_level(logging.WARNING):
        keeper_of(again, store, clock, tmp_path).restore()
    assert words in caplog.text
    assert shown(again) == shown(twin)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_twin_or_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(data)
    head = b"CTTWIN\0\x01" + zlib.crc32(data).to_bytes(4, "little")
    with pytest.raises(ValueError, match=r"."):
        decoded(head + len(data).to_bytes(4, "little") + data)


def test_twin_that_cannot_be_kept_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    twin, _, clock = made()
    keeper = keeper_of(twin, MemoryStore(), clock, tmp_path / "missing")
    with caplog.at_level(logging.WARNING):
        keeper.keep_now()
        keeper.keep_now()
    assert caplog.text.count("twin not kept") == 1


def test_file_is_its_owners_and_replaced_whole(tmp_path: Path) -> None:
    twin, _, _ = made()
    for number in range(2):
        twin.take(record(number + 1, {SPEED: [float(number)]}, ts=T0 + number))
        keep(kept_of(twin, T0, []), tmp_path / NAME)
    assert [path.name for path in (tmp_path / NAME).parent.iterdir()] == ["snapshot"]
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    kept = kept_from(tmp_path / NAME)
    assert kept is not None
    assert np.array_equal(kept.cells.values, [[1.0]])
    assert isinstance(twin.presence, Presence)
