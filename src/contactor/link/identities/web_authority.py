"""The authority that a browser is told to trust: it signs this instance's own server alone.

    FOLDER/authority.pem        its private key, then its certificate; mode 0600
    FOLDER/authority.crt        its certificate, which anybody may have
    FOLDER/server.pem           the server's key, then its certificate; mode 0600

    authority = WebAuthority.kept(folder, now_ns)
    authority.keep_server(names, now_ns)

It is another one than that of cars: who has a phone trust it has said nothing of cars, and a car
trusts no server by it. Its keys are of P-256, which every browser knows.
"""

import hashlib
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contactor.errors import IdentityError
from contactor.link.identities.roots import make_root
from contactor.link.identities.servers import Term, keep_server
from contactor.whole_files import FILE_MODE, make_private_folder, write_whole

DAYS: Final = 10 * 365
TERM: Final = Term(days=397, spare_days=30)
"""Browsers take a year and a month, at most."""
KEY_AND_CERTIFICATE: Final = "authority.pem"
CERTIFICATE: Final = "authority.crt"
SERVER: Final = "server.pem"


class WebAuthority:
    """Signs the server of one instance."""

    def __init__(
        self, folder: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> None:
        self._folder, self._key, self._certificate = folder, key, certificate

    @classmethod
    def kept(cls, folder: Path, now_ns: int) -> Self:
        """The one in a folder, made now where there is none.

        Raises:
            IdentityError: it cannot be read or written.
        """
        path = folder / KEY_AND_CERTIFICATE
        try:
            make_private_folder(folder)
            if path.exists():
                path.chmod(FILE_MODE)
                found = cls(folder, *_read(path.read_bytes()))
            else:
                key = ec.generate_private_key(ec.SECP256R1())
                found = cls(folder, key, make_root(key, "Contactor web", now_ns, days=DAYS))
                write_whole(path, _pem(key) + found.pem)
            write_whole(found.certificate_file, found.pem)
        except OSError as error:
            raise IdentityError(f"authority {path}: {error.strerror or error}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise IdentityError(f"authority {path} cannot be read: {error}") from error
        return found

    def keep_server(self, names: tuple[str, ...], now_ns: int) -> Path:
        """The file of the server's key and certificate, made anew where they are not good.

        Raises:
            IdentityError: it cannot be read or written.
        """
        file = self._folder / SERVER
        keep_server(file, self._key, self._certificate, names=names, now_ns=now_ns, term=TERM)
        return file

    @property
    def certificate_file(self) -> Path:
        """Where its certificate lies, for clients of this machine."""
        return self._folder / CERTIFICATE

    @property
    def pem(self) -> bytes:
        """Its certificate as PEM."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """Its certificate as DER."""
        return self._certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its certificate, as devices show it: in pairs, with colons between."""
        return hashlib.sha256(self.der).digest().hex(":").upper()


def _read(pem: bytes) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("its key is of another kind than P-256")
    return key, x509.load_pem_x509_certificate(pem)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
