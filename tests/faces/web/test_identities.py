"""Identities as a program asks for them: codes, a factory's certificates, revocation."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from contactor.clock import NS_PER_DAY, FakeClock, from_iso, to_iso
from contactor.cloud.identities.desk import IdentityDesk
from contactor.errors import ContactorError
from contactor.faces.web.identities import identity_routes
from contactor.faces.web.problems import of_our_error
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.keys import KeyPair
from contactor.link.memory import MemoryBroker, MemoryTransport
from tests.cloud.identities.support import make_office

NOW = from_iso("2026-11-27T08:00:00Z")
CLOCK = FakeClock(NOW)

Check = Callable[[httpx.AsyncClient], Awaitable[None]]


def ask(desk: IdentityDesk | None, check: Check) -> None:
    async def within() -> None:
        api = Litestar(
            identity_routes(desk, CLOCK), exception_handlers={ContactorError: of_our_error}
        )
        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await check(client)

    asyncio.run(within())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[IdentityDesk]:
    office = make_office(tmp_path, CLOCK)
    yield IdentityDesk(office, gate=None, transport=MemoryTransport(MemoryBroker()))
    office.close()


def asked(vehicle_id: str, request: bytes) -> dict[str, object]:
    told = {"vehicle_id": vehicle_id, "request": base64.b64encode(request).decode()}
    return {"requests": [told]}


def test_code_is_given_and_told_of_until_it_is_used(desk: IdentityDesk) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.post("/enrolment/codes", json={"vehicles": ["zoe", "leaf"]})
        assert answer.status_code == 201
        given = answer.json()["items"]
        assert [one["vehicle_id"] for one in given] == ["zoe", "leaf"]
        assert {one["expires_at"] for one in given} == {to_iso(NOW + 7 * NS_PER_DAY)}
        [first, second] = (await client.get("/identities")).json()["items"]
        assert (first["vehicle_id"], first["state"]) == ("leaf", "waiting")
        assert second["code_expires_at"] == to_iso(NOW + 7 * NS_PER_DAY)
        assert not any(one["code"] in str((first, second)) for one in given)
        desk.office.enrol(EnrolmentCode.read(given[1]["code"]), KeyPair.make().request())
        now = (await client.get("/identities/leaf")).json()
        assert (now["state"], now["enrolled_at"]) == ("enrolled", to_iso(NOW))

    ask(desk, check)


def test_pages_hold_each_vehicle_once(desk: IdentityDesk) -> None:
    names = [f"car-{number}" for number in range(7)]
    desk.office.give_codes(names, days=1)

    async def check(client: httpx.AsyncClient) -> None:
        found, cursor = [], ""
        while cursor is not None:
            page = (await client.get(f"/identities?limit=3&cursor={cursor}")).json()
            found += [one["vehicle_id"] for one in page["items"]]
            cursor = page["next"]
        assert found == names

    ask(desk, check)


def test_factory_is_given_certificates_of_its_keys(desk: IdentityDesk) -> None:
    pair = KeyPair.make()

    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.post("/enrolment/certificates", json=asked("leaf", pair.request()))
        assert answer.status_code == 201
        certificate = Certificate.of_der(base64.b64decode(answer.json()["items"][0]))
        assert (certificate.vehicle_id, certificate.public_key) == ("leaf", pair.public_bytes)
        assert answer.json()["authority"].encode() == desk.office.authority_pem
        assert desk.office.is_good(certificate)
        other = asked("leaf", KeyPair.make().request())
        refused = await client.post("/enrolment/certificates", json=other)
        assert refused.status_code == 409
        assert refused.json()["reason"] == "vehicle leaf is enrolled; revoke it first"

    ask(desk, check)


def test_revoked_vehicle_is_told_so(desk: IdentityDesk) -> None:
    # Words that routes have too are ids of vehicles as well.
    desk.office.enrol_own("codes", KeyPair.make().request())

    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.delete("/identities/codes")
        assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
        assert (await client.get("/identities/codes")).json()["state"] == "revoked"

    ask(desk, check)


@pytest.mark.parametrize(
    ("method", "place", "body", "status", "words"),
    [
        ("GET", "/identities/nobody", None, 404, "'nobody' has no code and no certificate"),
        ("DELETE", "/identities/nobody", None, 404, "'nobody' has no code and no certificate"),
        ("POST", "/enrolment/codes", {"vehicles": ["a.b"]}, 400, "vehicle id 'a.b'"),
        ("POST", "/enrolment/codes", {"vehicles": []}, 400, "0 vehicles; allowed at once"),
        ("POST", "/enrolment/codes", {"vehicles": ["a"], "days": 0}, 400, "codes for 0 days"),
        (
            "POST",
            "/enrolment/certificates",
            asked("a", b"x"),
            409,
            "no certificate signing request",
        ),
    ],
)
def test_what_cannot_be_done_is_told(
    desk: IdentityDesk, method: str, place: str, body: object, status: int, words: str
) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.request(method, place, json=body)
        assert answer.status_code == status
        assert words in answer.json()["detail"]

    ask(desk, check)


def test_where_the_broker_is_another_ones_nobody_is_enrolled() -> None:
    async def check(client: httpx.AsyncClient) -> None:
        for answer in (
            await client.get("/identities"),
            await client.get("/identities/leaf"),
            await client.delete("/identities/leaf"),
            await client.post("/enrolment/codes", json={"vehicles": ["leaf"]}),
            await client.post("/enrolment/certificates", json=asked("leaf", b"x")),
        ):
            assert answer.status_code == 409
            assert "a broker that is not its own" in answer.json()["reason"]

    ask(None, check)
