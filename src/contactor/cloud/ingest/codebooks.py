"""The codebooks of all streams, and the records that wait for theirs.

    codebooks = Codebooks(store.codebooks())
    codebooks.add("leaf", stream, codebook)
    codebooks.known("leaf", stream, codebook_id, now_ns)    # None: park the record, ask for it

Cars of one kind have one codebook: what is equal is kept once, however many streams use it.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from contactor.clock import NS_PER_S
from contactor.cloud.ingest.arrays.signal_table import SignalTable
from contactor.cloud.lake.schema import StoredCodebook
from contactor.signals.wire.codebook import Codebook

KEPT_OF_STREAM = 4
MAX_PARKED_BYTES = 16 * 2**20
ASK_NS = NS_PER_S

Key = tuple[str, int, int]
"""Vehicle, stream and the codebook's id."""


@dataclass(eq=False)
class Known:
    """A codebook that some streams use."""

    codebook: Codebook

    @cached_property
    def table(self) -> SignalTable:
        """Its signals, as the arrays of many records are read by."""
        return SignalTable.of(self.codebook.entries)


class Codebooks:
    """Owns what is known of each stream's signal table; of each the newest few."""

    def __init__(self, stored: Iterable[StoredCodebook] = ()) -> None:
        self._of_body: dict[bytes, Known] = {}
        self._of_stream: dict[tuple[str, int], dict[int, Known]] = {}
        self._stored: set[Key] = set()
        self._news: list[StoredCodebook] = []
        for one in stored:
            known = self._known(one.body)
            self._keep(one.vehicle_id, one.stream, known)
            self._stored.add((one.vehicle_id, one.stream, known.codebook.id))

    def add(self, vehicle_id: str, stream: int, codebook: Codebook) -> None:
        """Take in what a stream told; it is committed with the first record that uses it."""
        self._keep(vehicle_id, stream, self._known(codebook.body, codebook))

    def known(self, vehicle_id: str, stream: int, codebook_id: int, now_ns: int) -> Known | None:
        """The codebook of a record that is to be read; from now on it is kept with the data."""
        found = self._of_stream.get((vehicle_id, stream), {}).get(codebook_id)
        key = (vehicle_id, stream, codebook_id)
        if found is not None and key not in self._stored:
            self._stored.add(key)
            self._news.append(StoredCodebook(vehicle_id, stream, found.codebook.body, now_ns))
        return found

    def cut(self) -> tuple[StoredCodebook, ...]:
        """What came into use since the last cut."""
        news, self._news = tuple(self._news), []
        return news

    def _known(self, body: bytes, codebook: Codebook | None = None) -> Known:
        if body not in self._of_body:
            self._of_body[body] = Known(codebook or Codebook.read(body))
        return self._of_body[body]

    def _keep(self, vehicle_id: str, stream: int, known: Known) -> None:
        ids = self._of_stream.setdefault((vehicle_id, stream), {})
        ids.pop(known.codebook.id, None)
        ids[known.codebook.id] = known
        while len(ids) > KEPT_OF_STREAM:
            oldest = next(iter(ids))
            del ids[oldest]
            self._stored.discard((vehicle_id, stream, oldest))


class Parked:
    """Records whose codebook is not known yet; bounded, the oldest are given up first.

    One that is given up was never settled: it stays missing, so the car sends it again.
    """

    def __init__(self, *, max_bytes: int = MAX_PARKED_BYTES) -> None:
        self._waiting: deque[tuple[Key, bytes]] = deque()
        self._of_stream: Counter[tuple[str, int]] = Counter()
        self._bytes, self._max_bytes = 0, max_bytes
        self._asked_ns: dict[tuple[str, int], int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: Key, payload: bytes) -> None:
        """Let a record wait."""
        self._waiting.append((key, payload))
        self._count(key, 1, len(payload))
        while self._bytes > self._max_bytes:
            oldest, given_up = self._waiting.popleft()
            self._count(oldest, -1, -len(given_up))

    def release(self, key: Key) -> list[bytes]:
        """The records that waited for a codebook, in the order in which they came."""
        self._asked_ns.pop(key[:2], None)
        if key[:2] not in self._of_stream:
            return []
        released = [payload for one, payload in self._waiting if one == key]
        self._waiting = deque(item for item in self._waiting if item[0] != key)
        self._count(key, -len(released), -sum(map(len, released)))
        return released

    def asks(self, now_ns: int) -> list[tuple[str, int]]:
        """The vehicles and streams to be asked for their codebook now: once a second each."""
        asking = []
        for stream in self._of_stream:
            if now_ns - self._asked_ns.get(stream, now_ns - ASK_NS) >= ASK_NS:
                self._asked_ns[stream] = now_ns
                asking.append(stream)
        return asking

    def _count(self, key: Key, records: int, size: int) -> None:
        self._bytes += size
        self._of_stream[key[:2]] += records
        if not self._of_stream[key[:2]]:
            del self._of_stream[key[:2]]
