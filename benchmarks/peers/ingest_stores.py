"""The samples of the ingest benchmark into other stores; one line of JSON.

    python ingest_stores.py postgres-copy|postgres-rows|duckdb|delta FOLDER

They are spared the broker, decoding, checks and de-duplication: each is given columns or rows in
memory, a flush of five minutes of all cars at a time, and stores them, one core.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "rounds"))
from ingest_samples import DTYPES, PATHS, SIGNALS, minutes, name_of

FLUSH_MINUTES = 5
ROW_INSERTS = 20_000
_TYPES = {
    "<f4": "real",
    "<f8": "double precision",
    "<i1": "smallint",
    "<u4": "bigint",
    "?": "boolean",
}


def flushes() -> Iterator[np.ndarray]:
    """Some minutes of all cars, as rows."""
    held = []
    for minute in minutes():
        held.append(minute.ravel())
        if len(held) == FLUSH_MINUTES:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


def table() -> str:
    # Its names have at most 63 bytes.
    columns = ", ".join(f"s{place} {_TYPES[kind]}" for place, kind in enumerate(DTYPES.values()))
    return f"create table samples (ts bigint, car integer, {columns})"


def call(command: list[str]) -> None:
    """Run a program that is to succeed."""
    quiet = subprocess.DEVNULL
    subprocess.run(command, check=True, stdout=quiet, stderr=quiet)


@contextmanager
def postgres(folder: Path) -> Iterator[object]:
    """A fresh server as a user of its own, as it comes, on our core."""
    import psycopg

    home = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
    shutil.chown(home, "postgres")
    binaries = next(Path("/usr/lib/postgresql").glob("*/bin"), None)
    programs = str(binaries) if binaries else "/usr/local/bin"
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    call([*as_user, f"{programs}/initdb", "-D", str(home / "db")])
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c max_wal_size=8GB"
    start = [f"{programs}/pg_ctl", "-D", str(home / "db"), "-w", "-o", options, "start"]
    call([*as_user, *start])
    try:
        with psycopg.connect(f"host={home} user=postgres dbname=postgres") as connection:
            connection.execute(table())
            connection.commit()
            yield connection
    finally:
        stop = [f"{programs}/pg_ctl", "-D", str(home / "db"), "-m", "immediate", "stop"]
        call([*as_user, *stop])
        shutil.rmtree(home)


def binary_rows(rows: np.ndarray) -> bytes:
    """Rows as PostgreSQL's binary COPY takes them: big-endian, each field after its length."""
    wide = {"<i1": ">i2", "<u4": ">i8", "?": "?"}
    fields = {"ts": ">i8", "car": ">i4"}
    fields |= {path: wide.get(kind, kind.replace("<", ">")) for path, kind in DTYPES.items()}
    layout = [("fields", ">i2")]
    for name, kind in fields.items():
        layout += [(f"#{name}", ">i4"), (name, kind)]
    made = np.zeros(len(rows), np.dtype(layout))
    made["fields"] = len(fields)
    for name, kind in fields.items():
        made[f"#{name}"] = np.dtype(kind).itemsize
        made[name] = rows[name]
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + made.tobytes() + b"\xff\xff"


def postgres_copy(folder: Path) -> tuple[float, int]:
    with postgres(folder) as connection:
        seconds, count = 0.0, 0
        for rows in flushes():
            packed = memoryview(binary_rows(rows))
            began = time.perf_counter()
            with connection.cursor().copy("copy samples from stdin (format binary)") as copy:
                for start in range(0, len(packed), 2**20):
                    copy.write(packed[start : start + 2**20])
            connection.commit()
            seconds, count = seconds + time.perf_counter() - began, count + len(rows)
        return seconds, count


def postgres_rows(folder: Path) -> tuple[float, int]:
    with postgres(folder) as connection:
        rows = [list(row.item()) for row in next(flushes())[:ROW_INSERTS]]
        marks = ", ".join(["%s"] * (SIGNALS + 2))
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.executemany(f"insert into samples values ({marks})", rows)
        connection.commit()
        return time.perf_counter() - began, len(rows)


def arrow(rows: np.ndarray) -> object:
    import pyarrow as pa

    cars = pa.array([name_of(car) for car in range(int(rows["car"].max()) + 1)])
    columns = {"vehicle_id": cars.take(pa.array(rows["car"])), "ts": pa.array(rows["ts"])}
    columns |= {path: pa.array(np.ascontiguousarray(rows[path])) for path in PATHS}
    return pa.table(columns)


def duckdb_insert(folder: Path) -> tuple[float, int]:
    import duckdb

    database = duckdb.connect(str(folder / "samples.duckdb"), config={"threads": 1})
    seconds, count = 0.0, 0
    for rows in flushes():
        given = arrow(rows)
        began = time.perf_counter()
        verb = "insert into samples" if count else "create table samples as"
        database.register("given", given)
        database.execute(f"{verb} select * from given").fetchall()
        database.execute("checkpoint").fetchall()
        seconds, count = seconds + time.perf_counter() - began, count + len(rows)
    return seconds, count


def delta_append(folder: Path) -> tuple[float, int]:
    from deltalake import write_deltalake

    seconds, count = 0.0, 0
    for rows in flushes():
        samples = arrow(rows)
        began = time.perf_counter()
        write_deltalake(str(folder / "delta"), samples, mode="append")
        seconds, count = seconds + time.perf_counter() - began, count + len(rows)
    return seconds, count


MODES: dict[str, Callable[[Path], tuple[float, int]]] = {
    "postgres-copy": postgres_copy,
    "postgres-rows": postgres_rows,
    "duckdb": duckdb_insert,
    "delta": delta_append,
}


def main() -> None:
    mode = sys.argv[1]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as folder:
        seconds, count = MODES[mode](Path(folder))
        files = [one for one in Path(folder).rglob("*") if one.is_file()]
        on_disk = sum(one.stat().st_size for one in files)
    facts = {
        "signals_per_s": count * SIGNALS / seconds,
        "bytes_on_disk": on_disk / (count * SIGNALS),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
