"""How fast ingests that share one stream and one lake empty a full broker, by their number.

    .venv/bin/python benchmarks/workers.py [INGESTS [CARS [RECORDS [ROWS]]]]

Each car has RECORDS records of ROWS seconds: 40 signals, a row a second. They lie in the broker
before the ingests start; the time runs from the last `ready` to the commit of the last record.
Printed are records and signals a second, the processor time of ingests and broker per record, and
the ingests' memory.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from contactor.cloud.ingest.partition import Partition
from contactor.cloud.lake.local_reader import LocalReader
from contactor.link import topics
from contactor.link.broker import prepare_broker, wait_broker
from contactor.link.nats import NatsTransport
from contactor.link.ports import QueueLimits
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Record, Rows
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.encode import encode_codebook, encode_record

PATHS = [path for path, leaf in catalogue().items() if leaf.datatype is Datatype.FLOAT][:40]
AT_ONCE = 256


def record(vehicle_id: str, sequence: int, rows: int) -> Record:
    """So many seconds of one car: 40 signals, a row a second."""
    seconds = sequence * rows + np.arange(rows)
    values, states = (seconds % 50).astype(np.float32), np.ones(rows, np.uint8)
    columns = (Column(path, Datatype.FLOAT, values, states) for path in PATHS)
    ts = (1_700_000_000 + seconds) * 10**9
    return Record(vehicle_id, 1, sequence, (Rows(Group.DRIVE, ts, tuple(columns)),))


async def fill(
    url: str, partitions: tuple[Partition, ...], cars: int, records: int, rows: int
) -> None:
    """Make the consumers, and put every record into the broker."""
    link = NatsTransport(url, name="load", limits=QueueLimits(idle_s=600))
    await link.wait_connected(10)
    for one in partitions:
        await link.consumer(topics.ALL_UPLINKS, name=one.name, parts=one.parts)
    codebook = Codebook((path, Datatype.FLOAT) for path in PATHS)
    room = asyncio.Semaphore(AT_ONCE)

    async def put(vehicle_id: str, payload: bytes, number: int) -> None:
        async with room:
            await link.put(topics.uplink(vehicle_id), payload, message_id=f"{vehicle_id}-{number}")

    for number in range(records + 1):
        async with asyncio.TaskGroup() as group:
            for vehicle_id in (f"car{car}" for car in range(cars)):
                if number == 0:
                    payload = encode_codebook(vehicle_id, 1, codebook)
                else:
                    payload = encode_record(record(vehicle_id, number, rows), codebook)
                group.create_task(put(vehicle_id, payload, number))
    await link.close()


def processor_s(pid: int) -> float:
    """The processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """The memory that a process has now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(ingests: int = 1, cars: int = 500, records: int = 100, rows: int = 1) -> None:
    """Fill, empty, print one line."""
    partitions = Partition(1, ingests).all
    with tempfile.TemporaryDirectory() as folder:
        launch = prepare_broker(Path(folder) / "broker")
        data, running = Path(folder) / "data", list[subprocess.Popen[str]]()
        with (Path(folder) / "broker.log").open("w") as log:
            broker = subprocess.Popen(launch.command, stdout=log, stderr=log)
        try:
            asyncio.run(wait_broker(launch.url, 20))
            asyncio.run(fill(launch.url, partitions, cars, records, rows))
            put_s = processor_s(broker.pid)
            own = [sys.executable, "-m", "contactor.app.main", "ingest", "--link", launch.url]
            for one in partitions:
                command = [*own, "--data", str(data), "--partition", str(one)]
                running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            for process in running:
                assert process.stdout is not None
                process.stdout.readline()
            starts_s = [processor_s(process.pid) for process in running]
            began = time.perf_counter()
            while sum(state.watermark for state in LocalReader(data).streams()) < cars * records:
                time.sleep(0.1)
            took_s = time.perf_counter() - began
            ends_s = [processor_s(process.pid) for process in running]
            given_s = processor_s(broker.pid) - put_s
            memory = max(resident_mb(process.pid) for process in running)
        finally:
            for process in (*running, broker):
                process.kill()
                process.wait()
    total = cars * records
    spent_s = sum(ends_s) - sum(starts_s)
    print(
        f"{ingests} ingests, {cars} cars, {rows} rows a record: {total / took_s:,.0f} records/s,"
        f" {total * rows * len(PATHS) / took_s:,.0f} signals/s;"
        f" processor per record: ingest {spent_s / total * 1e6:.0f} us,"
        f" broker in {put_s / total * 1e6:.0f} us, out {given_s / total * 1e6:.0f} us;"
        f" memory of an ingest {memory:.0f} MB"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
