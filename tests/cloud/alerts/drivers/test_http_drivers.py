"""Webhook and ntfy, against a real web server."""

import email.header
import hashlib
import hmac

import msgspec
import pytest

from contactor.cloud.alerts.channels import Ntfy, Webhook
from contactor.cloud.alerts.drivers.ntfy import NtfyDriver
from contactor.cloud.alerts.drivers.webhook import WebhookDriver
from contactor.cloud.alerts.message import Message
from contactor.cloud.alerts.ports import NotDelivered
from contactor.history.alerts.rules import Severity
from tests.cloud.alerts.receivers import receiver

MESSAGE = Message(
    id="0123456789abcdef",
    rule="battery-low",
    vehicle_id="leaf",
    severity=Severity.CRITICAL,
    at="2026-11-26T20:00:00Z",
    text="Akku fast leer: 9 %, Straße",
    withheld=2,
)


def test_webhook_posts_signed_json() -> None:
    with receiver() as server:
        WebhookDriver(Webhook("hook", f"{server.url}/in?a=1", "s3cret", "t0ken")).send(MESSAGE)

    [taken] = server.taken
    assert taken.path == "/in?a=1"
    assert msgspec.json.decode(taken.body, type=Message) == MESSAGE
    signature = hmac.new(b"s3cret", taken.body, hashlib.sha256).hexdigest()
    assert taken.headers["x-contactor-signature"] == f"sha256={signature}"
    assert taken.headers["authorization"] == "Bearer t0ken"
    assert taken.headers["idempotency-key"] == MESSAGE.id


def test_ntfy_posts_text_with_title_and_priority() -> None:
    with receiver() as server:
        NtfyDriver(Ntfy("phone", f"{server.url}/my-car", "tk_1")).send(MESSAGE)

    [taken] = server.taken
    assert taken.path == "/my-car"
    assert taken.body.decode().startswith("Akku fast leer: 9 %, Straße (2 more")
    assert taken.headers["priority"] == "urgent"
    assert taken.headers["authorization"] == "Bearer tk_1"
    [(title, _)] = email.header.decode_header(taken.headers["title"])
    assert title == "leaf: battery-low"


@pytest.mark.parametrize(
    ("status", "is_final"), [(400, True), (403, True), (429, False), (500, False), (302, True)]
)
def test_webhook_says_whether_to_try_again(status: int, is_final: bool) -> None:
    with receiver() as server:
        server.answers = [(status, {"retry-after": "7", "location": f"{server.url}/elsewhere"})]
        with pytest.raises(NotDelivered) as caught:
            WebhookDriver(Webhook("hook", f"{server.url}/T0PSECRET")).send(MESSAGE)

    assert caught.value.is_final is is_final
    assert caught.value.retry_after_s == 7
    assert "T0PSECRET" not in str(caught.value)
    assert len(server.taken) == 1  # a redirect is not followed


def test_webhook_that_is_not_there_is_tried_again() -> None:
    with receiver() as server:
        pass
    with pytest.raises(NotDelivered, match="Connection refused") as caught:
        WebhookDriver(Webhook("hook", f"{server.url}/T0PSECRET")).send(MESSAGE)

    assert not caught.value.is_final
    assert "T0PSECRET" not in str(caught.value)
