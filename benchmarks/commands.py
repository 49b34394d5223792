"""From a request over HTTP to what the car's bus says: how long a command takes.

    PYTHONPATH=. .venv/bin/python benchmarks/commands.py [--count 200]

One virtual car that stands, an instance, commands one after the other.

answered   the request is, with where the command stands
accepted   the car has checked signature, grant and guard, and put the frame on its bus
done       the bus has said the new value: in a frame with a cycle of 100 ms, of a car that lives in
           steps of 100 ms
refused    a key was taken back: its holder, who goes past the cloud, is refused by the car
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import httpx
from websockets.sync.client import connect

from tests.app.processes import RunningInstance, running
from tests.app.test_digital_keys import LIMIT, Phone

STATES = ("answered", "accepted", "done")
KEYS = 20
MARKS = (0.5, 0.9, 0.99, 1.0)


class LentPhone(Phone):
    """A phone whose key its car's owner gave, and takes back."""

    def __init__(self, instance: RunningInstance, secret: str) -> None:
        self._headers = {"authorization": f"Bearer {secret}"}
        super().__init__(instance)

    def http(self, method: str, place: str, body: object = None) -> httpx.Response:
        url, headers = f"{self.vehicles}{place}", self._headers
        return httpx.request(method, url, json=body, headers=headers, trust_env=False, timeout=60)


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        car = "virtual:contactor_ev?vehicle=demo&plan=parked"
        with running(data, "--history-days", "0", "--car", car, has_login=True) as instance:
            secret = (data / "own-secret").read_text().strip()
            taken = measure(str(instance.document()["url"]), secret, count)
            taken["refused"] = [refused_ms(LentPhone(instance, secret)) for _ in range(KEYS)]
    print(f"{count} commands, {KEYS} keys, ms" + "".join(f"{name:>9}" for name in NAMES))
    for state, times_ms in taken.items():
        times_ms.sort()
        marks = [times_ms[min(int(len(times_ms) * part), len(times_ms) - 1)] for part in MARKS]
        print(f"{state:<26}" + "".join(f"{mark:9.1f}" for mark in marks))
    return 0


NAMES = ("p50", "p90", "p99", "most")


def refused_ms(phone: Phone) -> float:
    """From the request that takes a key back until the car refuses its holder."""
    began = time.perf_counter()
    assert phone.http("DELETE", f"/demo/keys/{phone.key['id']}").status_code == 200
    while True:
        [said] = phone.send(phone.signed(LIMIT, 55), answers=1)
        if "grant revoked" in str(said):
            return (time.perf_counter() - began) * 1e3


def measure(url: str, secret: str, count: int) -> dict[str, list[float]]:
    """State → ms from the request, of each command."""
    headers = {"authorization": f"Bearer {secret}"}
    taken: dict[str, list[float]] = {state: [] for state in STATES}
    live = f"{url.replace('http', 'ws')}/api/v1/live?vehicle=demo&path={LIMIT}"
    with (
        connect(live, additional_headers=headers, proxy=None) as socket,
        httpx.Client(base_url=f"{url}/api/v1", headers=headers, trust_env=False) as client,
    ):
        socket.recv()
        for number in range(count):
            began = time.perf_counter()
            asked = {"path": LIMIT, "value": 60 + number % 40}
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
