"""The bytes of grants, commands and revocations: vectors of docs/reference/commands-wire.md."""

import hashlib
import re
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import MalformedRecord
from contactor.link.command_messages import (
    decode_asked,
    decode_sealed_revocations,
    encode_sealed_revocations,
    encode_signed,
)
from contactor.signals.command import Command
from contactor.signals.grant import GRANT_WORDS, Grant, SealedGrant, decode_grant, encode_grant
from contactor.signals.revocations import (
    REVOCATION_WORDS,
    Revocations,
    SealedRevocations,
    decode_revocations,
    encode_revocations,
)
from contactor.signals.signed_command import (
    SignedCommand,
    decode_body,
    encode_body,
    words_to_sign,
)

PAGE = Path(__file__).parents[2] / "docs/reference/commands-wire.md"
AUTHORITY = Ed25519PrivateKey.from_private_bytes(bytes([1] * 32))
HOLDER = Ed25519PrivateKey.from_private_bytes(bytes([2] * 32))
GRANT = Grant(
    "g-1",
    HOLDER.public_key().public_bytes_raw(),
    "leaf",
    ("comfort", "open"),
    1_764_230_400_000_000_000,
    1_764_237_600_000_000_000,
    "guest",
)
COMMAND = Command(
    id="c-1",
    vehicle_id="leaf",
    path="Vehicle.Cabin.Door.Row1.DriverSide.IsLocked",
    value=False,
    issued_by="guest",
    issued_at=1_764_234_000_000_000_000,
    expires_at=1_764_234_030_000_000_000,
)
REVOKED = Revocations("leaf", 1, 1_764_234_060_000_000_000, ("g-1",))


def vectors() -> dict[str, bytes]:
    grant, body, revoked = encode_grant(GRANT), encode_body(COMMAND), encode_revocations(REVOKED)
    sealed = SealedGrant(grant, AUTHORITY.sign(GRANT_WORDS + grant))
    signed = SignedCommand(body, sealed, HOLDER.sign(words_to_sign(body, grant)))
    listed = SealedRevocations(revoked, AUTHORITY.sign(REVOCATION_WORDS + revoked))
    return {
        "authority's public key": AUTHORITY.public_key().public_bytes_raw(),
        "holder's public key": HOLDER.public_key().public_bytes_raw(),
        "grant": grant,
        "authority's signature of the grant": sealed.signature,
        "command": body,
        "holder's signature of the command": signed.signature,
        "command/2": encode_signed(signed),
        "revocations": revoked,
        "authority's signature of the revocations": listed.signature,
        "revoked/1": encode_sealed_revocations(listed),
    }


def told() -> dict[str, bytes]:
    """The vectors as the page has them."""
    text = PAGE.read_text().partition("## Test vectors")[2]
    found = re.findall(r"^### (.*?)\n.*?```text\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    return {name: bytes.fromhex(digits) for name, digits in found}


def test_bytes_are_those_of_the_page() -> None:
    assert told() == vectors()


def test_page_is_enough_to_check_a_command() -> None:
    """Put together from what the page says alone."""
    page = told()
    authority = Ed25519PublicKey.from_public_bytes(page["authority's public key"])
    holder = Ed25519PublicKey.from_public_bytes(page["holder's public key"])
    authority.verify(
        page["authority's signature of the grant"], b"contactor grant 1\0" + page["grant"]
    )
    digest = hashlib.sha256(page["grant"]).digest()
    holder.verify(
        page["holder's signature of the command"],
        b"contactor command 1\0" + digest + page["command"],
    )
    authority.verify(
        page["authority's signature of the revocations"],
        b"contactor revocations 1\0" + page["revocations"],
    )
    assert page["grant"] in page["command/2"]
    assert page["command"] in page["command/2"]


@given(value=st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False))
def test_command_comes_back_as_it_was_signed(value: bool | int | float) -> None:
    command = Command("c", "leaf", "Vehicle.Speed", value, "owner", 1, 2)
    back = decode_body(encode_body(command))
    assert back == command
    assert type(back.value) is type(value)


@given(payload=st.binary(max_size=200))
def test_bytes_that_are_nothing_of_it_are_refused(payload: bytes) -> None:
    for decode in (
        decode_body,
        decode_grant,
        decode_revocations,
        decode_asked,
        decode_sealed_revocations,
    ):
        with pytest.raises(MalformedRecord):
            decode(payload)


@pytest.mark.parametrize(
    "wrong",
    [
        ["grant/1", "g", b"k" * 31, "leaf", [], 0, 1, ""],
        ["grant/1", "g", b"k" * 32, "leaf.", [], 0, 1, ""],
        ["grant/1", "g", b"k" * 32, "**", [], 0, 1, ""],
        ["grant/1", "g", b"k" * 32, "leaf", [], -1, 1, ""],
        ["grant/1", "g", b"k" * 32, "leaf", [], 0, 1, "", 0],
        ["grant/2", "g", b"k" * 32, "leaf", [], 0, 1, ""],
    ],
)
def test_grant_of_another_form_is_refused(wrong: list[object]) -> None:
    with pytest.raises(MalformedRecord, match="no grant"):
        decode_grant(msgspec.msgpack.encode(wrong))
