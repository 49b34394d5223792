"""A unit's keys and certificates in its folder."""

import stat
from pathlib import Path

import pytest
from cryptography import x509

from contactor.clock import NS_PER_DAY, NS_PER_S, from_iso
from contactor.errors import IdentityError
from contactor.link.identities.authority import Authority
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.keys import KeyPair
from contactor.link.identities.unit import Identity, Unit

NOW = from_iso("2026-11-27T08:00:00Z")
TICKET = "0123456789abcdef0123456789abcdef"


def settled(
    unit: Unit, authority: Authority, vehicle_id: str = "leaf", days: float = 90
) -> Identity:
    request = unit.begin(TICKET).request()
    certificate = authority.sign(request, vehicle_id="leaf", now_ns=NOW, days=days)
    return unit.settle(TICKET, certificate, authority.pem)


def modes(root: Path) -> dict[str, int]:
    paths = [root, *root.rglob("*")]
    return {str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode) for path in paths}


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    unit = Unit(tmp_path / "identity")
    unit.begin(TICKET)
    assert modes(tmp_path / "identity") == {
        ".": 0o700,
        f".{TICKET}": 0o700,
        f".{TICKET}/key.pem": 0o600,
    }
    authority = Authority.kept(tmp_path / "authority", NOW)
    settled(unit, authority)
    assert modes(tmp_path / "identity") == {
        ".": 0o700,
        "leaf": 0o700,
        "leaf/key.pem": 0o600,
        "leaf/certificate.pem": 0o600,
        "leaf/authority.pem": 0o600,
    }
    assert modes(tmp_path / "authority") == {".": 0o700, "authority.pem": 0o600}


def test_files_that_became_readable_are_closed_again(tmp_path: Path) -> None:
    Authority.kept(tmp_path, NOW)
    tmp_path.chmod(0o755)
    (tmp_path / "authority.pem").chmod(0o644)
    Authority.kept(tmp_path, NOW)
    assert modes(tmp_path) == {".": 0o700, "authority.pem": 0o600}


def test_identity_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    authority = Authority.make(NOW)
    made = settled(Unit(tmp_path), authority)
    found = Unit(tmp_path).identity("leaf")
    assert found is not None
    assert (found.token, found.inbox) == (made.token, made.inbox)
    assert found.certificate.has_signed(b"some-nonce", found.sign("some-nonce"))
    assert Unit(tmp_path).vehicles() == ["leaf"]


@pytest.mark.parametrize("vehicle_id", ["zoe", "..", "", "../authority"])
def test_unit_is_nobody_that_it_is_not_enrolled_as(tmp_path: Path, vehicle_id: str) -> None:
    settled(Unit(tmp_path / "identity"), Authority.kept(tmp_path / "authority", NOW))
    assert Unit(tmp_path / "identity").identity(vehicle_id) is None


def test_enrolment_asked_again_asks_with_the_same_key(tmp_path: Path) -> None:
    first = Unit(tmp_path).begin(TICKET)
    assert Unit(tmp_path).begin(TICKET).public_bytes == first.public_bytes


def test_certificate_of_another_key_is_not_kept(tmp_path: Path) -> None:
    authority, unit = Authority.make(NOW), Unit(tmp_path)
    unit.begin(TICKET)
    other = authority.sign(KeyPair.make().request(), vehicle_id="leaf", now_ns=NOW)
    with pytest.raises(IdentityError, match="another key"):
        unit.settle(TICKET, other, authority.pem)
    assert unit.identity("leaf") is None


@pytest.mark.parametrize("name", ["key.pem", "certificate.pem"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"other"])
def test_damaged_identity_is_told_with_its_folder(
    tmp_path: Path, name: str, content: bytes
) -> None:
    authority = Authority.make(NOW)
    settled(Unit(tmp_path), authority)
    if content == b"other":
        other = settled(Unit(tmp_path / "other"), authority)
        content = (tmp_path / "other" / other.vehicle_id / name).read_bytes()
    (tmp_path / "leaf" / name).write_bytes(content)
    with pytest.raises(IdentityError, match=f"identity {tmp_path}/leaf: "):
        Unit(tmp_path).identity("leaf")


def test_renewal_is_due_after_two_thirds_of_a_certificates_life(tmp_path: Path) -> None:
    identity = settled(Unit(tmp_path), Authority.make(NOW), days=90)
    assert not identity.is_due(NOW + 59 * NS_PER_DAY)
    assert identity.is_due(NOW + 61 * NS_PER_DAY)


def test_newer_certificate_is_kept_and_gone_by(tmp_path: Path) -> None:
    authority, unit = Authority.make(NOW), Unit(tmp_path)
    identity = settled(unit, authority)
    newer = authority.sign(identity.request(), vehicle_id="leaf", now_ns=NOW + 60 * NS_PER_DAY)
    identity.renew(newer)
    again = unit.identity("leaf")
    assert again is not None
    assert again.certificate == identity.certificate == newer


def test_certificate_of_another_vehicle_or_key_is_no_renewal(tmp_path: Path) -> None:
    authority = Authority.make(NOW)
    identity = settled(Unit(tmp_path), authority)
    for request, vehicle in ((identity.request(), "zoe"), (KeyPair.make().request(), "leaf")):
        with pytest.raises(IdentityError, match="not that of leaf"):
            identity.renew(authority.sign(request, vehicle_id=vehicle, now_ns=NOW))


@pytest.mark.parametrize("nonce", ["", "short", "x" * 65, "0\x82\x01\x02 a request to be signed"])
def test_broker_gets_no_signature_of_what_is_no_nonce(tmp_path: Path, nonce: str) -> None:
    identity = settled(Unit(tmp_path), Authority.make(NOW))
    with pytest.raises(IdentityError, match="no nonce"):
        identity.sign(nonce)


# ── certificates ─────────────────────────────────────────────────────────────────────────────────


def test_certificate_says_who_and_until_when(tmp_path: Path) -> None:
    identity = settled(Unit(tmp_path), Authority.make(NOW), days=90)
    certificate = Certificate.of_token(identity.token or "")
    assert certificate.vehicle_id == "leaf"
    assert certificate.not_before <= NOW
    assert certificate.not_after == NOW + 90 * NS_PER_DAY
    assert Certificate.of_pem(certificate.pem) == Certificate.of_der(certificate.der) == certificate
    assert len(certificate.token) < 1_000  # what a client may say of itself ends at 4,096


def test_certificate_is_one_that_others_read(tmp_path: Path) -> None:
    authority = Authority.make(NOW)
    identity = settled(Unit(tmp_path), authority)
    own = x509.load_pem_x509_certificate(authority.pem)
    found = x509.load_der_x509_certificate(identity.certificate.der)
    found.verify_directly_issued_by(own)
    own.verify_directly_issued_by(own)
    assert found.subject.rfc4514_string() == "CN=leaf"


def test_authority_refuses_strangers_and_what_is_out_of_date(tmp_path: Path) -> None:
    authority = Authority.kept(tmp_path, NOW)
    request = KeyPair.make().request()
    certificate = authority.sign(request, vehicle_id="leaf", now_ns=NOW, days=1)
    again = Authority.kept(tmp_path, NOW + NS_PER_DAY)
    again.check(certificate, NOW)
    again.check(certificate, NOW + NS_PER_DAY - NS_PER_S)
    for when in (NOW - NS_PER_DAY, NOW + NS_PER_DAY):
        with pytest.raises(IdentityError, match="valid from 2026-11-27"):
            again.check(certificate, when)
    with pytest.raises(IdentityError, match="another authority"):
        Authority.make(NOW).check(certificate, NOW)


@pytest.mark.parametrize("cut", [0, 1, 50, 100])
def test_authority_signs_no_request_that_is_none(cut: int) -> None:
    request = KeyPair.make().request()
    with pytest.raises(IdentityError, match="request"):
        Authority.make(NOW).sign(request[:cut], vehicle_id="leaf", now_ns=NOW)


def test_authority_signs_no_request_that_its_key_did_not() -> None:
    request = bytearray(KeyPair.make().request())
    request[-1] ^= 1
    with pytest.raises(IdentityError, match="not signed with its own key"):
        Authority.make(NOW).sign(bytes(request), vehicle_id="leaf", now_ns=NOW)


def test_damaged_authority_is_told_and_not_made_anew(tmp_path: Path) -> None:
    Authority.kept(tmp_path, NOW)
    (tmp_path / "authority.pem").write_bytes(b"garbage")
    with pytest.raises(IdentityError, match="private key"):
        Authority.kept(tmp_path, NOW)
    assert (tmp_path / "authority.pem").read_bytes() == b"garbage"
