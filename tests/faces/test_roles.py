"""Every route, asked by every role: who is answered and who is refused is what this table says.

The table is written by hand, from what a role is for, and knows nothing of how routes declare what
they need. A route that is missing here fails the test.
"""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contactor.app.main import main
from contactor.clock import NS_PER_DAY, to_iso
from tests.app.processes import RunningInstance, contactor, running
from tests.faces.test_api import METHODS

pytestmark = pytest.mark.processes

MAP = """
[time]
column = "t"
unit = "ms"
origin = "2026-01-01T00:00:00Z"
[signals."Vehicle.Speed"]
column = "speed"
[signals."Vehicle.CurrentLocation.Latitude"]
column = "latitude"
"""
PASSWORD = "correct horse battery"
ALL = frozenset({"owner", "operator", "driver", "guest", "viewer", "workshop", "maker"})
OWNER = frozenset({"owner"})
LEADERS = OWNER | {"operator"}
SEEING = ALL - {"maker"}
READING = LEADERS | {"driver", "viewer"}
SETTING = LEADERS | {"driver", "guest"}
WRITING = LEADERS | {"driver"}

OPEN, KNOWN, ONE, SOME, EVERY = "open", "known", "one", "some", "every"
"""Whom a route answers: anybody, anybody known, who may do it to the vehicle, to one, to all."""
TABLE: dict[str, tuple[str, frozenset[str]]] = {
    "get /healthz": (OPEN, ALL),
    "get /metrics": (EVERY, SEEING),
    "get /vehicles": (SOME, SEEING),
    "get /vehicles/{vehicle_id}": (ONE, SEEING),
    "get /vehicles/{vehicle_id}/signals": (ONE, SEEING),
    "get /vehicles/{vehicle_id}/summary": (ONE, SEEING),
    "get /vehicles/{vehicle_id}/commands": (ONE, SETTING | READING),
    "post /vehicles/{vehicle_id}/commands": (ONE, SETTING),
    "get /vehicles/{vehicle_id}/commands/{command_id}": (ONE, SETTING | READING),
    "get /vehicles/{vehicle_id}/trips": (ONE, READING),
    "get /vehicles/{vehicle_id}/trips/{trip_id}/consumption": (ONE, READING),
    "get /vehicles/{vehicle_id}/charges": (ONE, READING),
    "get /vehicles/{vehicle_id}/places": (ONE, READING),
    "get /vehicles/{vehicle_id}/battery": (ONE, READING),
    "get /vehicles/{vehicle_id}/report": (ONE, READING),
    "post /vehicles/{vehicle_id}/history/rebuild": (ONE, LEADERS),
    "get /vehicles/{vehicle_id}/warnings": (ONE, READING),
    "get /vehicles/{vehicle_id}/journal": (ONE, READING),
    "get /vehicles/{vehicle_id}/journal/loose": (ONE, READING),
    "get /vehicles/{vehicle_id}/journal/month": (ONE, READING),
    "patch /vehicles/{vehicle_id}/journal/{entry_id}": (ONE, WRITING),
    "get /vehicles/{vehicle_id}/people": (ONE, LEADERS),
    "put /vehicles/{vehicle_id}/people/{name}": (ONE, LEADERS),
    "delete /vehicles/{vehicle_id}/people/{name}/{role}": (ONE, LEADERS),
    "get /places": (EVERY, READING),
    "put /places/{place_id}": (EVERY, WRITING),
    "patch /places/{place_id}": (EVERY, WRITING),
    "delete /places/{place_id}": (EVERY, WRITING),
    "get /tariffs": (SOME, READING),
    "put /tariffs": (EVERY, WRITING),
    "get /campaigns": (EVERY, LEADERS),
    "post /campaigns": (EVERY, LEADERS),
    "get /campaigns/{campaign_id}": (EVERY, LEADERS),
    "get /campaigns/{campaign_id}/vehicles": (EVERY, LEADERS),
    "delete /campaigns/{campaign_id}": (EVERY, LEADERS),
    "get /alerts": (SOME, READING),
    "get /alerts/{alert_id}": (SOME, READING),
    "post /alerts/{alert_id}/acknowledge": (SOME, WRITING),
    "get /alerts/rules": (EVERY, LEADERS),
    "post /alerts/rules": (EVERY, LEADERS),
    "delete /alerts/rules/{name}": (EVERY, LEADERS),
    "get /alerts/channels": (EVERY, LEADERS),
    "delete /alerts/channels/{name}": (EVERY, LEADERS),
    "post /alerts/channels/{name}/test": (EVERY, LEADERS),
    "get /alerts/push-key": (SOME, READING),
    "post /alerts/push-subscriptions": (EVERY, READING),
    "get /first-owner": (OPEN, ALL),
    "post /first-owner": (OPEN, ALL),
    "post /first-owner/code": (EVERY, OWNER),
    "get /session": (OPEN, ALL),
    "post /session": (OPEN, ALL),
    "delete /session": (KNOWN, ALL),
    "post /session/code": (OPEN, ALL),
    "post /session/passkey/options": (OPEN, ALL),
    "post /session/passkey": (OPEN, ALL),
    "post /join/shown": (OPEN, ALL),
    "post /join/options": (OPEN, ALL),
    "post /join": (OPEN, ALL),
    "post /reset/shown": (OPEN, ALL),
    "post /reset": (OPEN, ALL),
    "get /invitations": (SOME, LEADERS),
    "post /invitations": (SOME, LEADERS),
    "delete /invitations/{invitation_id}": (SOME, LEADERS),
    "get /passkeys": (KNOWN, ALL),
    "post /passkeys": (KNOWN, ALL),
    "post /passkeys/options": (KNOWN, ALL),
    "patch /passkeys/{passkey_id}": (KNOWN, ALL),
    "delete /passkeys/{passkey_id}": (KNOWN, ALL),
    "get /second-factor": (KNOWN, ALL),
    "post /second-factor": (KNOWN, ALL),
    "post /second-factor/confirm": (KNOWN, ALL),
    "post /second-factor/end": (KNOWN, ALL),
    "get /sessions": (KNOWN, ALL),
    "delete /sessions": (KNOWN, ALL),
    "delete /sessions/{session_id}": (KNOWN, ALL),
    "get /tokens": (KNOWN, ALL),
    "post /tokens": (KNOWN, ALL),
    "delete /tokens/{token_id}": (KNOWN, ALL),
    "put /password": (KNOWN, ALL),
    "get /people": (EVERY, OWNER),
    "post /people": (EVERY, OWNER),
    "get /people/{name}": (EVERY, OWNER),
    "delete /people/{name}": (EVERY, OWNER),
    "put /people/{name}/roles": (EVERY, OWNER),
    "put /people/{name}/password": (EVERY, OWNER),
    "post /people/{name}/reset": (EVERY, OWNER),
    "get /people/{name}/sessions": (EVERY, OWNER),
    "delete /people/{name}/sessions": (EVERY, OWNER),
    "get /people/{name}/tokens": (EVERY, OWNER),
    "post /people/{name}/tokens": (EVERY, OWNER),
    "delete /people/{name}/opened/{opened_id}": (EVERY, OWNER),
    "get /audit": (EVERY, OWNER),
    "get /vehicles/{vehicle_id}/everything": (ONE, OWNER),
    "get /people/{name}/everything": (EVERY, OWNER),
    "get /consents": (SOME, OWNER),
    "post /consents": (SOME, OWNER),
    "get /consents/{consent_id}": (SOME, OWNER),
    "delete /consents/{consent_id}": (SOME, OWNER),
    "post /consents/{consent_id}/tokens": (SOME, OWNER),
    "get /consents/{consent_id}/accesses": (SOME, OWNER),
    "get /vehicles/{vehicle_id}/keys": (ONE, LEADERS),
    "post /vehicles/{vehicle_id}/keys": (ONE, LEADERS),
    "delete /vehicles/{vehicle_id}/keys/{key_id}": (ONE, LEADERS),
    "post /vehicles/{vehicle_id}/commands/signed": (OPEN, ALL),
    "get /identities": (EVERY, OWNER),
    "get /identities/{vehicle_id}": (EVERY, OWNER),
    "delete /identities/{vehicle_id}": (EVERY, OWNER),
    "post /enrolment/codes": (EVERY, OWNER),
    "post /enrolment/certificates": (EVERY, OWNER),
}
READ_SCOPE = frozenset(
    route for route, (_, roles) in TABLE.items() if "viewer" in roles and route.startswith("get ")
)
COMMAND_SCOPE = READ_SCOPE | {"post /vehicles/{vehicle_id}/commands"}
"""What a token of that scope may, of all that its owner may."""
THIRD_PARTY = frozenset(
    {
        "get /vehicles",
        "get /vehicles/{vehicle_id}",
        "get /vehicles/{vehicle_id}/signals",
        "get /vehicles/{vehicle_id}/summary",
        "get /vehicles/{vehicle_id}/trips",
        "get /vehicles/{vehicle_id}/trips/{trip_id}/consumption",
    }
)
"""What the receiver of a consent to `CONSENT` may."""
CONSENT = {
    "receiver": "Grid Ltd",
    "purpose": "charge when power is cheap",
    "kind": "energy",
    "vehicles": ["leaf"],
    "signals": ["Vehicle.Speed"],
    "history": ["trips"],
}
OTHER_IDS = ("key_id", "consent_id")
QUERY = {
    "get /vehicles/{vehicle_id}/signals": {"path": "Vehicle.Speed"},
    "get /vehicles/{vehicle_id}/journal/month": {"month": "2026-01"},
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    """Two vehicles; of each role somebody for `leaf` alone, and somebody for all."""
    desk: Path = tmp_path_factory.mktemp("roles")
    (desk / "map.toml").write_text(MAP)
    (desk / "trip.csv").write_text("t,speed,latitude\n0,10,47.1\n1000,20,47.2\n")
    for vehicle in ("leaf", "kona"):
        tables = [str(desk / "trip.csv"), "--map", str(desk / "map.toml")]
        assert main(["import", *tables, "--vehicle", vehicle, "--data", str(desk / "data")]) == 0
    with running(desk / "data", command="serve", has_login=True) as instance:
        yield instance


@pytest.fixture(scope="module")
def people(instance: RunningInstance) -> dict[str, dict[str, str]]:
    """Who → the headers with which he asks: ROLE, ROLE@leaf, and tokens of an owner's by scope."""
    api = f"{instance.document()['url']}/api/v1"
    code = str(instance.document()["first_owner_url"]).partition("#")[2]
    first = {"code": code, "name": "first", "password": PASSWORD}
    with httpx.Client(base_url=api, trust_env=False) as client:
        assert client.post("/first-owner", json=first).status_code == 201
    own = {"authorization": f"Bearer {(instance.data / 'own-secret').read_text().strip()}"}
    found = {"nobody": {}, "stranger": {"authorization": "Bearer cto_tok_AAAA"}}
    with httpx.Client(base_url=api, headers=own, trust_env=False) as client:
        for role, where in itertools.product(sorted(ALL), ("*", "leaf")):
            name = role if where == "*" else f"{role}@{where}"
            body = {"name": name, "roles": [{"role": role, "vehicle_id": where}]}
            assert client.post("/people", json=body).status_code == 201
            found[name] = token(client, name, "admin")
        for scope in ("read", "command", "admin"):
            found[f"scope {scope}"] = token(client, "owner", scope)
        found["scope read@leaf"] = token(client, "owner", "read", "leaf")
        asked = {**CONSENT, "until": to_iso(time.time_ns() + 30 * NS_PER_DAY)}
        given = client.post("/consents", json=asked)
        assert given.status_code == 201, given.text
        secret = given.json()["token"]["token"]
        found["third party@leaf"] = {"authorization": f"Bearer {secret}"}
    return found


def token(
    client: httpx.Client,
    name: str,
    scope: str,
    vehicle: str = "*",
    headers: dict[str, str] | None = None,
) -> dict[str, str]:
    asked = {"name": "test", "scope": scope, "vehicle_id": vehicle}
    answer = client.post(f"/people/{name}/tokens", json=asked, headers=headers)
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['token']}"}


def is_answered(who: str, route: str, vehicle: str) -> bool:
    """What the table says."""
    whose, roles = TABLE[route]
    if whose == OPEN:
        return True
    if who in ("nobody", "stranger"):
        return False
    role, _, where = who.partition("@")
    if role == "third party":
        return route in THIRD_PARTY and (whose == SOME or where == vehicle)
    if role.startswith("scope "):
        if route not in {"scope read": READ_SCOPE, "scope command": COMMAND_SCOPE}.get(role, TABLE):
            return False
        role = "owner"
    if whose == KNOWN:
        return True
    is_there = not where or whose == SOME or (whose == ONE and where == vehicle)
    return role in roles and is_there


def test_every_route_answers_the_roles_of_the_table_and_no_other(
    instance: RunningInstance, people: dict[str, dict[str, str]]
) -> None:
    url = str(instance.document()["url"])
    wrong, asked = [], 0
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        paths = client.get("/api/v1/openapi.json").json()["paths"]
        found = {
            f"{method} {path.removeprefix('/api/v1')}"
            for path, item in paths.items()
            for method in item
            if method in METHODS
        }
        assert found == set(TABLE)
        for who, route, vehicle in itertools.product(people, TABLE, ("leaf", "kona")):
            if "{vehicle_id}" not in route and vehicle == "kona":
                continue
            answer = ask(client, route, vehicle, people[who])
            expected = is_answered(who, route, vehicle)
            is_refused = answer.status_code in (401, 403)
            asked += 1
            if is_refused == expected or answer.status_code >= 500:
                wrong.append((who, route, vehicle, answer.status_code, expected))
            if is_refused and not expected:
                known = who not in ("nobody", "stranger")
                assert answer.status_code == (403 if known else 401)
                assert not {"speed", "latitude", "Mia"} & set(answer.text.split('"'))
    assert wrong == []
    assert asked > 1_000


def ask(client: httpx.Client, route: str, vehicle: str, headers: dict[str, str]) -> httpx.Response:
    """A question that changes nothing, whoever may ask it."""
    method, _, path = route.partition(" ")
    place = path if path in ("/healthz", "/metrics") else f"/api/v1{path}"
    for name in ("vehicle_id", "command_id", "trip_id", "entry_id", "place_id", "campaign_id"):
        place = place.replace(f"{{{name}}}", vehicle if name == "vehicle_id" else "none")
    for name in ("alert_id", "session_id", "token_id", "opened_id", "name", "role", *OTHER_IDS):
        place = place.replace(f"{{{name}}}", "0" if name == "alert_id" else "none")
    for name in ("invitation_id", "passkey_id"):
        place = place.replace(f"{{{name}}}", "none")
    body = {} if method in ("post", "put", "patch") else None
    return client.request(method, place, params=QUERY.get(route), json=body, headers=headers)


def test_who_may_not_know_where_a_car_is_is_not_told(
    instance: RunningInstance, people: dict[str, dict[str, str]]
) -> None:
    url, path = str(instance.document()["url"]), "Vehicle.CurrentLocation.Latitude"
    with httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=60) as client:
        for who, is_told in (("viewer@leaf", True), ("guest@leaf", False), ("workshop", False)):
            shown = people[who]
            now = client.get("/vehicles/leaf", headers=shown).json()["signals"]
            summary = client.get("/vehicles/leaf/summary", headers=shown).json()["signals"]
            series = client.get("/vehicles/leaf/signals", params={"path": path}, headers=shown)
            where = client.get("/vehicles", params={"where": f"{path} > 1"}, headers=shown)
            assert "Vehicle.Speed" in now
            assert "Vehicle.Speed" in summary
            assert (path in now, path in summary) == (is_told, is_told)
            assert series.status_code == (200 if is_told else 403)
            assert bool(where.json()["items"]) is is_told
        seen = client.get("/vehicles", headers=people["guest@leaf"]).json()["items"]
        assert [one["vehicle_id"] for one in seen] == ["leaf"]


def test_refusals_and_changes_stand_in_the_audit_log(
    instance: RunningInstance, people: dict[str, dict[str, str]]
) -> None:
    url = str(instance.document()["url"])
    with httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=60) as client:
        path = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
        asked = {"path": path, "value": False}
        fresh = token(client, "driver@leaf", "command", headers=people["owner"])
        refused = client.post("/vehicles/kona/commands", json=asked, headers=fresh)
        assert refused.status_code == 403
        items = client.get("/audit", headers=people["owner"]).json()["items"]
    last = next(one for one in items if one["who"] == "driver@leaf")
    assert (last["what"], last["vehicle_id"], last["outcome"]) == (
        "POST /vehicles/{vehicle_id}/commands",
        "kona",
        "refused",
    )
    ended = contactor("audit", "verify", "--data", instance.data)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert b"kona" not in (instance.data / "audit.jsonl").read_bytes()
