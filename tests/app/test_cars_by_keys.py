"""Cars that are known by their keys, over real processes: let in, kept to themselves, put out.

A client of nats-py's own stands for whoever does as he likes.
"""

import asyncio
import base64
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nats
import pytest

from contactor.app.instance import MAX_OWN_KEYS
from contactor.link.broker import read_bare_url, read_url
from contactor.link.identities.unit import Unit
from tests.app.command_line import Ended, command
from tests.app.counting import make_log, make_profile
from tests.app.processes import RunningInstance, running, started, wait_for
from tests.cloud.identities.support import comes_in, stranger_as
from tests.link.support import until

pytestmark = pytest.mark.processes

OWN = "counter"
OFF_S = 60.0


def car(desk: Path, vehicle: str, log: str = "long.log") -> str:
    return f"recording:{desk}/{log}?profile={desk}/counting&vehicle={vehicle}&sampling=every"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = tmp_path_factory.mktemp("desk")
    make_profile(desk)
    make_log(desk / "long.log", 90_000)
    make_log(desk / "short.log", 300)
    return desk


@pytest.fixture(scope="module")
def instance(desk: Path) -> Iterator[RunningInstance]:
    with running(desk / "data", "--car", car(desk, OWN)) as instance:
        yield instance


@pytest.fixture(scope="module")
def link(instance: RunningInstance) -> str:
    return read_bare_url(instance.data / "broker")


def at_cloud(desk: Path, words: str) -> Ended:
    return command(f"car {words} --data data --json", cwd=desk)


def code_for(desk: Path, vehicle: str) -> str:
    [code] = at_cloud(desk, f"code {vehicle}").document()["codes"]
    assert code["vehicle_id"] == vehicle
    return code["code"]


def enrolled(desk: Path, unit: Path, vehicle: str, link: str) -> None:
    """A unit in a folder of its own is enrolled, as its owner does it."""
    unit.mkdir(exist_ok=True)
    line = f"car enrol {code_for(desk, vehicle)} --link {link} --data car --json"
    assert command(line, cwd=unit).document()["vehicle_id"] == vehicle


def state_of(desk: Path, vehicle: str) -> str | None:
    found = at_cloud(desk, "list").document()
    return {one["vehicle_id"]: one["state"] for one in found}.get(vehicle)


def agent(desk: Path, vehicle: str, link: str) -> list[str]:
    return ["agent", "--car", car(desk, vehicle), "--link", link, "--data", "car"]


def rows_of(instance: RunningInstance, vehicle: str) -> int:
    url = f"{instance.document()['url']}/api/v1/vehicles?vehicle={vehicle}"
    items = httpx.get(url, trust_env=False, timeout=60).json()["items"]
    return sum(item["rows"] for item in items)


def wait_for_values(instance: RunningInstance, vehicle: str) -> None:
    before = rows_of(instance, vehicle)
    wait_for(
        lambda: rows_of(instance, vehicle) > before, timeout_s=60, why=f"values of {vehicle} come"
    )


def is_off(unit: Path) -> bool:
    """Whether the agent says that it was put out, or refused."""
    return "link lost" in (unit / "agent.log").read_text()


# ── cars that come in ────────────────────────────────────────────────────────────────────────────


def test_own_car_is_enrolled_without_being_asked(instance: RunningInstance, desk: Path) -> None:
    assert state_of(desk, OWN) == "enrolled"
    assert Unit(instance.data / "agent" / "identity").vehicles() == [OWN]
    wait_for_values(instance, OWN)


def test_enrolled_car_sends_until_it_is_revoked(
    instance: RunningInstance, desk: Path, link: str, tmp_path: Path
) -> None:
    enrolled(desk, tmp_path, "leaf", link)
    with started(tmp_path, *agent(desk, "leaf", link)):
        wait_for_values(instance, "leaf")
        assert at_cloud(desk, "revoke leaf").document()["state"] == "revoked"
        wait_for(lambda: is_off(tmp_path), timeout_s=OFF_S, why="the revoked car is off")
        rows = rows_of(instance, "leaf")
        wait_for_values(instance, OWN)
        time.sleep(2.0)  # longer than a car needs to come back
        assert rows_of(instance, "leaf") <= rows + 200  # what was under way
    assert state_of(desk, "leaf") == "revoked"


def test_lost_unit_gives_way_to_a_new_one(
    instance: RunningInstance, desk: Path, link: str, tmp_path: Path
) -> None:
    lost, new = tmp_path / "lost", tmp_path / "new"
    enrolled(desk, lost, "zoe", link)
    with started(lost, *agent(desk, "zoe", link)):
        wait_for_values(instance, "zoe")
        enrolled(desk, new, "zoe", link)
        wait_for(lambda: is_off(lost), timeout_s=OFF_S, why="the lost unit is off")
    with started(new, *agent(desk, "zoe", link)):
        wait_for_values(instance, "zoe")
    assert state_of(desk, "zoe") == "enrolled"


def test_factory_enrols_what_its_file_names(
    instance: RunningInstance, desk: Path, link: str, tmp_path: Path
) -> None:
    names = [f"made-{number}" for number in range(3)]
    lines = ["serial,vehicle_id", *(f"{place},{name}" for place, name in enumerate(names))]
    (tmp_path / "cars.csv").write_text("\n".join(lines))
    line = f"enrol-batch {tmp_path}/cars.csv --output {tmp_path}/units"
    told = {"output": f"{tmp_path}/units", "vehicles": 3}
    assert at_cloud(desk, line).document() == {**told, "enrolled": 3}
    assert at_cloud(desk, line).document() == {**told, "enrolled": 0}
    shutil.copytree(
        tmp_path / "units" / names[1], tmp_path / "car" / "agent" / "identity" / names[1]
    )
    with started(tmp_path, *agent(desk, names[1], link)):
        wait_for_values(instance, names[1])
    other = at_cloud(desk, f"enrol-batch {tmp_path}/cars.csv --output {tmp_path}/others")
    other.check_refused(1, "vehicle made-0 is enrolled; revoke it first")


def test_revoked_own_car_stays_out_until_it_is_enrolled(desk: Path, tmp_path: Path) -> None:
    data, cars = tmp_path / "data", ("--car", car(desk, "one"), "--car", car(desk, "two"))
    with running(data, *cars):
        at_cloud(tmp_path, "revoke two")
    with running(data, *cars) as instance:
        before = rows_of(instance, "two")
        wait_for_values(instance, "one")
        assert (state_of(tmp_path, "two"), rows_of(instance, "two")) == ("revoked", before)
        line = f"car enrol {code_for(tmp_path, 'two')} --link {read_bare_url(data / 'broker')}"
        ended = command(f"{line} --data data", cwd=tmp_path)
        assert (ended.exit_code, "takes the new key" in ended.err) == (0, True)
    with running(data, *cars) as instance:
        wait_for_values(instance, "two")


def test_many_own_cars_come_by_the_password(desk: Path, tmp_path: Path) -> None:
    names = [f"car-{number}" for number in range(MAX_OWN_KEYS + 1)]
    cars = [word for name in names for word in ("--car", car(desk, name, "short.log"))]
    with running(tmp_path / "data", *cars, "--speed", "max") as instance:
        wait_for(lambda: rows_of(instance, names[-1]) == 300, timeout_s=60, why="all has come")
        assert at_cloud(tmp_path, "list").document() == []


# ── who does not ─────────────────────────────────────────────────────────────────────────────────


def test_agent_that_is_nobody_says_how_to_enrol(desk: Path, link: str, tmp_path: Path) -> None:
    line = f"agent --car '{car(desk, 'nobody')}' --link {link} --data car"
    ended = command(line, cwd=tmp_path)
    ended.check_refused(1, f"contactor car enrol CODE --link {link} --data car")


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("AAAA-AAAA-AAB", 2, "enrolment code is mistyped"),
        ("1234", 2, "expected 11 letters and digits"),
        ("0000-0000-000", 1, "it refused the certificate or code"),
    ],
)
def test_code_that_is_none_is_told_in_one_line(
    instance: RunningInstance, link: str, tmp_path: Path, code: str, exit_code: int, words: str
) -> None:
    line = f"car enrol {code} --link {link} --data car"
    command(line, cwd=tmp_path).check_refused(exit_code, words)


def test_code_enrols_once(desk: Path, link: str, tmp_path: Path) -> None:
    code = code_for(desk, "once")
    first = command(f"car enrol {code} --link {link} --data one --json", cwd=tmp_path)
    assert first.document()["vehicle_id"] == "once"
    again = command(f"car enrol {code} --link {link} --data other", cwd=tmp_path)
    again.check_refused(1, "the code was used")


@pytest.mark.parametrize("what", ["nothing", "token", "password"])
def test_stranger_does_not_come_in(instance: RunningInstance, link: str, what: str) -> None:
    shown = {
        "nothing": {},
        "token": {"token": "0000-0000-000"},
        "password": {"user": "contactor", "password": "guess"},
    }[what]

    before = refused(instance)
    assert not asyncio.run(comes_in(link, **shown))
    if what != "password":  # of whom the broker knows by name it does not ask
        assert refused(instance) == before + 1


def refused(instance: RunningInstance) -> int:
    text = httpx.get(f"{instance.document()['url']}/metrics", trust_env=False).text
    [count] = re.findall(r'^contactor_knocks_total\{outcome="refused"\} (\d+)$', text, re.M)
    return int(count)


def test_vehicle_that_nobody_enrolled_cannot_be_revoked(
    instance: RunningInstance, desk: Path
) -> None:
    ended = at_cloud(desk, "revoke nobody")
    ended.check_refused(1, "vehicle 'nobody' has no code and no certificate")


def test_car_hears_and_writes_no_other_subject(
    instance: RunningInstance, desk: Path, link: str, tmp_path: Path
) -> None:
    """At the very broker that `run` starts; `tests/cloud/identities` tries every subject."""
    enrolled(desk, tmp_path, "spy", link)
    identity = Unit(tmp_path / "car" / "agent" / "identity").identity("spy")
    subjects = [">", "contactor.v1.*.*", f"contactor.v1.watermark.{OWN}", "$JS.API.>"]

    async def spy() -> list[object]:
        client = await stranger_as(link, identity)
        heard: list[object] = []

        async def hear(message: object) -> None:
            heard.append(message)

        for subject in subjects:
            await client.subscribe(subject, cb=hear)
        await client.publish(f"contactor.v1.up.{OWN}", b"x")
        await client.flush()
        await asyncio.sleep(1.0)  # a car next to it is sending all the time
        await client.close()
        return heard

    assert asyncio.run(spy()) == []
    said = (instance.data / "log" / "broker.log").read_text()
    assert f'Publish Violation - Subject "contactor.v1.up.{OWN}"' in said
    assert all(f'Subscription Violation - Subject "{one}"' in said for one in subjects)


def test_revoked_client_is_off_in_seconds(
    instance: RunningInstance, desk: Path, link: str, tmp_path: Path
) -> None:
    enrolled(desk, tmp_path, "gone", link)
    identity = Unit(tmp_path / "car" / "agent" / "identity").identity("gone")

    async def be_put_out() -> float:
        client = await stranger_as(link, identity)
        began = time.monotonic()
        await asyncio.to_thread(at_cloud, desk, "revoke gone")
        await until(lambda: not client.is_connected)
        took_s = time.monotonic() - began
        signing = {"signature_cb": lambda nonce: base64.urlsafe_b64encode(identity.sign(nonce))}
        assert not await comes_in(link, token=identity.token, **signing)
        return took_s

    assert asyncio.run(be_put_out()) < OFF_S


def test_cloud_comes_by_its_password_as_before(instance: RunningInstance) -> None:
    async def come() -> bool:
        client = await nats.connect(read_url(instance.data / "broker"))
        await client.flush()
        is_in = client.is_connected
        await client.close()
        return is_in

    assert asyncio.run(come())
