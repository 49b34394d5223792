"""The Delta log as files: what a crash or a power cut can leave behind, and how it is put right.

    _delta_log/00000000000000000041.json                 an entry: one commit
    _delta_log/00000000000000000042.json                 the tail, torn: never acknowledged
    _delta_log/00000000000000000042.json#1               left by deltalake when it was killed
    _delta_log/00000000000000000040.checkpoint.parquet   the sum of the entries up to 40

Every entry is synced before the next is begun, so only the newest can be torn. Our entries say how
many files they add, and rewrites how many they remove: one cut at the end of a line is seen too. An
empty entry, which deltalake would read as an empty commit, is torn.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from contactor.cloud.lake.failures import is_panic

FILES_ADDED = "contactor.files"
FILES_REMOVED = "contactor.removed"
MARKS = "contactor.marks"
Sync = Callable[[Path], None]

ENTRY = re.compile(r"\d{20}\.json")
CHECKPOINT = re.compile(r"\d{20}\.checkpoint\.parquet")
_STRAY = re.compile(r".+#\d+")
_LAST_CHECKPOINT = "_last_checkpoint"
_NEEDED = {
    "CREATE TABLE": "metaData",
    "ADD COLUMN": "metaData",
    "UPDATE FIELD METADATA": "metaData",
}


def sync_path(path: Path) -> None:
    """Make a file's content, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def entry(log: Path, version: int) -> Path:
    """The log entry of a table version."""
    return log / f"{version:020d}.json"


def newest_entry(log: Path) -> Path | None:
    """The newest log entry, whole or torn."""
    return _newest(log, ENTRY)


def _newest(log: Path, pattern: re.Pattern[str]) -> Path | None:
    names = [name for name in _names(log) if pattern.fullmatch(name)]
    return log / max(names) if names else None


def _names(log: Path) -> list[str]:
    return [path.name for path in log.iterdir()] if log.is_dir() else []


def is_whole(path: Path) -> bool:
    """Whether a log entry holds everything that was to be written to it."""
    try:
        actions = [json.loads(line) for line in path.read_bytes().splitlines()]
        kinds = [next(iter(action)) for action in actions]
        told = next(action["commitInfo"] for action in actions if "commitInfo" in action)
    except (ValueError, TypeError, StopIteration):
        return False
    needed = _NEEDED.get(told.get("operation"))
    if needed is not None and needed not in kinds:
        return False
    files, removed = told.get(FILES_ADDED), told.get(FILES_REMOVED)
    if files is None:
        return True
    if kinds.count("add") != int(files):
        return False
    if removed is None:
        return "txn" in kinds
    marks = told.get(MARKS, "0")
    return kinds.count("remove") == int(removed) and kinds.count("txn") == int(marks)


def version_before_torn_tail(log: Path) -> int | None:
    """The newest whole version, where the newest entry is torn; else None. For readers."""
    newest = newest_entry(log)
    if newest is None or is_whole(newest):
        return None
    return int(newest.stem) - 1


def repair(log: Path) -> list[str]:
    """Take out what was never acknowledged. For the writer.

    Returns:
        the names of what was removed.
    """
    removed = [name for name in _names(log) if _STRAY.fullmatch(name)]
    newest = newest_entry(log)
    if newest is not None and not is_whole(newest):
        removed.append(newest.name)
    checkpoint = _newest(log, CHECKPOINT)
    if checkpoint is not None and not _is_readable(checkpoint):
        removed += [checkpoint.name, _LAST_CHECKPOINT]
    for name in removed:
        (log / name).unlink(missing_ok=True)
    return removed


def is_entered(log: Path, before: int, text: str) -> bool:
    """Whether `text` stands in an entry after version `before`."""
    version = before + 1
    while (path := entry(log, version)).exists():
        if text in path.read_text(encoding="utf-8"):
            return True
        version += 1
    return False


def checkpoint_files(log: Path) -> list[Path]:
    """The newest checkpoint and the file that points to it."""
    newest = _newest(log, CHECKPOINT)
    return [] if newest is None else [newest, log / _LAST_CHECKPOINT]


def _is_readable(checkpoint: Path) -> bool:
    try:
        pl.read_parquet(checkpoint, glob=False)
    except (PolarsError, OSError):
        return False
    except BaseException as error:
        if is_panic(error):
            return False
        raise
    return True
