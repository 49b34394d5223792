"""Commands as a program gives them, and as a car answers."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from contactor.clock import to_iso
from contactor.link import topics
from contactor.link.command_messages import Report, decode_command, encode_report
from contactor.link.memory import MemoryTransport
from contactor.link.messages import Hello
from contactor.signals.command import CommandState
from tests.cloud.lake.samples import SPEED, T0, S, flush, state, store_drive
from tests.faces.web.conftest import Instance
from tests.faces.web.serving import serving
from tests.faces.web.test_live import events, hear, stream

LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
TEMPERATURE = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
COMMANDS = "/api/v1/vehicles/demo/commands"

Check = Callable[[httpx.AsyncClient], Awaitable[None]]


@pytest.fixture
def demo(instance: Instance) -> Instance:
    """With one car of the profile contactor_ev, which the lake knows a speed of."""
    store_drive(instance.store, {SPEED: [0.0]}, vehicle_id="demo")
    known = state("demo", profile="contactor_ev", watermark=2)
    instance.store.commit(flush(instance.store.next_flush, streams=[known]))
    instance.start()
    return instance


def ask(instance: Instance, check: Check, **headers: str) -> None:
    async def within() -> None:
        transport = httpx.ASGITransport(instance.api(), raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers
        ) as client:
            await check(client)

    asyncio.run(within())


def test_command_is_taken_and_can_be_looked_up(demo: Instance) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.post(COMMANDS, json={"path": LOCK, "value": True, "expires_in_s": 20})
        assert answer.status_code == 202, answer.text
        command = answer.json()
        assert command == {
            "id": command["id"],
            "vehicle_id": "demo",
            "path": LOCK,
            "value": True,
            "issued_by": "local",
            "issued_at": to_iso(T0),
            "expires_at": to_iso(T0 + 20 * S),
            "state": "queued",
            "reason": None,
        }
        assert (await client.get(f"{COMMANDS}/{command['id']}")).json() == command
        assert (await client.get(COMMANDS)).json() == {"items": [command], "next": None}
        now = (await client.get("/api/v1/vehicles/demo")).json()["signals"][LOCK]
        assert now == {"value": None, "unit": None, "ts": None, "desired": True, "stale": True}

    ask(demo, check)


def test_commands_are_listed_newest_first_in_pages(demo: Instance) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        given = [
            (await client.post(COMMANDS, json={"path": LIMIT, "value": 50 + n})).json()["id"]
            for n in range(5)
        ]
        found, cursor = [], ""
        while cursor is not None:
            page = (await client.get(f"{COMMANDS}?limit=2{cursor and f'&cursor={cursor}'}")).json()
            found += [item["id"] for item in page["items"]]
            cursor = page["next"]
        assert found == given[::-1]

    ask(demo, check)


@pytest.mark.parametrize(
    ("path", "value", "status", "words"),
    [
        (SPEED, 5.0, 409, "not an actuator: Vehicle.Speed is a sensor"),
        (LIMIT, 101, 409, "out of range: "),
        (LIMIT, -1, 409, "out of range: "),
        (LIMIT, 10**400, 409, "out of range: "),
        (TEMPERATURE, 10**400, 409, "out of range: "),
        (TEMPERATURE, -(10**39), 409, "out of range: "),
        (TEMPERATURE, 1e39, 409, "out of range: "),
        ("Vehicle.Body.Horn.IsActive", True, 409, "no limit entry: "),
        ("Vehicle.Sped", 5.0, 400, "unknown signal 'Vehicle.Sped'"),
        (LIMIT, "full", 400, "'full' is no uint8"),
        (LOCK, 1, 400, "1 is no boolean"),
        (LOCK, None, 400, "value"),
        (LOCK, [True], 400, "value"),
    ],
)
def test_command_that_cannot_be_is_refused_at_once(
    demo: Instance, path: str, value: object, status: int, words: str
) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.post(COMMANDS, json={"path": path, "value": value})
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (answer.status_code, problem["status"]) == (status, status)
        assert words in problem.get("reason" if status == 409 else "detail")
        assert (await client.get(COMMANDS)).json()["items"] == []

    ask(demo, check)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"path": "%s"}' % LOCK.encode(), 400),
        (b'{"path": "%s", "value": true, "vehicle_id": "x"}' % LOCK.encode(), 400),
        (b'{"path": "%s", "value": true, "expires_in_s": 0.5}' % LOCK.encode(), 400),
        (b'{"path": "%s", "value": true, "expires_in_s": 3601}' % LOCK.encode(), 400),
        (b'{"path": "%s", "value": true, "expires_in_s": "1"}' % LOCK.encode(), 400),
        (b'{"path": "%s", "value": true, "expires_in_s": NaN}' % LOCK.encode(), 400),
        (b'{"path": "%s", "value": 1e999}' % LIMIT.encode(), 400),
        (b'{"path": "%s", "value": %s}' % (LIMIT.encode(), b"9" * 400), 409),
        (b" " * 20_000, 413),
    ],
)
def test_body_of_another_form_is_refused(demo: Instance, body: bytes, status: int) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.post(
            COMMANDS, content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"

    ask(demo, check)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/vehicles/oak/commands",
        "/api/v1/vehicles/oak/commands/1",
        "/api/v1/vehicles/demo/commands/1",
    ],
)
def test_vehicle_or_command_that_is_unknown_is_not_found(demo: Instance, path: str) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        assert (await client.get(path)).status_code == 404
        if path.endswith("commands"):
            assert (await client.post(path, json={"path": LOCK, "value": True})).status_code == 404

    ask(demo, check)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:81"},
        {"origin": "http://localhost.evil.example"},
    ],
)
def test_command_of_another_site_is_refused(demo: Instance, headers: dict[str, str]) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.post(COMMANDS, json={"path": LOCK, "value": True}, headers=headers)
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.get(COMMANDS, headers=headers)).json()["items"] == []
        own = {"origin": "http://localhost"}
        answer = await client.post(COMMANDS, json={"path": LOCK, "value": True}, headers=own)
        assert answer.status_code == 202

    ask(demo, check)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8080", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:80", 421),
        ("localhost:80:80", 421),
        ("", 421),
    ],
)
def test_host_that_is_not_this_machine_is_refused(demo: Instance, host: str, status: int) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        assert (await client.get("/healthz", headers={"host": host})).status_code == status

    ask(demo, check)


def test_command_is_followed_on_the_stream_to_its_end(demo: Instance) -> None:
    async def within() -> None:
        car = MemoryTransport(demo.broker)
        heard = await car.subscribe(topics.command("demo"))
        demo.presence.greet(Hello("demo", "contactor_ev", ()), T0)
        async with (
            serving(demo) as port,
            stream(port) as socket,
            httpx.AsyncClient(base_url=f"http://localhost:{port}", trust_env=False) as client,
        ):
            await hear(socket)
            answer = await client.post(COMMANDS, json={"path": LOCK, "value": True})
            command = answer.json()
            message = await heard.next(2.0)
            assert message is not None
            assert decode_command(message.payload).id == command["id"]
            for step in (CommandState.ACCEPTED, CommandState.DONE):
                report = Report("demo", command["id"], step)
                await car.publish(topics.report("demo"), encode_report(report))
            told, desired = [], []
            async for event in events(socket):
                if event["type"] == "command":
                    assert {**event, "state": "queued"} == {"type": "command", **command}
                    told.append(event["state"])
                if event["type"] == "desired":
                    desired.append(event["values"][LOCK])
                if told and told[-1] == "done":
                    break
            assert told == sorted(told, key=list(CommandState).index)
            assert desired[-1:] in ([], [None])
            found = (await client.get(f"{COMMANDS}/{command['id']}")).json()
            assert found["state"] == "done"
            now = (await client.get("/api/v1/vehicles/demo")).json()["signals"]
            assert LOCK not in now

    asyncio.run(within())


def test_metrics_are_told_as_text(demo: Instance) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        await client.post(COMMANDS, json={"path": LOCK, "value": True})
        answer = await client.get("/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = answer.text.splitlines()
        assert "contactor_twin_vehicles 1" in lines
        assert 'contactor_commands{state="queued"} 1' in lines
        assert "# TYPE contactor_records_total counter" in lines

    ask(demo, check)
