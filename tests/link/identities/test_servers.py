"""Certificates of servers: made, renewed in time and with other names; those that are given."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.errors import IdentityError, UsageError
from contactor.link.identities.authority import Authority, authority_key
from contactor.link.identities.servers import GivenCertificate, names_of, vouched
from contactor.link.identities.web_authority import WebAuthority

NOW = 1_790_000_000 * NS_PER_S
NAMES = ("localhost", "127.0.0.1", "::1", "garage.local", "192.0.2.7")


def certificate(pem: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.read_bytes())


def lasts_days(of: x509.Certificate) -> float:
    return (of.not_valid_after_utc - of.not_valid_before_utc).total_seconds() / 86_400


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_web_authority_signs_a_server_for_those_names_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    authority = WebAuthority.kept(folder, NOW)
    server = certificate(authority.keep_server(NAMES, NOW))
    root = certificate(folder / "authority.crt")
    server.verify_directly_issued_by(root)
    assert set(names_of(server)) == set(NAMES)
    limits = root.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    purposes = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert 3650 <= lasts_days(root) < 3651
    assert lasts_days(server) < 397.1
    assert mode(folder) == 0o700
    assert {path.name: mode(path) for path in folder.iterdir()} == dict.fromkeys(
        ("authority.pem", "authority.crt", "server.pem"), 0o600
    )


def test_server_is_renewed_in_time_with_other_names_and_when_it_is_damaged(tmp_path: Path) -> None:
    def kept(names: tuple[str, ...] = NAMES, *, days: float = 0) -> bytes:
        now_ns = NOW + round(days * NS_PER_DAY)
        return WebAuthority.kept(tmp_path, now_ns).keep_server(names, now_ns).read_bytes()

    first = kept()
    assert kept(days=366) == first
    second = kept(days=368)
    assert second != first
    assert kept(NAMES[::-1], days=368) == second
    third = kept((*NAMES, "192.0.2.8"), days=368)
    assert third != second
    (tmp_path / "server.pem").write_bytes(third[:-200])
    assert kept((*NAMES, "192.0.2.8"), days=368) != third
    (tmp_path / "authority.pem").unlink()
    certificate(tmp_path / "server.pem").verify_directly_issued_by(
        certificate(tmp_path / "authority.crt")
    )
    fourth = kept(days=368)
    assert fourth.startswith(b"-----BEGIN PRIVATE KEY")
    certificate(tmp_path / "server.pem").verify_directly_issued_by(
        certificate(tmp_path / "authority.crt")
    )


def test_authority_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("none")
    with pytest.raises(IdentityError, match=r"authority\.pem cannot be read"):
        WebAuthority.kept(tmp_path, NOW)


def test_authority_of_cars_vouches_for_its_broker_and_for_no_other(tmp_path: Path) -> None:
    own = Authority.kept(tmp_path / "own", NOW)
    own.keep_server(tmp_path / "broker.pem", NAMES, NOW)
    der = certificate(tmp_path / "broker.pem").public_bytes(serialization.Encoding.DER)
    assert x509.load_pem_x509_certificate(vouched(der, own.public_key)).serial_number
    assert authority_key(own.pem) == own.public_key
    other = Authority.kept(tmp_path / "other", NOW)
    with pytest.raises(IdentityError, match="another authority's than --authority"):
        vouched(der, other.public_key)
    with pytest.raises(IdentityError):
        vouched(b"none", own.public_key)


# ── given ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def given(tmp_path: Path) -> tuple[Path, Path]:
    """The files of a certificate and of its key."""
    pem = WebAuthority.kept(tmp_path, NOW).keep_server(("car.example.org",), NOW).read_bytes()
    key, begin, rest = pem.partition(b"-----BEGIN CERTIFICATE")
    (tmp_path / "car.crt").write_bytes(begin + rest)
    (tmp_path / "car.key").write_bytes(key)
    return tmp_path / "car.crt", tmp_path / "car.key"


def test_given_certificate_says_its_names(given: tuple[Path, Path]) -> None:
    assert GivenCertificate.read(*given, NOW).names == ("car.example.org",)


def test_given_certificate_that_cannot_be_served_is_refused(
    given: tuple[Path, Path], tmp_path: Path
) -> None:
    crt, key = given
    other = tmp_path / "other.key"
    private = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    other.write_bytes(private.private_bytes(*form, serialization.NoEncryption()))
    locked = tmp_path / "locked.key"
    locked.write_bytes(private.private_bytes(*form, serialization.BestAvailableEncryption(b"x")))
    for files, days, words in (
        ((tmp_path / "none.crt", key), 0, r"none\.crt: No such file"),
        ((crt, tmp_path / "none.key"), 0, r"none\.key: No such file"),
        ((key, key), 0, r"car\.key holds no certificate; allowed: PEM"),
        ((crt, crt), 0, r"car\.crt holds no private key; allowed: PEM, not encrypted"),
        ((crt, locked), 0, r"locked\.key holds no private key"),
        ((crt, other), 0, r"other\.key is not the key of .*car\.crt"),
        ((crt, key), 400, r"car\.crt is valid from .* until .*; allowed: now"),
        ((crt, key), -1, "allowed: now"),
    ):
        with pytest.raises(UsageError, match=words):
            GivenCertificate.read(*files, NOW + days * NS_PER_DAY)
