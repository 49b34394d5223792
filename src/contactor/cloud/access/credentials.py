"""What a session, a token or a code is known by: shown once, kept as its hash alone.

    secret = new_secret(SecretKind.TOKEN)       # 'cto_tok_8Jc…'
    fingerprint(secret)                         # what is kept

A secret has 256 bits from the system, so a plain SHA-256 keeps it: there is nothing to guess.
"""

import hashlib
import secrets
from enum import StrEnum

MAX_SECRET_CHARACTERS = 128
_BYTES = 32


class SecretKind(StrEnum):
    """What it opens; the beginning of its text, so that a scanner of leaks knows it."""

    SESSION = "cto_ses_"
    TOKEN = "cto_tok_"
    CODE = "cto_cod_"
    STEP = "cto_stp_"
    RECEIVER = "cto_rec_"


def new_secret(kind: SecretKind) -> str:
    """A fresh secret."""
    return kind.value + secrets.token_urlsafe(_BYTES)


def fingerprint(secret: str) -> str:
    """What is kept of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
