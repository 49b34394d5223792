"""A JSON text per sample over MQTT into SQLite, as it is usually built; one line of JSON.

    python ingest_mqtt_sqlite.py FOLDER

Publisher and broker have the other core. The subscriber is paho-mqtt at QoS 1; it inserts and
commits a thousand samples at a time, with `synchronous = full`.
"""

import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt

sys.path.insert(0, str(Path(__file__).parents[1] / "rounds"))
from ingest_samples import CARS, PATHS, ROWS, SIGNALS, minutes, name_of

IN_FLIGHT = 400
ROWS_AT_ONCE = 1_000
CONFIG = """
listen: 127.0.0.1:{port}
server_name: bench
jetstream {{ store_dir: "{store}" }}
mqtt {{ listen: 127.0.0.1:{mqtt} }}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def publish(port: int) -> None:
    """Publish every sample of two minutes at QoS 1, with many on their way."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="cars")
    client.max_inflight_messages_set(IN_FLIGHT)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    last = None
    for minute in minutes(count=2):
        for second in range(ROWS):
            for car in range(CARS):
                values = {path: minute[car, second][path].item() for path in PATHS}
                ms = int(minute[car, second]["ts"]) // 10**6
                text = json.dumps({"vehicle": name_of(car), "ts": ms, **values})
                last = client.publish(f"cars/{name_of(car)}", text, qos=1)
    last.wait_for_publish()
    client.loop_stop()


def subscribe(port: int, folder: Path) -> float:
    """Seconds until every sample is committed."""
    database = sqlite3.connect(folder / "samples.db", check_same_thread=False)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = full")
    names = ", ".join(f'"{path}"' for path in PATHS)
    database.execute(f"create table sample (vehicle, ts, {names})")
    marks = ", ".join("?" * (SIGNALS + 2))
    wanted, rows, count, began, done = 2 * ROWS * CARS, [], 0, [0.0, 0.0], threading.Event()

    def on_message(client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        nonlocal count
        if not count:
            began[0] = time.perf_counter()
        count += 1
        rows.append(tuple(json.loads(message.payload).values()))
        if len(rows) == ROWS_AT_ONCE or count == wanted:
            database.executemany(f"insert into sample values ({marks})", rows)
            database.commit()
            rows.clear()
        if count == wanted:
            began[1] = time.perf_counter()
            done.set()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="store")
    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe("cars/#", qos=1)
    client.on_subscribe = lambda *_: print("subscribed", flush=True)
    client.connect("127.0.0.1", port)
    client.loop_start()
    publisher = subprocess.Popen([sys.executable, __file__, "publish", str(port)])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(publisher.pid, {max(os.sched_getaffinity(0))})
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), {min(os.sched_getaffinity(0))})
    done.wait(300)
    publisher.wait()
    client.loop_stop()
    assert count == wanted, f"{count} of {wanted}"
    return began[1] - began[0]


def main(folder: Path) -> None:
    port, mqtt_port = free_port(), free_port()
    config = folder / "broker.conf"
    config.write_text(CONFIG.format(port=port, store=folder / "store", mqtt=mqtt_port))
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    broker = subprocess.Popen(
        [str(binary), "--config", str(config)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        os.sched_setaffinity(broker.pid, {max(os.sched_getaffinity(0))})
        for _ in range(100):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", mqtt_port)):
                    break
            time.sleep(0.05)
        seconds = subscribe(mqtt_port, folder)
    finally:
        broker.terminate()
        broker.wait()
    samples = 2 * ROWS * CARS
    on_disk = (folder / "samples.db").stat().st_size
    facts = {
        "signals_per_s": samples * SIGNALS / seconds,
        "bytes_on_disk": on_disk / (samples * SIGNALS),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    if sys.argv[1] == "publish":
        publish(int(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory(dir=sys.argv[1]) as made_here:
            main(Path(made_here))
