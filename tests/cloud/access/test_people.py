"""People, and what lets them in, in SQLite and in PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from contactor.clock import NS_PER_DAY, NS_PER_S, FakeClock
from contactor.cloud.access import passwords
from contactor.cloud.access.area import ACCESS
from contactor.cloud.access.credentials import SecretKind, new_secret
from contactor.cloud.access.logins import SESSION_NS, Opened
from contactor.cloud.access.people import CODE_NS, People
from contactor.cloud.access.rights import Role, Scope
from contactor.cloud.access.rows import Held
from contactor.cloud.access.throttle import MAX_KEYS, Throttle
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused, TooManyTries, UnknownPerson, UsageError
from contactor.signals.rights import EVERY_VEHICLE, Right

GOOD = "correct horse battery"
T0 = 1_772_535_600 * NS_PER_S
OWNER = Held(EVERY_VEHICLE, Role.OWNER)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with little memory: that it is slow is not tried here."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(T0)


@pytest.fixture
def people(tmp_path: Path, clock: FakeClock) -> Iterator[People]:
    found = People(Database.open(tmp_path / "people.sqlite3", [ACCESS]), clock=clock)
    yield found
    found.close()


@pytest.fixture
def mia(people: People) -> People:
    code = people.first_owner_code()
    assert code is not None
    people.become_first_owner(code, "Mia", GOOD)
    return people


def logged_in(people: People, name: str = "mia", password: str = GOOD) -> Opened:
    return people.logins.log_in(name, password, address="127.0.0.1", device="Firefox")


def test_the_first_owner_comes_by_a_code_once(people: People) -> None:
    old, code = people.first_owner_code(), people.first_owner_code()
    assert old is not None
    assert code is not None
    with pytest.raises(AccessRefused, match="code"):
        people.become_first_owner(old, "Eve", GOOD)
    with pytest.raises(UsageError, match="characters"):
        people.become_first_owner(code, "Mia", "short")
    assert people.become_first_owner(code, "Mia", GOOD).roles == (OWNER,)
    with pytest.raises(AccessRefused):
        people.become_first_owner(code, "Eve", GOOD)
    assert people.first_owner_code() is None


def test_a_code_ends(people: People, clock: FakeClock) -> None:
    code = people.first_owner_code()
    clock.advance(CODE_NS / NS_PER_S)
    assert code is not None
    with pytest.raises(AccessRefused):
        people.become_first_owner(code, "Mia", GOOD)


def test_a_session_lasts_while_it_is_used_and_can_be_ended(mia: People, clock: FakeClock) -> None:
    session = logged_in(mia)
    for _ in range(3):
        clock.advance(0.9 * SESSION_NS / NS_PER_S)
        found = mia.logins.by_secret(session.secret)
        assert found is not None
        assert found.may(Right.GOVERN, EVERY_VEHICLE, clock.now_ns())
    assert [one.device for one in mia.logins.sessions("Mia")] == ["Firefox"]
    assert mia.logins.end("Mia", session.id)
    assert not mia.logins.end("Mia", session.id)
    assert mia.logins.by_secret(session.secret) is None
    other = logged_in(mia)
    clock.advance(SESSION_NS / NS_PER_S)
    assert mia.logins.by_secret(other.secret) is None


def test_wrong_names_and_passwords_are_told_alike(mia: People) -> None:
    told = set()
    for name, password in (("mia", "wrong horse battery"), ("eve", GOOD), ("eve", "")):
        with pytest.raises(AccessRefused) as refused:
            logged_in(mia, name, password)
        told.add(str(refused.value))
    assert told == {"name or password is wrong"}


def test_tries_from_one_place_lock_nobody_else_out(mia: People, clock: FakeClock) -> None:
    for _ in range(5):
        with pytest.raises(AccessRefused, match="wrong"):
            mia.logins.log_in("mia", "guess guess guess", address="198.51.100.7", device="x")
    with pytest.raises(AccessRefused, match="too many tries; again in 300 s"):
        mia.logins.log_in("mia", GOOD, address="198.51.100.7", device="x")
    assert logged_in(mia).secret
    clock.advance(300)
    assert mia.logins.log_in("mia", GOOD, address="198.51.100.7", device="x").secret


def test_another_password_ends_all_sessions(mia: People) -> None:
    session = logged_in(mia)
    mia.set_password("mia", "another horse battery")
    assert mia.logins.by_secret(session.secret) is None
    with pytest.raises(AccessRefused):
        logged_in(mia)
    assert logged_in(mia, password="another horse battery")


def test_a_token_allows_what_its_person_and_its_scope_do(mia: People, clock: FakeClock) -> None:
    mia.add("Gus", GOOD, [Held("leaf", Role.GUEST, clock.now_ns() + NS_PER_DAY)])
    made = mia.logins.make_token("gus", called="watch", scope=Scope.COMMAND, vehicle_id="leaf")
    found = mia.logins.by_secret(made.secret)
    assert found is not None
    allowed = {right for right in Right if found.may(right, "leaf", clock.now_ns())}
    assert allowed == {Right.SEE, Right.COMFORT, Right.OPEN}
    assert not any(found.may(right, "zoe", clock.now_ns()) for right in Right)
    assert not any(found.may(right, EVERY_VEHICLE, clock.now_ns()) for right in Right)
    clock.advance(NS_PER_DAY / NS_PER_S)
    assert not any(found.may(right, "leaf", clock.now_ns()) for right in Right)
    short = mia.logins.make_token("mia", called="x", scope=Scope.READ, until_ns=clock.now_ns() + 1)
    clock.advance(1)
    assert mia.logins.by_secret(short.secret) is None
    assert [one.name for one in mia.logins.tokens("gus")] == ["watch"]
    assert mia.logins.end("gus", made.id)
    assert mia.logins.by_secret(made.secret) is None


def test_an_owner_remains(mia: People) -> None:
    with pytest.raises(UsageError, match="last owner"):
        mia.remove("mia")
    with pytest.raises(UsageError, match="last owner"):
        mia.set_roles("mia", [Held(EVERY_VEHICLE, Role.VIEWER)])
    mia.add("Ada", GOOD, [OWNER])
    session = logged_in(mia)
    mia.remove("mia")
    assert mia.logins.by_secret(session.secret) is None
    assert [one.name for one in mia.all()] == ["Ada"]


@pytest.mark.parametrize("name", ["mia", " MIA ", "Ｍｉａ"])
def test_names_that_look_alike_are_one(mia: People, name: str) -> None:
    assert mia.find(name).name == "Mia"
    with pytest.raises(UsageError, match="taken"):
        mia.add(name, GOOD, [])


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 65])
def test_a_name_that_is_none(mia: People, name: str) -> None:
    with pytest.raises(UsageError, match="allowed: 1 to 64"):
        mia.add(name, GOOD, [])


@pytest.mark.parametrize("name", ["a/b", ".", "..", "local", "Nobody"])
def test_a_name_that_would_be_taken_for_something_else(mia: People, name: str) -> None:
    with pytest.raises(UsageError, match="allowed: no /"):
        mia.add(name, GOOD, [])


def test_somebody_unknown_is_told(mia: People) -> None:
    with pytest.raises(UnknownPerson, match="nobody is called 'eve'"):
        mia.find("eve")


@pytest.mark.parametrize("password", ["too short", "aaaaaaaaaaaaaaaa", "miamiamiaX1", "x" * 257])
def test_a_password_that_is_none(mia: People, password: str) -> None:
    with pytest.raises(UsageError, match="password"):
        mia.set_password("mia", password)


def test_nothing_that_is_kept_opens_anything(mia: People, tmp_path: Path) -> None:
    made = [
        logged_in(mia).secret,
        mia.logins.make_token("mia", called="t", scope=Scope.ADMIN).secret,
    ]
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(secret.encode() in kept for secret in [*made, GOOD])
    for secret in ("", "cto_ses_", "cto_tok_x", new_secret(SecretKind.SESSION), "\udcff" * 9_999):
        assert mia.logins.by_secret(secret) is None


def test_a_throttle_refills_evenly_and_forgets_the_oldest() -> None:
    throttle = Throttle(burst=2, per_hour=60)
    throttle.count("a", 0)
    assert throttle.wait_ns("a", 0) == 0
    throttle.count("a", 0)
    assert throttle.wait_ns("a", 0) == 60 * NS_PER_S
    assert throttle.wait_ns("a", 59 * NS_PER_S) == NS_PER_S
    assert throttle.wait_ns("b", 0) == 0
    for number in range(MAX_KEYS):
        throttle.count(str(number), 0)
    assert throttle.wait_ns("a", 0) == 0


def test_who_has_many_addresses_has_no_more_tries_for_it(mia: People) -> None:
    for host in range(5):
        with pytest.raises(AccessRefused):
            mia.logins.log_in("mia", "not it at all", address=f"2001:db8::{host}", device="it")
    with pytest.raises(TooManyTries):
        mia.logins.log_in("mia", GOOD, address="2001:db8::ffff:1", device="it")
    assert mia.logins.log_in("mia", GOOD, address="2001:db8:0:1::1", device="it")
    throttle = Throttle(burst=1, per_hour=1)
    throttle.count("::ffff:203.0.113.7", 0)
    assert throttle.wait_ns("203.0.113.7", 0) > 0
    assert throttle.wait_ns("203.0.113.8", 0) == throttle.wait_ns("::ffff:203.0.113.9", 0) == 0


def test_a_role_said_twice_is_held_once(mia: People) -> None:
    until_ns = T0 + 10**18
    roles = [Held("leaf", Role.DRIVER), Held("leaf", Role.DRIVER, until_ns)]
    assert mia.add("Ben", None, roles).roles == (Held("leaf", Role.DRIVER, until_ns),)
    again = [Held("*", Role.OWNER), Held("*", Role.OWNER)]
    assert mia.set_roles("Mia", again).roles == (Held("*", Role.OWNER),)


def test_an_owner_for_a_while_is_not_the_one_who_remains(mia: People) -> None:
    for_good, for_a_while = Held("*", Role.OWNER), Held("*", Role.OWNER, 2**62)
    with pytest.raises(UsageError, match="last owner"):
        mia.set_roles("Mia", [for_good, for_a_while])
    assert mia.set_roles("Mia", [for_a_while, for_good]).roles == (for_good,)


def test_a_role_is_granted_and_withdrawn(mia: People) -> None:
    mia.add("Ben", None, [])
    assert mia.grant("ben", Held("leaf", Role.GUEST)).roles == (Held("leaf", Role.GUEST),)
    assert mia.withdraw("ben", "leaf", Role.GUEST).roles == ()
    with pytest.raises(UsageError, match="Ben is no guest of leaf"):
        mia.withdraw("Ben", "leaf", Role.GUEST)
    with pytest.raises(UsageError, match="which is past"):
        mia.grant("Ben", Held("leaf", Role.GUEST, until_ns=1))
    with pytest.raises(UsageError, match="Mia is the last owner"):
        mia.withdraw("Mia", "*", Role.OWNER)
    with pytest.raises(UsageError, match="Mia is the last owner"):
        mia.grant("Mia", Held("*", Role.OWNER, until_ns=T0 + 10**18))


def test_what_names_a_vehicle_is_forgotten(mia: People) -> None:
    mia.add("Ben", None, [Held("leaf", Role.GUEST), Held("kona", Role.GUEST)])
    mia.logins.make_token("Ben", called="it", scope=Scope.READ, vehicle_id="leaf")
    assert mia.forget_vehicle("leaf") == 2
    assert mia.find("Ben").roles == (Held("kona", Role.GUEST),)
    assert mia.logins.tokens("Ben") == []
