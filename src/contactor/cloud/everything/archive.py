"""A zip whose README names each file; written piece by piece, so memory holds one row of it.

    with Archive(file, title="everything of leaf", now_ns=now_ns) as archive:
        archive.document("battery.json", battery, "the battery's capacity and health")
        archive.table("trips", lambda: trips, "every trip")         # trips.csv and trips.json

In CSV what is itself a list or an object is JSON, and no text is a formula.
"""

import csv
import io
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import msgspec

from contactor import __version__
from contactor.clock import to_iso
from contactor.cloud.spreadsheets import harmless
from contactor.errors import InstanceError

README: Final = "README.md"
Rows = Callable[[], Iterable[Mapping[str, object]]]
"""Gives all rows, each with the same fields, as often as it is called."""


class Archive:
    """Files of one zip.

    Args:
        file: takes it, and can be sought.
        title: what it is, for the README.
        is_stopped: asked before each file and row; it then ends.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        title: str,
        now_ns: int,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._is_stopped = is_stopped
        self._lines = [
            f"# {title[:1].upper()}{title[1:]}",
            "",
            f"Made by Contactor {__version__} at {to_iso(now_ns)}. Instants are UTC.",
            "",
            "| file | what it holds | rows |",
            "| --- | --- | ---: |",
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._zip.writestr(README, "\n".join([*self._lines, ""]))
        self._zip.close()

    def check(self) -> None:
        """Go on.

        Raises:
            InstanceError: it is to end.
        """
        if self._is_stopped():
            raise InstanceError("the instance stops; ask again when it runs")

    def document(self, name: str, document: object, says: str) -> None:
        """Add one document of JSON."""
        self.check()
        text = msgspec.json.format(msgspec.json.encode(document), indent=2)
        self._zip.writestr(name, text + b"\n")
        self._say(name, says, None)

    def table(self, name: str, rows: Rows, says: str) -> None:
        """Add rows as `NAME.json`, a list, and as `NAME.csv`; nothing where there are none."""
        count = self._json(f"{name}.json", rows)
        self._csv(f"{name}.csv", rows)
        self._say(f"{name}.json, {name}.csv", says, count)

    def file(self, name: str, path: Path, says: str, *, rows: int) -> None:
        """Add a file that is compressed already."""
        self.check()
        head = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
        with path.open("rb") as source, self._zip.open(head, "w") as part:
            shutil.copyfileobj(source, part)
        self._say(name, says, rows)

    def _json(self, name: str, rows: Rows) -> int:
        count = 0
        with self._zip.open(name, "w", force_zip64=True) as part:
            part.write(b"[")
            for row in rows():
                self.check()
                part.write(b",\n" if count else b"\n")
                part.write(msgspec.json.encode(row))
                count += 1
            part.write(b"\n]\n")
        return count

    def _csv(self, name: str, rows: Rows) -> None:
        with (
            self._zip.open(name, "w", force_zip64=True) as part,
            io.TextIOWrapper(part, encoding="utf-8", newline="") as text,
        ):
            writer = None
            for row in rows():
                self.check()
                if writer is None:
                    writer = csv.writer(text)
                    writer.writerow(row)
                writer.writerow([_cell(value) for value in row.values()])

    def _say(self, name: str, says: str, rows: int | None) -> None:
        self._lines.append(f"| {name} | {says} | {'' if rows is None else rows} |")


def _cell(value: object) -> object:
    if isinstance(value, str | int | float | None):
        return harmless(value)
    return msgspec.json.encode(value).decode()
