"""The cloud's small certificate authority: one key, which signs vehicles' certificates.

    FOLDER/authority.pem        its private key, then its certificate; mode 0600

    authority = Authority.kept(folder, now_ns)
    certificate = authority.sign(request, vehicle_id="leaf", now_ns=now_ns)
    authority.check(certificate, now_ns)

Who has its key can pose as every car: the folder is its owner's alone.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contactor.clock import to_iso
from contactor.errors import IdentityError
from contactor.link.identities.certificates import URN, Certificate
from contactor.link.identities.keys import KeyPair
from contactor.link.identities.roots import lasting, make_root, usage
from contactor.link.identities.servers import Term, keep_server
from contactor.whole_files import FILE_MODE, make_private_folder, write_whole

NAME = "authority.pem"
OWN_DAYS = 20 * 365
VEHICLE_DAYS = 365
SERVER_TERM = Term(days=5 * 365, spare_days=365)
"""Of the broker: its key lies beside the authority's, so a short life would gain nothing."""
MAX_REQUEST_BYTES = 2_048


class Authority:
    """Signs and checks certificates of vehicles."""

    def __init__(self, pair: KeyPair, certificate: x509.Certificate) -> None:
        self._pair = pair
        self._certificate = certificate

    @classmethod
    def make(cls, now_ns: int) -> Self:
        """A new one, valid from now on."""
        pair = KeyPair.make()
        return cls(pair, make_root(pair.private, "Contactor vehicles", now_ns, days=OWN_DAYS))

    @classmethod
    def kept(cls, folder: Path, now_ns: int) -> Self:
        """The one in a folder, made now where there is none.

        Raises:
            IdentityError: it cannot be read or written.
        """
        path = folder / NAME
        try:
            make_private_folder(folder)
            if path.exists():
                path.chmod(FILE_MODE)
                return cls._of_pem(path.read_bytes())
            made = cls.make(now_ns)
            write_whole(path, made._pair.pem + made.pem)
        except OSError as error:
            raise IdentityError(f"authority {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise IdentityError(f"authority {path} cannot be read: {error}") from error
        return made

    @classmethod
    def _of_pem(cls, pem: bytes) -> Self:
        return cls(KeyPair.of_pem(pem), x509.load_pem_x509_certificate(pem))

    @property
    def public_key(self) -> bytes:
        """Its public key, 32 bytes."""
        return self._pair.public_bytes

    @property
    def pem(self) -> bytes:
        """Its certificate, which anybody may have."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def secret(self, purpose: str) -> bytes:
        """A secret of 32 bytes that only who has its key can make."""
        raw = self._pair.private.private_bytes_raw()
        return hashlib.blake2b(purpose.encode(), key=raw, digest_size=32).digest()

    def sign_words(self, words: bytes) -> bytes:
        """The signature of what is no certificate: it begins with words that say what it is."""
        return self._pair.sign(words)

    def sign(
        self, request: bytes, *, vehicle_id: str, now_ns: int, days: float = VEHICLE_DAYS
    ) -> Certificate:
        """Certify that the key of a request is that of a vehicle.

        Args:
            request: PKCS #10 in DER; whoever it names is not looked at.
            days: how long it is valid.

        Raises:
            IdentityError: it is no request, of another kind of key, or not signed with it.
        """
        public_key = _requested_key(request)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, vehicle_id)])
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(URN + vehicle_id)])
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = lasting(now_ns, days).subject_name(subject).public_key(public_key)
        builder = builder.issuer_name(self._certificate.subject)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        builder = builder.add_extension(usage(is_authority=False), critical=True)
        builder = builder.add_extension(purposes, critical=False)
        builder = builder.add_extension(names, critical=False)
        signed = builder.sign(self._pair.private, None)
        return Certificate.of_der(signed.public_bytes(serialization.Encoding.DER))

    def keep_server(self, file: Path, names: Sequence[str], now_ns: int) -> None:
        """See to it that a file holds key and certificate of the broker, by which cars know it.

        Raises:
            IdentityError: it cannot be read or written.
        """
        keep_server(
            file,
            self._pair.private,
            self._certificate,
            names=names,
            now_ns=now_ns,
            term=SERVER_TERM,
        )

    def check(self, certificate: Certificate, now_ns: int) -> None:
        """Accept a certificate of ours that is valid now.

        Raises:
            IdentityError: it is somebody else's, not valid yet, or no longer.
        """
        found = x509.load_der_x509_certificate(certificate.der)
        try:
            found.verify_directly_issued_by(self._certificate)
        except (InvalidSignature, ValueError, TypeError) as error:
            raise IdentityError("the certificate is another authority's") from error
        if not certificate.not_before <= now_ns < certificate.not_after:
            raise IdentityError(
                f"the certificate is valid from {to_iso(certificate.not_before)}"
                f" until {to_iso(certificate.not_after)}"
            )


def authority_key(pem: bytes) -> bytes:
    """The public key of an authority, from its certificate.

    Raises:
        IdentityError: it is no certificate of an authority of ours.
    """
    try:
        found = x509.load_pem_x509_certificate(pem)
        public_key = found.public_key()
        constraints = found.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise IdentityError(f"no certificate of an authority: {error}") from error
    if not constraints.ca or not isinstance(public_key, Ed25519PublicKey):
        raise IdentityError("no certificate of an authority: it may not sign, or with another key")
    return public_key.public_bytes_raw()


def _requested_key(request: bytes) -> Ed25519PublicKey:
    if len(request) > MAX_REQUEST_BYTES:
        raise IdentityError(f"request of {len(request)} bytes; the limit is {MAX_REQUEST_BYTES}")
    try:
        found = x509.load_der_x509_csr(request)
        public_key, is_signed = found.public_key(), found.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IdentityError(f"no certificate signing request: {error}") from error
    if not isinstance(public_key, Ed25519PublicKey):
        raise IdentityError("the request's key is of another kind than Ed25519")
    if not is_signed:
        raise IdentityError("the request is not signed with its own key")
    return public_key
