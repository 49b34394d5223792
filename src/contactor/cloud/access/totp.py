"""Codes that change with time (TOTP: RFC 6238; SHA-1, 30 s, 6 digits). Pure.

    secret = new_totp_secret()
    totp_uri(secret, name="Mia", issuer="Contactor")        # for an authenticator app
    step = accepted_step(secret, "287082", now_ns=now_ns, after=last)   # None: wrong, or used

A clock may be a step off. A step that was accepted is over, and so is every one before it: a code
that was seen over a shoulder is good for nothing (RFC 6238, 5.2).
"""

import hmac
import re
from typing import Final

from contactor.clock import NS_PER_S

STEP_S: Final = 30
DRIFT_STEPS: Final = 1
NO_STEP: Final = -1
CODE: Final = re.compile(r"[0-9]{6}")


def new_totp_secret() -> str:
    """A fresh secret: 160 bits in base 32 (RFC 4226, 4)."""
    import pyotp

    return pyotp.random_base32()


def totp_uri(secret: str, *, name: str, issuer: str) -> str:
    """What an authenticator app reads from a QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def accepted_step(secret: str, code: str, *, now_ns: int, after: int) -> int | None:
    """The step of which a code is; None where it is of none that counts.

    Args:
        code: six digits.
        now_ns: UTC.
        after: the last step that was accepted; none up to it is again.
    """
    import pyotp

    now = now_ns // (STEP_S * NS_PER_S)
    steps = range(max(now - DRIFT_STEPS, after + 1), now + DRIFT_STEPS + 1)
    made = pyotp.HOTP(secret)
    good = [step for step in steps if hmac.compare_digest(made.at(step), code)]
    return good[0] if good else None
