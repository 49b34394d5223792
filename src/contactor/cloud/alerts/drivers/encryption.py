"""A push message encrypted for one browser: RFC 8291 over the content coding of RFC 8188.

    salt (16) │ record size (4) │ 65 │ our public key (65) │ AES-128-GCM( text │ 0x02 )

body = encrypt(text, p256dh=..., auth=...)
"""

import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SALT_BYTES, KEY_BYTES, NONCE_BYTES, SECRET_BYTES = 16, 16, 12, 32
RECORD_BYTES = 4_096
"""What a push service must take. Source: RFC 8030, section 7.2."""
MAX_TEXT_BYTES = RECORD_BYTES - SALT_BYTES - 4 - 1 - 65 - 16 - 1
LAST_RECORD = b"\x02"
"""RFC 8188, section 2."""


def encrypt(
    text: bytes,
    *,
    p256dh: bytes,
    auth: bytes,
    ours: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of a push message.

    Args:
        p256dh, auth: the browser's public key and secret.
        ours, salt: of this message alone; new where they are None.

    Raises:
        ValueError: the key is no point of the curve, or the text too long.
    """
    if len(text) > MAX_TEXT_BYTES:
        raise ValueError(f"{len(text)} bytes; the limit is {MAX_TEXT_BYTES}")
    ours = ours or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(SALT_BYTES)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    public = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = ours.exchange(ec.ECDH(), theirs)
    secret = _derived(shared, auth, b"WebPush: info\0" + p256dh + public, SECRET_BYTES)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", KEY_BYTES)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text + LAST_RECORD, None)
    head = salt + RECORD_BYTES.to_bytes(4, "big") + len(public).to_bytes(1, "big")
    return head + public + sealed


def _derived(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=info).derive(secret)
