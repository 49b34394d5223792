"""A data folder, in use or not, as one file.

    made = make_backup(Path("contactor-data"), Path("today.tar.zst"), on_progress)
    made.manifest.lake_flush, made.bytes

It is written beside its name and renamed at the end: it is there whole or not at all.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contactor import __version__
from contactor.app.backup.archive import ArchiveWriter, Manifest, check_name
from contactor.app.backup.contents import BACKUPS, Contents, contents
from contactor.app.folder import DataFolder
from contactor.clock import NS_PER_S, to_iso
from contactor.errors import FolderError, FolderFull, UsageError
from contactor.whole_files import FULL, sync_folder

OnProgress = Callable[[int, int], None]
_DRAFT: Final = "backup"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made: where, how large, and what it says of itself."""

    path: Path
    bytes: int
    manifest: Manifest


def make_backup(folder: DataFolder, path: Path, on_progress: OnProgress) -> Backup:
    """Write the folder, as it is now, to the new file `path`.

    Args:
        on_progress: is told of the bytes that were read, and of how many there are.

    Raises:
        UsageError: there is such a file, or its name is none.
        FolderFull: no space left for it.
        FolderError, LakeError: the folder cannot be read, or `path` not be written.
    """
    _check(folder, path)
    draft = path.with_name(f".{path.name}.{_DRAFT}-{os.getpid()}")
    try:
        _remove_left_over(path)
        draft.mkdir(mode=0o700)
        with contents(folder, _made(draft / "files")) as found:
            manifest = _write(folder, found, draft / path.name, on_progress)
        size = (draft / path.name).stat().st_size
        (draft / path.name).rename(path)
        sync_folder(path.parent)
    except OSError as error:
        if error.errno in FULL:
            raise FolderFull(f"no space left for the backup {path}") from error
        raise FolderError(f"backup {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Backup(path, size, manifest)


def _check(folder: DataFolder, path: Path) -> None:
    check_name(path)
    written = folder.format
    if written.reached is not None:
        raise FolderError(
            f"{folder.root} is halfway from format {written.reached} to {written.format};"
            " the next start goes on with that"
        )
    if path.exists():
        raise UsageError(f"backup {path} is there already; choose another name")
    if not path.parent.is_dir():
        raise UsageError(f"backup {path}: there is no folder {path.parent}")
    root, target = folder.root.resolve(), path.parent.resolve()
    if target.is_relative_to(root) and not target.is_relative_to(root / BACKUPS):
        raise UsageError(f"backup {path} lies in the data folder; allowed there: {root / BACKUPS}")


def _write(folder: DataFolder, found: Contents, draft: Path, on_progress: OnProgress) -> Manifest:
    total = sum(item.path.stat().st_size for item in found.items)
    done = 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done, total)

    now_ns = time.time_ns()
    manifest = Manifest(
        format=folder.format.format,
        contactor=__version__,
        created_at=to_iso(now_ns - now_ns % NS_PER_S),
        lake_version=found.lake_version,
        lake_flush=found.lake_flush,
    )
    with ArchiveWriter(draft, is_packed=draft.suffix == ".zst") as archive:
        for item in found.items:
            found.keep()
            with item.path.open("rb") as file:
                archive.add(item.name, file, os.fstat(file.fileno()).st_size, on_bytes)
        return archive.finish(manifest)


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def _remove_left_over(path: Path) -> None:
    """What a killed backup to the same name has left."""
    for left in path.parent.glob(f".{path.name}.{_DRAFT}-*"):
        number = left.name.rpartition("-")[2]
        if number.isdigit() and not _is_alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError as error:
        return error.errno == errno.EPERM
    return True
