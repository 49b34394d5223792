"""The door: who shows what, and how soon what was ended is over."""

import asyncio
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from contactor.clock import FakeClock
from contactor.cloud.access import passwords
from contactor.cloud.access.area import ACCESS
from contactor.cloud.access.door import LOCAL, Door
from contactor.cloud.access.people import People
from contactor.cloud.access.rights import Role, Scope
from contactor.cloud.access.rows import Held
from contactor.cloud.database.database import Database
from contactor.signals.rights import Right

GOOD = "correct horse battery"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_772_535_600 * 10**9)


@pytest.fixture
def people(tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> People:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    people = People(Database.open(tmp_path / "people.sqlite3", [ACCESS]), clock=clock)
    people.add("Mia", GOOD, [Held("leaf", Role.DRIVER)])
    return people


@pytest.fixture
def door(people: People, clock: FakeClock) -> Door:
    return Door(people, own_secret="own", clock=clock)


def shown(door: Door, secret: str | None) -> object:
    return asyncio.run(door.principal(secret))


def test_nobody_and_ourselves(door: Door) -> None:
    for secret in (None, "", "own ", "cto_tok_x", "cto_ses_x", "\udcff", "x" * 10_000):
        assert shown(door, secret) is None
    assert shown(door, "own") is LOCAL


def test_who_shows_a_token_is_its_person_as_far_as_it_goes(
    door: Door, people: People, clock: FakeClock
) -> None:
    token = people.logins.make_token("Mia", called="it", scope=Scope.READ, vehicle_id="leaf")
    principal = asyncio.run(door.principal(token.secret))
    assert principal is not None
    now_ns = clock.now_ns()
    assert principal.person.name == "Mia"
    assert principal.reach(Right.SEE, now_ns) == {"leaf"}
    assert principal.reach(Right.OPEN, now_ns) == frozenset()
    assert principal.may(Right.SEE, "leaf", now_ns)
    assert not principal.may(Right.SEE, "kona", now_ns)


def test_what_is_ended_elsewhere_is_over_in_a_second(
    door: Door, people: People, clock: FakeClock
) -> None:
    session = people.logins.log_in("Mia", GOOD, address="127.0.0.1", device="it")
    assert shown(door, session.secret) is not None
    people.logins.end("Mia", session.id)
    assert shown(door, session.secret) is not None
    clock.advance(1.0)
    assert shown(door, session.secret) is None


def test_what_is_ended_here_is_over_at_once(door: Door, people: People) -> None:
    session = people.logins.log_in("Mia", GOOD, address="127.0.0.1", device="it")
    assert shown(door, session.secret) is not None
    people.logins.end("Mia", session.id)
    door.forget()
    assert shown(door, session.secret) is None


def test_of_many_who_come_the_last_are_remembered(
    door: Door, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contactor.cloud.access.door.REMEMBERED", 2)
    made = [people.logins.make_token("Mia", called="it", scope=Scope.READ) for _ in range(3)]
    for one in made:
        assert shown(door, one.secret) is not None
    for one in made:
        people.logins.end("Mia", one.id)
    assert [shown(door, one.secret) is None for one in made] == [True, False, False]


def test_who_waits_hears_of_a_change_at_once(door: Door) -> None:
    async def wait() -> None:
        waiting = [asyncio.create_task(door.changed(3_600)) for _ in range(2)]
        await asyncio.sleep(0)
        door.forget()
        await asyncio.wait_for(asyncio.gather(*waiting), 120)
        await door.changed(0.001)  # nothing more: it ends by itself

    asyncio.run(wait())


def test_what_was_asked_before_a_change_is_not_believed_after_it(
    door: Door, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = people.logins.make_token("Mia", called="it", scope=Scope.READ)
    by_secret = people.by_secret

    def slowly(secret: str) -> object:
        found = by_secret(secret)
        people.logins.end("Mia", token.id)
        loop.call_soon_threadsafe(door.forget)
        return found

    async def ask() -> list[object]:
        first = await door.principal(token.secret)
        monkeypatch.setattr(people, "by_secret", by_secret)
        return [first, await door.principal(token.secret)]

    monkeypatch.setattr(people, "by_secret", slowly)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        first, second = runner.run(ask())
    assert first is not None
    assert second is None
