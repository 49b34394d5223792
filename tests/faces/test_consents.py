"""Third parties on a running instance: no value that a consent does not name comes out anywhere."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from contactor.app.main import main
from contactor.clock import NS_PER_DAY, to_iso
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.rights import tells_where
from tests.app.processes import RunningInstance, contactor, running

pytestmark = pytest.mark.processes

PASSWORD = "correct horse battery"
BRANCH = "Vehicle.Powertrain.TractionBattery"
LATITUDE = "Vehicle.CurrentLocation.Latitude"
NUMBERS = (Datatype.FLOAT, Datatype.DOUBLE, Datatype.UINT32)


def is_free(signal: Signal) -> bool:
    """Whether any number of seven digits, or any text, is a value of it."""
    is_bounded = signal.minimum is not None or signal.maximum is not None or signal.allowed
    return not is_bounded and signal.datatype in (*NUMBERS, Datatype.STRING)


PATHS = [signal.path for signal in catalogue().values() if is_free(signal)]
NAMED = {path for path in PATHS if path.startswith(f"{BRANCH}.") and not tells_where(path)}
"""Those of the branch, but not where it was charged."""


def sentinels(table: int) -> dict[str, str]:
    """Path → a value that is no other path's, and in no other table."""
    numbers = {
        path: f"{table}{100_003 + 101 * place}" if catalogue()[path].datatype in NUMBERS
        else f"text-{table}-{place}-end"
        for place, path in enumerate(PATHS)
    }  # fmt: skip
    return {**numbers, LATITUDE: f"47.1234{table}1"}


def bring(data: Path, desk: Path, vehicle: str, table: int) -> None:
    """Import a table into a running instance."""
    values = sentinels(table)
    signals = [f'[signals."{path}"]\ncolumn = "c{n}"\n' for n, path in enumerate(values)]
    head = '[time]\ncolumn = "t"\nunit = "ms"\norigin = "2026-01-01T00:00:00Z"\n'
    (desk / "map.toml").write_text(head + "".join(signals))
    columns = ",".join(f"c{n}" for n in range(len(values)))
    row = f"{table * 60_000},{','.join(values.values())}\n"
    (desk / f"{table}.csv").write_text(f"t,{columns}\n{row}")
    tables = [str(desk / f"{table}.csv"), "--map", str(desk / "map.toml")]
    assert main(["import", *tables, "--vehicle", vehicle, "--data", str(data)]) == 0


class House:
    """Two cars with a value of their own in every signal, and Mia, who owns both."""

    def __init__(self, instance: RunningInstance, desk: Path, owner: httpx.Client) -> None:
        self.instance, self.desk, self.owner = instance, desk, owner
        self.url = str(instance.document()["url"])
        self.clients = contextlib.ExitStack()

    def consent(self, **changed: object) -> tuple[str, httpx.Client]:
        """Its id, and who asks as its receiver."""
        asked = {
            "receiver": "Grid Ltd",
            "purpose": "charge when power is cheap",
            "kind": "energy",
            "vehicles": ["leaf"],
            "signals": [BRANCH],
            "until": to_iso(time.time_ns() + 30 * NS_PER_DAY),
        }
        given = self.owner.post("/consents", json={**asked, **changed})
        assert given.status_code == 201, given.text
        document = given.json()
        return document["consent"]["id"], self.client(document["token"]["token"])

    def client(self, secret: str) -> httpx.Client:
        headers = {"authorization": f"Bearer {secret}"}
        place = f"{self.url}/api/v1"
        client = httpx.Client(base_url=place, headers=headers, trust_env=False, timeout=60)
        return self.clients.enter_context(client)

    def stream(self, who: httpx.Client, query: str = "") -> connect:
        url = f"{self.url.replace('http', 'ws')}/api/v1/live{query}"
        shown = {"authorization": who.headers["authorization"]}
        return connect(url, additional_headers=shown, proxy=None, max_size=None)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    desk = tmp_path_factory.mktemp("consents")
    with running(desk / "data", command="serve", has_login=True) as instance:
        for table, vehicle in ((1, "leaf"), (2, "kona")):
            bring(desk / "data", desk, vehicle, table)
        url = f"{instance.document()['url']}/api/v1"
        code = str(instance.document()["first_owner_url"]).partition("#")[2]
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as owner:
            body = {"code": code, "name": "Mia", "password": PASSWORD}
            assert owner.post("/first-owner", json=body).status_code == 201
            owner.headers["origin"] = str(instance.document()["url"])
            house = House(instance, desk, owner)
            with house.clients:
                yield house


def leaked(text: bytes, secrets: Mapping[str, str]) -> list[str]:
    """The paths whose values stand in a text."""
    return [path for path, value in secrets.items() if value.encode() in text]


def routes(house: House) -> list[str]:
    document = httpx.get(f"{house.url}/api/v1/openapi.json", trust_env=False).json()
    found = [path for path, item in document["paths"].items() if "get" in item]
    return [path.removeprefix("/api/v1") for path in found]


def questions(house: House) -> Iterator[tuple[str, dict[str, object]]]:
    """Every GET route with either car, and those that take a path with every path."""
    for route, vehicle in itertools.product(routes(house), ("leaf", "kona")):
        place = route.replace("{vehicle_id}", vehicle)
        for name in ("{trip_id}", "{name}", "{consent_id}", "{alert_id}", "{place_id}"):
            place = place.replace(name, "0")
        yield place, {}
        yield place, {"limit": 1000, "month": "2026-01", "start": "2025-01-01T00:00:00Z"}
    for vehicle, path in itertools.product(("leaf", "kona"), PATHS[::6]):
        yield f"/vehicles/{vehicle}/signals", {"path": path}
        yield f"/vehicles/{vehicle}/signals", {"path": [f"{BRANCH}.CurrentPower", path]}
        yield f"/vehicles/{vehicle}/summary", {"path": path}


def test_no_answer_holds_a_value_that_is_not_named(house: House) -> None:
    _, receiver = house.consent(history=["charges", "battery", "trips"])
    own, others = sentinels(1), sentinels(2)
    forbidden = {path: value for path, value in own.items() if path not in NAMED}
    told: set[str] = set()
    answered = set()
    for place, query in questions(house):
        where = place if place in ("/healthz", "/metrics") else f"/api/v1{place}"
        answer = receiver.get(f"{house.url}{where}", params=query)
        text = answer.content + str(answer.headers).encode()
        assert leaked(text, forbidden) == [], (place, query)
        assert leaked(text, others) == [], (place, query)
        assert answer.status_code < 500
        told.update(leaked(text, own))
        if answer.status_code == 200:
            answered.add(place)
    assert told == NAMED  # so that what is looked for would be found
    assert answered == {
        "/healthz",
        "/first-owner",
        "/session",
        "/vehicles",
        "/vehicles/leaf",
        "/vehicles/leaf/signals",
        "/vehicles/leaf/summary",
        *(f"/vehicles/leaf/{kind}" for kind in ("trips", "charges", "battery")),
    }
    everything = house.owner.get("/vehicles/leaf").content
    assert set(leaked(everything, own)) == set(own)


def test_what_stands_beside_values_is_told_of_the_named_alone(house: House) -> None:
    _, receiver = house.consent()
    (vehicle,) = receiver.get("/vehicles").json()["items"]
    assert vehicle == {
        "vehicle_id": "leaf",
        "name": "leaf",
        "profile": None,
        "connectivity": None,
        "last_seen": vehicle["last_seen"],
        "signals": len(NAMED),
        "rows": None,
    }
    now = receiver.get("/vehicles/leaf").json()
    assert (now["profile"], now["connectivity"], set(now["signals"])) == (None, None, NAMED)
    assert vehicle["last_seen"] == max(one["ts"] for one in now["signals"].values())
    summary = set(receiver.get("/vehicles/leaf/summary").json()["signals"])
    assert summary >= NAMED
    assert all(path.startswith(f"{BRANCH}.") and not tells_where(path) for path in summary)


@pytest.mark.parametrize(
    "where",
    [
        "Vehicle.TraveledDistance > 1",
        "not known(Vehicle.TraveledDistance)",
        f"{BRANCH}.CurrentPower > 1 or stale(Vehicle.TraveledDistance)",
        f"{LATITUDE} > 1",
        "connectivity == 'online'",
        f"{BRANCH}.CurrentPower > 1 and not (connectivity == 'lost')",
    ],
)
def test_the_fleet_cannot_be_asked_for_what_is_not_named(house: House, where: str) -> None:
    _, receiver = house.consent()
    assert receiver.get("/vehicles", params={"where": where}).status_code == 403
    good = receiver.get("/vehicles", params={"where": f"{BRANCH}.CurrentPower > 1"})
    assert [one["vehicle_id"] for one in good.json()["items"]] == ["leaf"]


def test_where_a_car_is_is_told_where_it_is_named(house: House) -> None:
    _, receiver = house.consent(signals=["Vehicle.CurrentLocation"])
    found = receiver.get("/vehicles/leaf").json()["signals"]
    assert found[LATITUDE]["value"] == pytest.approx(float(sentinels(1)[LATITUDE]))
    assert receiver.get("/vehicles", params={"where": f"{LATITUDE} > 1"}).status_code == 200
    assert receiver.get("/vehicles/leaf/places").status_code == 403


async def _texts(socket: ClientConnection, count: int) -> list[str]:
    return [str(await asyncio.wait_for(socket.recv(), 120)) for _ in range(count)]


async def _rest(socket: ClientConnection) -> str:
    """All that comes until it is closed."""
    async with asyncio.timeout(120):
        return "".join([str(text) async for text in _until_closed(socket)])


async def _until_closed(socket: ClientConnection) -> AsyncIterator[str | bytes]:
    with contextlib.suppress(ConnectionClosed):
        while True:
            yield await socket.recv()


def test_the_live_stream_tells_what_is_named_and_ends_when_it_is_withdrawn(house: House) -> None:
    consent_id, receiver = house.consent()
    asyncio.run(_live(house, consent_id, receiver))


async def _live(house: House, consent_id: str, receiver: httpx.Client) -> None:
    fresh = {path: value for path, value in sentinels(3).items() if path not in NAMED}
    old = {path: value for path, value in sentinels(1).items() if path not in NAMED}
    heard = ""
    async with house.stream(receiver) as socket:
        heard += "".join(await _texts(socket, 1))
        assert set(leaked(heard.encode(), sentinels(1))) == NAMED
        asked = {"path": f"{BRANCH}.Charging.ChargeLimit", "value": 80}
        commanded = await asyncio.to_thread(house.owner.post, "/vehicles/leaf/commands", json=asked)
        assert commanded.status_code == 202, commanded.text
        for vehicle, table in (("kona", 4), ("leaf", 3)):
            await asyncio.to_thread(bring, house.instance.data, house.desk, vehicle, table)
        while not set(leaked(heard.encode(), sentinels(3))) >= NAMED:
            heard += "".join(await _texts(socket, 1))
        ended = await asyncio.to_thread(house.owner.delete, f"/consents/{consent_id}")
        assert ended.json()["state"] == "withdrawn"
        refused = await asyncio.to_thread(receiver.get, "/vehicles/leaf")
        assert refused.status_code == 401
        heard += await _rest(socket)
        assert socket.close_code == 1008
    for secrets in (fresh, old, sentinels(2), sentinels(4)):
        assert leaked(heard.encode(), secrets) == []
    kinds = {part.partition('"')[0] for part in heard.split('{"type":"')[1:]}
    assert kinds <= {"snapshot", "change", "stale", "tick"}
    assert "change" in kinds


@pytest.mark.parametrize(
    "query", ["?path=Vehicle.TraveledDistance", f"?path={LATITUDE}", "?vehicle=kona"]
)
def test_a_stream_of_what_is_not_named_is_closed(house: House, query: str) -> None:
    _, receiver = house.consent()

    async def listen() -> None:
        async with house.stream(receiver, query) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 120)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008
            assert leaked(closed.value.rcvd.reason.encode(), sentinels(1)) == []

    asyncio.run(listen())


def test_the_owner_reads_what_a_receiver_has_read(house: House) -> None:
    consent_id, receiver = house.consent(vehicles=["leaf", "kona"])
    for _ in range(3):
        assert receiver.get("/vehicles/leaf").status_code == 200
    assert receiver.get("/vehicles").status_code == 200
    assert receiver.get("/vehicles/leaf/journal").status_code == 403
    items = house.owner.get(f"/consents/{consent_id}/accesses").json()["items"]
    found = [(one["vehicle_id"], one["detail"].get("route"), one["outcome"]) for one in items]
    assert sorted(found, key=str) == [
        ("kona", "GET /vehicles", "allowed"),
        ("leaf", "GET /vehicles", "allowed"),
        ("leaf", "GET /vehicles/{vehicle_id}", "allowed"),
        ("leaf", None, "refused"),
    ]
    assert {(one["who"], one["detail"]["consent"]) for one in items} == {("Grid Ltd", consent_id)}
    page = house.owner.get(f"/consents/{consent_id}/accesses?limit=1").json()
    rest = house.owner.get(f"/consents/{consent_id}/accesses?cursor={page['next']}").json()
    assert [*page["items"], *rest["items"]] == items
    content = (house.instance.data / "audit.jsonl").read_bytes()
    assert b"Grid Ltd" not in content
    assert b"leaf" not in content
    assert contactor("audit", "verify", "--data", house.instance.data).returncode == 0


def test_an_owner_of_one_car_sees_what_names_it(house: House) -> None:
    consent_id, _ = house.consent(vehicles=["leaf", "kona"])
    elsewhere, _ = house.consent(vehicles=["kona"])
    body = {"name": "Ben", "roles": [{"role": "owner", "vehicle_id": "leaf"}]}
    assert house.owner.post("/people", json=body).status_code == 201
    token = {"name": "t", "scope": "admin"}
    secret = house.owner.post("/people/Ben/tokens", json=token).json()["token"]
    ben = house.client(secret)
    seen = {one["id"]: one["vehicles"] for one in ben.get("/consents").json()["items"]}
    assert seen[consent_id] == ["leaf"]
    assert elsewhere not in seen
    for answer in (ben.get(f"/consents/{elsewhere}"), ben.delete(f"/consents/{elsewhere}")):
        assert (answer.status_code, "no consent" in answer.text) == (404, True)
    assert ben.post(f"/consents/{consent_id}/tokens").status_code == 403
    asked = {"receiver": "G", "purpose": "p", "kind": "other", "signals": [BRANCH]}
    until = to_iso(time.time_ns() + NS_PER_DAY)
    other = ben.post("/consents", json={**asked, "vehicles": ["kona"], "until": until})
    assert other.status_code == 403
    for_mia = {**asked, "vehicles": ["leaf"], "until": until, "given_by": "Mia"}
    assert ben.post("/consents", json=for_mia).status_code == 400
    assert ben.delete(f"/consents/{consent_id}").json()["vehicles"] == ["leaf"]


def test_consents_by_command(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    def told(action: str, *arguments: str) -> str:
        assert main(["consent", action, *arguments, "--data", str(house.instance.data)]) == 0
        return capfd.readouterr().out

    purpose = ("--kind", "energy", "--purpose", "charge when power is cheap")
    what = ("--vehicle", "leaf", "--signal", BRANCH, "--history", "charges", "--days", "90")
    given = told("give", "Grid Ltd", *purpose, *what, "--user", "Mia")
    shown = dict(line.split(maxsplit=1) for line in given.splitlines())
    receiver = house.client(shown["token"])
    assert receiver.get("/vehicles/leaf/charges").status_code == 200
    assert any(line.startswith(shown["consent"]) for line in told("list").splitlines())
    found = json.loads(told("show", shown["consent"], "--json"))
    assert found["consent"]["given_by"] == "Mia"
    assert [one["detail"]["route"] for one in found["accesses"]] == [
        "GET /vehicles/{vehicle_id}/charges"
    ]
    another = told("token", shown["consent"]).strip()
    ended = told("withdraw", shown["consent"])
    assert ended == f"{shown['consent']}: withdrawn, Grid Ltd is refused\n"
    for secret in (shown["token"], another):
        assert house.client(secret).get("/vehicles/leaf").status_code == 401
    data = str(house.instance.data)
    assert main(["consent", "withdraw", "none", "--data", data]) == 1
    assert capfd.readouterr().err == "contactor: no consent 'none'\n"
