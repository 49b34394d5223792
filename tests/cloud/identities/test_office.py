"""The rules of identity, on a clock of the tests' own."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from contactor.clock import NS_PER_DAY, NS_PER_S, FakeClock, from_iso
from contactor.cloud.identities.guesses import AGAIN_NS, AT_ONCE, Guesses
from contactor.cloud.identities.office import Office
from contactor.cloud.identities.register import IdentityState
from contactor.errors import EnrolmentRefused, IdentityError, UnknownIdentity, UsageError
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.keys import KeyPair
from contactor.link.nats.callout import Knock
from tests.cloud.identities.support import make_office

NOW = from_iso("2026-11-27T08:00:00Z")
DAY_S = 86_400
NONCE = "9LkYWmM6FaAidgs"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def office(tmp_path: Path, clock: FakeClock) -> Iterator[Office]:
    found = make_office(tmp_path, clock)
    yield found
    found.close()


def code_of(office: Office, vehicle_id: str = "leaf", days: float = 7) -> EnrolmentCode:
    return office.give_codes([vehicle_id], days=days)[0].code


def knock_with(pair: KeyPair, certificate: Certificate, nonce: str = NONCE) -> Knock:
    signature = base64.urlsafe_b64encode(pair.sign(nonce.encode())).decode()
    return Knock("10.0.0.7", token=certificate.token, nonce=NONCE, signature=signature)


def test_code_is_used_once(office: Office) -> None:
    code, pair = code_of(office), KeyPair.make()
    certificate = office.enrol(code, pair.request()).certificate
    assert certificate.vehicle_id == "leaf"
    assert certificate.public_key == pair.public_bytes
    with pytest.raises(EnrolmentRefused, match=r"^the code was used$"):
        office.enrol(code, KeyPair.make().request())


def test_answer_that_was_lost_is_given_again_to_the_same_key(
    office: Office, clock: FakeClock
) -> None:
    code, pair = code_of(office), KeyPair.make()
    first = office.enrol(code, pair.request())
    clock.advance(30 * DAY_S)
    again = office.enrol(code, pair.request())
    assert (again.certificate, again.ended) == (first.certificate, ())


def test_code_ends_with_its_time(office: Office, clock: FakeClock) -> None:
    code = code_of(office, days=1)
    clock.advance(DAY_S - 1)
    assert office.find("leaf").state is IdentityState.WAITING
    clock.advance(1)
    assert office.find("leaf").state is IdentityState.EXPIRED
    with pytest.raises(EnrolmentRefused, match=r"^the code has expired$"):
        office.enrol(code, KeyPair.make().request())


def test_newer_code_ends_the_older(office: Office) -> None:
    older, newer = code_of(office), code_of(office)
    with pytest.raises(EnrolmentRefused, match=r"^the code is unknown$"):
        office.enrol(older, KeyPair.make().request())
    office.enrol(newer, KeyPair.make().request())


def test_request_that_is_none_uses_no_code(office: Office) -> None:
    code = code_of(office)
    with pytest.raises(EnrolmentRefused, match="no certificate signing request"):
        office.enrol(code, b"garbage")
    office.enrol(code, KeyPair.make().request())


def test_codes_are_kept_as_digests_only(tmp_path: Path, office: Office) -> None:
    code = code_of(office)
    office.close()
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"leaf" in content
    assert code.characters.encode() not in content
    assert code.text.encode() not in content


def test_second_unit_of_a_vehicle_replaces_the_first(office: Office) -> None:
    lost, new = KeyPair.make(), KeyPair.make()
    first = office.enrol(code_of(office), lost.request()).certificate
    office.admit(knock_with(lost, first))
    second = office.enrol(code_of(office), new.request())
    assert second.ended == (f"leaf:{first.serial}",)
    with pytest.raises(IdentityError, match="revoked"):
        office.admit(knock_with(lost, first))
    office.admit(knock_with(new, second.certificate))
    assert office.find("leaf").state is IdentityState.ENROLLED


def test_revocation_ends_every_certificate_and_code(office: Office, clock: FakeClock) -> None:
    pair = KeyPair.make()
    certificate = office.enrol(code_of(office), pair.request()).certificate
    clock.advance(300 * DAY_S)
    renewed = office.renew("leaf", pair.request())
    code = code_of(office)
    assert set(office.revoke("leaf")) == {f"leaf:{certificate.serial}", f"leaf:{renewed.serial}"}
    for one in (certificate, renewed):
        with pytest.raises(IdentityError, match="revoked"):
            office.admit(knock_with(pair, one))
        assert not office.is_welcome(f"leaf:{one.serial}")
    with pytest.raises(EnrolmentRefused):
        office.enrol(code, pair.request())
    assert office.find("leaf").state is IdentityState.REVOKED
    assert office.revoke("leaf") == ()


def test_revoked_vehicle_does_not_renew(office: Office) -> None:
    pair = KeyPair.make()
    office.enrol(code_of(office), pair.request())
    office.revoke("leaf")
    with pytest.raises(IdentityError, match="no certificate to renew"):
        office.renew("leaf", pair.request())


def test_renewal_is_for_the_same_key_only(office: Office, clock: FakeClock) -> None:
    pair = KeyPair.make()
    first = office.enrol(code_of(office), pair.request()).certificate
    assert office.renew("leaf", pair.request()) == first  # as good as new
    clock.advance(300 * DAY_S)
    with pytest.raises(IdentityError, match="another key"):
        office.renew("leaf", KeyPair.make().request())
    newer = office.renew("leaf", pair.request())
    assert newer.not_after == first.not_after + 300 * NS_PER_DAY
    for one in (first, newer):  # the answer may have been lost: both are good
        office.admit(knock_with(pair, one))


def test_certificate_that_has_run_out_does_not_come_in(office: Office, clock: FakeClock) -> None:
    pair = KeyPair.make()
    certificate = office.enrol(code_of(office), pair.request()).certificate
    clock.advance(365 * DAY_S)
    with pytest.raises(IdentityError, match="valid from"):
        office.admit(knock_with(pair, certificate))
    assert office.find("leaf").state is IdentityState.EXPIRED


def test_admission_says_who_with_which_rights_until_when(office: Office) -> None:
    pair = KeyPair.make()
    certificate = office.enrol(code_of(office), pair.request()).certificate
    admitted = office.admit(knock_with(pair, certificate))
    assert admitted.name == f"leaf:{certificate.serial}"
    assert admitted.until == certificate.not_after
    assert "contactor.v1.up.leaf" in admitted.rights.publish


def test_signature_of_another_nonce_or_key_does_not_come_in(office: Office) -> None:
    pair = KeyPair.make()
    certificate = office.enrol(code_of(office), pair.request()).certificate
    for knock in (
        knock_with(pair, certificate, nonce="of-yesterday"),
        knock_with(KeyPair.make(), certificate),
        Knock("10.0.0.7", token=certificate.token, nonce=NONCE),
        Knock("10.0.0.7", token=certificate.token, nonce=NONCE, signature="!"),
        Knock("10.0.0.7", token=certificate.token[:-8]),
        Knock("10.0.0.7", user="leaf", password="leaf"),
    ):
        with pytest.raises(IdentityError):
            office.admit(knock)


def test_host_that_guesses_is_slowed_and_no_other(office: Office, clock: FakeClock) -> None:
    code, pair = code_of(office), KeyPair.make()
    certificate = office.enrol(code_of(office, "zoe"), pair.request()).certificate
    guess = Knock("10.0.0.7", token=EnrolmentCode.make().text)
    for _ in range(AT_ONCE):
        with pytest.raises(IdentityError, match="unknown"):
            office.admit(guess)
    with pytest.raises(IdentityError, match="too many wrong codes"):
        office.admit(Knock("10.0.0.7", token=code.text))
    office.admit(Knock("10.0.0.8", token=code.text))
    office.admit(knock_with(pair, certificate))  # from the same host as the guesses
    clock.advance(AGAIN_NS / NS_PER_S)
    office.admit(Knock("10.0.0.7", token=code.text))


def test_guesses_forget_the_host_that_was_wrong_longest_ago() -> None:
    guesses = Guesses()
    for host in range(10_001):
        for _ in range(AT_ONCE):
            guesses.was_wrong(str(host), 0)
    assert guesses.may_try("0", 0)
    assert not guesses.may_try("1", 0)


@pytest.mark.parametrize(
    ("vehicles", "days", "words"),
    [
        ([], 7, "0 vehicles; allowed at once"),
        (["a.b"], 7, "vehicle id 'a.b'; allowed"),
        (["leaf", "leaf"], 7, "vehicle leaf stands twice"),
        (["leaf"], 0, "codes for 0 days; allowed"),
        (["leaf"], 4000, "codes for 4000 days; allowed"),
    ],
)
def test_codes_for_what_makes_no_sense_are_refused(
    office: Office, vehicles: list[str], days: float, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        office.give_codes(vehicles, days=days)
    assert office.register.page(NOW, limit=10) == []


def test_register_is_told_by_pages(office: Office) -> None:
    office.give_codes([f"car{number}" for number in range(5)], days=1)
    first = office.register.page(NOW, limit=3)
    rest = office.register.page(NOW, limit=3, after=first[-1].vehicle_id)
    assert [one.vehicle_id for one in (*first, *rest)] == [f"car{number}" for number in range(5)]


def test_unknown_vehicle_cannot_be_revoked(office: Office) -> None:
    with pytest.raises(UnknownIdentity, match="'leaf' has no code"):
        office.revoke("leaf")


def test_erased_vehicle_is_in_no_byte_of_the_file(tmp_path: Path, office: Office) -> None:
    office.enrol(code_of(office, "secretive"), KeyPair.make().request())
    code_of(office, "secretive")
    assert office.register.erase("secretive") == 3
    office.close()
    assert b"secretive" not in (tmp_path / "identities.db").read_bytes()


# ── a factory, and an instance's own cars ────────────────────────────────────────────────────────


def test_factory_gets_a_certificate_for_each_key_and_the_same_again(
    office: Office, clock: FakeClock
) -> None:
    requests = [(name, KeyPair.make().request()) for name in ("leaf", "zoe")]
    given = office.enrol_all(requests)
    assert [one.vehicle_id for one in given] == ["leaf", "zoe"]
    assert all(office.is_good(one) for one in given)
    clock.advance(60)
    assert office.enrol_all(requests) == given  # the answer was lost


@pytest.mark.parametrize(
    ("request_of_zoe", "words"),
    [
        (b"garbage", "vehicle zoe: no certificate signing request"),
        (None, "vehicle zoe is enrolled; revoke it first"),
    ],
)
def test_factory_gets_no_certificate_where_one_is_refused(
    office: Office, request_of_zoe: bytes | None, words: str
) -> None:
    before = office.enrol(code_of(office, "zoe"), KeyPair.make().request()).certificate
    requests = [
        ("leaf", KeyPair.make().request()),
        ("zoe", request_of_zoe or KeyPair.make().request()),
    ]
    with pytest.raises(EnrolmentRefused, match=words):
        office.enrol_all(requests)
    with pytest.raises(UnknownIdentity):
        office.find("leaf")
    assert office.is_good(before)


def test_own_car_is_not_taken_from_another_unit_or_back_in_after_its_end(
    office: Office, clock: FakeClock
) -> None:
    assert not office.is_elsewhere("leaf")
    office.enrol_own("leaf", KeyPair.make().request())
    assert not office.is_elsewhere("leaf")  # its key may be lost with the agent's folder
    office.enrol(code_of(office), KeyPair.make().request())
    assert office.is_elsewhere("leaf")
    pair = KeyPair.make()
    office.enrol_all([("made", pair.request())])
    assert office.is_elsewhere("made")
    office.enrol_own("mini", pair.request())
    clock.advance(300 * DAY_S)
    for name in ("made", "mini"):
        office.renew(name, pair.request())
    assert (office.is_elsewhere("made"), office.is_elsewhere("mini")) == (True, False)
    office.enrol_own("zoe", KeyPair.make().request())
    office.revoke("zoe")
    assert office.is_elsewhere("zoe")


def test_what_another_authority_certified_is_told_as_expired(
    office: Office, clock: FakeClock
) -> None:
    pair = KeyPair.make()
    certificate = office.enrol(code_of(office), pair.request()).certificate
    office.enrol_own("mini", pair.request())
    office.give_codes(["zoe"], days=7)
    office.enrol_own("gone", pair.request())
    office.revoke("gone")
    assert office.register.count() == 2
    assert office.register.expire_all(clock.now_ns()) == 2
    assert office.register.count() == 0
    assert not office.register.is_good(certificate.serial)
    states = {one.vehicle_id: one.state.value for one in office.register.page(NOW, limit=10)}
    assert states == {"gone": "revoked", "leaf": "expired", "mini": "expired", "zoe": "expired"}
    assert not office.is_elsewhere("leaf")
