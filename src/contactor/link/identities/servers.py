"""Certificates of servers: who has this key answers by those names, says an authority.

    FILE        the server's private key, then its certificate; mode 0600

    keep_server(file, key, root, names=("garage.local", "192.168.1.7"), now_ns=now_ns, term=TERM)
    given = GivenCertificate.read(certificate, key, now_ns)
    vouched(der, authority_key)         # at a first contact, which knows nothing but that key

Source: RFC 5280 (X.509), RFC 6125 (names of servers).
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contactor.clock import NS_PER_DAY, NS_PER_S, to_iso
from contactor.errors import IdentityError, UsageError
from contactor.link.identities.roots import SigningKey, lasting, sign, usage
from contactor.whole_files import FILE_MODE, write_whole


@dataclass(frozen=True, slots=True)
class Term:
    """How long a server's certificate is valid, and with how much left of that it is renewed."""

    days: float
    spare_days: float


@dataclass(frozen=True, slots=True)
class GivenCertificate:
    """A certificate that somebody else signed: the names in it."""

    names: tuple[str, ...]

    @classmethod
    def read(cls, certificate: Path, key: Path, now_ns: int) -> "GivenCertificate":
        """Look at a certificate and its key before they are served.

        Raises:
            UsageError: one cannot be read, they do not belong together, it names no server, or is
                not valid now.
        """
        found = _certificate_of(certificate)
        if found.public_key() != _key_of(key).public_key():
            raise UsageError(f"{key} is not the key of {certificate}")
        begin, end = _ns(found.not_valid_before_utc), _ns(found.not_valid_after_utc)
        if not begin <= now_ns < end:
            raise UsageError(
                f"{certificate} is valid from {to_iso(begin)} until {to_iso(end)}; allowed: now"
            )
        names = names_of(found)
        if not names:
            raise UsageError(
                f"{certificate} names no server; allowed: DNS names or addresses as its"
                " subject alternative names"
            )
        return cls(names)


def keep_server(
    file: Path,
    key: SigningKey,
    root: x509.Certificate,
    *,
    names: Sequence[str],
    now_ns: int,
    term: Term,
) -> None:
    """See to it that a file holds a server's key and certificate that are good for some time.

    Args:
        key, root: of the authority that signs.
        names: DNS names and IP addresses that it answers by.

    Raises:
        IdentityError: it cannot be read or written.
    """
    try:
        if file.exists():
            file.chmod(FILE_MODE)
            if _is_good(file.read_bytes(), root, names, now_ns, term.spare_days):
                return
        write_whole(file, _make(key, root, names, now_ns, term.days))
    except OSError as error:
        raise IdentityError(f"certificate {file}: {error.strerror or error}") from error


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and addresses in a certificate, in small letters."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return (*(name.lower() for name in found.get_values_for_type(x509.DNSName)), *addresses)


def vouched(der: bytes, authority_key: bytes) -> bytes:
    """The certificate that a server shows, as PEM, if that authority has signed it as a server's.

    Cars' are by the same authority. Names and time are looked at by who connects.

    Args:
        authority_key: an Ed25519 public key, 32 bytes.

    Raises:
        IdentityError: it is somebody else's.
    """
    try:
        found = x509.load_der_x509_certificate(der)
        Ed25519PublicKey.from_public_bytes(authority_key).verify(
            found.signature, found.tbs_certificate_bytes
        )
        purposes = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise IdentityError("its certificate is another authority's than --authority") from error
    if ExtendedKeyUsageOID.SERVER_AUTH not in purposes:
        raise IdentityError("its certificate is not that of a server")
    return found.public_bytes(serialization.Encoding.PEM)


def _make(
    key: SigningKey, root: x509.Certificate, names: Sequence[str], now_ns: int, days: float
) -> bytes:
    """A new key, of a kind that every browser and client takes, and its certificate."""
    own = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Contactor")])
    builder = lasting(now_ns, days).subject_name(subject).issuer_name(root.subject)
    builder = builder.public_key(own.public_key())
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(usage(is_authority=False), critical=True)
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(purposes, critical=False)
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    builder = builder.add_extension(alternatives, critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
    )
    private = own.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + sign(builder, key).public_bytes(serialization.Encoding.PEM)


def _is_good(
    pem: bytes, root: x509.Certificate, names: Sequence[str], now_ns: int, spare_days: float
) -> bool:
    try:
        found = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem, password=None)
        found.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    is_whole = found.public_key() == key.public_key()
    lasts = now_ns + round(spare_days * NS_PER_DAY) < _ns(found.not_valid_after_utc)
    has_begun = _ns(found.not_valid_before_utc) <= now_ns
    return is_whole and lasts and has_begun and set(names_of(found)) == set(names)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _certificate_of(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise UsageError(f"certificate {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise UsageError(
            f"{path} holds no certificate; allowed: PEM, the server's first"
        ) from error


def _key_of(path: Path) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UsageError(f"key {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} holds no private key; allowed: PEM, not encrypted") from error


def _ns(instant: datetime) -> int:
    return round(instant.timestamp()) * NS_PER_S
