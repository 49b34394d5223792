"""A fleet on two cores for some minutes: how old a sample is at a browser, and what it costs.

    make bench AREA=load                                    # 10,000 cars, 40 signals, 1 Hz, 10 min
    make bench AREA=load ARGS="--cars 100 --batch 0 --seconds 60"

A real broker and a real `contactor serve`, with its lake on disk. The cars are one process that
writes their records, version 2, straight to the broker; its cost is told apart. With `--batch 1` a
car's sample waits up to a second before it is sent, as an agent's batch makes it wait. A browser's
socket follows a hundred of the cars. At the end every sample must be in the lake; then broker and
cloud are killed, and it is timed until they are back with every car's last values.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "rounds"))
from ingest_samples import DTYPES, SIGNALS, name_of

SLICES = 20
WATCHED = 100
SETTLE_S = 8.0
STORED_S = 60.0


def template(car: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    """A record's bytes, where its floats begin, where its sequence and its instant stand."""
    from contactor.signals.catalogue import catalogue
    from contactor.signals.groups import Group
    from contactor.signals.record import Column, Record, Rows
    from contactor.signals.wire.codebook import Codebook
    from contactor.signals.wire.encode import encode_codebook, encode_record

    codebook = Codebook((path, catalogue()[path].datatype) for path in DTYPES)
    columns = tuple(
        Column(path, catalogue()[path].datatype, np.zeros(1, kind), np.ones(1, np.uint8))
        for path, kind in DTYPES.items()
    )
    rows = Rows(Group.DRIVE, np.zeros(1, np.int64), columns)
    payload = encode_record(Record(name_of(car), car + 1, 1, (rows,)), codebook)
    body = 21 + len(name_of(car)) + 5
    floats, at = [], body + 16 + 8
    for kind in DTYPES.values():
        if kind == "<f4":
            floats.append(at + 3)
        at += 3 + np.dtype(kind).itemsize
    assert at == len(payload)
    book = encode_codebook(name_of(car), car + 1, codebook)
    return np.frombuffer(payload, np.uint8).copy(), np.array(floats), body + 8, len(book)


class Fleet:
    """Writes the records of all cars to the broker, a slice of the cars at a time."""

    def __init__(self, url: str, cars: int, *, has_books: bool = True) -> None:
        from contactor.link import topics
        from contactor.signals.catalogue import catalogue
        from contactor.signals.wire.codebook import Codebook
        from contactor.signals.wire.encode import encode_codebook

        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port))
        self._socket.recv(65_536)
        login = {"verbose": False, "user": address.username, "pass": address.password}
        self._socket.sendall(b"CONNECT " + json.dumps(login).encode() + b"\r\nPING\r\n")
        one, self._floats, self._ts_at, _ = template(0)
        self._records, self.size = np.tile(one, (cars, 1)), len(one)
        self._heads = []
        codebook = Codebook((path, catalogue()[path].datatype) for path in DTYPES)
        for car in range(cars):
            name = name_of(car).encode()
            self._records[car, 4:12] = np.frombuffer((car + 1).to_bytes(8, "little"), np.uint8)
            self._records[car, 21 : 21 + len(name)] = np.frombuffer(name, np.uint8)
            subject = topics.uplink(name.decode())
            self._heads.append(f"PUB {subject} {len(one)}\r\n".encode())
            if not has_books:
                continue
            book = encode_codebook(name.decode(), car + 1, codebook)
            self._socket.sendall(f"PUB {subject} {len(book)}\r\n".encode() + book + b"\r\n")
        self._noise = np.random.default_rng(3)

    def send(self, cars: np.ndarray, sequence: int, ts: np.ndarray) -> None:
        """One sample of each of those cars."""
        records = self._records[cars]
        records[:, 12:20] = np.frombuffer(sequence.to_bytes(8, "little"), np.uint8)
        records[:, self._ts_at : self._ts_at + 8] = ts[:, None].view(np.uint8)
        values = (50 + self._noise.normal(0, 5, (len(cars), len(self._floats)))).round(1)
        raw = values.astype("<f4").view(np.uint8).reshape(len(cars), -1, 4)
        for byte in range(4):
            records[:, self._floats + byte] = raw[:, :, byte]
        self.write(cars, [record.tobytes() for record in records])

    def write(self, cars: np.ndarray, payloads: list[bytes]) -> None:
        """A message on the subject of each of those cars."""
        heads = (self._heads[car] for car in cars.tolist())
        self._socket.sendall(
            b"".join(b"%b%b\r\n" % pair for pair in zip(heads, payloads, strict=True))
        )


def drive(url: str, cars: int, seconds: int, batch_s: float) -> None:
    """The cars, in time; says what they cost."""
    fleet = Fleet(url, cars)
    noise = np.random.default_rng(5)
    slices = np.array_split(np.arange(cars), min(SLICES, cars))
    began, late_s = time.perf_counter(), 0.0
    cpu_s = time.process_time()
    for second in range(seconds):
        for number, some in enumerate(slices):
            due = began + second + number / len(slices)
            wait = due - time.perf_counter()
            late_s = max(late_s, -wait)
            if wait > 0:
                time.sleep(wait)
            ages = noise.random(len(some)) * batch_s
            ts = time.time_ns() - (ages * 1e9).astype(np.int64)
            fleet.send(some, second + 1, ts)
    cpu_s = (time.process_time() - cpu_s) / seconds
    print(json.dumps({"cores": cpu_s, "late_s": late_s}))


def spoil(url: str, cars: int, seconds: int, rate: int) -> None:
    """Garbage on the cars' own subjects."""
    fleet, noise = Fleet(url, cars, has_books=False), np.random.default_rng(9)
    began = time.perf_counter()
    for number in range(seconds * SLICES):
        wait = began + number / SLICES - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        some = noise.integers(0, cars, rate // SLICES)
        texts = noise.integers(0, 256, (len(some), fleet.size), dtype=np.uint8)
        fleet.write(some, [text.tobytes() for text in texts])
    print("{}")


async def wait_known(url: str, names: list[str]) -> None:
    """Until the cloud has heard of each of them: a socket asks for cars that are known."""
    import httpx

    client = httpx.AsyncClient(base_url=f"{url}/api/v1/vehicles/", trust_env=False)
    async with client, asyncio.timeout(STORED_S):
        for name in names:
            while (await client.get(name)).is_error:
                await asyncio.sleep(0.2)


async def watch(url: str, cars: int, seconds: int) -> None:
    """How old samples are when a browser's socket has them, in seconds."""
    from websockets.asyncio.client import connect

    step = max(cars // WATCHED, 1)
    names = [name_of(car) for car in range(0, cars, step)][:WATCHED]
    query = "&".join(f"vehicle={name}" for name in names)
    ages: list[float] = []
    address = url.replace("http", "ws") + f"/api/v1/live?{query}"
    await wait_known(url, names)
    async with connect(address, max_size=None) as live:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    text = await live.recv()
            except TimeoutError:
                break
            now = time.time()
            event = json.loads(text)
            if event["type"] == "change":
                stamp = np.datetime64(event["ts"].removesuffix("Z"), "ns").astype(np.int64)
                ages.append(now - int(stamp) / 1e9)
    percentiles = [float(one) for one in np.percentile(ages, [50, 99])]
    print(json.dumps({"changes": len(ages), "p50_s": percentiles[0], "p99_s": percentiles[1]}))


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds and resident MB of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def wait_stored(data: Path, rows: int) -> float:
    """Seconds until so many rows are committed, a minute at most."""
    from contactor.cloud.lake.lake import open_lake

    began = time.monotonic()
    while (waited_s := time.monotonic() - began) < STORED_S:
        if int(open_lake(data).vehicles()["rows"].sum()) >= rows:
            break
        time.sleep(0.5)
    return waited_s


class Services:
    """A broker and a cloud on one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = (folder / "log").open("ab")

    def start(self) -> None:
        """Both, until the cloud says that it is ready."""
        from contactor.link.broker import prepare_broker, wait_broker

        launch = prepare_broker(self._folder / "broker")
        self.link = launch.url
        self.broker = subprocess.Popen(launch.command, stdout=self._log, stderr=self._log)
        asyncio.run(wait_broker(launch.url, 20.0))
        serve = [sys.executable, "-m", "contactor.app.main", "serve", "--link", launch.url]
        serve += ["--port", "0", "--data", str(self._folder / "data")]
        self.cloud = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=self._log, text=True)
        self.url = self.cloud.stdout.readline().split()[-1]

    def kill(self) -> None:
        """Both at once, -9."""
        for process in (self.cloud, self.broker):
            process.kill()
        self.cloud.wait()
        self.broker.wait()

    def end(self) -> None:
        """Both in good order."""
        for process in (self.cloud, self.broker):
            process.terminate()
            process.wait(20)
        self._log.close()

    def usage(self) -> dict[str, tuple[float, float]]:
        """Of each."""
        return {"broker": usage(self.broker.pid), "cloud": usage(self.cloud.pid)}


def restart(services: Services, cars: int) -> float:
    """Seconds from killing both until the page of every car's last values is there again."""
    import httpx

    services.kill()
    began = time.monotonic()
    services.start()
    query = {"where": "known(Vehicle.Speed)", "limit": "1000"}
    found, cursor = 0, ""
    while cursor is not None:
        asked = query | ({"cursor": cursor} if cursor else {})
        url = f"{services.url}/api/v1/vehicles"
        page = httpx.get(url, params=asked, trust_env=False, timeout=60).json()
        found, cursor = found + len(page["items"]), page["next"]
    assert found == cars, f"{found} cars of {cars} are back"
    return time.monotonic() - began


def run(folder: Path, cars: int, seconds: int, batch_s: float, garbage: int) -> dict[str, object]:
    from contactor.cloud.lake.lake import open_lake

    services = Services(folder)
    services.start()
    try:
        this = [sys.executable, __file__]
        driving = subprocess.Popen(
            [*this, "drive", services.link, str(cars), str(seconds), str(batch_s)],
            stdout=subprocess.PIPE,
            text=True,
        )
        spoiling = None
        if garbage:
            spoiled = ["spoil", services.link, str(cars), str(seconds), str(garbage)]
            spoiling = subprocess.Popen([*this, *spoiled], stdout=subprocess.DEVNULL)
        time.sleep(SETTLE_S)
        watching = subprocess.Popen(
            [*this, "watch", services.url, str(cars), str(max(seconds - SETTLE_S - 2, 3))],
            stdout=subprocess.PIPE,
            text=True,
        )
        before, began, memory_mb = services.usage(), time.monotonic(), []
        while watching.poll() is None:
            time.sleep(1)
            memory_mb.append(usage(services.cloud.pid)[1])
        span_s, after = time.monotonic() - began, services.usage()
        if spoiling is not None:
            spoiling.wait()
        driven = json.loads(driving.communicate()[0])
        watched = json.loads(watching.communicate()[0])
        behind_s = wait_stored(folder / "data", cars * seconds)
        restart_s = restart(services, cars)
    finally:
        services.end()
    stored = int(open_lake(folder / "data").vehicles()["rows"].sum())
    half = len(memory_mb) // 2
    return {
        "samples_missing": cars * seconds - stored,
        "stored_after_s": behind_s,
        "signals_per_s": cars * SIGNALS,
        "socket_changes": watched["changes"],
        "socket_p50_s": watched["p50_s"],
        "socket_p99_s": watched["p99_s"],
        "cloud_cores": (after["cloud"][0] - before["cloud"][0]) / span_s,
        "broker_cores": (after["broker"][0] - before["broker"][0]) / span_s,
        "cars_cores": driven["cores"],
        "cars_late_s": driven["late_s"],
        "cloud_mb_first_half": statistics.median(memory_mb[:half]),
        "cloud_mb_second_half": statistics.median(memory_mb[half:]),
        "restart_s": restart_s,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cars", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--batch", type=float, default=1.0, help="seconds that a sample may wait")
    parser.add_argument("--garbage", type=int, default=0, help="as well, messages a second")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        facts = run(Path(folder), chosen.cars, chosen.seconds, chosen.batch, chosen.garbage)
    for name, value in facts.items():
        print(f"{name:<22} {value:,.3f}" if isinstance(value, float) else f"{name:<22} {value:,}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["drive"]:
        drive(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    elif sys.argv[1:2] == ["spoil"]:
        spoil(sys.argv[2], *map(int, sys.argv[3:]))
    elif sys.argv[1:2] == ["watch"]:
        asyncio.run(watch(sys.argv[2], int(sys.argv[3]), int(float(sys.argv[4]))))
    else:
        main()
