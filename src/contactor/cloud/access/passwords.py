"""A password's hash (Argon2id, RFC 9106), and what is a password (NIST SP 800-63B).

    check_password("correct horse battery", name="mia")
    kept = hashed("correct horse battery")
    is_password(kept, "correct horse battery")          # True

One hash takes 64 MiB and some 50 ms on purpose: callers let few run at once, and none on a loop.
"""

import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from contactor.errors import UsageError

LEAST_CHARACTERS: Final = 10
MOST_CHARACTERS: Final = 256
_LEAST_DIFFERENT: Final = 5

_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


def check_password(password: str, *, name: str) -> None:
    """Refuse what is guessed first.

    Args:
        name: of whose it is to be.

    Raises:
        UsageError: it is too short, too long, the name itself, or nearly one character alone.
    """
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise UsageError(
            f"a password of {len(password)} characters; "
            f"allowed: {LEAST_CHARACTERS} to {MOST_CHARACTERS}"
        )
    if len(set(password)) < _LEAST_DIFFERENT:
        raise UsageError(f"a password needs {_LEAST_DIFFERENT} different characters")
    if name.casefold() in password.casefold() and len(password) < len(name) + LEAST_CHARACTERS:
        raise UsageError("a password must not be made of the name")


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(_normal(password))


def is_password(kept: str | None, password: str) -> bool:
    """Whether a password is the one kept; without one kept it takes as long, and is not."""
    try:
        _hasher.verify(kept or _nobodys(), _normal(password))
    except (Argon2Error, InvalidHashError):
        return False
    return kept is not None


def is_weak(kept: str) -> bool:
    """Whether it was hashed with less than is taken now."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    """Made when it is needed, as most programs that come by here check no password."""
    return hashed("of somebody who is not there")


def _normal(password: str) -> str:
    """The same text for what looks the same on another keyboard."""
    return unicodedata.normalize("NFKC", password)
