"""The identities of one unit in a car: for each vehicle a key, made here, and its certificate.

DIR/identity/VEHICLE/key.pem            never leaves this folder; mode 0600
DIR/identity/VEHICLE/certificate.pem    what the cloud made of it
DIR/identity/VEHICLE/authority.pem      the cloud's own certificate
DIR/identity/.TICKET/key.pem            while an enrolment is not answered

unit = Unit(folder.identity)
pair = unit.begin(code.ticket)                  # the same when it is asked again
identity = unit.settle(code.ticket, certificate, authority_pem)
unit.identity("leaf").certificate
"""

import re
import shutil
from pathlib import Path

from contactor.errors import IdentityError
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.keys import KeyPair
from contactor.link.rights import inbox_of, rights_of_enrolment
from contactor.signals.wire.limits import VEHICLE_ID
from contactor.whole_files import make_private_folder, write_whole

RENEW_AFTER = 2 / 3
"""Of a certificate's life; the rest is for a car that is away for long."""
NONCE = re.compile(r"[A-Za-z0-9_+/=-]{8,64}")


class Applicant:
    """Somebody who has a code and no certificate yet.

    Args:
        broker_pem: the certificate of the broker that is to be spoken to over TLS.
    """

    user_key: str | None = None

    def __init__(
        self, code: EnrolmentCode, pair: KeyPair, *, broker_pem: bytes | None = None
    ) -> None:
        self._pair = pair
        self._broker_pem = broker_pem
        self.token: str | None = code.characters
        self.inbox = rights_of_enrolment(code.ticket).inbox

    def sign(self, nonce: str) -> bytes:
        """Sign with the key that is to be certified."""
        return _sign(self._pair, nonce)

    def trusted_pem(self) -> bytes | None:
        """The broker's own: it was looked at before."""
        return self._broker_pem


class Identity:
    """One vehicle's key and certificate; proves at every connection that the key is here."""

    def __init__(self, folder: Path, pair: KeyPair, certificate: Certificate) -> None:
        self._folder = folder
        self._pair = pair
        self.certificate = certificate

    @property
    def vehicle_id(self) -> str:
        return self.certificate.vehicle_id

    def authority_pem(self) -> bytes:
        """The certificate of the authority that this vehicle goes by.

        Raises:
            IdentityError: it cannot be read.
        """
        path = self._folder / "authority.pem"
        try:
            return path.read_bytes()
        except OSError as error:
            raise IdentityError(f"authority {path}: {error.strerror or error}") from error

    def trusted_pem(self) -> bytes | None:
        """The authority's certificate: it vouches for the broker, too."""
        return self.authority_pem()

    @property
    def inbox(self) -> str:
        """Where answers to this vehicle come, with this certificate."""
        return inbox_of(self.certificate.fingerprint)

    @property
    def user_key(self) -> str | None:
        """None: the certificate says whose key it is."""
        return None

    @property
    def token(self) -> str | None:
        """What is presented."""
        return self.certificate.token

    def sign(self, nonce: str) -> bytes:
        """Prove it to a broker: what it made up, signed with the key.

        Raises:
            IdentityError: that is no nonce; a broker that lies is not to have a request signed.
        """
        return _sign(self._pair, nonce)

    def request(self) -> bytes:
        """Ask for the next certificate, for the same key."""
        return self._pair.request()

    def is_due(self, now_ns: int) -> bool:
        """Whether the next certificate should be asked for by now."""
        begun, end = self.certificate.not_before, self.certificate.not_after
        return now_ns >= begun + (end - begun) * RENEW_AFTER

    def renew(self, certificate: Certificate) -> None:
        """Go by a newer certificate from now on.

        Raises:
            IdentityError: it is another vehicle's or key's, or cannot be written.
        """
        is_ours = certificate.public_key == self._pair.public_bytes
        if certificate.vehicle_id != self.vehicle_id or not is_ours:
            raise IdentityError(f"the new certificate is not that of {self.vehicle_id} and its key")
        if certificate.not_after <= self.certificate.not_after:
            return
        try:
            write_whole(self._folder / "certificate.pem", certificate.pem)
        except OSError as error:
            raise IdentityError(f"{self._folder}: {error.strerror or error}") from error
        self.certificate = certificate


class Unit:
    """The folder of a unit's identities; it is made with the first one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def identity(self, vehicle_id: str) -> Identity | None:
        """The identity of a vehicle; None where this unit is not enrolled as that.

        Raises:
            IdentityError: it cannot be read, or its parts do not belong together.
        """
        folder = self._root / vehicle_id
        if not VEHICLE_ID.fullmatch(vehicle_id) or not (folder / "certificate.pem").exists():
            return None
        try:
            pair = KeyPair.of_pem((folder / "key.pem").read_bytes())
            certificate = Certificate.of_pem((folder / "certificate.pem").read_bytes())
        except OSError as error:
            raise IdentityError(f"identity {folder}: {error.strerror or error}") from error
        except IdentityError as error:
            raise IdentityError(f"identity {folder}: {error}") from error
        if certificate.vehicle_id != vehicle_id or certificate.public_key != pair.public_bytes:
            raise IdentityError(f"identity {folder}: key and certificate do not belong together")
        return Identity(folder, pair, certificate)

    def vehicles(self) -> list[str]:
        """Those that this unit is enrolled as."""
        if not self._root.is_dir():
            return []
        found = (path.parent.name for path in self._root.glob("*/certificate.pem"))
        return sorted(name for name in found if VEHICLE_ID.fullmatch(name))

    def begin(self, ticket: str) -> KeyPair:
        """The key of an enrolment under way, made now where it is new.

        Raises:
            IdentityError: it cannot be kept.
        """
        folder = self._root / f".{ticket}"
        try:
            make_private_folder(self._root)
            make_private_folder(folder)
        except OSError as error:
            raise IdentityError(f"identity {folder}: {error.strerror or error}") from error
        return KeyPair.kept(folder / "key.pem")

    def settle(self, ticket: str, certificate: Certificate, authority_pem: bytes) -> Identity:
        """Keep what came of an enrolment; an older identity of that vehicle gives way to it.

        Raises:
            IdentityError: the certificate is not that of the key, or cannot be kept.
        """
        pending = self._root / f".{ticket}"
        folder = self._root / certificate.vehicle_id
        pair = KeyPair.kept(pending / "key.pem")
        if certificate.public_key != pair.public_bytes:
            raise IdentityError("the certificate is that of another key")
        try:
            write_whole(pending / "authority.pem", authority_pem)
            write_whole(pending / "certificate.pem", certificate.pem)
            if folder.exists():
                shutil.rmtree(folder)
            pending.rename(folder)
        except OSError as error:
            raise IdentityError(f"identity {folder}: {error.strerror or error}") from error
        return Identity(folder, pair, certificate)


def _sign(pair: KeyPair, nonce: str) -> bytes:
    if not NONCE.fullmatch(nonce):
        raise IdentityError("the broker asks for a signature of what is no nonce")
    return pair.sign(nonce.encode())
