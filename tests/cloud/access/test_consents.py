"""Consents: who may give them, how far they reach, and that they end when they say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contactor.clock import NS_PER_DAY, NS_PER_S, FakeClock
from contactor.cloud.access.area import ACCESS
from contactor.cloud.access.consent_scope import HistoryKind, checked_branches, paths_of
from contactor.cloud.access.consents import (
    LONGEST_NS,
    MAX_TOKENS,
    ConsentAsked,
    ConsentKind,
    ConsentState,
)
from contactor.cloud.access.credentials import fingerprint
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.people import People
from contactor.cloud.access.rights import Role, Scope
from contactor.cloud.access.rows import Held
from contactor.cloud.database.database import Database
from contactor.errors import UnknownConsent, UnknownPerson, UnknownSignal, UsageError
from contactor.signals.catalogue import catalogue
from contactor.signals.rights import EVERY_VEHICLE, Right, tells_where
from tests.cloud.database.postgresql import Server

T0 = 1_772_535_600 * NS_PER_S
BATTERY = "Vehicle.Powertrain.TractionBattery"
WHERE = "Vehicle.CurrentLocation"
MIA, BEN = "Mia Muster-Nowhere", "Ben"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(T0)


@pytest.fixture
def people(tmp_path: Path, clock: FakeClock) -> Iterator[People]:
    """Mia owns all, Ben the leaf alone."""
    found = People(Database.open(tmp_path / "people.sqlite3", [ACCESS]), clock=clock)
    found.add(MIA, None, [Held(EVERY_VEHICLE, Role.OWNER)])
    found.add(BEN, None, [Held("leaf", Role.OWNER), Held("kona", Role.DRIVER)])
    yield found
    found.close()


def asked(**changed: object) -> ConsentAsked:
    usual: dict[str, object] = {
        "receiver": "Grid Ltd",
        "purpose": "charge when power is cheap",
        "kind": ConsentKind.ENERGY,
        "vehicles": ("leaf",),
        "signals": (BATTERY,),
        "history": (HistoryKind.CHARGES,),
        "until_ns": T0 + 30 * NS_PER_DAY,
    }
    return ConsentAsked(**{**usual, **changed})


def test_a_receiver_may_read_what_is_named_and_nothing_else(people: People) -> None:
    consent, opened = people.consents.give(asked(), by=BEN)
    receiver = people.by_secret(opened.secret)
    assert receiver is not None
    assert receiver.consent is not None
    assert receiver.consent.allows(f"{BATTERY}.StateOfCharge.Current")
    assert not receiver.consent.allows("Vehicle.Speed")
    rights = {right for right in Right if receiver.may(right, "leaf", T0)}
    assert rights == {Right.SEE, Right.HISTORY}
    for vehicle in ("kona", EVERY_VEHICLE):
        assert not any(receiver.may(right, vehicle, T0) for right in Right)
    assert (receiver.person.name, receiver.person.id) == ("Grid Ltd", consent.id)
    assert receiver.person.roles == ()


def test_where_a_car_is_is_named_by_itself_alone() -> None:
    everything = paths_of(("Vehicle",))
    assert everything == {path for path in catalogue() if not tells_where(path)}
    assert f"{WHERE}.Latitude" in paths_of((WHERE,))
    assert paths_of((f"{WHERE}.Latitude",)) == {f"{WHERE}.Latitude"}
    assert not paths_of(("Vehicle.Cabin",)) & paths_of(("Vehicle.Cabin.Infotainment.Navigation",))
    assert paths_of(("Vehicle.Speed",)) == {"Vehicle.Speed"}


@pytest.mark.parametrize("branch", ["Vehicle.Spe", "Vehicle.", "", "*", "vehicle"])
def test_a_branch_that_is_none_is_refused(branch: str) -> None:
    with pytest.raises(UnknownSignal):
        checked_branches([branch])


def test_it_ends_by_the_clock(people: People, clock: FakeClock) -> None:
    consent, opened = people.consents.give(asked(), by=MIA)
    before = people.by_secret(opened.secret)
    assert before is not None
    clock.advance(30 * 86_400 - 1)
    assert before.may(Right.SEE, "leaf", clock.now_ns())
    assert people.by_secret(opened.secret) is not None
    clock.advance(1)
    assert not before.may(Right.SEE, "leaf", clock.now_ns())  # also one that is remembered
    assert people.by_secret(opened.secret) is None
    assert people.consents.find(consent.id).state(clock.now_ns()) is ConsentState.ENDED
    with pytest.raises(UsageError, match="is ended"):
        people.consents.make_token(consent.id)


def test_it_begins_by_the_clock(people: People, clock: FakeClock) -> None:
    consent, opened = people.consents.give(asked(begin_ns=T0 + NS_PER_DAY), by=MIA)
    assert consent.state(T0) is ConsentState.COMING
    assert people.by_secret(opened.secret) is None
    clock.advance(86_400)
    assert people.by_secret(opened.secret) is not None


def test_one_that_is_withdrawn_is_good_for_nobody_and_is_kept(
    people: People, clock: FakeClock
) -> None:
    consent, opened = people.consents.give(asked(), by=MIA)
    another = people.consents.make_token(consent.id)
    clock.advance(60)
    ended = people.consents.withdraw(consent.id)
    assert (ended.state(clock.now_ns()), ended.tokens) == (ConsentState.WITHDRAWN, ())
    clock.advance(60)
    again = people.consents.withdraw(consent.id)
    assert again.withdrawn_ns == ended.withdrawn_ns == T0 + 60 * NS_PER_S
    for secret in (opened.secret, another.secret):
        assert people.by_secret(secret) is None
    assert [one.id for one in people.consents.all()] == [consent.id]


def test_it_is_good_as_long_as_its_giver_owns_the_car(people: People) -> None:
    consent, opened = people.consents.give(asked(vehicles=("leaf", "kona")), by=MIA)
    people.add("Eve", None, [Held(EVERY_VEHICLE, Role.OWNER)])
    people.set_roles(MIA, [Held("kona", Role.OWNER), Held("leaf", Role.DRIVER)])
    receiver = people.by_secret(opened.secret)
    assert receiver is not None
    assert receiver.reach(Right.SEE, T0) == {"kona"}
    people.set_roles(MIA, [Held(EVERY_VEHICLE, Role.VIEWER)])
    assert people.by_secret(opened.secret) is None
    assert people.consents.find(consent.id).state(T0) is ConsentState.ENDED


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"until_ns": T0}, "which is past"),
        ({"begin_ns": T0 + 40 * NS_PER_DAY}, "before it begins"),
        ({"until_ns": T0 + LONGEST_NS + 1}, "366 days from now"),
        ({"vehicles": ()}, "0 vehicles"),
        ({"vehicles": ("*",)}, "each named"),
        ({"vehicles": ("kona",)}, "does not own kona"),
        ({"vehicles": ("le af",)}, "vehicle 'le af'"),
        ({"signals": (), "history": ()}, "a consent to nothing"),
        ({"signals": ("Vehicle.Velocity",)}, "unknown signal"),
        ({"signals": tuple(catalogue())[:65]}, "65 signals"),
        ({"receiver": " "}, "name ' '"),
        ({"purpose": "\n"}, "purpose ''"),
        ({"purpose": "x" * 513}, "printable"),
    ],
)
def test_what_cannot_be_consented_to(
    people: People, changed: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words.replace("*", r"\*")):
        people.consents.give(asked(**changed), by=BEN)
    assert people.consents.all() == []


def test_a_consent_that_is_none(people: People) -> None:
    for ask in (people.consents.find, people.consents.withdraw, people.consents.make_token):
        with pytest.raises(UnknownConsent):
            ask("none")
    with pytest.raises(UnknownPerson):
        people.consents.give(asked(), by="Nobody")


def test_tokens_are_bounded_and_kept_as_their_hash(people: People, tmp_path: Path) -> None:
    consent, opened = people.consents.give(asked(), by=MIA)
    for _ in range(MAX_TOKENS - 1):
        people.consents.make_token(consent.id)
    with pytest.raises(UsageError, match="the limit"):
        people.consents.make_token(consent.id)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert opened.secret.encode() not in files
    assert fingerprint(opened.secret).encode() in files
    assert people.by_secret(opened.secret[:-1] + "~") is None
    assert people.logins.by_secret(opened.secret) is None


def test_who_is_removed_leaves_no_byte_and_no_consent(people: People, tmp_path: Path) -> None:
    people.add("Eve", None, [Held(EVERY_VEHICLE, Role.OWNER)])
    consent, opened = people.consents.give(asked(purpose=f"for {MIA}"), by=MIA)
    mine = people.logins.make_token(MIA, called=f"{MIA}'s", scope=Scope.READ)
    others, kept = people.consents.give(asked(receiver="Garage"), by=BEN)
    people.remove(MIA)
    assert people.by_secret(opened.secret) is None
    assert people.by_secret(mine.secret) is None
    assert people.by_secret(kept.secret) is not None
    assert [one.id for one in people.consents.all()] == [others.id]
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert MIA.encode() not in files
    assert MIA.casefold().encode() not in files
    assert consent.id.encode() not in files


def test_a_car_that_is_erased_is_in_no_consent(people: People, tmp_path: Path) -> None:
    alone, _ = people.consents.give(asked(), by=BEN)
    both, opened = people.consents.give(asked(vehicles=("leaf", "twizy-77")), by=MIA)
    assert people.forget_vehicle("leaf") == 2 + 1
    assert [one.id for one in people.consents.all()] == [both.id]
    receiver = people.by_secret(opened.secret)
    assert isinstance(receiver, Principal)
    assert receiver.reach(Right.SEE, T0) == {"twizy-77"}
    assert people.forget_vehicle("twizy-77") == 1
    assert people.consents.all() == []
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"twizy-77" not in files
    assert alone.id.encode() not in files


@pytest.mark.xdist_group("postgresql")
def test_consents_in_postgresql(postgresql: Server, clock: FakeClock) -> None:
    people = People(Database.open(postgresql.new_url(), [ACCESS]), clock=clock)
    people.add(MIA, None, [Held(EVERY_VEHICLE, Role.OWNER)])
    people.add("Eve", None, [Held(EVERY_VEHICLE, Role.OWNER)])
    _, leaving = people.consents.give(asked(), by=MIA)
    kept, opened = people.consents.give(asked(vehicles=("leaf", "kona")), by="Eve")
    people.remove(MIA)
    assert people.by_secret(leaving.secret) is None
    assert people.forget_vehicle("leaf") == 1
    receiver = people.by_secret(opened.secret)
    assert receiver is not None
    assert receiver.reach(Right.SEE, T0) == {"kona"}
    assert people.consents.withdraw(kept.id).state(T0) is ConsentState.WITHDRAWN
    people.close()
