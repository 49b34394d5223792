"""One commit held fast as files, whatever happens to the lake meanwhile."""

from pathlib import Path

import polars as pl
import pytest

from contactor.cloud.lake.frozen import Frozen, frozen
from contactor.cloud.lake.lake import open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.errors import LakeError
from tests.cloud.lake.samples import SPEED, T0, S, store_drive


def speeds(files: Frozen) -> list[float]:
    """What the held files of rows say."""
    rows = [path for name, path in files.sources.items() if "/group=drive/" in name]
    return pl.concat([pl.read_parquet(path) for path in rows])[SPEED].sort().to_list()


def test_files_outlive_those_of_the_lake(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store_drive(store, {SPEED: [1.0, 2.0]})
    with frozen(tmp_path) as files:
        store_drive(store, {SPEED: [3.0]}, ts=[T0 + 60 * S])
        for path in (tmp_path / "lake/telemetry").rglob("*.*"):
            if path.is_file():
                path.unlink()
        assert speeds(files) == [1.0, 2.0]
        assert files.flush == 1
        assert all(source.is_file() for source in files.sources.values())
    assert list((tmp_path / "lake/drafts").iterdir()) == []


def test_files_are_where_they_lie_on_a_disk_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    store_drive(LocalStore(tmp_path), {SPEED: [1.0]})
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with frozen(tmp_path) as files:
        assert speeds(files) == [1.0]
        assert all(tmp_path / name == source for name, source in files.sources.items())


def test_the_names_are_a_lake_by_themselves(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "data", checkpoint_every=3)
    for number in range(7):
        store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])
    with frozen(tmp_path / "data") as files:
        for name, source in files.sources.items():
            (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "copy" / name).write_bytes(source.read_bytes())
    assert not any(name.endswith("0000000.json") for name in files.sources)
    copy = open_lake(tmp_path / "copy").signals("leaf")
    assert copy.equals(open_lake(tmp_path / "data").signals("leaf"))


def test_a_vacuum_of_what_is_old_leaves_what_is_kept(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store_drive(store, {SPEED: [1.0]})
    with frozen(tmp_path) as files:
        files.keep()
        store.vacuum(older_than_s=60)
        assert speeds(files) == [1.0]
        store.vacuum(older_than_s=0)
        with pytest.raises(LakeError, match="was vacuumed of all that is old"):
            files.keep()


def test_no_lake_is_told(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="cannot be read"), frozen(tmp_path):
        pass
