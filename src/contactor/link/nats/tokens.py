"""NATS's own forms of keys and claims: how a public key is written, an answer signed. No I/O.

    public_key("U", pair.public_bytes)          # 'UA...': base32 of prefix, key, CRC-16
    signed({"sub": user, "nats": {...}}, pair)  # a JWT of the account that signs

Source: https://github.com/nats-io/nkeys (forms), https://github.com/nats-io/jwt (claims, version 2)
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from contactor.errors import MalformedRecord
from contactor.link.identities.keys import KeyPair

_PREFIX = {"A": 0 << 3, "U": 20 << 3}
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_POLYNOMIAL = 0x1021


def public_key(kind: Literal["A", "U"], raw: bytes) -> str:
    """What NATS calls a public key of 32 bytes: of an account, or of a user."""
    body = bytes([_PREFIX[kind]]) + raw
    checked = body + _crc16(body).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def signed(claims: Mapping[str, Any], pair: KeyPair, *, now_s: int) -> str:
    """Claims as a JWT that an account has signed.

    Args:
        now_s: the time of its making, s UTC.
    """
    whole = {**claims, "iat": now_s, "iss": public_key("A", pair.public_bytes)}
    number = hashlib.sha256(msgspec.json.encode(whole)).digest()
    whole["jti"] = base64.b32encode(number).decode().rstrip("=")
    body = f"{_base64(msgspec.json.encode(_HEADER))}.{_base64(msgspec.json.encode(whole))}"
    return f"{body}.{_base64(pair.sign(body.encode()))}"


def claims_of(token: bytes) -> bytes:
    """The claims of a JWT as JSON; its signature is not looked at.

    Raises:
        MalformedRecord: it is no JWT.
    """
    parts = token.split(b".")
    if len(parts) != 3:
        raise MalformedRecord("no JWT: not three parts")
    try:
        return base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4))
    except ValueError as error:
        raise MalformedRecord(f"no JWT: {error}") from error


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _crc16(content: bytes) -> int:
    """CRC-16/XMODEM."""
    crc = 0
    for byte in content:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
