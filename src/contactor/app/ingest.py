"""One ingest of several: takes its vehicles' records, commits them, tells the cars; no API."""

import asyncio
import signal

from contactor.app.ages import ages_of_environment
from contactor.app.folder import DataFolder
from contactor.app.lake_place import open_store
from contactor.app.locks import shared
from contactor.app.priority import put_loop_first
from contactor.app.upkeep import BackgroundUpkeep
from contactor.clock import SystemClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.ingest.partition import Partition
from contactor.link.nats import NatsTransport


def run_ingest(folder: DataFolder, *, partition: Partition, link: str) -> int:
    """Take and commit until SIGINT or SIGTERM; says when it has claimed its vehicles.

    Raises:
        StaleWriter: a newer ingest of some of its vehicles has begun.
        LakeError: the lake cannot be opened or written.
        FolderInUse: an instance runs on the folder.
    """
    put_loop_first()
    with shared(folder):
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
