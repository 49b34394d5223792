"""A mail over SMTP; one that is sent again has the same Message-ID."""

import smtplib
import ssl
from email.message import EmailMessage

from contactor.cloud.alerts.channels import Mail
from contactor.cloud.alerts.message import Message
from contactor.cloud.alerts.ports import NotDelivered

TIMEOUT_S = 20.0
PERMANENT = 500
"""Replies from here on say that it makes no sense to try again. Source: RFC 5321, 4.2.1."""


class MailDriver:
    """Sends to the people of one channel."""

    def __init__(self, channel: Mail) -> None:
        self._channel = channel

    def send(self, message: Message) -> None:
        mail = _mail(self._channel, message)
        try:
            with self._server() as server:
                if self._channel.user and self._channel.password:
                    server.login(self._channel.user, self._channel.password)
                refused = server.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise self._failed("user or password refused", code=error.smtp_code) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise self._failed("no recipient taken", code=min(codes, default=0)) from None
        except smtplib.SMTPResponseException as error:
            raise self._failed(f"answered {error.smtp_code}", code=error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise self._failed(
                'offers no STARTTLS; allowed: tls = "always"', code=PERMANENT
            ) from None
        except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise self._failed(str(reason)) from None
        if refused:  # the others have it: to send it to all again would tell them twice
            raise self._failed(f"{len(refused)} recipients refused", code=PERMANENT)

    def _server(self) -> smtplib.SMTP:
        channel, secure = self._channel, ssl.create_default_context()
        if channel.tls == "always":
            return smtplib.SMTP_SSL(channel.host, channel.port, timeout=TIMEOUT_S, context=secure)
        server = smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT_S)
        try:
            if channel.tls == "start":
                server.starttls(context=secure)
        except BaseException:
            server.close()
            raise
        return server

    def _failed(self, reason: str, *, code: int = 0) -> NotDelivered:
        return NotDelivered(f"{self._channel.host}: {reason}", is_final=code >= PERMANENT)


def _mail(channel: Mail, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = channel.sender, ", ".join(channel.to)
    mail["Subject"] = message.title
    mail["Message-ID"] = f"<{message.id}@contactor.invalid>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    mail.set_content(f"{message.body}\n")
    return mail
