"""The lake's Parquet files: written and synced before a log entry names them.

    lake/telemetry/group=drive/day=2024-05-01/part-000000000040-1f0c....parquet
                                                   flush 40     random
    lake/telemetry/group=drive/day=2024-05-01/part-000000000040-packed-77ab....parquet
                                       the newest flush in it   by a rewrite, for good

A file counts only if the log names it. Until then a failure or a crash may leave it behind: its
flush number, greater than the newest committed one, shows later that it is nobody's; what a rewrite
left behind is found by `vacuum`.
"""

import shutil
import uuid
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

from contactor.cloud.lake.log import Sync
from contactor.cloud.lake.packing import write_packed, write_plain
from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.tables import Table, part_of

FILES: Final = "group=*/day=*/part-*.parquet"
_PACKED: Final = "-packed-"


class PartFiles:
    """The Parquet files below `root`."""

    def __init__(self, root: Path, *, sync: Sync) -> None:
        self._root, self._sync = root, sync
        self._durable: set[Path] = set()
        self._under_way: set[Path] = set()
        self._drafts = root.parent / "drafts"

    @property
    def under_way(self) -> set[Path]:
        """The files that no log entry names yet."""
        return set(self._under_way)

    def write(self, tables: Iterable[Table], flush: int, *, is_packed: bool = False) -> list[Part]:
        """Write and sync a file per table, and the folders that name them; all or none.

        Args:
            tables: each is asked for when the one before is written.
            flush: the newest flush whose rows are in them.
        """
        written: list[Part] = []
        try:
            for table in tables:
                path = self._root / new_name(table, flush, is_packed=is_packed)
                self._under_way.add(path)
                written.append(part_of(table, path, is_packed=is_packed))
                path.parent.mkdir(parents=True, exist_ok=True)
                if is_packed:
                    write_packed(table.frame, path, drafts=self._drafts)
                else:
                    write_plain(table.frame, path)
                self._sync(path)
            self._sync_folders({path_of(part).parent for part in written})
        except BaseException:
            self.discard(written)
            raise
        return written

    def remove_drafts(self, *, before_s: float) -> None:
        """Remove what a crash left half written before then."""
        for draft in self._drafts.glob("draft-*"):
            if draft.stat().st_mtime < before_s:
                shutil.rmtree(draft, ignore_errors=True)

    def present(self) -> set[Path]:
        """Every file that lies here, named by the log or not."""
        return set(self._root.glob(FILES))

    def settle(self, parts: Iterable[Part]) -> None:
        """Say that a log entry names these, or that they are removed."""
        self._under_way.difference_update(path_of(part) for part in parts)

    def _sync_folders(self, folders: Iterable[Path]) -> None:
        for folder in sorted(folders):
            self._sync(folder)
            for inner in (folder, folder.parent):
                if inner not in self._durable:
                    self._sync(inner.parent)
                    self._durable.add(inner)

    def remove_orphans(self, kept: Collection[Path], newer_than: int) -> int:
        """Remove files of flushes after `newer_than` that are not among `kept`.

        Returns:
            how many there were.
        """
        orphans = [
            path
            for path in self._root.glob(FILES)
            if path not in kept and path not in self._under_way and number_of(path) > newer_than
        ]
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)

    def discard(self, parts: Sequence[Part]) -> None:
        """Delete the files of `parts`, those of them that exist."""
        for part in parts:
            path_of(part).unlink(missing_ok=True)
        self.settle(parts)


def new_name(table: Table, flush: int, *, is_packed: bool) -> str:
    """A name below the root for a file of `table`, as no other has it."""
    mark = _PACKED if is_packed else "-"
    file = f"part-{flush:012d}{mark}{uuid.uuid4().hex}.parquet"
    return f"group={table.group}/day={table.day}/{file}"


def path_of(part: Part) -> Path:
    """The file of a part that is stored in one."""
    assert isinstance(part.source, Path)
    return part.source


def number_of(path: Path | str) -> int:
    """The number of the newest flush that has rows in the file."""
    return int(str(path).rpartition("/")[2].split("-")[1])


def in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Stored parts by flush; those of one flush by group and day."""
    return tuple(
        sorted(parts, key=lambda part: (number_of(str(part.source)), part.group, part.day))
    )


def is_packed(path: str) -> bool:
    """Whether a rewrite made the file of that name."""
    return _PACKED in path
