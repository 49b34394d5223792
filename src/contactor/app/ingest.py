"""One ingest of several: takes its vehicles' records, commits them, tells the cars; no API."""

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator

from contactor.app.folder import LOCK_RETRY_S, LOCK_WAIT_S, DataFolder
from contactor.app.lake_place import open_store
from contactor.app.upkeep import BackgroundUpkeep, ages_of_environment
from contactor.clock import SystemClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.ingest.partition import Partition
from contactor.errors import FolderInUse
from contactor.link.nats import NatsTransport


def run_ingest(folder: DataFolder, *, partition: Partition, link: str) -> int:
    """Take and commit until SIGINT or SIGTERM; says when it has claimed its vehicles.

    Raises:
        StaleWriter: a newer ingest of some of its vehicles has begun.
        LakeError: the lake cannot be opened or written.
        FolderInUse: an instance runs on the folder.
    """
    with _shared(folder):
        return asyncio.run(_run(folder, partition, link))


async def _run(folder: DataFolder, partition: Partition, link: str) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    store = await asyncio.to_thread(open_store, folder, parts=partition.parts)
    transport = NatsTransport(link, name=partition.name)
    clock = SystemClock()
    ingest = Ingest(store=store, transport=transport, clock=clock, partition=partition)
    tasks = [asyncio.create_task(ingest.run())]
    if partition.number == 1:  # one does it for all
        upkeep = BackgroundUpkeep(store, ages=ages_of_environment(), clock=clock)
        tasks.append(asyncio.create_task(upkeep.run()))
    print(f"ready ingest {partition}", flush=True)
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in (*tasks, stopping):
            one.cancel()
        await asyncio.wait(tasks)
        await transport.close()
    for task in tasks:
        if not task.cancelled():
            task.result()
    return 0


@contextlib.contextmanager
def _shared(folder: DataFolder) -> Iterator[None]:
    """Hold the folder beside other ingests, while nobody holds it alone.

    Raises:
        FolderInUse: somebody does.
    """
    # Whoever is the first brings a folder of an older format up to date, which is done alone.
    with contextlib.suppress(FolderInUse), folder.held():
        pass
    descriptor = os.open(folder.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock_shared(folder, descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock_shared(folder: DataFolder, descriptor: int) -> None:
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise FolderInUse(
                    f"{folder.root} is in use by process {folder.holder() or 'unknown'}"
                ) from error
            time.sleep(LOCK_RETRY_S)
        else:
            return
