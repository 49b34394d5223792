"""Invitations, and passwords chosen anew by a link."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contactor.clock import NS_PER_DAY, NS_PER_S, FakeClock
from contactor.cloud.access.area import ACCESS
from contactor.cloud.access.ceremonies import Party
from contactor.cloud.access.door import LOCAL
from contactor.cloud.access.logins import Principal, Step
from contactor.cloud.access.people import People
from contactor.cloud.access.rights import Role, Scope
from contactor.cloud.access.rows import Held
from contactor.cloud.access.sessions import Opened, Way
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused, TooManyTries, UnknownPerson, UsageError
from tests.cloud.access.authenticator import Authenticator
from tests.cloud.access.conftest import GOOD, T0
from tests.cloud.access.test_second_factors import code_of, turned_on

HERE = Way("127.0.0.1", "it")
DRIVER = Held("leaf", Role.DRIVER)
ANOTHER = "purple monkey dishwasher"


def by(home: People, name: str, scope: Scope | None = None) -> Principal:
    return Principal(home.find(name), "session x", scope)


def test_who_is_invited_is_in_with_that_role(home: People) -> None:
    until_ns = T0 + 10**18
    made = home.invitations.make(by(home, "Mia"), Held("leaf", Role.GUEST, until_ns), name="Ben")
    (told,) = home.invitations.all()
    assert told == home.invitations.shown(made.code, address="127.0.0.1")
    assert (told.id, told.name, told.held.role) == (made.id, "Ben", Role.GUEST)
    opened = home.invitations.accept(made.code, "Benjamin", ANOTHER, HERE)
    principal = home.logins.by_secret(opened.secret)
    assert principal is not None
    assert principal.person.name == "Benjamin"
    assert principal.person.roles == (Held("leaf", Role.GUEST, until_ns),)
    assert isinstance(home.logins.log_in("benjamin", ANOTHER, address="x", device="it"), Opened)


def test_who_is_invited_comes_in_by_a_passkey_at_once(home: People) -> None:
    made = home.invitations.make(LOCAL, DRIVER)
    phone, party = Authenticator(), Party("http://localhost:8080")
    options = home.invitations.passkey_options(made.code, "Ben", party, address="127.0.0.1")
    assert options["user"]["name"] == "Ben"
    shown = phone.make(options)
    home.invitations.accept_by_passkey(made.code, "Ben", shown, HERE, called="passkey")
    ben = home.find("Ben")
    assert (ben.has_password, ben.roles) == (False, (DRIVER,))
    asked = home.passkeys.request_options(party, address="127.0.0.1")
    principal = home.logins.by_secret(home.passkeys.log_in(phone.show(asked), HERE).secret)
    assert principal is not None
    assert principal.person == ben


def test_a_passkey_for_one_invitation_is_none_for_another(home: People) -> None:
    one, two = (home.invitations.make(LOCAL, DRIVER).code for _ in range(2))
    party = Party("http://localhost:8080")
    options = home.invitations.passkey_options(one, "Ben", party, address="127.0.0.1")
    shown = Authenticator().make(options)
    with pytest.raises(AccessRefused):
        home.invitations.accept_by_passkey(two, "Ben", shown, HERE, called="it")
    assert len(home.invitations.all()) == 2


def test_an_invitation_is_good_once_and_for_72_hours(home: People, clock: FakeClock) -> None:
    used = home.invitations.make(LOCAL, DRIVER).code
    home.invitations.accept(used, "Ben", ANOTHER, HERE)
    with pytest.raises(AccessRefused):
        home.invitations.accept(used, "Eve", ANOTHER, HERE)
    old = home.invitations.make(LOCAL, DRIVER)
    assert old.until_ns == T0 + 3 * NS_PER_DAY
    clock.advance(3 * NS_PER_DAY / NS_PER_S)
    reset = home.resets.make("Ben", by=LOCAL).code
    for code in (old.code, reset, "", "cto_cod_x", "x" * 100_000):
        with pytest.raises(AccessRefused):
            home.invitations.accept(code, "Eve", ANOTHER, HERE)
    assert home.invitations.all() == []


def test_what_cannot_be_meant_costs_no_invitation(home: People) -> None:
    code = home.invitations.make(LOCAL, DRIVER).code
    for name, password in (("Mia", ANOTHER), ("", ANOTHER), ("Ben", "short"), ("Ben", "a" * 20)):
        with pytest.raises(UsageError):
            home.invitations.accept(code, name, password, HERE)
    assert home.invitations.accept(code, "Ben", ANOTHER, HERE)
    with pytest.raises(UsageError, match="which is past"):
        home.invitations.make(LOCAL, Held("leaf", Role.GUEST, T0))
    with pytest.raises(UsageError, match="is taken"):
        home.invitations.make(LOCAL, DRIVER, name="ben")


@pytest.mark.parametrize(
    ("held", "asked", "is_given"),
    [
        (Held("*", Role.OWNER), Held("*", Role.OWNER), True),
        (Held("*", Role.OPERATOR), Held("leaf", Role.OPERATOR), True),
        (Held("*", Role.OPERATOR), Held("leaf", Role.OWNER), False),
        (Held("*", Role.OPERATOR), Held("*", Role.GUEST), False),
        (Held("leaf", Role.OPERATOR), Held("leaf", Role.DRIVER), True),
        (Held("leaf", Role.OPERATOR), Held("kona", Role.GUEST), False),
        (Held("leaf", Role.OWNER), Held("leaf", Role.OWNER), True),
        (Held("leaf", Role.OWNER), Held("*", Role.VIEWER), False),
        (Held("*", Role.DRIVER), Held("leaf", Role.GUEST), False),
    ],
)
def test_nobody_invites_to_more_than_they_have(
    home: People, held: Held, asked: Held, is_given: bool
) -> None:
    home.add("Ben", GOOD, [held])
    if is_given:
        assert home.invitations.make(by(home, "Ben"), asked).code
        return
    with pytest.raises(UsageError, match="you must hold"):
        home.invitations.make(by(home, "Ben"), asked)


def test_a_token_invites_no_further_than_it_goes(home: People) -> None:
    assert home.invitations.make(by(home, "Mia", Scope.ADMIN), DRIVER)
    with pytest.raises(UsageError, match="you must hold"):
        home.invitations.make(by(home, "Mia", Scope.READ), DRIVER)


def withdrawn(home: People) -> None:
    home.set_roles("Ben", [Held("leaf", Role.DRIVER)])


def removed(home: People) -> None:
    home.remove("Ben")


def forgotten(home: People) -> None:
    home.forget_vehicle("leaf")


def taken_back(home: People) -> None:
    home.invitations.take_back(home.invitations.all()[0].id)


@pytest.mark.parametrize("end", [withdrawn, removed, forgotten, taken_back])
def test_what_may_no_longer_be_given_is_not(home: People, end: Callable[[People], None]) -> None:
    home.add("Ben", GOOD, [Held("leaf", Role.OPERATOR)])
    code = home.invitations.make(by(home, "Ben"), DRIVER).code
    end(home)
    with pytest.raises(AccessRefused):
        home.invitations.accept(code, "Eve", ANOTHER, HERE)
    assert "Eve" not in [one.name for one in home.all()]


def test_codes_cannot_be_tried_without_end(home: People) -> None:
    code = home.invitations.make(LOCAL, DRIVER).code
    reset = home.resets.make("Mia", by=LOCAL).code
    for _ in range(10):
        with pytest.raises(AccessRefused):
            home.invitations.shown("cto_cod_x", address="127.0.0.1")
        with pytest.raises(AccessRefused):
            home.resets.shown("cto_cod_x", address="127.0.0.1")
    with pytest.raises(TooManyTries):
        home.invitations.accept(code, "Ben", ANOTHER, HERE)
    with pytest.raises(TooManyTries):
        home.resets.use(reset, ANOTHER, address="127.0.0.1")
    assert home.invitations.shown(code, address="203.0.113.7")
    assert home.resets.shown(reset, address="203.0.113.7").name == "Mia"


# ── another password ─────────────────────────────────────────────────────────────────────────────


def test_a_password_is_chosen_by_a_link_once(home: People, clock: FakeClock) -> None:
    session = home.logins.log_in("Mia", GOOD, address="x", device="it")
    before, made = (home.resets.make("mia", by=LOCAL) for _ in range(2))
    assert made.until_ns == T0 + NS_PER_DAY
    with pytest.raises(UsageError):
        home.resets.use(made.code, "short", address="127.0.0.1")
    with pytest.raises(AccessRefused):
        home.resets.use(before.code, ANOTHER, address="127.0.0.1")
    home.resets.use(made.code, ANOTHER, address="127.0.0.1")
    with pytest.raises(AccessRefused):
        home.resets.use(made.code, GOOD, address="127.0.0.1")
    assert home.logins.by_secret(session.secret) is None
    with pytest.raises(AccessRefused):
        home.logins.log_in("Mia", GOOD, address="x", device="it")
    assert isinstance(home.logins.log_in("Mia", ANOTHER, address="x", device="it"), Opened)
    late = home.resets.make("Mia", by=LOCAL).code
    clock.advance(86_400)
    for code in (late, home.invitations.make(LOCAL, DRIVER).code):
        with pytest.raises(AccessRefused):
            home.resets.use(code, GOOD, address="127.0.0.1")
    with pytest.raises(UnknownPerson):
        home.resets.make("Nobody", by=LOCAL)


def test_a_link_ends_with_the_rights_of_who_gave_it(home: People) -> None:
    home.add("Ben", GOOD, [Held("*", Role.OWNER)])
    made = home.resets.make("Mia", by=by(home, "Ben"), has_all=True)
    home.set_roles("Ben", [Held("leaf", Role.OWNER)])
    with pytest.raises(AccessRefused):
        home.resets.shown(made.code, address="127.0.0.1")
    with pytest.raises(AccessRefused):
        home.resets.use(made.code, ANOTHER, address="127.0.0.1")
    assert home.logins.log_in("Mia", GOOD, address="x", device="it")


def test_another_password_ends_links_that_would_choose_one(home: People) -> None:
    made = home.resets.make("Mia", by=LOCAL)
    home.set_password("Mia", ANOTHER)
    with pytest.raises(AccessRefused):
        home.resets.use(made.code, GOOD, address="127.0.0.1")


@pytest.mark.parametrize("has_all", [False, True])
def test_what_stands_behind_the_password_goes_only_where_it_is_said(
    home: People, clock: FakeClock, has_all: bool
) -> None:
    turned_on(home, clock)
    phone, party = Authenticator(), Party("http://localhost:8080")
    home.passkeys.add("Mia", "it", phone.make(home.passkeys.creation_options("Mia", party)))
    made = home.resets.make("Mia", by=LOCAL, has_all=has_all)
    home.resets.use(made.code, ANOTHER, address="127.0.0.1")
    opened = home.logins.log_in("Mia", ANOTHER, address="x", device="it")
    assert isinstance(opened, Opened if has_all else Step)
    assert len(home.passkeys.all("Mia")) == (0 if has_all else 1)


def test_both_kinds_of_database_keep_them(place: Path | str, clock: FakeClock) -> None:
    people = People(Database.open(place, [ACCESS]), clock=clock)
    people.add("Mia", GOOD, [Held("*", Role.OWNER)])
    secret, _ = turned_on(people, clock)
    phone, party = Authenticator(), Party("http://localhost:8080")
    people.passkeys.add("Mia", "it", phone.make(people.passkeys.creation_options("Mia", party)))
    asked = people.passkeys.request_options(party, address="x")
    assert people.passkeys.log_in(phone.show(asked), HERE).secret
    step = people.logins.log_in("Mia", GOOD, address="x", device="it")
    assert people.logins.log_in_by_code(
        step.secret, code_of(secret, clock), address="x", device="it"
    )
    made = people.invitations.make(LOCAL, DRIVER)
    assert people.invitations.accept(made.code, "Ben", ANOTHER, HERE)
    people.resets.use(people.resets.make("Ben", by=LOCAL).code, GOOD, address="x")
    with pytest.raises(AccessRefused):
        people.logins.log_in("Ben\0", GOOD, address="x", device="it")
    with pytest.raises(AccessRefused):
        people.passkeys.known({"id": "\0", "response": {}})
    people.remove("Ben")
    people.close()
