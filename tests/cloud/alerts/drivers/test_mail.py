"""Mail, against a real SMTP server."""

import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from contactor.cloud.alerts.channels import Mail
from contactor.cloud.alerts.drivers.mail import MailDriver
from contactor.cloud.alerts.ports import NotDelivered
from tests.cloud.alerts.drivers.test_http_drivers import MESSAGE
from tests.cloud.alerts.receivers import free_port


class Kept:
    """Keeps the mails; answers `answer` instead of taking one where there is any."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.to: list[list[str]] = []
        self.answer = ""

    async def handle_DATA(  # noqa: N802  # the library calls it so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answer:
            return self.answer
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.to.append(envelope.rcpt_tos)
        return "250 OK"


def login(server: SMTP, session: Session, envelope: Envelope, how: str, data: object) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and data.password == b"right"
    return AuthResult(success=is_right, handled=False)


@contextmanager
def mail_server(kept: Kept, *, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    port = free_port()
    controller = Controller(
        kept,
        hostname="127.0.0.1",
        port=port,
        authenticator=login,
        auth_require_tls=False,
        tls_context=tls,
        require_starttls=tls is not None,
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def channel(port: int, *, password: str | None = None, tls: str = "none") -> Mail:
    return Mail(
        "mail",
        "127.0.0.1",
        "car@example.org",
        ("anna@example.org", "ben@example.org"),
        port,
        tls,  # type: ignore[arg-type]  # one of its words
        None if password is None else "car",
        password,
    )


def test_mail_reaches_everybody_with_one_id() -> None:
    kept = Kept()
    with mail_server(kept) as port:
        MailDriver(channel(port)).send(MESSAGE)
        MailDriver(channel(port)).send(MESSAGE)

    first, second = kept.mails
    assert kept.to[0] == ["anna@example.org", "ben@example.org"]
    assert first["subject"] == "leaf: battery-low"
    assert first["from"] == "car@example.org"
    assert first["message-id"] == second["message-id"] == f"<{MESSAGE.id}@contactor.invalid>"
    assert "Straße (2 more since" in first.get_content()


def test_mail_logs_in_where_it_has_a_password() -> None:
    kept = Kept()
    with mail_server(kept) as port:
        MailDriver(channel(port, password="right")).send(MESSAGE)
        with pytest.raises(NotDelivered, match="user or password refused") as caught:
            MailDriver(channel(port, password="wr0ng")).send(MESSAGE)

    assert len(kept.mails) == 1
    assert caught.value.is_final
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize(("answer", "is_final"), [("451 later", False), ("550 never", True)])
def test_mail_that_is_refused_says_whether_to_try_again(answer: str, is_final: bool) -> None:
    kept = Kept()
    kept.answer = answer
    with mail_server(kept) as port, pytest.raises(NotDelivered) as caught:
        MailDriver(channel(port)).send(MESSAGE)

    assert caught.value.is_final is is_final


def test_mail_is_not_sent_in_the_open_where_tls_is_asked_for() -> None:
    kept = Kept()
    with mail_server(kept) as port, pytest.raises(NotDelivered, match="STARTTLS"):
        MailDriver(channel(port, tls="start")).send(MESSAGE)

    assert kept.mails == []


def test_mail_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(NotDelivered, match="Connection refused") as caught:
        MailDriver(channel(free_port())).send(MESSAGE)

    assert not caught.value.is_final
