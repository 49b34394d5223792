"""Web push: by the standard's own example, and read back by other people's libraries."""

import base64
import json
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from contactor.clock import NS_PER_S, FakeClock
from contactor.cloud.alerts.channels import Push, check_channel
from contactor.cloud.alerts.drivers.encryption import MAX_TEXT_BYTES, encrypt
from contactor.cloud.alerts.drivers.push import PushDriver
from contactor.cloud.alerts.drivers.vapid import authorization, new_key, public_key
from contactor.cloud.alerts.ports import NotDelivered
from tests.cloud.alerts.drivers.test_http_drivers import MESSAGE
from tests.cloud.alerts.receivers import receiver

NOW_S = 1_700_000_000


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_encryption_is_that_of_the_standards_example() -> None:
    """Source: RFC 8291, section 5 and appendix A."""
    private = raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    ours = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())

    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        p256dh=raw(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
            "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        auth=raw("BTBZMqHH6r4Tts7J_aSIgg"),
        ours=ours,
        salt=raw("DGv6ra1nlYgDCS1FRnbzlw"),
    )

    assert text(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


class Browser:
    """A browser that has subscribed."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = b"0123456789abcdef"
        point = Encoding.X962, PublicFormat.UncompressedPoint
        self.public = self.key.public_key().public_bytes(*point)

    def channel(self, endpoint: str) -> Push:
        channel = Push("browser", endpoint, text(self.public), text(self.auth), "mailto:me@a.org")
        check_channel(channel)
        return channel

    def read(self, body: bytes) -> bytes:
        return bytes(http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth))


def test_push_is_read_by_the_browser_alone() -> None:
    browser, key = Browser(), new_key()
    with receiver() as service:
        driver = PushDriver(
            browser.channel(f"{service.url}/p/1"), key_pem=key, clock=FakeClock(NOW_S * NS_PER_S)
        )
        driver.send(MESSAGE)
        driver.send(MESSAGE)

    first, second = service.taken
    assert json.loads(browser.read(first.body)) == json.loads(MESSAGE.json())
    assert b"battery" not in first.body
    assert first.headers["content-encoding"] == "aes128gcm"
    assert first.headers["ttl"] == "86400"
    assert first.headers["topic"] == second.headers["topic"]  # the second replaces the first
    assert len(first.headers["topic"]) <= 32


def test_push_says_who_sends_it() -> None:
    key = new_key()
    said = authorization(key, "https://push.example.org/p/abc", "mailto:me@a.org", NOW_S)

    assert Vapid02.verify(said)
    token = said.removeprefix("vapid t=").partition(",")[0]
    claims = json.loads(raw(token.split(".")[1]))
    assert claims == {
        "aud": "https://push.example.org",
        "exp": NOW_S + 12 * 3600,
        "sub": "mailto:me@a.org",
    }
    assert said.endswith(f"k={public_key(key)}")


def test_push_to_a_browser_that_is_gone_says_so() -> None:
    with receiver() as service:
        service.answers = [(410, {})]
        channel = Browser().channel(f"{service.url}/p/1")
        with pytest.raises(NotDelivered) as caught:
            PushDriver(channel, key_pem=new_key(), clock=FakeClock(NOW_S * NS_PER_S)).send(MESSAGE)

    assert caught.value.is_gone
    assert caught.value.is_final


def test_longest_text_fits_one_record(tmp_path: Path) -> None:
    browser = Browser()
    body = encrypt(b"x" * MAX_TEXT_BYTES, p256dh=browser.public, auth=browser.auth)

    assert len(body) == 4096
    assert browser.read(body) == b"x" * MAX_TEXT_BYTES
    with pytest.raises(ValueError, match="limit"):
        encrypt(b"x" * (MAX_TEXT_BYTES + 1), p256dh=browser.public, auth=browser.auth)
