"""One file that holds many: what goes in comes out, and what is cut or changed is refused."""

import hashlib
import io
import itertools
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactor.app.backup.archive import (
    ArchiveWriter,
    File,
    Manifest,
    check_name,
    extract,
    verify,
)
from contactor.errors import FolderError, UsageError

FACTS = Manifest(format=2, contactor="0", created_at="2026-01-01T00:00:00Z")
FILES = {"agent/outbox.db": b"x" * 5_000, "commands.db": b"", "lake/telemetry/a=1/b.parquet": b"y"}
NAMES = st.from_regex(r"[a-z]{1,8}(/[a-z=.0-9]{1,120}[a-z]){0,2}", fullmatch=True)


def ignore(_count: int) -> None:
    pass


def write(path: Path, files: Mapping[str, bytes]) -> Manifest:
    with ArchiveWriter(path, is_packed=path.suffix == ".zst") as archive:
        for name, content in files.items():
            archive.add(name, io.BytesIO(content), len(content), ignore)
        return archive.finish(FACTS)


def read(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}

    def keep(file: File, source: IO[bytes]) -> None:
        found[file.name] = source.read()

    extract(path, verify(path, ignore), keep, ignore)
    return found


@pytest.fixture(params=["b.tar", "b.tar.zst"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    write(path, FILES)
    return path


fresh = itertools.count()
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@shared
@given(st.dictionaries(NAMES, st.binary(max_size=40_000), max_size=5), st.booleans())
def test_what_goes_in_comes_out(
    tmp_path: Path, files: Mapping[str, bytes], is_packed: bool
) -> None:
    path = tmp_path / f"{next(fresh)}.tar{'.zst' if is_packed else ''}"
    manifest = write(path, files)
    assert verify(path, ignore) == manifest
    assert read(path) == files
    assert manifest.total_bytes == sum(map(len, files.values()))


@pytest.mark.parametrize("name", ["b.tar", "b.tar.zst"])
def test_every_byte_that_is_read_is_told(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, FILES)
    told: list[int] = []
    verify(tmp_path / name, told.append)
    size = (tmp_path / name).stat().st_size
    assert size - 16 <= sum(told) <= size


@shared
@given(st.data())
def test_what_is_cut_is_refused(made: Path, data: st.DataObject) -> None:
    whole = made.read_bytes()
    cut = made.with_name(f"{next(fresh)}.tar")
    cut.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(FolderError, match="is damaged or none"):
        verify(cut, ignore)


@shared
@given(st.data())
def test_what_is_changed_is_refused_or_says_the_same(made: Path, data: st.DataObject) -> None:
    whole = bytearray(made.read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    changed = made.with_name(f"{next(fresh)}.tar")
    changed.write_bytes(whole)
    try:
        found = read(changed)
    except FolderError:
        return
    assert found == FILES


@shared
@given(st.binary(max_size=30_000))
def test_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / f"{next(fresh)}.tar"
    path.write_bytes(content)
    with pytest.raises(FolderError, match="is damaged or none"):
        verify(path, ignore)


def hostile(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """A tar with a right manifest over members that a backup never has."""
    files = tuple(
        File(about.name, len(content), hashlib.sha256(content).hexdigest())
        for about, content in members
    )
    text = msgspec.json.encode(msgspec.structs.replace(FACTS, files=files))
    last = tarfile.TarInfo("manifest.json")
    with tarfile.open(path, "w") as tar:
        for about, content in [*members, (last, text)]:
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "name",
    ["../out", "/etc/passwd", "a/../../out", "a//b", "a/./b", "", "a\nb", "a/", "é", "a b", ".."],
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = hostile(tmp_path / "b.tar", [(tarfile.TarInfo(name), b"x")])
    with pytest.raises(FolderError, match="is damaged or none"):
        verify(path, ignore)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, b"3", b"6"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    about = tarfile.TarInfo("agent")
    about.type, about.linkname = kind, "/etc/passwd"
    with pytest.raises(FolderError, match="is no plain file"):
        verify(hostile(tmp_path / "b.tar", [(about, b"")]), ignore)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = [(tarfile.TarInfo("a"), b"x"), (tarfile.TarInfo("a"), b"x")]
    with pytest.raises(FolderError, match="'a' stands in it twice"):
        verify(hostile(tmp_path / "b.tar", twice), ignore)


def test_what_stands_after_the_manifest_is_refused(tmp_path: Path) -> None:
    path = hostile(tmp_path / "b.tar", [(tarfile.TarInfo("a"), b"x")])
    with tarfile.open(path, "a") as tar:
        tar.addfile(tarfile.TarInfo("late"), io.BytesIO())
    with pytest.raises(FolderError, match="'late' stands after its manifest"):
        verify(path, ignore)


def test_one_that_changes_after_it_was_checked_is_refused(tmp_path: Path) -> None:
    first = write(tmp_path / "b.tar", FILES)
    (tmp_path / "b.tar").unlink()
    write(tmp_path / "b.tar", {**FILES, "commands.db": b"another"})
    with pytest.raises(FolderError, match=r"'commands\.db' has changed"):
        extract(tmp_path / "b.tar", first, lambda _file, _source: None, ignore)


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    archive = ArchiveWriter(tmp_path / "b.tar", is_packed=False)
    with archive, pytest.raises(FolderError, match="note became shorter"):
        archive.add("note", io.BytesIO(b"short"), 100, ignore)


@pytest.mark.parametrize("name", ["b", "b.zip", "b.tar.gz", ".tar", ".tar.zst", "b.TAR"])
def test_a_name_that_is_none_of_a_backup_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"must end in \.tar\.zst or \.tar"):
        check_name(Path(name))
