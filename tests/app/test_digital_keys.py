"""A guest's key on a running instance, signed for by a program that uses none of our code.

What is sent past the cloud, straight to the car's subject, is what a thief of the key would send.
"""

import asyncio
import base64
import hashlib
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgpack
import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.app.processes import RunningInstance, running, wait_for

pytestmark = pytest.mark.processes

CLIMATE = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
S = 10**9


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    cars = [f"virtual:contactor_ev?vehicle={name}&plan=parked" for name in ("demo", "other")]
    arguments = [word for car in cars for word in ("--car", car)]
    data: Path = tmp_path_factory.mktemp("keys") / "data"
    with running(data, "--history-days", "0", *arguments) as instance:
        yield instance


class Phone:
    """Holds a private key and what the instance gave for it."""

    def __init__(self, instance: RunningInstance, *, lasts_s: float = 600) -> None:
        self.private = Ed25519PrivateKey.generate()
        self.broker = (instance.data / "broker" / "url").read_text().strip()
        self.vehicles = f"{instance.document()['url']}/api/v1/vehicles"
        until = datetime.fromtimestamp(time.time() + lasts_s, UTC).isoformat()
        asked = {"public_key": self._public(), "issued_to": "Ben's phone", "until": until}
        answer = self.http("POST", "/demo/keys", asked)
        assert answer.status_code == 201, answer.text
        self.key = answer.json()
        self.grant = base64.b64decode(self.key["grant"])

    def http(self, method: str, place: str, body: object = None) -> httpx.Response:
        url = f"{self.vehicles}{place}"
        return httpx.request(method, url, json=body, trust_env=False, timeout=60)

    def _public(self) -> str:
        return base64.b64encode(self.private.public_key().public_bytes_raw()).decode()

    def signed(self, path: str, value: object, *, car: str = "demo", ago_s: float = 0) -> bytes:
        """A message `command/2`, as docs/reference/commands-wire.md says it."""
        now = time.time_ns() - int(ago_s * S)
        body = msgpack.packb(
            ["request/1", uuid.uuid4().hex, car, path, value, "phone", now, now + 30 * S]
        )
        words = b"contactor command 1\0" + hashlib.sha256(self.grant).digest() + body
        granted = [self.grant, base64.b64decode(self.key["signature"])]
        return msgpack.packb(["command/2", [body, granted, self.private.sign(words)]])

    def audit(self, who: str = "car") -> list[dict[str, object]]:
        """What was refused to somebody and stands in the audit log with a reason, newest first."""
        url = self.vehicles.replace("/vehicles", "/audit")
        items = httpx.get(url, trust_env=False, timeout=60).json()["items"]
        return [one for one in items if one["who"] == who and "reason" in one["detail"]]

    def ask(self, payload: bytes, car: str = "demo") -> httpx.Response:
        """By the cloud."""
        body = {"signed": base64.b64encode(payload).decode()}
        return self.http("POST", f"/{car}/commands/signed", body)

    def send(self, payload: bytes, car: str = "demo", *, answers: int = 1) -> list[list[object]]:
        """Past the cloud; what the car says."""
        return asyncio.run(self._send(payload, car, answers))

    async def _send(self, payload: bytes, car: str, answers: int) -> list[list[object]]:
        client = await nats.connect(self.broker)
        try:
            heard = await client.subscribe(f"contactor.v1.report.{car}")
            await client.flush()
            await client.publish(f"contactor.v1.command.{car}", payload)
            return [
                msgpack.unpackb((await heard.next_msg(timeout=10)).data) for _ in range(answers)
            ]
        finally:
            await client.close()


def state(phone: Phone, command_id: str) -> str:
    return phone.http("GET", f"/demo/commands/{command_id}").json()["state"]


def test_a_guests_key_opens_until_it_is_taken_back(instance: RunningInstance) -> None:
    phone = Phone(instance)
    order = phone.signed(CLIMATE, True)
    answer = phone.ask(order)
    assert answer.status_code == 202, answer.text
    command = answer.json()
    assert command["issued_by"] == "key of Ben's phone"
    wait_for(lambda: state(phone, command["id"]) == "done", timeout_s=30, why="done")
    assert phone.ask(order).json()["id"] == command["id"]  # the same one is not another
    assert [one["id"] for one in phone.http("GET", "/demo/keys").json()["items"]] == [
        phone.key["id"]
    ]

    taken = phone.http("DELETE", f"/demo/keys/{phone.key['id']}").json()
    assert taken["revoked"] is not None
    refused = phone.ask(phone.signed(CLIMATE, False))
    assert refused.status_code == 409
    assert "grant revoked" in refused.json()["detail"]

    def knows() -> bool:
        ((*_, said, reason),) = phone.send(phone.signed(CLIMATE, False))
        return said == "refused" and str(reason).startswith("grant revoked")

    wait_for(knows, timeout_s=60, why="the car knows")


def test_a_stolen_key_ends_where_the_cloud_is_not_heard(instance: RunningInstance) -> None:
    ends_s = time.time() + 8
    phone = Phone(instance, lasts_s=8)
    assert phone.ask(phone.signed(LIMIT, 80)).status_code == 202
    wait_for(lambda: time.time() > ends_s + 1, timeout_s=60, why="its end")
    ((*_, said, reason),) = phone.send(phone.signed(LIMIT, 70))
    assert (said, str(reason)[:11]) == ("refused", "grant ended")
    assert "grant ended" in phone.ask(phone.signed(LIMIT, 70)).json()["detail"]


def test_what_is_altered_old_or_of_another_car_is_refused_by_the_car(
    instance: RunningInstance,
) -> None:
    phone, thief = Phone(instance), Phone(instance)
    order = phone.signed(LIMIT, 75)
    altered = order.replace(b"\x4b", b"\x4c", 1)
    assert altered != order
    thief.key["grant"], thief.grant = phone.key["grant"], phone.grant
    thief.key["signature"] = phone.key["signature"]
    hostile = (
        (altered, "demo", "signature"),
        (thief.signed(LIMIT, 75), "demo", "signature"),
        (phone.signed(LIMIT, 75, ago_s=31), "demo", "expired"),
        (phone.signed(LIMIT, 75, car="demo"), "other", "wrong car"),
        (phone.signed(LIMIT, 75, car="other"), "other", "wrong car"),
        (phone.signed("Vehicle.Body.Hood.IsOpen", True), "demo", "no limit entry"),
    )
    for payload, car, why in hostile:
        ((*_, said, reason),) = phone.send(payload, car)
        assert said == "refused"
        assert why in str(reason), reason
    newest, older = phone.signed(LIMIT, 76), phone.signed(LIMIT, 90, ago_s=5)
    assert [one[3] for one in phone.send(newest, answers=2)] == ["accepted", "done"]
    ((*_, said, reason),) = phone.send(older)
    assert (said, "superseded" in str(reason)) == ("refused", True)
    ((*_, said, _),) = phone.send(newest)
    assert said == "done"  # once; a copy hears where it stands

    def noted() -> bool:
        """Each of them, with its reason, though the cloud had no part in it."""
        entries = phone.audit()
        return all(
            any(one["vehicle_id"] == car and why in one["detail"]["reason"] for one in entries)
            for _, car, why in (*hostile, (older, "demo", "superseded"))
        )

    wait_for(noted, timeout_s=60, why="it stands in the audit log")
    assert phone.ask(altered).status_code == 409
    refused = phone.audit(who="local")[0]
    assert (refused["outcome"], refused["detail"]["reason"][:9]) == ("refused", "signature")
