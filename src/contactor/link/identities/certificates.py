"""A certificate: this public key is that vehicle, until then, says the authority.

    certificate = Certificate.of_token(token)
    authority.check(certificate, now_ns)
    certificate.has_signed(nonce, signature)

The vehicle stands in the subject alternative name as `urn:contactor:vehicle:ID`.

Source: RFC 5280 (X.509), RFC 8410 (Ed25519).
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contactor.clock import NS_PER_S
from contactor.errors import IdentityError
from contactor.link.identities.keys import has_signed
from contactor.signals.wire.limits import VEHICLE_ID

URN = "urn:contactor:vehicle:"
MAX_BYTES = 2_048
REMEMBERED = 16_384
"""Certificates that need not be read anew; ten thousand cars come back at once."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says; whether that is true, its authority knows.

    Fields:
        serial: its number, in hex.
        not_before, not_after: ns UTC.
    """

    vehicle_id: str
    serial: str
    public_key: bytes = field(repr=False)
    not_before: int
    not_after: int
    der: bytes = field(repr=False)

    @classmethod
    def of_der(cls, der: bytes) -> "Certificate":
        """The certificate in those bytes.

        Raises:
            IdentityError: it is none, or names no vehicle.
        """
        return _read(der)

    @classmethod
    def of_pem(cls, pem: bytes) -> "Certificate":
        """The certificate in a PEM text.

        Raises:
            IdentityError: it is none, or names no vehicle.
        """
        try:
            found = x509.load_pem_x509_certificate(pem)
        except ValueError as error:
            raise IdentityError(f"no certificate: {error}") from error
        return _read(found.public_bytes(serialization.Encoding.DER))

    @classmethod
    def of_token(cls, token: str) -> "Certificate":
        """The certificate that a car presents when it connects.

        Raises:
            IdentityError: it is none, or names no vehicle.
        """
        try:
            padding = "=" * (-len(token) % 4)
            return _read(base64.b64decode(token + padding, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError) as error:
            raise IdentityError("no certificate: it is not base64") from error

    @property
    def fingerprint(self) -> str:
        """What it is called where only its holder and the cloud are to know: 32 hex digits."""
        return hashlib.sha256(self.der).hexdigest()[:32]

    @property
    def token(self) -> str:
        """As a car presents it: DER in base64 for URLs."""
        return base64.urlsafe_b64encode(self.der).decode().rstrip("=")

    @property
    def pem(self) -> bytes:
        """As it is kept."""
        certificate = x509.load_der_x509_certificate(self.der)
        return certificate.public_bytes(serialization.Encoding.PEM)

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether that is the signature of this key's owner."""
        return has_signed(self.public_key, message, signature)


@lru_cache(maxsize=REMEMBERED)
def _read(der: bytes) -> Certificate:
    if len(der) > MAX_BYTES:
        raise IdentityError(f"certificate of {len(der)} bytes; the limit is {MAX_BYTES}")
    try:
        found = x509.load_der_x509_certificate(der)
        public_key = found.public_key()
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        urns = names.get_values_for_type(x509.UniformResourceIdentifier)
        not_before, not_after = found.not_valid_before_utc, found.not_valid_after_utc
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise IdentityError(f"no certificate of a vehicle: {error}") from error
    vehicles = [urn.removeprefix(URN) for urn in urns if urn.startswith(URN)]
    if len(vehicles) != 1 or not VEHICLE_ID.fullmatch(vehicles[0]):
        raise IdentityError("the certificate does not name one vehicle")
    if not isinstance(public_key, Ed25519PublicKey):
        raise IdentityError("the certificate's key is of another kind than Ed25519")
    return Certificate(
        vehicle_id=vehicles[0],
        serial=f"{found.serial_number:x}",
        public_key=public_key.public_bytes_raw(),
        not_before=_ns(not_before),
        not_after=_ns(not_after),
        der=der,
    )


def _ns(instant: datetime) -> int:
    return round(instant.timestamp()) * NS_PER_S
