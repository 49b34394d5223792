"""A backup becomes a data folder again: an empty or a new one.

    restore_backup(Path("today.tar.zst"), Path("contactor-data"), on_progress)

The backup is read to its end and checked before anything is written. `format.json` is written last:
without it the folder is none, so a restore that was cut short is never taken for one.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import IO, Final

from contactor.app.backup.archive import File, Manifest, OnBytes, extract, verify
from contactor.app.backup.make import OnProgress
from contactor.app.backup.second_life import begin_second_life
from contactor.app.folder import UNFINISHED, DataFolder, is_empty
from contactor.app.format import check_readable, write_format
from contactor.errors import FolderError, FolderFull, UsageError
from contactor.whole_files import FULL, sync_folder, write_whole

_PIECE_BYTES: Final = 2**20


def restore_backup(path: Path, root: Path, on_progress: OnProgress) -> Manifest:
    """Make `root` the data folder that is in the backup `path`.

    Raises:
        UsageError: there is no such backup, or `root` is not empty.
        FolderFull: no space left.
        FolderError: the backup is damaged or of a newer format, or `root` cannot be written.
        In all of these `root` is as it was.
    """
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; a backup is restored into a folder")
    if root.is_dir() and not is_empty(root):
        raise UsageError(f"{root} is not empty; a backup is restored into an empty or new folder")
    size = path.stat().st_size if path.is_file() else 0
    done = 0

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done, 2 * size)

    manifest = verify(path, on_bytes)
    check_readable(f"backup {path}", manifest.format)
    _write(path, manifest, root, on_bytes)
    return manifest


def _write(path: Path, manifest: Manifest, root: Path, on_bytes: OnBytes) -> None:
    is_new, is_ours = not root.exists(), False
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        (root / UNFINISHED).touch(exist_ok=False)
        is_ours = True
        _check_room(root, manifest)
        files = _Files(root)
        extract(path, manifest, files.write, on_bytes)
        begin_second_life(DataFolder(root))
        files.sync_folders()
        write_whole(root / ".gitignore", "*\n")
        write_format(root, manifest.format)
        (root / UNFINISHED).unlink()
    except BaseException as error:
        if is_ours:
            _clear(root, is_new=is_new)
        if isinstance(error, OSError):
            if error.errno in FULL:
                raise FolderFull(f"no space left in {root}") from error
            raise FolderError(f"data folder {root}: {error.strerror or error}") from error
        raise


class _Files:
    """Writes files below `root`, and remembers the folders that name them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders = {root}

    def write(self, file: File, source: IO[bytes]) -> None:
        """Write one, and compare it with its checksum once more."""
        path = self._root / file.name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with path.open("xb") as target:
            while piece := source.read(_PIECE_BYTES):
                digest.update(piece)
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        if digest.hexdigest() != file.sha256:
            raise FolderError(f"{file.name!r} of the backup has changed since it was checked")
        while path != self._root:
            path = path.parent
            self._folders.add(path)

    def sync_folders(self) -> None:
        """Make every name survive a power cut."""
        for folder in sorted(self._folders):
            sync_folder(folder)


def _check_room(root: Path, manifest: Manifest) -> None:
    free = shutil.disk_usage(root).free
    if manifest.total_bytes > free:
        raise FolderFull(
            f"no space in {root}: the backup holds {manifest.total_bytes} bytes, {free} are free"
        )


def _clear(root: Path, *, is_new: bool) -> None:
    """Leave nothing of what was written; the marker goes last."""
    for path in root.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != UNFINISHED:
            path.unlink(missing_ok=True)
    (root / UNFINISHED).unlink(missing_ok=True)
    if is_new:
        root.rmdir()
