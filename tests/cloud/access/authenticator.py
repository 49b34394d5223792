"""An authenticator in software: makes and shows passkeys as a browser tells them (WebAuthn, 6)."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def data(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One passkey, for one page.

    Fields:
        origin: the page that asks, as its browser says.
        host: the relying party that it signs for.
        counter: how often it was used; None: it does not count.
    """

    origin: str = "http://localhost:8080"
    host: str = "localhost"
    flags: int = PRESENT | VERIFIED
    counter: int | None = 0
    handle: str = ""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: dict[str, object]) -> dict[str, object]:
        """A passkey for the person of the options."""
        self.handle = str(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        places = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, **places})
        length = len(self.credential_id).to_bytes(2, "big")
        attested = bytes(16) + length + self.credential_id + key
        told = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        client = self._client("webauthn.create", options)
        return self._told({"attestationObject": plain(cbor2.dumps(told))}, client)

    def show(self, options: dict[str, object]) -> dict[str, object]:
        """The passkey, for the challenge of the options."""
        if self.counter is not None:
            self.counter += 1
        client, known = self._client("webauthn.get", options), self._data()
        signed = known + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        shown = {"authenticatorData": plain(known), "signature": plain(signature)}
        return self._told({**shown, "userHandle": self.handle}, client)

    def _data(self, more: int = 0) -> bytes:
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([self.flags | more]) + (self.counter or 0).to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, object]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**told, "crossOrigin": False}).encode()

    def _told(self, response: dict[str, str], client: bytes) -> dict[str, object]:
        number = plain(self.credential_id)
        return {
            "id": number,
            "rawId": number,
            "type": "public-key",
            "response": {**response, "clientDataJSON": plain(client)},
            "clientExtensionResults": {},
        }
