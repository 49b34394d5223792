"""The parts that certificates of ours are made of, and the roots that sign them. No I/O.

    root = make_root(key, "Contactor web", now_ns, days=3650)

Source: RFC 5280 (X.509), RFC 8410 (Ed25519).
"""

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from contactor.clock import NS_PER_DAY, NS_PER_S

EARLIER = timedelta(minutes=5)
"""A certificate is valid from before it was made: other clocks are not ours."""

SigningKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey


def make_root(key: SigningKey, name: str, now_ns: int, *, days: float) -> x509.Certificate:
    """The certificate of an authority, which signs no other authority."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = lasting(now_ns, days).subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage(is_authority=True), critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return sign(builder, key)


def sign(builder: x509.CertificateBuilder, key: SigningKey) -> x509.Certificate:
    """Sign as that kind of key does."""
    return builder.sign(key, None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256())


def lasting(now_ns: int, days: float) -> x509.CertificateBuilder:
    """A certificate with a number, valid for so long from now on."""
    now = datetime.fromtimestamp(now_ns // NS_PER_S, UTC)
    until = datetime.fromtimestamp((now_ns + round(days * NS_PER_DAY)) // NS_PER_S, UTC)
    builder = x509.CertificateBuilder().serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - EARLIER).not_valid_after(until)


def usage(*, is_authority: bool) -> x509.KeyUsage:
    """What a key is for: to sign certificates, or to show that one has it."""
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
