"""Reads the lake of a data folder: takes no lock and writes nothing.

DIR/lake/telemetry/_delta_log/00000000000000000042.json

reader = LocalReader(Path("contactor-data"))
reader.snapshot()
"""

import re
import threading
from pathlib import Path
from typing import Final

from contactor.cloud.lake.delta import FAILURES, TelemetryTable, look
from contactor.cloud.lake.log import entry, newest_entry, version_before_torn_tail
from contactor.cloud.lake.ports import Snapshot
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import CODEBOOKS, STREAMS, StoredCodebook, StreamState
from contactor.cloud.lake.tables import codebooks, states
from contactor.cloud.lake.translation import reading
from contactor.errors import FolderError, LakeError

_ENCODED: Final = re.compile(r"%[0-9A-Fa-f]{2}|\\")
_REOPEN_AFTER: Final = 20  # a handle grows slower with every commit that it has seen


def table_folder(data: Path) -> Path:
    """Where the lake's table lies in a data folder.

    Raises:
        FolderError: deltalake would take the folder's name for an encoded one.
    """
    folder = data.absolute() / "lake" / "telemetry"
    encoded = _ENCODED.search(str(folder))
    if encoded:
        raise FolderError(
            f"'{data}' has '{encoded.group()}' in its path; name the folder otherwise"
        )
    return folder


class LocalReader:
    """Reads the lake of a data folder; takes no lock and writes nothing."""

    def __init__(self, data: Path) -> None:
        """Open the lake in `data`.

        Raises:
            FolderError: no such folder, or it cannot be read.
            LakeError: it holds no lake of ours.
        """
        self._data, self._root = data, table_folder(data)
        self._log = self._root / "_delta_log"
        self._lock = threading.Lock()
        with reading(data):
            if not data.is_dir():
                raise FolderError(f"no data folder '{data}'")
            if newest_entry(self._log) is None:
                raise LakeError(f"no lake in '{data}': there is no lake/telemetry in it")
            self._load()

    def snapshot(self) -> Snapshot:
        with self._lock, reading(self._data):
            version = self._table.version
            if not entry(self._log, version).exists():
                self._load()  # the log behind it was cleaned
            elif entry(self._log, version + 1).exists():
                self._follow()
            return self._snapshot

    def streams(self) -> list[StreamState]:
        return states(read_all(self.snapshot(), STREAMS))

    def codebooks(self) -> list[StoredCodebook]:
        return codebooks(read_all(self.snapshot(), CODEBOOKS))

    def _load(self) -> None:
        self._table, self._snapshot = look(self._find)
        self._opened_at = self._table.version

    def _find(self) -> TelemetryTable:
        whole = version_before_torn_tail(self._log)
        if whole == -1:
            raise LakeError(f"no lake in '{self._data}': its first entry is torn")
        return TelemetryTable.open(self._root, whole)

    def _follow(self) -> None:
        whole = version_before_torn_tail(self._log)
        if whole == self._table.version:
            return
        if whole is not None or self._table.version - self._opened_at >= _REOPEN_AFTER:
            self._load()
            return
        try:
            self._table.update()
            self._snapshot = self._table.snapshot()
        except FAILURES:  # the log before it was cleaned meanwhile
            self._load()
