"""The lake on a folder: what a crash, a power cut or somebody else can leave there."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from contactor.cloud.lake.lake import Lake, open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.local_reader import LocalReader, table_folder
from contactor.cloud.lake.log import sync_path
from contactor.cloud.lake.schema import BASE
from contactor.errors import FolderError, LakeError, StaleWriter
from contactor.signals.groups import Group
from tests.cloud.lake.samples import GEAR, POWER, SPEED, T0, S, flush, frame, state, store_drive


def log(data: Path) -> Path:
    return table_folder(data) / "_delta_log"


def newest(data: Path) -> Path:
    return max(log(data).glob("*.json"))


def speeds(data: Path) -> list[float]:
    return open_lake(data).signals("leaf", [SPEED])[SPEED].to_list()


def store_speed(store: LocalStore, value: float) -> None:
    store_drive(store, {SPEED: [value]}, ts=[T0 + int(value) * S])


def filled(data: Path, flushes: int, *, checkpoint_every: int = 20) -> LocalStore:
    store = LocalStore(data, checkpoint_every=checkpoint_every)
    for number in range(flushes):
        store_speed(store, float(number))
    return store


# ── reopening ────────────────────────────────────────────────────────────────────────────────────


def test_flush_numbers_and_streams_continue_after_reopening(tmp_path: Path) -> None:
    before = filled(tmp_path, 3)
    after = LocalStore(tmp_path)
    assert after.next_flush == 4
    assert after.streams() == before.streams()
    sources = {part.source for part in after.snapshot().parts}
    assert sources == {part.source for part in before.snapshot().parts}
    assert after.snapshot().groups == before.snapshot().groups
    store_speed(after, 3.0)
    assert speeds(tmp_path) == [0.0, 1.0, 2.0, 3.0]


def test_a_lake_of_an_older_version_gets_the_columns_that_came_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        few = {name: dtype for name, dtype in BASE.items() if name not in ("min", "max", "mean")}
        older.setattr("contactor.cloud.lake.delta.BASE", few)
        filled(tmp_path, 2)
    assert speeds(tmp_path) == [0.0, 1.0]
    store = LocalStore(tmp_path)
    store_speed(store, 2.0)
    fields = DeltaTable(str(table_folder(tmp_path))).schema().fields
    assert {field.name for field in fields}.issuperset(BASE)
    assert speeds(tmp_path) == [0.0, 1.0, 2.0]


def test_checkpoints_keep_the_log_short_to_read(tmp_path: Path) -> None:
    store = filled(tmp_path, 12, checkpoint_every=5)
    checkpoints = sorted(path.name[:20] for path in log(tmp_path).glob("*.checkpoint.parquet"))
    assert len(checkpoints) == 2
    assert json.loads((log(tmp_path) / "_last_checkpoint").read_text())["version"] == int(
        checkpoints[-1]
    )
    assert store.next_flush == 13
    assert speeds(tmp_path) == [float(n) for n in range(12)]


def test_checkpoints_are_written_also_by_processes_that_store_little(tmp_path: Path) -> None:
    for _ in range(6):
        store = LocalStore(tmp_path, checkpoint_every=5)
        store_speed(store, 1.0)
    assert len(list(log(tmp_path).glob("*.checkpoint.parquet"))) == 1


def test_stream_rows_of_many_flushes_end_in_one_file(tmp_path: Path) -> None:
    filled(tmp_path, 45)
    live = DeltaTable(str(table_folder(tmp_path))).file_uris()
    assert len([uri for uri in live if "/group=streams/" in uri]) <= 20


def test_a_folder_of_any_name_works(tmp_path: Path) -> None:
    data = tmp_path / "My data #1 (50% of ü)?"
    filled(data, 2)
    LocalStore(data)
    assert speeds(data) == [0.0, 1.0]


def test_a_relative_folder_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    filled(Path("data"), 2)
    assert speeds(Path("data")) == [0.0, 1.0]


def test_a_folder_whose_name_would_be_decoded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="has '%20' in its path"):
        LocalStore(tmp_path / "a%20b")


# ── reading beside the writer ────────────────────────────────────────────────────────────────────


def test_a_reader_follows_the_writer(tmp_path: Path) -> None:
    store = filled(tmp_path, 1)
    lake = open_lake(tmp_path)
    for number in range(1, 30):
        store_speed(store, float(number))
        assert lake.refresh().signals("leaf", [SPEED]).height == number + 1
    assert lake.vehicles()["rows"].to_list() == [30]


def test_a_reader_sees_signals_that_came_later(tmp_path: Path) -> None:
    store = filled(tmp_path, 1)
    lake = open_lake(tmp_path)
    store_drive(store, {GEAR: [3]})
    assert lake.refresh().signals("leaf", [GEAR])[GEAR].to_list() == [3]


def test_a_lake_is_read_while_its_old_snapshot_is_replaced(tmp_path: Path) -> None:
    store = filled(tmp_path, 15)
    lake = open_lake(tmp_path)
    for number in range(15, 45):  # replaces the files of stream rows twice
        store_speed(store, float(number))
    assert lake.vehicles()["rows"].to_list() == [15]


# ── what a crash leaves ──────────────────────────────────────────────────────────────────────────

TORN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda whole: whole[: len(whole) // 2],
    "zeros": lambda whole: bytes(len(whole)),
    "cut at a line": lambda whole: b"".join(whole.splitlines(keepends=True)[:-1]),
    "cut after the first line": lambda whole: whole.splitlines(keepends=True)[0],
    "no object": lambda _: b"[]",
}


@pytest.mark.parametrize("tear", TORN.values(), ids=TORN)
def test_a_torn_last_entry_is_taken_out(tmp_path: Path, tear: Callable[[bytes], bytes]) -> None:
    filled(tmp_path, 3)
    torn = newest(tmp_path)
    torn.write_bytes(tear(torn.read_bytes()))
    assert speeds(tmp_path) == [0.0, 1.0]  # a reader goes by it
    assert torn.exists()
    store = LocalStore(tmp_path)
    assert not torn.exists()
    assert store.next_flush == 3
    store_speed(store, 7.0)
    assert speeds(tmp_path) == [0.0, 1.0, 7.0]


@pytest.mark.parametrize("tear", TORN.values(), ids=TORN)
def test_a_torn_entry_that_adds_columns_is_taken_out(
    tmp_path: Path, tear: Callable[[bytes], bytes]
) -> None:
    store = filled(tmp_path, 1)
    store_drive(store, {POWER: [1.0]})
    newest(tmp_path).unlink()
    torn = newest(tmp_path)
    assert "ADD COLUMN" in torn.read_text()
    torn.write_bytes(tear(torn.read_bytes()))
    again = LocalStore(tmp_path)
    store_drive(again, {POWER: [2.0]})
    assert open_lake(tmp_path).signals("leaf", [POWER])[POWER].to_list() == [2.0]


@pytest.mark.parametrize("tear", TORN.values(), ids=TORN)
def test_a_lake_torn_while_it_was_made_is_made_anew(
    tmp_path: Path, tear: Callable[[bytes], bytes]
) -> None:
    LocalStore(tmp_path)
    torn = newest(tmp_path)
    torn.write_bytes(tear(torn.read_bytes()))
    with pytest.raises(LakeError, match="its first entry is torn"):
        open_lake(tmp_path)
    store_speed(LocalStore(tmp_path), 1.0)
    assert speeds(tmp_path) == [1.0]


def test_a_reader_that_saw_a_torn_entry_follows_once_it_is_repaired(tmp_path: Path) -> None:
    store = filled(tmp_path, 1)
    lake = open_lake(tmp_path)
    store_speed(store, 1.0)
    newest(tmp_path).write_bytes(b"{")
    assert lake.refresh().signals("leaf", [SPEED]).height == 1
    again = LocalStore(tmp_path)
    store_speed(again, 5.0)
    assert lake.refresh().signals("leaf", [SPEED])[SPEED].to_list() == [0.0, 5.0]


@pytest.mark.parametrize("tear", [TORN["empty"], TORN["half"], TORN["zeros"]])
@pytest.mark.parametrize("name", ["*.checkpoint.parquet", "_last_checkpoint"])
def test_a_torn_checkpoint_is_taken_out(
    tmp_path: Path, name: str, tear: Callable[[bytes], bytes]
) -> None:
    filled(tmp_path, 6, checkpoint_every=5)
    (torn,) = log(tmp_path).glob(name)
    torn.write_bytes(tear(torn.read_bytes()))
    store = LocalStore(tmp_path)
    assert store.next_flush == 7
    store_speed(store, 6.0)
    assert speeds(tmp_path) == [float(n) for n in range(7)]


def test_stray_files_are_removed_and_no_others(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    root = table_folder(tmp_path)
    stray = log(tmp_path) / "00000000000000000009.json#1"
    stray.write_bytes(b"{")
    day = next(root.glob("group=drive/day=*"))
    orphan = day / f"part-{3:012d}-{'0' * 32}.parquet"
    orphan.write_bytes(b"PAR1")
    note = day / "note.txt"
    note.write_text("mine")
    store = LocalStore(tmp_path)
    assert not stray.exists()
    store_speed(store, 2.0)
    assert not orphan.exists()
    assert note.exists()
    assert speeds(tmp_path) == [0.0, 1.0, 2.0]


def test_a_torn_data_file_is_an_error_of_ours(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    part = next(table_folder(tmp_path).glob("group=drive/day=*/*.parquet"))
    for content in (b"", part.read_bytes()[:50], b"PAR1" * 10):
        part.write_bytes(content)
        with pytest.raises(LakeError, match="cannot be read"):
            speeds(tmp_path)


# ── what is no lake ──────────────────────────────────────────────────────────────────────────────


def test_a_folder_without_a_lake_is_refused_for_reading(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no lake in"):
        open_lake(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_refused_for_reading(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="no data folder"):
        open_lake(tmp_path / "nowhere")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "lake").write_text("x")
    for data in (tmp_path / "file", tmp_path):
        for opener in (LocalStore, LocalReader):
            with pytest.raises((FolderError, LakeError)) as caught:
                opener(data)
            assert "\n" not in str(caught.value)
    assert (tmp_path / "lake").read_text() == "x"


def test_foreign_files_in_the_place_of_the_lake_are_refused_and_left(tmp_path: Path) -> None:
    table_folder(tmp_path).mkdir(parents=True)
    (table_folder(tmp_path) / "photos.zip").write_text("x")
    with pytest.raises(LakeError, match=r"it holds 'photos\.zip'"):
        LocalStore(tmp_path)
    assert [path.name for path in table_folder(tmp_path).iterdir()] == ["photos.zip"]


def test_a_delta_table_of_another_schema_is_refused(tmp_path: Path) -> None:
    DeltaTable.create(str(table_folder(tmp_path)), schema=pl.Schema({"a": pl.Int64()}))
    for opener in (LocalStore, LocalReader):
        with pytest.raises(LakeError, match="a Delta table of another schema"):
            opener(tmp_path)


def test_a_log_that_is_damaged_before_its_end_is_one_clear_line(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    (log(tmp_path) / f"{2:020d}.json").write_text("{nonsense")
    for opener in (LocalStore, LocalReader):
        with pytest.raises(LakeError) as caught:
            opener(tmp_path)
        assert "\n" not in str(caught.value)
        assert str(tmp_path) in str(caught.value)


# ── the fence ────────────────────────────────────────────────────────────────────────────────────


def test_a_stale_writer_is_refused_for_good_and_changes_nothing(tmp_path: Path) -> None:
    zombie = filled(tmp_path, 1)
    heir = LocalStore(tmp_path)
    store_speed(heir, 1.0)
    files = sorted(table_folder(tmp_path).rglob("*"))
    for _ in range(3):
        with pytest.raises(StaleWriter, match="another ingest"):
            store_drive(zombie, {SPEED: [9.0], GEAR: [1]})
    assert sorted(table_folder(tmp_path).rglob("*")) == files
    store_speed(heir, 2.0)
    assert speeds(tmp_path) == [0.0, 1.0, 2.0]


def test_a_writer_overtaken_in_the_midst_of_its_commit_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    heir: list[LocalStore] = []

    def overtake(path: Path) -> None:
        sync_path(path)
        if path.suffix == ".parquet" and not heir:
            heir.append(LocalStore(tmp_path))
            store_speed(heir[0], 1.0)

    zombie = LocalStore(tmp_path, sync=overtake)
    with pytest.raises(StaleWriter):
        store_speed(zombie, 9.0)
    with pytest.raises(StaleWriter):
        store_speed(zombie, 9.0)
    store_speed(heir[0], 2.0)
    assert speeds(tmp_path) == [0.0, 1.0, 2.0]
    assert_no_orphans(tmp_path)


def test_maintenance_by_others_is_taken_in(tmp_path: Path) -> None:
    store = filled(tmp_path, 2)
    other = DeltaTable(str(table_folder(tmp_path)))
    other.alter.set_table_properties({"delta.logRetentionDuration": "interval 60 days"})
    store_speed(store, 2.0)
    assert speeds(tmp_path) == [0.0, 1.0, 2.0]


def test_maintenance_in_the_midst_of_a_commit_is_taken_in(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    done: list[Path] = []

    def meddle(path: Path) -> None:
        sync_path(path)
        if path.suffix == ".parquet" and not done:
            done.append(path)
            other = DeltaTable(str(table_folder(tmp_path)))
            other.alter.set_table_properties({"delta.logRetentionDuration": "interval 60 days"})

    store = LocalStore(tmp_path, sync=meddle)
    store_speed(store, 1.0)
    store_speed(store, 2.0)
    assert done
    assert speeds(tmp_path) == [0.0, 1.0, 2.0]


def assert_no_orphans(data: Path) -> None:
    live = {Path(uri) for uri in DeltaTable(str(table_folder(data))).file_uris()}
    assert set(table_folder(data).glob("group=*/day=*/*.parquet")) == live


# ── durability ───────────────────────────────────────────────────────────────────────────────────


def test_each_file_and_folder_is_synced_before_a_commit_is_acknowledged(tmp_path: Path) -> None:
    synced: dict[Path, int] = {}  # in order, each with the newest log entry at that moment

    def record(path: Path) -> None:
        sync_path(path)
        entries = [int(entry.stem) for entry in log(tmp_path).glob("*.json")]
        synced.pop(path, None)
        synced[path] = max(entries, default=-1)

    store = LocalStore(tmp_path, sync=record)
    store_drive(store, {SPEED: [1.0], POWER: [1.0]})
    synced.clear()
    store_drive(store, {SPEED: [1.0]}, group=Group.FAST)

    root, entry = table_folder(tmp_path), newest(tmp_path)
    actions = [json.loads(line) for line in entry.read_text().splitlines()]
    files = [root / action["add"]["path"] for action in actions if "add" in action]
    assert [file.parent.parent.name for file in files] == ["group=fast", "group=streams"]
    needed = {*files, *(file.parent for file in files), files[0].parent.parent, root}
    assert all(synced[path] < int(entry.stem) for path in needed)
    assert list(synced)[-2:] == [entry, log(tmp_path)]
    order = list(synced)
    assert all(order.index(file) < order.index(file.parent) for file in files)


class PowerCut:
    """Remembers of a folder what a disk would after a power cut: what was synced, and no more."""

    def __init__(self) -> None:
        self.contents: dict[Path, bytes] = {}
        self.names: dict[Path, set[str]] = {}

    def sync(self, path: Path) -> None:
        if path.is_dir():
            self.names[path] = {child.name for child in path.iterdir()}
        else:
            self.contents[path] = path.read_bytes()

    def restore(self, data: Path, to: Path) -> None:
        """What is left of `data`, at `to`: unsynced content is lost, unsynced names are gone."""
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        for child in self._left(data):
            copy = to / child.relative_to(data)
            if child in self.names or child.is_dir():
                copy.mkdir()
            else:
                copy.write_bytes(self.contents.get(child, b""))

    def _left(self, folder: Path) -> Iterator[Path]:
        for name in sorted(self.names.get(folder, set())):
            child = folder / name
            yield child
            yield from self._left(child)


def test_what_was_acknowledged_survives_a_power_cut(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", PowerCut()
    store = LocalStore(data, sync=disk.sync, checkpoint_every=4)
    for number in range(12):
        group = (Group.DRIVE, Group.FAST, Group.SLOW)[number % 3]
        path = (SPEED, POWER, GEAR)[number // 4]
        store_drive(store, {path: [1]}, ts=[T0 + number * S], group=group)
        left = tmp_path / "left"
        disk.restore(data, left)
        if number % 3 == 0:  # each restart is a writer's, whose repair must not undo anything
            assert LocalStore(left).streams() == store.streams()
        assert open_lake(left).signals("leaf").height == number + 1
        assert open_lake(left).vehicles().rows() == Lake(store).vehicles().rows()


def test_each_log_entry_is_synced_before_the_next_is_begun(tmp_path: Path) -> None:
    synced: set[int] = set()
    unsynced: list[int] = []

    def record(path: Path) -> None:
        sync_path(path)
        if path.suffix == ".json":
            synced.add(int(path.stem))
            unsynced.extend(set(range(int(path.stem))) - synced)

    store = LocalStore(tmp_path, sync=record)
    store_drive(store, {SPEED: [1], POWER: [1], GEAR: [1]})
    store_drive(store, {SPEED: [1], POWER: [1], GEAR: [1]}, group=Group.SLOW)
    assert len(synced) > 6  # also one per signal that another group holds now
    assert unsynced == []


def test_a_new_data_folder_is_synced_into_its_parent(tmp_path: Path) -> None:
    disk = PowerCut()
    LocalStore(tmp_path / "data", sync=disk.sync)
    assert "data" in disk.names[tmp_path]


def test_what_a_reopened_writer_shows_is_synced_first(tmp_path: Path) -> None:
    filled(tmp_path, 2)  # as if killed after its entry was written, before it was synced
    disk = PowerCut()
    LocalStore(tmp_path, sync=disk.sync)
    assert newest(tmp_path) in disk.contents
    assert newest(tmp_path).name in disk.names[log(tmp_path)]


@pytest.mark.parametrize(
    ("victim", "group"),
    [
        (".parquet", Group.DRIVE),
        ("day=", Group.DRIVE),
        ("group=", Group.SLOW),  # a new folder
        (".json", Group.DRIVE),  # the entry of the flush itself
        (".json", Group.SLOW),  # an entry that labels columns
        ("_delta_log", Group.DRIVE),
        ("_delta_log", Group.SLOW),
    ],
)
def test_when_a_sync_fails_nothing_is_stored_and_the_next_commit_works(
    tmp_path: Path, victim: str, group: Group
) -> None:
    failing: list[bool] = []

    def fail(path: Path) -> None:
        if failing and (path.suffix == victim or path.name.startswith(victim)):
            raise OSError(5, "Input/output error")
        sync_path(path)

    store = LocalStore(tmp_path, sync=fail)
    store_speed(store, 0.0)
    failing.append(True)
    made = flush(2, {group: frame(group, [T0], {SPEED: [9.0]})}, [state(watermark=9)])
    for _ in range(2):
        with pytest.raises(LakeError, match="Input/output error"):
            store.commit(made)
        assert open_lake(tmp_path).signals("leaf", [SPEED]).height == 1
        assert store.streams()[0].watermark == 1
        assert Lake(store).signals("leaf", [SPEED]).height == 1
    failing.clear()
    store_speed(store, 1.0)
    assert speeds(tmp_path) == [0.0, 1.0]
    assert_no_orphans(tmp_path)


def test_syncing_asks_the_system_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: asked.append(os.fstat(file).st_ino))
    file = tmp_path / "file"
    file.write_text("x")
    for path in (file, tmp_path):
        sync_path(path)
    assert asked == [file.stat().st_ino, tmp_path.stat().st_ino]


def test_a_checkpoint_that_cannot_be_synced_is_no_error(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        if path.name.endswith(".checkpoint.parquet"):
            raise OSError(5, "Input/output error")
        sync_path(path)

    store = LocalStore(tmp_path, sync=fail, checkpoint_every=2)
    for number in range(5):
        store_speed(store, float(number))
    assert not list(log(tmp_path).glob("*checkpoint*"))
    assert speeds(tmp_path) == [0.0, 1.0, 2.0, 3.0, 4.0]
