"""Reads a lake in an object storage; writes nothing.

reader = ObjectReader("s3://fleet/lake")
reader.snapshot()
"""

import threading

from contactor.cloud.lake.delta import FAILURES, TelemetryTable, look
from contactor.cloud.lake.object_url import check_url
from contactor.cloud.lake.ports import Snapshot
from contactor.cloud.lake.reading import read_all
from contactor.cloud.lake.schema import CODEBOOKS, STREAMS, StoredCodebook, StreamState
from contactor.cloud.lake.tables import codebooks, states
from contactor.cloud.lake.translation import reading
from contactor.errors import LakeError


class ObjectReader:
    """Reads the lake at a url."""

    def __init__(self, url: str) -> None:
        """Open the lake at `url`.

        Raises:
            UsageError: that is no url of a lake.
            LakeError: there is none, or it cannot be read.
        """
        self._url = check_url(url)
        self._lock = threading.Lock()
        with reading(self._url):
            self._table, self._snapshot = look(self._find)

    def snapshot(self) -> Snapshot:
        with self._lock, reading(self._url):
            version = self._table.version
            try:
                self._table.update()
                if self._table.version != version:
                    self._snapshot = self._table.snapshot()
            except FAILURES:  # the log before it may have been cleaned
                self._table, self._snapshot = look(self._find)
            return self._snapshot

    def streams(self) -> list[StreamState]:
        return states(read_all(self.snapshot(), STREAMS))

    def codebooks(self) -> list[StoredCodebook]:
        return codebooks(read_all(self.snapshot(), CODEBOOKS))

    def _find(self) -> TelemetryTable:
        if not TelemetryTable.exists(self._url):
            raise LakeError(f"no lake at {self._url}")
        return TelemetryTable.open(self._url)
