"""At a real broker: what a car may say and hear, who comes in, and who is put out.

The cars here are clients of nats-py's own, which do as they like.
"""

import asyncio
import base64
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from contactor.clock import SystemClock
from contactor.errors import EnrolmentRefused
from contactor.link import topics
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.unit import Identity, Unit
from contactor.link.nats import NatsTransport
from contactor.link.rights import Rights, rights_of_vehicle
from tests.cloud.identities.support import (
    Cloud,
    cloud_at,
    comes_in,
    ignore,
    make_office,
    stranger_as,
)
from tests.link.support import DEADLINE_S, BrokerProcess, until

pytestmark = pytest.mark.processes

STREAM = "CONTACTOR_UP"
OWN, OTHER = "leaf", "zoe"
OURS = [f"{kind}.{vehicle}" for kind in topics.KINDS for vehicle in (OWN, OTHER)]
JETSTREAM = [
    f"$JS.API.{action}"
    for action in (
        "INFO",
        "STREAM.LIST",
        "STREAM.NAMES",
        *(
            f"STREAM.{verb}.{STREAM}"
            for verb in ("CREATE", "UPDATE", "INFO", "DELETE", "PURGE", "MSG.GET", "MSG.DELETE")
        ),
        f"STREAM.SNAPSHOT.{STREAM}",
        f"STREAM.RESTORE.{STREAM}",
        f"CONSUMER.CREATE.{STREAM}.spy",
        f"CONSUMER.DURABLE.CREATE.{STREAM}.spy",
        f"CONSUMER.NAMES.{STREAM}",
        f"CONSUMER.DELETE.{STREAM}.ingest",
        f"CONSUMER.MSG.NEXT.{STREAM}.ingest",
        f"DIRECT.GET.{STREAM}",
    )
]
ELSE = [
    f"$JS.ACK.{STREAM}.ingest.1.1.1.1.1",
    "$SYS.REQ.USER.AUTH",
    "$SYS.REQ.SERVER.PING.CONNZ",
    "$SYS.REQ.USER.INFO",
    "$MQTT.msgs.x",
    "$KV.x",
    "_INBOX.x",
    "_GATE.x",
    f"_CAR.{OTHER}.x",
    "nowhere",
    "contactor.v1.up",
    f"contactor.v1.up.21.{OTHER}",
    f"contactor.v2.up.{OWN}",
    "anything",
]
SUBJECTS = [*OURS, *JETSTREAM, *ELSE]
PATTERNS = [
    ">",
    "*.>",
    "contactor.>",
    "contactor.v1.*.*",
    f"contactor.v1.*.{OWN}",
    "$JS.>",
    "_CAR.>",
]


def _noting(heard: list[Msg]) -> Callable[[Msg], Awaitable[None]]:
    async def note(message: Msg) -> None:
        heard.append(message)

    return note


def _signing(identity: Identity, nonce: str | None = None) -> Callable[[str], bytes]:
    return lambda given: base64.urlsafe_b64encode(identity.sign(nonce or given))


def rights_of(identity: Identity) -> Rights:
    return rights_of_vehicle(identity.vehicle_id, identity.certificate.fingerprint)


async def refused_to(
    car: Client, subjects: list[str], broker: BrokerProcess
) -> tuple[set[str], set[str]]:
    """Of those subjects the ones that a client may not publish on, and may not listen to.

    The broker's log says so; nats-py does not tell of every refusal when they come close together.
    """
    log = broker.folder / "broker.log"
    begun = log.stat().st_size
    for subject in subjects:
        await car.publish(subject, b"x")
        await car.subscribe(subject)
    await settled(car)
    said = log.read_text()[begun:]
    publish = Counter(re.findall(r'Publish Violation - Subject "(.*?)"', said))
    listen = Counter(re.findall(r'Subscription Violation - Subject "(.*?)"', said))
    # What only the cloud says is sent nowhere before it is refused.
    to_cars = {one for one in subjects if one.rpartition(".")[0] in topics.TO_CARS}
    assert publish["nowhere"] == len(to_cars) + subjects.count("nowhere")
    return set(publish) | to_cars, set(listen)


async def settled(car: Client) -> None:
    """The broker has acted on all that the client sent."""
    for _ in range(3):  # nats-py's flush writes its PING ahead of what waits to be written
        await car.flush()


def at_the_door(
    broker: BrokerProcess, desk: Path, scenario: Callable[[Cloud], Awaitable[None]]
) -> None:
    """Let something happen while the office is at work."""

    async def run() -> None:
        async with cloud_at(broker, desk) as cloud:
            await scenario(cloud)

    asyncio.run(run())


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_car_reads_and_writes_its_own_subjects_and_not_one_other(
    gated_broker: BrokerProcess, desk: Path
) -> None:
    async def scenario(cloud: Cloud) -> None:
        identity = await cloud.enrolled(OWN, desk / "unit")
        rights, own = rights_of(identity), f"{identity.inbox}.x"
        asked = [own, *SUBJECTS, *PATTERNS]
        spy = await nats.connect(cloud.url)
        heard: list[Msg] = []
        await spy.subscribe(">", cb=_noting(heard))
        await spy.flush()
        car = await stranger_as(cloud.bare_url, identity)
        silent, deaf = await refused_to(car, asked, gated_broker)
        assert set(asked) - silent == {own, *rights.publish[:-1]}
        assert set(asked) - deaf == {own, *rights.hear[:-1]}
        await spy.flush()
        assert {one.subject for one in heard if one.data == b"x"} <= set(rights.publish)
        await car.close()
        await spy.close()

    at_the_door(gated_broker, desk, scenario)


def test_car_hears_the_cloud_on_its_own_subjects_only(
    gated_broker: BrokerProcess, desk: Path
) -> None:
    async def scenario(cloud: Cloud) -> None:
        identity = await cloud.enrolled(OWN, desk / "unit")
        car = await stranger_as(cloud.bare_url, identity)
        heard: list[Msg] = []
        for subject in (*SUBJECTS, *PATTERNS):
            await car.subscribe(subject, cb=_noting(heard))
        await settled(car)
        for subject in SUBJECTS:
            if not subject.startswith("$"):
                await cloud.transport.publish(subject, subject.encode())
        own = {f"{kind}.{OWN}" for kind in topics.TO_CARS} & set(rights_of(identity).hear)
        await until(lambda: len(heard) >= len(own))
        await settled(car)
        assert {(one.subject, one.data) for one in heard} == {(s, s.encode()) for s in own}
        await car.close()

    at_the_door(gated_broker, desk, scenario)


def test_broker_writes_for_a_car_to_no_other_subject(
    gated_broker: BrokerProcess, desk: Path
) -> None:
    """The broker answers a record where its sender says, and traces a message where he says."""

    async def scenario(cloud: Cloud) -> None:
        consumer = await cloud.transport.consumer(topics.ALL_UPLINKS, name="ingest")
        own = await cloud.enrolled(OWN, desk / "unit")
        neighbour = await cloud.enrolled(OTHER, desk / "other")
        other = await stranger_as(cloud.bare_url, neighbour)
        spy = await nats.connect(cloud.url)
        heard: list[Msg] = []
        await spy.subscribe(">", cb=_noting(heard))
        for subject in rights_of(neighbour).hear:
            await other.subscribe(subject, cb=_noting(heard))
        await spy.flush()
        await other.flush()
        car = await stranger_as(cloud.bare_url, own)
        said = topics.uplink(OWN)
        for subject in SUBJECTS:
            await car.publish(said, b"x", reply=subject)
            await car.publish(said, b"x", headers={"Nats-Trace-Dest": subject})
        answer = await car.request(said, b"last", timeout=DEADLINE_S)
        assert b'"stream":"CONTACTOR_UP"' in answer.data
        await spy.flush()
        await other.flush()
        # `_R_` is how the broker itself brings an answer from one account to another.
        written = {one.subject for one in heard if not one.subject.startswith("_R_.")}
        assert said in written
        assert written <= set(rights_of(own).publish)
        taken = await consumer.take(limit=1000, timeout_s=DEADLINE_S)
        assert {one.subject for one in taken} == {said}
        for one in (car, other, spy):
            await one.close()

    at_the_door(gated_broker, desk, scenario)


def test_record_of_a_car_is_kept_and_answered(gated_broker: BrokerProcess, desk: Path) -> None:
    async def scenario(cloud: Cloud) -> None:
        identity = await cloud.enrolled(OWN, desk / "unit")
        consumer = await cloud.transport.consumer(topics.ALL_UPLINKS, name="ingest")
        hellos = await cloud.transport.subscribe(topics.ALL_HELLOS)
        car = NatsTransport(cloud.bare_url, name="agent", proof=identity)
        await car.wait_connected(DEADLINE_S)
        marks = await car.subscribe(topics.watermark(OWN))
        await car.put(topics.uplink(OWN), b"record", message_id="1")
        [delivery] = await consumer.take(limit=10, timeout_s=DEADLINE_S)
        assert (delivery.subject, delivery.payload) == (topics.uplink(OWN), b"record")
        await car.publish(topics.hello(OWN), b"hello")
        assert (await hellos.next(DEADLINE_S)).payload == b"hello"
        await cloud.transport.publish(topics.watermark(OWN), b"mark")
        assert (await marks.next(DEADLINE_S)).payload == b"mark"
        await car.close()

    at_the_door(gated_broker, desk, scenario)


def test_revoked_car_is_put_out_and_stays_out(gated_broker: BrokerProcess, desk: Path) -> None:
    async def scenario(cloud: Cloud) -> None:
        identity = await cloud.enrolled(OWN, desk / "unit")
        other = await stranger_as(cloud.bare_url, await cloud.enrolled(OTHER, desk / "other"))
        car = await stranger_as(cloud.bare_url, identity)
        await cloud.desk.revoke(OWN)
        await until(lambda: not car.is_connected)
        shown = {"token": identity.token, "signature_cb": _signing(identity)}
        assert not await comes_in(cloud.bare_url, **shown)
        assert other.is_connected
        await other.close()

    at_the_door(gated_broker, desk, scenario)


def test_car_revoked_while_the_gate_was_away_is_put_out_by_its_return(
    gated_broker: BrokerProcess, desk: Path
) -> None:
    async def scenario() -> None:
        async with cloud_at(gated_broker, desk) as cloud:
            identity = await cloud.enrolled(OWN, desk / "unit")
            car = await stranger_as(cloud.bare_url, identity)
        shown = {"token": identity.token, "signature_cb": _signing(identity)}
        assert not await comes_in(cloud.bare_url, **shown)  # nobody is at the gate
        assert car.is_connected
        async with cloud_at(gated_broker, desk) as cloud:
            assert car.is_connected
            cloud.office.revoke(OWN)
        async with cloud_at(gated_broker, desk):
            await until(lambda: not car.is_connected)

    asyncio.run(scenario())


def test_replaced_unit_is_put_out_and_the_new_one_stays(
    gated_broker: BrokerProcess, desk: Path
) -> None:
    async def scenario(cloud: Cloud) -> None:
        lost = await stranger_as(cloud.bare_url, await cloud.enrolled(OWN, desk / "lost"))
        new = await stranger_as(cloud.bare_url, await cloud.enrolled(OWN, desk / "new"))
        await until(lambda: not lost.is_connected)
        await asyncio.sleep(1.0)  # whoever was still coming in is put out by then
        assert new.is_connected
        await new.close()

    at_the_door(gated_broker, desk, scenario)


def test_code_lets_in_for_one_enrolment_only(gated_broker: BrokerProcess, desk: Path) -> None:
    async def scenario(cloud: Cloud) -> None:
        code = cloud.code(OWN)
        first = await cloud.enrol(code, Unit(desk / "unit"))
        again = await cloud.enrol(code, Unit(desk / "twin"))  # raises
        raise AssertionError((first, again))

    with pytest.raises(EnrolmentRefused, match=r"^the code was used$"):
        at_the_door(gated_broker, desk, scenario)


def test_applicant_has_no_rights_but_to_enrol(gated_broker: BrokerProcess, desk: Path) -> None:
    async def scenario(cloud: Cloud) -> None:
        code = cloud.code(OWN)
        car = await nats.connect(
            cloud.bare_url, token=code.text, error_cb=ignore, allow_reconnect=False
        )
        own = f"_CAR.{code.ticket}.x"
        asked = [*SUBJECTS, topics.enrol(code.ticket), topics.enrolled(code.ticket), own]
        silent, deaf = await refused_to(car, asked, gated_broker)
        assert set(asked) - silent == {topics.enrol(code.ticket), own}
        assert set(asked) - deaf == {topics.enrolled(code.ticket), own}
        await car.close()

    at_the_door(gated_broker, desk, scenario)


@pytest.mark.parametrize("what", ["nothing", "code", "key", "nonce", "authority", "password"])
def test_stranger_does_not_come_in(gated_broker: BrokerProcess, desk: Path, what: str) -> None:
    async def scenario(cloud: Cloud) -> None:
        leaf = await cloud.enrolled(OWN, desk / "unit")
        zoe = await cloud.enrolled(OTHER, desk / "other")
        elsewhere = make_office(desk / "elsewhere", SystemClock())
        fake = elsewhere.enrol_own(OWN, leaf.request()).token
        elsewhere.close()
        shown: dict[str, object] = {
            "nothing": {},
            "code": {"token": EnrolmentCode.make().text},
            "key": {"token": leaf.token, "signature_cb": _signing(zoe)},
            "nonce": {"token": leaf.token, "signature_cb": _signing(leaf, "another-nonce")},
            "authority": {"token": fake, "signature_cb": _signing(leaf)},
            "password": {"user": "contactor", "password": "guess"},
        }[what]
        assert not await comes_in(cloud.bare_url, **shown)

    at_the_door(gated_broker, desk, scenario)
