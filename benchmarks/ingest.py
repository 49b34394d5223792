"""Records to fsynced history: our ingest and lake against a row of JSON per sample in SQLite.

    make bench AREA=ingest

The same samples, one core each: 40 cars, 9 signals at 20 Hz, one record a second.
"""

import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CARS, SECONDS, RATE = 40, 30, 20
BATTERY = "Vehicle.Powertrain.TractionBattery."
PATHS = (
    "Vehicle.Speed",
    "Vehicle.CurrentLocation.Latitude",
    "Vehicle.CurrentLocation.Longitude",
    "Vehicle.CurrentLocation.Altitude",
    "Vehicle.Exterior.AirTemperature",
    BATTERY + "CurrentVoltage",
    BATTERY + "CurrentCurrent",
    BATTERY + "CurrentPower",
    BATTERY + "StateOfCharge.Current",
)


def samples(car: int, second: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """One second of one car: the instants, and a made-up walk per signal."""
    noise = np.random.default_rng([car, second])
    ts = 1_700_000_000 * 10**9 + second * 10**9 + np.arange(RATE) * (10**9 // RATE)
    walks = {path: 50 + np.cumsum(noise.normal(0, 0.1, RATE)).round(2) for path in PATHS}
    return ts, walks


def ours() -> None:
    """Signals per second from record bytes to a commit on disk."""
    from contactor.cloud.ingest.intake import Intake
    from contactor.cloud.lake.local import LocalStore
    from contactor.signals.catalogue import catalogue
    from contactor.signals.groups import Group
    from contactor.signals.record import Column, Record, Rows
    from contactor.signals.wire.codebook import Codebook
    from contactor.signals.wire.encode import encode_codebook, encode_record

    codebook = Codebook((path, catalogue()[path].datatype) for path in PATHS)
    messages = [(f"car{car}", encode_codebook(f"car{car}", car, codebook)) for car in range(CARS)]
    for second in range(SECONDS):
        for car in range(CARS):
            ts, walks = samples(car, second)
            columns = tuple(
                Column(
                    path,
                    catalogue()[path].datatype,
                    walk.astype(catalogue()[path].datatype.dtype),
                    np.ones(RATE, np.uint8),
                )
                for path, walk in walks.items()
            )
            record = Record(f"car{car}", car, second + 1, (Rows(Group.DRIVE, ts, columns),))
            messages.append((record.vehicle_id, encode_record(record, codebook)))
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        intake = Intake([], number=store.next_flush)
        began = time.perf_counter()
        for number, (vehicle_id, payload) in enumerate(messages, 1):
            intake.take(vehicle_id, payload, now_ns=time.time_ns())
            if not number % (5 * CARS):
                store.commit(intake.cut().flush())
        store.commit(intake.cut().flush())
        print(CARS * SECONDS * RATE * len(PATHS) / (time.perf_counter() - began))


def sqlite() -> None:
    """Signals per second from one JSON text per sample to committed rows."""
    texts = []
    for second in range(SECONDS):
        for car in range(CARS):
            ts, walks = samples(car, second)
            for row in range(RATE):
                values = {path: float(walk[row]) for path, walk in walks.items()}
                texts.append(json.dumps({"vehicle": f"car{car}", "ts": int(ts[row]), **values}))
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "samples.db")
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        marks = ", ".join("?" * (len(PATHS) + 2))
        names = ", ".join(f'"{path}"' for path in PATHS)
        database.execute(f"create table sample (vehicle, ts, {names})")
        began = time.perf_counter()
        for start in range(0, len(texts), 1000):
            rows = [tuple(json.loads(text).values()) for text in texts[start : start + 1000]]
            database.executemany(f"insert into sample values ({marks})", rows)
            database.commit()
        print(len(texts) * len(PATHS) / (time.perf_counter() - began))


def main() -> None:
    """Run the rounds, print the table."""
    sys.path.insert(0, str(Path(__file__).parent / "rounds"))
    from harness import report, run_rounds

    us, them = "contactor ingest and lake", "JSON per sample into SQLite"
    commands = {us: [sys.executable, __file__, "ours"], them: [sys.executable, __file__, "sqlite"]}
    report("ingest", "signals/s", run_rounds(commands), ours=us)


if __name__ == "__main__":
    {"ours": ours, "sqlite": sqlite}.get("".join(sys.argv[1:]), main)()
