"""Codes that change with time: those of RFC 6238, the drift of clocks, and each once."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.clock import NS_PER_S
from contactor.cloud.access.totp import NO_STEP, accepted_step, new_totp_secret, totp_uri

SECRET = base64.b32encode(b"12345678901234567890").decode()
"""Of RFC 6238, appendix B."""
VECTORS = [
    (59, "94287082"),
    (1_111_111_109, "07081804"),
    (1_111_111_111, "14050471"),
    (1_234_567_890, "89005924"),
    (2_000_000_000, "69279037"),
    (20_000_000_000, "65353130"),
]
"""Of the same appendix: seconds, and eight digits, of which we use six."""


def accepted(code: str, now_s: float, after: int = NO_STEP) -> int | None:
    return accepted_step(SECRET, code, now_ns=int(now_s * NS_PER_S), after=after)


@pytest.mark.parametrize(("now_s", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(now_s: int, code: str) -> None:
    assert accepted(code[-6:], now_s) == now_s // 30


@pytest.mark.parametrize(("now_s", "code"), VECTORS)
def test_a_clock_may_be_a_step_off_and_no_more(now_s: int, code: str) -> None:
    step = now_s // 30
    found = [accepted(code[-6:], (step + drift) * 30) for drift in (-2, -1, 0, 1, 2)]
    assert found == [None, step, step, step, None]


@given(st.integers(300, 10**10), st.integers(-3, 3))
def test_no_step_up_to_the_last_is_accepted_again(now_s: int, back: int) -> None:
    import pyotp

    step = now_s // 30
    code = pyotp.HOTP(SECRET).at(step)
    found = accepted(code, now_s, after=step + back)
    assert found is None or found > step + back
    assert (found == step) is (back < 0)


def test_each_secret_is_another_and_is_told_to_an_app() -> None:
    secret = new_totp_secret()
    assert len(base64.b32decode(secret)) == 20
    assert secret != new_totp_secret()
    uri = totp_uri(secret, name="Mia Müller", issuer="Contactor")
    assert uri == f"otpauth://totp/Contactor:Mia%20M%C3%BCller?secret={secret}&issuer=Contactor"
