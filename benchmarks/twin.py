"""The twin of a fleet: batches in, questions, ticks, restarts; live streams beside some that stand.

    make bench AREA=twin
    make bench AREA=twin ARGS=--quick       # 10,000 cars only, one round

Cars x 40 signals, in one process on one core. The live part has a server of its own and clients in
another process: what one of them that stops reading costs the others.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "rounds"))

T0 = 1_700_000_000 * 10**9
SIGNALS = 40
BATTERY = "Vehicle.Powertrain.TractionBattery."
QUESTIONS = {
    "number and not boolean": BATTERY
    + f"StateOfCharge.Current < 20 and not {BATTERY}Charging.IsCharging",
    "number": "Vehicle.Speed > 100",
    "connectivity": "connectivity == 'lost'",
    "stale": "stale(Vehicle.Speed)",
}
CLIENTS, CARS_LIVE, LIVE_S = 10, 100, 30


def signals() -> list[object]:
    """Forty numbers and booleans of the catalogue, those of the questions first."""
    from contactor.signals.catalogue import catalogue

    named = [
        "Vehicle.Speed",
        BATTERY + "StateOfCharge.Current",
        BATTERY + "Charging.IsCharging",
    ]
    plain = [
        path
        for path, signal in catalogue().items()
        if not signal.datatype.is_array and not signal.datatype.is_text and path not in named
    ]
    return [catalogue()[path] for path in [*named, *plain][:SIGNALS]]


def batch(names: tuple[str, ...], ts: int, noise: np.random.Generator) -> object:
    """One row of each car, in their order."""
    from contactor.signals.batch import RowsBatch
    from contactor.signals.groups import Group
    from contactor.signals.record import Column

    count = len(names)
    columns = tuple(
        Column(
            signal.path,
            signal.datatype,
            (noise.random(count) * (1.99 if signal.datatype == "boolean" else 120)).astype(
                signal.datatype.dtype
            ),
            np.ones(count, np.uint8),
        )
        for signal in signals()
    )
    stamps = ts + noise.integers(0, 10**9, count)
    return RowsBatch(Group.DRIVE, names, np.arange(count, dtype=np.int32), stamps, columns)


def timed(what: Callable[[], object], times: int) -> float:
    """The median of its durations, in microseconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        found.append((time.perf_counter() - began) * 1e6)
    return statistics.median(found)


def cells(count: int) -> dict[str, float]:
    """What the twin of `count` cars takes, in microseconds."""
    from contactor.clock import FakeClock
    from contactor.cloud.ingest.presence import Presence
    from contactor.cloud.lake.memory import MemoryStore
    from contactor.cloud.twin.keeper import Keeper
    from contactor.cloud.twin.query import parse
    from contactor.cloud.twin.twin import Twin

    noise = np.random.default_rng(1)
    names = tuple(f"car{number:06d}" for number in noise.permutation(count).tolist())
    clock = FakeClock(T0)
    twin = Twin(presence=Presence(), clock=clock)
    told = [
        batch(tuple(noise.permutation(names).tolist()), T0 + n * 10**9, noise) for n in range(7)
    ]
    twin.presence.hear_all(names, T0)
    twin.take_batch(told[0])
    facts = {}
    takes = iter(told[1:6])
    facts["one row of each car in one batch"] = timed(lambda: twin.take_batch(next(takes)), 5)
    for name, text in QUESTIONS.items():
        question = parse(text)
        facts[f"question: {name}"] = timed(lambda: twin.where(question), 101)  # noqa: B023
    facts["question: read, and a page of 100"] = timed(
        lambda: twin.select(parse(QUESTIONS["number and not boolean"]), limit=100), 101
    )
    facts["where all cars stand"] = timed(lambda: twin.presence.codes(T0), 101)
    hearing = twin.subscribe(vehicles=frozenset(names[:1]))
    facts["tick, somebody listens"] = timed(twin.tick, 11)
    facts["one row of each car, one is listened to"] = timed(lambda: twin.take_batch(told[6]), 1)
    hearing.close()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "twin"
        store = MemoryStore()
        keeper = Keeper(twin, store=store, path=path, clock=clock)
        facts["keep"] = timed(keeper.keep_now, 3)
        again = [Twin(presence=Presence(), clock=clock) for _ in range(3)]
        restores = iter([Keeper(one, store=store, path=path, clock=clock) for one in again])
        facts["restore"] = timed(lambda: next(restores).restore(), 3)
        facts["kept, bytes"] = path.stat().st_size
    facts["memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return facts


# ── live streams ─────────────────────────────────────────────────────────────────────────────────


Latency = tuple[float, float]
"""When a change was heard, in seconds, and how old it was, in milliseconds."""


async def reader(port: int, latencies: list[Latency], until: float) -> None:
    """A client that takes all there is, and notes how old each change is."""
    from websockets.asyncio.client import connect

    from contactor.clock import from_iso

    async with connect(f"ws://localhost:{port}/api/v1/live", proxy=None, max_size=None) as stream:
        await stream.recv()
        while time.time() < until:
            message = json.loads(await stream.recv())
            if message["type"] == "change":
                now_ns = time.time_ns()
                latencies.append((now_ns / 1e9, (now_ns - from_iso(message["ts"])) / 1e6))


def clients(port: int, until: float, answers: "multiprocessing.Queue[list[Latency]]") -> None:
    """The clients that read, in a process of their own."""
    latencies: list[Latency] = []

    async def all_of_them() -> None:
        await asyncio.gather(*(reader(port, latencies, until) for _ in range(CLIENTS)))

    asyncio.run(all_of_them())
    answers.put(latencies)


def live(standing: int) -> dict[str, float]:
    """Latencies of those that read and the cost, before and after some come that stand."""
    return asyncio.run(_live(standing))


async def _live(standing: int) -> dict[str, float]:
    import uvicorn
    from litestar import Litestar, Router

    from contactor.clock import SystemClock
    from contactor.cloud.ingest.ingest import Ingest
    from contactor.cloud.lake.lake import Lake
    from contactor.cloud.lake.memory import MemoryStore
    from contactor.cloud.twin.twin import Twin
    from contactor.faces.web.fleet import Fleet
    from contactor.faces.web.live import Live
    from contactor.faces.web.sockets import EndingSockets
    from contactor.link.memory import MemoryBroker, MemoryTransport

    clock, store = SystemClock(), MemoryStore()
    ingest = Ingest(store=store, transport=MemoryTransport(MemoryBroker()), clock=clock)
    twin = Twin(presence=ingest.presence, clock=clock)
    fleet = Fleet(ingest=ingest, twin=twin, lake=Lake(store), clock=clock)
    streams = Live(fleet=fleet, twin=twin, clock=clock)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    api = Litestar([Router("/api/v1", route_handlers=[streams.route()])], logging_config=None)
    config = uvicorn.Config(api, ws=EndingSockets, ws_per_message_deflate=False, log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    ticking = asyncio.create_task(streams.run())
    answers: multiprocessing.Queue[list[Latency]] = multiprocessing.Queue()
    until = time.time() + LIVE_S + 2
    process = multiprocessing.Process(target=clients, args=(port, until, answers))
    process.start()
    while twin.feed.subscribers < CLIENTS:
        await asyncio.sleep(0.05)
    half = (time.time() + until) / 2
    stood: list[socket.socket] = []
    spent = [processor_s()]
    noise = np.random.default_rng(1)
    made = [batch((f"car{car:03d}",), 0, noise) for car in range(CARS_LIVE)]
    tens = [made[start : start + 10] for start in range(0, CARS_LIVE, 10)]
    peak_parked = 0
    due = time.time()
    while time.time() < until:
        if time.time() > half and len(spent) == 1:
            spent.append(processor_s())
            stood = [await stand(port) for _ in range(standing)]
        for few in tens:  # each car once a second, ten at a time
            for one in few:
                one.ts[:] = time.time_ns()
                twin.take_batch(one)
            due += 0.1
            await asyncio.sleep(max(due - time.time(), 0))
        peak_parked = max(peak_parked, twin.feed.parked)
    spent.append(processor_s())
    heard, old_ms = np.array(await asyncio.to_thread(answers.get)).T
    facts = {
        "most parked": peak_parked,
        "memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    for place, (what, mask) in enumerate({"before": heard < half, "after": heard >= half}.items()):
        facts[f"{what}: changes"] = int(mask.sum())
        facts[f"{what}: p50, ms"] = float(np.percentile(old_ms[mask], 50))
        facts[f"{what}: p99, ms"] = float(np.percentile(old_ms[mask], 99))
        facts[f"{what}: processor, s"] = spent[place + 1] - spent[place]
    process.join()
    for one in stood:
        one.close()
    server.should_exit = True
    ticking.cancel()
    streams.close()
    await asyncio.gather(serving, ticking, return_exceptions=True)
    return facts


def processor_s() -> float:
    """What this process has taken of the processor."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def stand(port: int) -> socket.socket:
    """A client that never reads a byte after its handshake was sent."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(plain, ("127.0.0.1", port))
    await loop.sock_sendall(
        plain,
        f"GET /api/v1/live HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode(),
    )
    return plain


def main() -> None:
    """Run the rounds, print the table."""
    from harness import figure, run_facts, save

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    this = [sys.executable, __file__]
    contenders = {"10,000 cars": [*this, "cells", "10000"]}
    if not args.quick:
        contenders["100,000 cars"] = [*this, "cells", "100000"]
    for standing in (0, 1, 10):
        contenders[f"live, {standing} stand"] = [*this, "live", str(standing)]
    rounds = 1 if args.quick else 3
    facts = run_facts(contenders, rounds=rounds)
    rows = []
    for name, found in facts.items():
        for what in found[0]:
            values = [one[what] for one in found]
            unit = what.rpartition(", ")[2] if ", " in what else "us"
            value = statistics.median(values)
            rows.append(
                {
                    "name": f"{name}: {what}",
                    "value": value,
                    "unit": unit,
                    "low": min(values),
                    "high": max(values),
                    "ratio": 1.0,
                }
            )
            print(f"{name:<16}  {what:<40}  {figure(value):>12}")
    save("twin", rows, rounds=rounds)


if __name__ == "__main__":
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    if part == "cells":
        print(json.dumps(cells(int(sys.argv[2]))))
    elif part == "live":
        print(json.dumps(live(int(sys.argv[2]))))
    else:
        main()
