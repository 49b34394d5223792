"""The two ceremonies of WebAuthn (Level 3): making a passkey, and showing one. No I/O.

    party = Party("http://localhost:8080")              # one origin, its port included
    options = creation_options(party, challenge, person_id=person_id, name="Mia", known=[])
    made = registered(credential, challenge, party)     # Registered, or AccessRefused
    counter = asserted(credential, made.public_key, challenge, party)

What a browser sends is JSON as `PublicKeyCredential.toJSON()` makes it. The authenticator must have
verified its user (by a finger, a face, a PIN): so a passkey is something one has, and more.
"""

import json
import secrets
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from contactor.errors import AccessRefused

CHALLENGE_BYTES: Final = 32
LIFE_S: Final = 300
"""How long a browser may take, and a challenge is good."""
ISSUER: Final = "Contactor"
NOT_THIS: Final = "this passkey lets nobody in"
Credential = Mapping[str, object]
"""What the browser made, from JSON."""


@dataclass(frozen=True, slots=True)
class Party:
    """For which page a passkey is: `https://car.example.org`, `http://localhost:8080`."""

    origin: str

    @property
    def host(self) -> str:
        """The relying party's id."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True)
class Registered:
    """A passkey that was just made; what is not text stands in base64url."""

    credential: str
    public_key: str
    counter: int


def new_challenge() -> bytes:
    """Nobody has ever answered it."""
    return secrets.token_bytes(CHALLENGE_BYTES)


def challenge_of(credential: Credential) -> str:
    """The challenge that it says it answers, in base64url; '' where it says none."""
    from webauthn import base64url_to_bytes

    with _refusing():
        response = credential["response"]
        told = json.loads(base64url_to_bytes(response["clientDataJSON"]))  # type: ignore[index]  # else it is refused
        return str(told["challenge"])


def credential_of(credential: Credential) -> tuple[str, str]:
    """Its id in base64url, and whose it says that it is: a person's id; '' for nobody's."""
    from webauthn import base64url_to_bytes

    with _refusing():
        handle = credential["response"].get("userHandle") or ""  # type: ignore[attr-defined]  # else it is refused
        number = str(credential["id"])
        if not number.isprintable():
            raise ValueError("its id is no base64url")
        return number, base64url_to_bytes(handle).decode()


def creation_options(
    party: Party, challenge: bytes, *, person_id: str, name: str, known: Sequence[str]
) -> dict[str, object]:
    """What a browser is asked for a new passkey.

    Args:
        known: the ids of those that somebody has, base64url: an authenticator makes no second one.
    """
    from webauthn import base64url_to_bytes, generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=party.host,
        rp_name=ISSUER,
        user_name=name,
        user_id=person_id.encode(),
        challenge=challenge,
        timeout=LIFE_S * 1_000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known
        ],
    )
    return dict(json.loads(options_to_json(options)))


def request_options(party: Party, challenge: bytes) -> dict[str, object]:
    """What a browser is asked for any passkey that it has for this page."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=party.host,
        challenge=challenge,
        timeout=LIFE_S * 1_000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(json.loads(options_to_json(options)))


def registered(credential: Credential, challenge: bytes, party: Party) -> Registered:
    """The passkey that a browser made (WebAuthn, 7.1).

    Raises:
        AccessRefused: it is none, answers another challenge, or is for another page.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    with _refusing():
        found = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        return Registered(
            bytes_to_base64url(found.credential_id),
            bytes_to_base64url(found.credential_public_key),
            found.sign_count,
        )


def asserted(credential: Credential, public_key: str, challenge: bytes, party: Party) -> int:
    """How often the passkey was used, as it says itself (WebAuthn, 7.2); 0: it does not count.

    The caller compares that with the last time (7.2, step 22), where it also keeps it.

    Raises:
        AccessRefused: it is not that passkey, answers another challenge, or is for another page.
    """
    from webauthn import base64url_to_bytes, verify_authentication_response

    with _refusing():
        found = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        return found.new_sign_count


@contextmanager
def _refusing() -> Iterator[None]:
    """What a stranger sent, and no library could read or accept, lets nobody in."""
    from cbor2 import CBORError
    from webauthn.helpers.exceptions import WebAuthnException

    hostile = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
    try:
        yield
    except (WebAuthnException, CBORError, struct.error, *hostile) as error:
        raise AccessRefused(NOT_THIS) from error
