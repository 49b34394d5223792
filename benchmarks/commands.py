"""From a request over HTTP to what the car's bus says: how long a command takes.

    .venv/bin/python -P benchmarks/commands.py [--count 200]

One virtual car that stands, an instance with login, commands one after the other. `accepted` is
when the car has checked signature, grant and guard and put the frame on its bus; `done` is when the
bus has said the new value, in a frame with a cycle of 100 ms, in a virtual car's steps of 100 ms.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from websockets.sync.client import connect

PATH = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
STATES = ("answered", "accepted", "done")


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        command = [sys.executable, "-m", "contactor.app.main", "run", "--data", str(data)]
        car = "virtual:contactor_ev?vehicle=demo&plan=parked"
        process = subprocess.Popen(
            [*command, "--port", "0", "--history-days", "0", "--car", car],
            stdout=subprocess.PIPE,
            text=True,
            env={name: text for name, text in os.environ.items() if name != "CONTACTOR_NO_AUTH"},
        )
        try:
            assert process.stdout is not None
            next(line for line in process.stdout if line.startswith("ready "))
            url = json.loads((data / "run.json").read_text())["url"]
            taken = measure(url, (data / "own-secret").read_text().strip(), count)
        finally:
            process.terminate()
            process.wait(timeout=20)
            process.stdout.close()
    print(f"{count} commands, ms      p50      p90      p99      most")
    for state in STATES:
        sorted_ms = sorted(taken[state])
        marks = [sorted_ms[min(int(len(sorted_ms) * part), len(sorted_ms) - 1)] for part in MARKS]
        print(f"{state:<18}" + "".join(f"{mark:9.1f}" for mark in marks))
    return 0


MARKS = (0.5, 0.9, 0.99, 1.0)


def measure(url: str, secret: str, count: int) -> dict[str, list[float]]:
    """State → ms from the request, of each command."""
    headers = {"authorization": f"Bearer {secret}"}
    taken: dict[str, list[float]] = {state: [] for state in STATES}
    live = f"{url.replace('http', 'ws')}/api/v1/live?vehicle=demo&path={PATH}"
    with (
        connect(live, additional_headers=headers, proxy=None) as socket,
        httpx.Client(base_url=f"{url}/api/v1", headers=headers, trust_env=False) as client,
    ):
        socket.recv()
        for number in range(count):
            began = time.perf_counter()
            asked = {"path": PATH, "value": 60 + number % 40}
            answer = client.post("/vehicles/demo/commands", json=asked)
            answer.raise_for_status()
            taken["answered"].append((time.perf_counter() - began) * 1e3)
            seen: set[str] = set()
            while "done" not in seen:
                event = json.loads(socket.recv(timeout=30))
                if event["type"] != "command" or event["id"] != answer.json()["id"]:
                    continue
                if event["state"] in STATES and event["state"] not in seen:
                    seen.add(event["state"])
                    taken[event["state"]].append((time.perf_counter() - began) * 1e3)
                if event["state"] in ("refused", "expired"):
                    raise SystemExit(f"{event['state']}: {event['reason']}")
    return taken


if __name__ == "__main__":
    sys.exit(main())
