"""What fires is noted before the rows that brought it are committed, so that no kill loses it."""

import asyncio
import contextlib
from pathlib import Path

import numpy as np

from contactor.car.agent.outbox import Lane, Outbox
from contactor.clock import FakeClock, SystemClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.schema import Flush
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows
from tests.cloud.alerts.support import CHARGE, LOW, START, document, opened, until
from tests.cloud.ingest.test_road import car


class Watched:
    """A store that looks at how many alerts are kept when it commits."""

    def __init__(self, database: Path) -> None:
        self._store, self._database = MemoryStore(), database
        self.kept: list[int] = []
        self.streams, self.codebooks = self._store.streams, self._store.codebooks

    @property
    def next_flush(self) -> int:
        return self._store.next_flush

    def commit(self, flush: Flush) -> None:
        alerts = opened(self._database, FakeClock(START))
        self.kept.append(len(alerts.store.alerts(limit=10)))
        alerts.store.database.close()
        self._store.commit(flush)


def test_alert_is_noted_before_its_rows_are_committed(tmp_path: Path) -> None:
    database = tmp_path / "contactor.sqlite3"
    store = Watched(database)

    async def live() -> None:
        alerts, broker = opened(database, FakeClock(START)), MemoryBroker()
        await alerts.put(document(LOW))
        ingest = Ingest(
            store=store,
            transport=MemoryTransport(broker),
            clock=SystemClock(),
            flush_s=0.02,
            on_batch=alerts.watch.take_batch,
            before_commit=alerts.watch.keep_up,
        )
        taking = asyncio.create_task(ingest.run())
        outbox = Outbox(tmp_path / "outbox.db")
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        rows = Rows(Group.DRIVE, np.array([START]), (Column.of(CHARGE, [10.0]),))
        outbox.append(stream, [(rows,)])
        async with car(broker, outbox, stream):
            await until(lambda: store.kept, "committed")
        taking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await taking
        await alerts.close()
        outbox.close()

    asyncio.run(live())

    assert store.kept == [1]
