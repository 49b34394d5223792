"""The lake's Parquet files in an object storage: written before a log entry names them.

    files = ObjectFiles("s3://fleet/lake")
    written = files.write(tables, flush=42)         # all or none
    files.vacuum(needed, before_s=time.time() - 1800)

The names are those of a folder (`parts`). An object is durable when it is put: nothing is synced.
What a crash leaves behind no log entry names; `vacuum` finds it when it is old enough.
"""

import json
import re
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from contactor.cloud.lake.delta_objects import Found, Objects
from contactor.cloud.lake.log import CHECKPOINT, ENTRY
from contactor.cloud.lake.packing import write_packed, write_plain
from contactor.cloud.lake.parts import FILES, new_name
from contactor.cloud.lake.ports import Part
from contactor.cloud.lake.tables import Table, part_of

LOG: Final = "_delta_log/"
_AT_ONCE: Final = 8
_KEPT_CHECKPOINTS: Final = 2


class ObjectFiles:
    """The Parquet files and log entries below `url`."""

    def __init__(self, url: str) -> None:
        self._url, self.objects = url, Objects(url)
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def write(self, tables: Iterable[Table], flush: int, *, is_packed: bool = False) -> list[Part]:
        """Put a file per table; all or none.

        Args:
            tables: each is asked for when the one before is written, if they are packed.
            flush: the newest flush whose rows are in them.
        """
        written: list[Part] = []

        def put(table: Table) -> None:
            name = new_name(table, flush, is_packed=is_packed)
            with self._lock:
                self._under_way.add(name)
                written.append(part_of(table, f"{self._url}/{name}", is_packed=is_packed))
            self._put(table, name, is_packed=is_packed)

        try:
            if is_packed:
                for table in tables:
                    put(table)
            else:
                with ThreadPoolExecutor(_AT_ONCE) as pool:
                    list(pool.map(put, tables))
        except BaseException:
            self.discard(written)
            raise
        return written

    def _put(self, table: Table, name: str, *, is_packed: bool) -> None:
        with tempfile.TemporaryDirectory(prefix="contactor-") as folder:
            path = Path(folder, "part.parquet")
            if is_packed:
                write_packed(table.frame, path, drafts=Path(folder))
            else:
                write_plain(table.frame, path)
            self.objects.put(name, path)

    def name_of(self, part: Part) -> str:
        """Its name below the url."""
        assert isinstance(part.source, str)
        return part.source[len(self._url) + 1 :]

    def settle(self, parts: Iterable[Part]) -> None:
        """Say that a log entry names these, or that they are removed."""
        with self._lock:
            self._under_way.difference_update(self.name_of(part) for part in parts)

    def discard(self, parts: Sequence[Part]) -> None:
        """Delete the files of `parts`, as far as that succeeds: else a vacuum does."""
        for part in parts:
            with suppress(OSError):
                self.objects.delete(self.name_of(part))
        self.settle(parts)

    def size_of(self, _root: object, name: str) -> int:
        """How many bytes a file has."""
        return self.objects.bytes(name)

    def is_entered(self, before: int, text: str) -> bool:
        """Whether `text` stands in an entry after version `before`."""
        version = before + 1
        while True:
            try:
                content = self.objects.read(f"{LOG}{version:020d}.json")
            except FileNotFoundError:
                return False
            if text.encode() in content:
                return True
            version += 1

    def vacuum(self, needed: Collection[str], found: Sequence[Found], *, before_s: float) -> int:
        """Delete what is not needed, was written before then, and not replaced since.

        Args:
            needed: the names of the files of the newest version.
            found: what there was before the newest version was looked at.

        Returns:
            how many files of rows.
        """
        with self._lock:
            kept = {*needed, *self._under_way}
        unnamed = [one for one in found if fnmatchcase(one.name, FILES) and one.name not in kept]
        lately = set(self._replaced_since(found, before_s)) if unnamed else set()
        gone = [one for one in unnamed if one.written_s <= before_s and one.name not in lately]
        for one in (*gone, *_old_log(found, before_s)):
            self.objects.delete(one.name)
        return len(gone)

    def _replaced_since(self, found: Iterable[Found], since_s: float) -> Iterator[str]:
        for one in found:
            if not _is_log(one, ENTRY) or one.written_s < since_s:
                continue
            for line in self.objects.read(one.name).splitlines():
                removed = json.loads(line).get("remove")
                if removed:
                    yield unquote(removed["path"])


def _old_log(found: Iterable[Found], before_s: float) -> list[Found]:
    """The entries and checkpoints before those that are needed (`vacuum.old_log_files`)."""
    checkpoints = sorted((one for one in found if _is_log(one, CHECKPOINT)), key=_version)
    needed_from = min(map(_version, checkpoints[-_KEPT_CHECKPOINTS:]), default=0)
    if checkpoints and checkpoints[-1].written_s <= before_s:
        needed_from = _version(checkpoints[-1])
    return [
        one
        for one in found
        if (_is_log(one, ENTRY) or _is_log(one, CHECKPOINT))
        and _version(one) < needed_from
        and one.written_s <= before_s
    ]


def _is_log(found: Found, pattern: re.Pattern[str]) -> bool:
    name = found.name.removeprefix(LOG)
    return name != found.name and pattern.fullmatch(name) is not None


def _version(found: Found) -> int:
    return int(found.name.removeprefix(LOG)[:20])
