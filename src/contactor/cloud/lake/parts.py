"""The lake's Parquet files: written and synced before a log entry names them.

    lake/telemetry/group=drive/day=2024-05-01/part-000000000040-1f0c....parquet
                                                   flush 40     random

A file counts only if the log names it. Until then a failure or a crash may leave it behind: its
flush number, greater than the newest committed one, shows later that it is nobody's.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from contactor.cloud.lake.log import Sync
from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.tables import Table, part_of

_ROW_GROUP: Final = 65_536


class PartFiles:
    """The Parquet files below `root`."""

    def __init__(self, root: Path, *, sync: Sync) -> None:
        self._root, self._sync = root, sync
        self._durable: set[Path] = set()

    def write(self, tables: Sequence[Table], flush: int) -> list[Part]:
        """Write and sync a file per table, and the folders that name them; all or none."""
        written: list[Part] = []
        try:
            for table in tables:
                path = self._path(table, flush)
                written.append(part_of(table, path))
                self._write(table, path)
            self._sync_folders({path_of(part).parent for part in written})
        except BaseException:
            remove(written)
            raise
        return written

    def _path(self, table: Table, flush: int) -> Path:
        folder = self._root / f"group={table.group}" / f"day={table.day}"
        return folder / f"part-{flush:012d}-{uuid.uuid4().hex}.parquet"

    def _write(self, table: Table, path: Path) -> None:
        # Through memory: so what goes wrong with the disk is a plain OSError.
        content = BytesIO()
        table.frame.write_parquet(
            content, compression="zstd", compression_level=1, row_group_size=_ROW_GROUP
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content.getbuffer())
        self._sync(path)

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
            for path in self._root.glob("group=*/day=*/part-*.parquet")
            if path not in kept and int(path.name.split("-")[1]) > newer_than
        ]
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)


def remove(parts: Iterable[Part]) -> None:
    """Delete the files of `parts`, those of them that exist."""
    for part in parts:
        path_of(part).unlink(missing_ok=True)


def path_of(part: Part) -> Path:
    """The file of a part that is stored in one."""
    assert isinstance(part.source, Path)
    return part.source
