"""The files of the lake as of one commit, held fast while they are copied; takes no lock.

    with frozen(Path("contactor-data")) as files:
        files.version, files.flush
        files.sources           # name below the data folder -> where to read it
        files.keep()            # now and then: it is still needed

The files get a second name (a hard link) in lake/drafts/, so that a vacuum beside it takes nothing
away; on a disk without hard links they are read where they lie. What a kill leaves in lake/drafts/
is removed by the next vacuum.

Of the log the newest checkpoint and the entries after it are taken: together they are that commit.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contactor.cloud.lake.delta import FAILURES, TelemetryTable
from contactor.cloud.lake.failures import one_line
from contactor.cloud.lake.local_reader import table_folder
from contactor.cloud.lake.log import (
    CHECKPOINT,
    entry,
    newest_entry,
    version_before_torn_tail,
)
from contactor.cloud.lake.parts import path_of
from contactor.cloud.lake.translation import reading
from contactor.errors import LakeError

_ATTEMPTS: Final = 5
_NO_LINKS: Final = (errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Frozen:
    """One commit of the lake as files.

    Fields:
        version: of the table.
        flush: the number of the newest flush in it.
        sources: name below the data folder -> where to read it.
    """

    version: int
    flush: int
    sources: Mapping[str, Path]
    _draft: Path

    def keep(self) -> None:
        """Say that it is still needed: a vacuum removes drafts that are old.

        Raises:
            LakeError: it is gone, as after an erasure.
        """
        try:
            os.utime(self._draft)
        except FileNotFoundError as error:
            raise LakeError("the lake was vacuumed of all that is old meanwhile") from error


@contextmanager
def frozen(data: Path) -> Iterator[Frozen]:
    """Hold the newest commit of the lake in `data` fast.

    Raises:
        FolderError, LakeError: the lake cannot be read.
    """
    with reading(data):
        root = table_folder(data)
        draft = root.parent / "drafts" / f"draft-frozen-{uuid.uuid4().hex}"
    try:
        with reading(data):
            draft.mkdir(parents=True)
            found = _freeze(data, root, draft)
        yield found
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _freeze(data: Path, root: Path, draft: Path) -> Frozen:
    """Try it again where an entry or a file was taken away meanwhile."""
    for attempt in range(_ATTEMPTS):
        try:
            return _try(root, draft)
        except FAILURES as error:
            shutil.rmtree(draft, ignore_errors=True)
            if attempt == _ATTEMPTS - 1:
                raise LakeError(
                    f"the lake in '{data}' cannot be read: {one_line(error)}"
                ) from error
    raise AssertionError("the last attempt returns or raises")


def _try(root: Path, draft: Path) -> Frozen:
    log = root / "_delta_log"
    version = version_before_torn_tail(log)
    if version is None:
        newest = newest_entry(log)
        if newest is None:
            raise FileNotFoundError(log)
        version = int(newest.stem)
    snapshot = TelemetryTable.open(root, version).snapshot()
    taken = [*(path_of(part) for part in snapshot.parts), *_log_of(log, version)]
    sources = {_name(root, path): _hold(path, root, draft) for path in taken}
    return Frozen(version, snapshot.flush, sources, draft)


def _log_of(log: Path, version: int) -> list[Path]:
    """The newest checkpoint up to `version`, and the entries from there on."""
    names = [path.name for path in log.iterdir() if CHECKPOINT.fullmatch(path.name)]
    mark = max((int(name[:20]) for name in names if int(name[:20]) <= version), default=-1)
    checkpoints = [] if mark < 0 else [log / f"{mark:020d}.checkpoint.parquet"]
    return [*checkpoints, *(entry(log, number) for number in range(mark + 1, version + 1))]


def _name(root: Path, path: Path) -> str:
    return str(path.relative_to(root.parent.parent))


def _hold(path: Path, root: Path, draft: Path) -> Path:
    """A second name for the file, or the file itself where there can be none."""
    held = draft / path.relative_to(root)
    held.parent.mkdir(parents=True, exist_ok=True)
    try:
        held.hardlink_to(path)
    except FileExistsError:
        return held
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        path.stat()
        return path
    return held
