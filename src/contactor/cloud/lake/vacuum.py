"""What of a lake on a local folder nobody needs any more.

    gone = unneeded(unnamed, root, before_s=time.time() - 1800)
    gone_log = old_log_files(root / "_delta_log", before_s=time.time() - 1800)

A file that the newest version does not name may still be read by somebody who looked earlier, or
be under way from another writer. So it has to be old, and not to have been replaced lately: the
log entries that are younger say which files were.

Log entries are needed back to the second newest checkpoint: the newest might be torn.
"""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import unquote

from contactor.cloud.lake.log import CHECKPOINT, ENTRY

_KEPT_CHECKPOINTS = 2


def unneeded(unnamed: Collection[Path], root: Path, *, before_s: float) -> list[Path]:
    """Those of the unnamed files that were written, and replaced if they were, before then.

    Args:
        before_s: seconds since 1970, as files are stamped.
    """
    lately = set(_replaced_since(root, before_s)) if unnamed else set()
    return [path for path in sorted(unnamed) if path not in lately and _written_s(path) <= before_s]


def old_log_files(log: Path, *, before_s: float) -> list[Path]:
    """The entries and checkpoints before those that are needed, oldest first.

    Args:
        before_s: seconds since 1970. If that is now, the newest checkpoint, just made, is trusted.
    """
    names = sorted(path.name for path in log.iterdir())
    checkpoints = [int(name[:20]) for name in names if CHECKPOINT.fullmatch(name)]
    old = [mark for mark in checkpoints if _written_s(_checkpoint(log, mark)) <= before_s]
    needed_from = min(checkpoints[-_KEPT_CHECKPOINTS:], default=0)
    if old and old[-1] == checkpoints[-1]:
        needed_from = old[-1]
    return [
        log / name
        for name in names
        if (ENTRY.fullmatch(name) or CHECKPOINT.fullmatch(name))
        and int(name[:20]) < needed_from
        and _written_s(log / name) <= before_s
    ]


def _checkpoint(log: Path, version: int) -> Path:
    return log / f"{version:020d}.checkpoint.parquet"


def _replaced_since(root: Path, since_s: float) -> Iterator[Path]:
    for path in sorted((root / "_delta_log").glob("*.json"), reverse=True):
        if _written_s(path) < since_s:
            break
        for line in path.read_bytes().splitlines():
            removed = json.loads(line).get("remove")
            if removed:
                yield root / unquote(removed["path"])


def _written_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
