"""Passkeys, made and shown by an authenticator in software that does what no browser would."""

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactor.clock import FakeClock
from contactor.cloud.access.ceremonies import LIFE_S, Party
from contactor.cloud.access.passkeys import MAX_CHALLENGES, MAX_PASSKEYS, Passkey
from contactor.cloud.access.people import People
from contactor.cloud.access.sessions import Opened, Way
from contactor.errors import AccessRefused, TooManyTries, UnknownPerson, UsageError
from tests.cloud.access.authenticator import PRESENT, VERIFIED, Authenticator, data, plain
from tests.cloud.access.conftest import GOOD

HOME = Party("http://localhost:8080")
PUBLIC = Party("https://car.example.org:8443")
HERE = Way("127.0.0.1", "it")
Shown = dict[str, Any]


def made(home: People, by: Authenticator, name: str = "Mia", party: Party = HOME) -> Passkey:
    options = home.passkeys.creation_options(name, party)
    return home.passkeys.add(name, "Phone", by.make(options))


def asked(home: People, party: Party = HOME) -> dict[str, object]:
    return home.passkeys.request_options(party, address="127.0.0.1")


def entered(home: People, by: Authenticator, party: Party = HOME) -> Opened:
    return home.passkeys.log_in(by.show(asked(home, party)), HERE)


@pytest.fixture
def phone(home: People) -> Authenticator:
    """Mia's."""
    phone = Authenticator()
    made(home, phone)
    return phone


def test_who_has_a_passkey_is_in_without_a_name(
    home: People, phone: Authenticator, clock: FakeClock
) -> None:
    clock.advance(60)
    principal = home.logins.by_secret(entered(home, phone).secret)
    assert principal is not None
    assert principal.person.name == "Mia"
    (told,) = home.passkeys.all("mia")
    assert (told.name, told.host, told.used_ns) == ("Phone", "localhost", clock.now_ns())


def test_a_browser_is_asked_for_what_is_kept_and_verified(home: People) -> None:
    first = Authenticator()
    made(home, first)
    options = home.passkeys.creation_options("Mia", PUBLIC)
    assert options["rp"] == {"name": "Contactor", "id": "car.example.org"}
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert [one["id"] for one in options["excludeCredentials"]] == [plain(first.credential_id)]
    asked_for = asked(home)
    assert (asked_for["rpId"], asked_for["userVerification"]) == ("localhost", "required")
    assert asked_for["allowCredentials"] == []
    assert len(data(asked_for["challenge"])) == 32


def test_a_passkey_is_for_the_page_it_was_made_for(home: People) -> None:
    public = Authenticator(PUBLIC.origin, PUBLIC.host)
    made(home, public, party=PUBLIC)
    assert entered(home, public, PUBLIC).secret
    with pytest.raises(AccessRefused):
        entered(home, public, HOME)


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:9090",
        "http://localhost",
        "https://localhost:8080",
        "http://localhost:8080.evil.example",
        "http://127.0.0.1:8080",
    ],
)
def test_what_was_asked_by_another_page_is_refused(
    home: People, phone: Authenticator, origin: str
) -> None:
    phone.origin = origin
    with pytest.raises(AccessRefused):
        entered(home, phone)
    with pytest.raises(AccessRefused):
        made(home, Authenticator(origin))


def spoiled_host(by: Authenticator) -> None:
    by.host = "localhos"


def unverified(by: Authenticator) -> None:
    by.flags = PRESENT


def absent(by: Authenticator) -> None:
    by.flags = VERIFIED


def of_another_key(by: Authenticator) -> None:
    by.key = Authenticator().key


def of_nobody(by: Authenticator) -> None:
    by.handle = ""


def of_another_person(by: Authenticator) -> None:
    by.handle = plain(b"0123456789abcdef")


def unknown(by: Authenticator) -> None:
    by.credential_id = b"another"


@pytest.mark.parametrize(
    "spoil",
    [spoiled_host, unverified, absent, of_another_key, of_nobody, of_another_person, unknown],
)
def test_what_is_not_quite_it_is_refused(
    home: People, phone: Authenticator, spoil: Callable[[Authenticator], None]
) -> None:
    spoil(phone)
    with pytest.raises(AccessRefused):
        entered(home, phone)


@pytest.mark.parametrize("flags", [PRESENT, VERIFIED])
def test_a_passkey_that_asks_nobody_is_not_taken(home: People, flags: int) -> None:
    with pytest.raises(AccessRefused):
        made(home, Authenticator(flags=flags))


def test_a_challenge_is_good_once_for_a_while_and_for_what_it_was_made(
    home: People, phone: Authenticator, clock: FakeClock
) -> None:
    shown = phone.show(asked(home))
    assert home.passkeys.log_in(shown, HERE)
    with pytest.raises(AccessRefused, match="answered already"):
        home.passkeys.log_in(shown, HERE)
    late = phone.show(asked(home))
    clock.advance(LIFE_S)
    with pytest.raises(AccessRefused, match="too long"):
        home.passkeys.log_in(late, HERE)
    with pytest.raises(AccessRefused):
        home.passkeys.log_in(phone.show({"challenge": plain(bytes(32))}), HERE)
    with pytest.raises(AccessRefused):
        home.passkeys.log_in(phone.show(home.passkeys.creation_options("Mia", HOME)), HERE)
    another = Authenticator(handle="")
    with pytest.raises(AccessRefused):
        home.passkeys.add("Mia", "it", another.make({**asked(home), "user": {"id": ""}}))


def test_a_copy_that_counts_less_or_the_same_is_refused(home: People, phone: Authenticator) -> None:
    entered(home, phone)
    entered(home, phone)
    for before in (0, 1):
        phone.counter = before
        with pytest.raises(AccessRefused, match="it was copied"):
            entered(home, phone)
    phone.counter = None
    with pytest.raises(AccessRefused, match="it was copied"):
        entered(home, phone)
    phone.counter = 2
    assert entered(home, phone)


def test_a_passkey_that_does_not_count_is_good_again_and_again(home: People) -> None:
    synced = Authenticator(counter=None)
    made(home, synced)
    assert entered(home, synced)
    assert entered(home, synced)


def test_one_made_for_somebody_is_not_taken_by_another(home: People) -> None:
    home.add("Ben", GOOD, [])
    phone = Authenticator()
    for_mia = phone.make(home.passkeys.creation_options("Mia", HOME))
    with pytest.raises(AccessRefused):
        home.passkeys.add("Ben", "it", for_mia)
    made(home, phone)
    with pytest.raises(AccessRefused):
        made(home, phone, "Ben")  # the same passkey again


def test_it_is_renamed_and_removed_by_whose_it_is(home: People, phone: Authenticator) -> None:
    home.add("Ben", GOOD, [])
    (mine,) = home.passkeys.all("Mia")
    assert home.passkeys.rename("Mia", mine.id, " Old phone ").name == "Old phone"
    with pytest.raises(UsageError):
        home.passkeys.rename("Mia", mine.id, "\n")
    for change in (
        lambda: home.passkeys.rename("Ben", mine.id, "it"),
        lambda: home.passkeys.remove("Ben", mine.id),
        lambda: home.passkeys.remove("Mia", "none"),
    ):
        with pytest.raises(UnknownPerson):
            change()
    home.passkeys.remove("Mia", mine.id)
    assert home.passkeys.all("Mia") == []
    with pytest.raises(AccessRefused):
        entered(home, phone)


def test_the_last_way_in_stays(home: People) -> None:
    home.add("Ben", None, [])
    one, two = Authenticator(), Authenticator()
    first, second = made(home, one, "Ben"), made(home, two, "Ben")
    home.passkeys.remove("Ben", first.id)
    with pytest.raises(UsageError, match="the last way in"):
        home.passkeys.remove("Ben", second.id)
    assert entered(home, two)
    home.set_password("Ben", GOOD)
    home.passkeys.remove("Ben", second.id)


def test_a_person_has_so_many_at_most(home: People) -> None:
    for _ in range(MAX_PASSKEYS):
        made(home, Authenticator())
    with pytest.raises(UsageError, match="remove one first"):
        made(home, Authenticator())


def test_passkeys_go_with_their_person(home: People) -> None:
    home.add("Ben", GOOD, [])
    phone = Authenticator()
    made(home, phone, "Ben")
    home.remove("Ben")
    with pytest.raises(AccessRefused):
        entered(home, phone)


def test_who_is_refused_too_often_waits(home: People, phone: Authenticator) -> None:
    good = [phone.show(asked(home)) for _ in range(2)]
    for _ in range(10):
        with pytest.raises(AccessRefused):
            home.passkeys.log_in({}, HERE)
    with pytest.raises(TooManyTries):
        home.passkeys.log_in(good[0], HERE)
    assert home.passkeys.log_in(good[1], Way("203.0.113.7", "it"))


def test_nobody_pushes_the_challenges_of_others_out(home: People, phone: Authenticator) -> None:
    shown = phone.show(asked(home))
    for _ in range(MAX_CHALLENGES):
        with contextlib.suppress(TooManyTries):
            home.passkeys.creation_options("Mia", HOME)
    assert home.passkeys.log_in(shown, HERE)


def test_nobody_fills_the_memory_with_challenges(home: People) -> None:
    for _ in range(60):
        asked(home)
    with pytest.raises(TooManyTries):
        asked(home)
    assert home.passkeys.request_options(HOME, address="203.0.113.7")


COUNT = itertools.count()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["id", "rawId", "type", "response", "clientDataJSON"]
MADE = [*FIELDS, "attestationObject"]
SHOWN = [*FIELDS, "authenticatorData", "signature", "userHandle"]
NAMES = st.booleans().flatmap(
    lambda is_new: st.tuples(st.just(is_new), st.sampled_from(MADE if is_new else SHOWN))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(NAMES, JSON | st.binary(max_size=80).map(plain))
def test_what_a_stranger_sends_is_refused_in_words(
    home: People, phone: Authenticator, clock: FakeClock, name: tuple[bool, str], value: object
) -> None:
    clock.advance(6)  # so often may a challenge be asked for
    is_new, field = name
    address = str(next(COUNT))
    sent: Shown
    if is_new:
        sent = Authenticator().make(home.passkeys.creation_options("Mia", HOME))
    else:
        sent = phone.show(home.passkeys.request_options(HOME, address=address))
    (sent if field in sent else sent["response"])[field] = value
    passkeys, way = home.passkeys, Way(address, "it")
    with pytest.raises(AccessRefused):
        passkeys.add("Mia", "it", sent) if is_new else passkeys.log_in(sent, way)
