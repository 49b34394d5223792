"""Who sends a push message, proven to the push service: VAPID, RFC 8292.

key_pem = new_key()
public_key(key_pem)                                     # what the browser subscribes with
authorization(key_pem, endpoint, contact, now_s)        # 'vapid t=...,k=...'
"""

import base64
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

VALID_S = 12 * 3_600
"""At most 24 h. Source: RFC 8292, section 2."""
_NUMBER_BYTES = 32


def new_key() -> str:
    """A private key of this instance, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_key(key_pem: str) -> str:
    """The public half, as browsers take it: an uncompressed point in base64url."""
    public = _read(key_pem).public_key()
    return _base64(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def authorization(key_pem: str, endpoint: str, contact: str, now_s: int) -> str:
    """The value of the header `Authorization` for a push service."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": now_s + VALID_S,
        "sub": contact,
    }
    head = _base64(msgspec.json.encode({"typ": "JWT", "alg": "ES256"}))
    signed = f"{head}.{_base64(msgspec.json.encode(claims))}"
    der = _read(key_pem).sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    numbers = (one.to_bytes(_NUMBER_BYTES, "big") for one in decode_dss_signature(der))
    return f"vapid t={signed}.{_base64(b''.join(numbers))},k={public_key(key_pem)}"


def _read(key_pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(key_pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("no key of P-256")
    return key


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
