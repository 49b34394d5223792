"""What of ours the ingest benchmark measures; one line of JSON.

    python ingest_ours.py MODE FOLDER

    backlog    records of 300 s, as a car's past is sent    40 x 300 signals a message
    minutes    records of 60 s                              40 x 60 signals a message
    seconds    records of 1 s, as a live car sends          40 signals a message
    json       a text per sample, as a hand-made device     40 signals a message
    json-minutes  the same, an array of 60 a message        40 x 60 signals a message

The broker is filled first. Counted is from the first message taken until the last is committed and
fsynced, on one core; the broker has the other one.
"""

import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ingest_samples import CARS, DTYPES, ROWS, SIGNALS, minutes, name_of

from contactor.app.priority import put_loop_first
from contactor.can.kernels import is_installed
from contactor.clock import SystemClock
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.lake.lake import open_lake
from contactor.cloud.lake.local import LocalStore
from contactor.link import topics
from contactor.link.broker import prepare_broker, wait_broker
from contactor.link.nats import NatsTransport
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Column, Record, Rows
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.encode import encode_codebook, encode_record

PUTS_AT_ONCE = 500
FEW_MINUTES = int(os.environ.get("BENCH_FEW_MINUTES", "5"))
"""Of messages of one sample each there are 60 times as many."""


def rows_of(samples: np.ndarray) -> Rows:
    columns = tuple(
        Column(path, catalogue()[path].datatype, np.ascontiguousarray(samples[path]), state)
        for path, state in ((path, np.ones(len(samples), np.uint8)) for path in DTYPES)
    )
    return Rows(Group.DRIVE, np.ascontiguousarray(samples["ts"]), columns)


def records(seconds_each: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Codebooks and records, as every car sends them."""
    codebook = Codebook((path, catalogue()[path].datatype) for path in DTYPES)
    for car in range(CARS):
        yield name_of(car), encode_codebook(name_of(car), car + 1, codebook)
    sequence = 0
    for span in spans(count, max(seconds_each // ROWS, 1)):
        for start in range(0, span.shape[1], seconds_each):
            sequence += 1
            for car in range(CARS):
                rows = rows_of(span[car, start : start + seconds_each])
                record = Record(name_of(car), car + 1, sequence, (rows,))
                yield name_of(car), encode_record(record, codebook)


def spans(count: int, minutes_each: int) -> Iterator[np.ndarray]:
    """Some minutes of all cars together, (cars, rows)."""
    held = []
    for minute in minutes(count=count):
        held.append(minute)
        if len(held) == minutes_each:
            yield np.concatenate(held, axis=1)
            held = []


def texts(seconds_each: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Samples as JSON, one or more a message."""
    for minute in minutes(count=count):
        for start in range(0, ROWS, seconds_each):
            for car in range(CARS):
                some = [sample_of(row) for row in minute[car, start : start + seconds_each]]
                yield name_of(car), json.dumps(some if len(some) > 1 else some[0]).encode()


def sample_of(row: np.void) -> dict[str, object]:
    """A second of a car as a device would tell it."""
    values = {path: row[path].item() for path in DTYPES}
    return {"ts": int(row["ts"]) // 10**6, "values": values}


async def fill(url: str, messages: Iterator[tuple[str, bytes]]) -> tuple[int, int]:
    """Put all messages into the broker; how many, and how many bytes."""
    transport = NatsTransport(url, name="cars")
    await transport.wait_connected(20.0)
    await transport.consumer(topics.ALL_UPLINKS, name="ingest")
    count, size, puts = 0, 0, []
    for vehicle_id, payload in messages:
        count, size = count + 1, size + len(payload)
        puts.append(transport.put(topics.uplink(vehicle_id), payload, message_id=str(count)))
        if len(puts) == PUTS_AT_ONCE:
            await asyncio.gather(*puts)
            puts = []
    await asyncio.gather(*puts)
    await transport.close()
    return count, size


async def take(url: str, folder: Path, records: int) -> float:
    """Seconds until all records are committed."""
    transport = NatsTransport(url, name="ingest")
    await transport.wait_connected(20.0)
    ingest = Ingest(store=LocalStore(folder), transport=transport, clock=SystemClock())
    began = time.perf_counter()
    running = asyncio.create_task(ingest.run())
    while ingest.intake.records < records and not running.done():
        await asyncio.sleep(0.005)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    seconds = time.perf_counter() - began
    await transport.close()
    return seconds


def on_one_core(url: str, folder: Path, records: int) -> None:
    """The part that is measured, in a process of its own, set up as `contactor ingest` is."""
    put_loop_first()
    if is_installed():
        from contactor.cloud.ingest.arrays.warm import warm

        warm()
    cpu_s = time.process_time()
    seconds = asyncio.run(take(url, folder, records))
    cpu_s = time.process_time() - cpu_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb}))


def main(mode: str, folder: Path) -> None:
    is_many = mode in ("backlog", "minutes")
    count = int(os.environ.get("BENCH_MINUTES", "60")) if is_many else FEW_MINUTES
    is_json = mode.startswith("json")
    each = 300 if mode == "backlog" else 60 if mode.endswith("minutes") else 1
    made = texts(each, count) if is_json else records(each, count)
    launch = prepare_broker(folder / "broker")
    rows, cores = count * ROWS * CARS, sorted(os.sched_getaffinity(0))
    books = 0 if is_json else CARS
    with (folder / "broker.log").open("wb") as log:
        broker = subprocess.Popen(launch.command, stdout=log, stderr=log)
    try:
        asyncio.run(wait_broker(launch.url, 20.0))
        messages, size = asyncio.run(fill(launch.url, made))
        pinned = ["taskset", "-c", str(cores[0]), sys.executable, __file__]
        command = [*pinned, "take", launch.url, str(folder / "data"), str(messages - books)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    finally:
        broker.terminate()
        broker.wait()
    facts = json.loads(done.stdout)
    lake = open_lake(folder / "data")
    stored = sum(part.row_count for part in lake.view.snapshot.parts if part.group == Group.DRIVE)
    assert stored == rows, f"{stored} rows of {rows} are stored"
    on_disk = sum(
        one.stat().st_size for one in (folder / "data").rglob("group=[ds][rl]*/**/*.parquet")
    )
    told = {
        "signals_per_s": rows * SIGNALS / facts["seconds"],
        "signals_per_cpu_s": rows * SIGNALS / facts["cpu_s"],
        "bytes_on_the_wire": size / (rows * SIGNALS),
        "bytes_on_disk": on_disk / (rows * SIGNALS),
        "messages_per_s": messages / facts["seconds"],
        "peak_mb": facts["peak_mb"],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1] == "take":
        on_one_core(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        with tempfile.TemporaryDirectory(dir=sys.argv[2]) as made_here:
            main(sys.argv[1], Path(made_here))
