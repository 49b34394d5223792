"""A key pair (Ed25519): made where it is used, kept in a file of its owner's alone.

    pair = KeyPair.make()
    pair.request()                  # a certificate signing request (PKCS #10, DER)
    pair.sign(b"nonce")             # 64 bytes

Source: RFC 8032 (Ed25519), RFC 8410 (its use in certificates), RFC 2986 (requests).
"""

from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from contactor.errors import IdentityError
from contactor.whole_files import FILE_MODE, write_whole


class KeyPair:
    """A private key and its public one; its text shows neither."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self.private = private

    @classmethod
    def make(cls) -> Self:
        """A new one."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of_seed(cls, seed: bytes) -> Self:
        """The one that 32 secret bytes are."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def of_pem(cls, pem: bytes) -> Self:
        """The one that a PEM text begins with.

        Raises:
            IdentityError: it begins with none.
        """
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise IdentityError(f"no private key: {error}") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise IdentityError("the private key is of another kind than Ed25519")
        return cls(private)

    @classmethod
    def kept(cls, path: Path) -> Self:
        """The one in a file, made now where there is none; nobody else may read the file.

        Raises:
            IdentityError: the file holds none, or cannot be read or written.
        """
        try:
            if path.exists():
                path.chmod(FILE_MODE)
                return cls.of_pem(path.read_bytes())
            made = cls.make()
            write_whole(path, made.pem)
        except OSError as error:
            raise IdentityError(f"key {path}: {error.strerror or error}") from error
        return made

    @property
    def pem(self) -> bytes:
        """The private key as PEM (PKCS #8), not encrypted."""
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def public_bytes(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes."""
        return self.private.sign(message)

    def request(self) -> bytes:
        """Ask for a certificate; who it is to name, the authority knows."""
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        request = builder.sign(self.private, None)
        return request.public_bytes(serialization.Encoding.DER)


def has_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether that is the signature of a key's owner; a key of 32 bytes that is none has none."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
