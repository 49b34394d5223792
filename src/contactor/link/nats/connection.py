"""One connection to a NATS server; the only file that knows nats-py.

It is used from its making to its loss and never mended: nats-py's own reconnection gives up for
good after some refusals, and sends late what nobody waits for any more.

    connection = Connection()
    if not await connection.connect(read_address("nats://127.0.0.1:4222"), "agent"):
        raise LinkError(connection.reason)
    answer = await connection.request("subject", b"question", timeout_s=5)
    await connection.end()          # in any case
"""

import asyncio
import base64
import contextlib
import logging
import ssl
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from nats.aio.client import DEFAULT_INBOX_PREFIX, Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, NoServersError
from nats.errors import Error as NatsError

from contactor.errors import LinkError
from contactor.link.nats.address import Address

CONNECT_S = 5.0
HANDSHAKE_S = 2
FLUSH_S = 5
CLOSE_S = 1
PING_S = 10
NO_RESPONDERS = "503"
REFUSED = "it refused the user or password"
NOT_KNOWN = "it refused the certificate or code"

_log = logging.getLogger(__name__)


class Proof(Protocol):
    """Who somebody is, shown by a signature instead of a password."""

    @property
    def inbox(self) -> str:
        """What every subject begins with at which answers are awaited."""
        ...

    @property
    def token(self) -> str | None:
        """What is presented beside the signature; None for nothing."""
        ...

    @property
    def user_key(self) -> str | None:
        """The public key that the broker itself knows; None where it does not."""
        ...

    def sign(self, nonce: str) -> bytes:
        """The signature of what the broker made up for this connection."""
        ...

    def trusted_pem(self) -> bytes | None:
        """By which certificate a broker's own is believed; None for those that the system trusts.

        Raises:
            IdentityError: it cannot be read.
        """
        ...


class Heard(NamedTuple):
    """A message as it came; with a `status` it is the server itself that speaks."""

    subject: str
    payload: bytes
    reply: str
    status: str
    description: str


Hear = Callable[[Heard], None]
HearRaw = Callable[[bytes, bytes, bytes, bytes | None], None]
"""Subject, reply, payload, headers as they stand on the wire."""


class _Client(Client):
    """nats-py's client, whose messages are heard where they are read.

    By itself it reads every message's headers, and hands the message through a queue to a task:
    three quarters of what a message costs, for headers that nobody here asks for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hearing: dict[object, HearRaw] = {}
        """By the callback that a subscription was made with."""
        self.is_encrypted = False
        """Whether nothing may be said but over TLS."""

    async def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """As `publish` of each, on subjects that are known to be good, at a tenth of the cost."""
        if not self.is_connected:
            raise ConnectionClosedError
        commands = (
            b"PUB %b %d\r\n%b\r\n" % (subject.encode(), len(payload), payload)
            for subject, payload in messages
        )
        await self._send_command(b"".join(commands))
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()

    def _connect_command(self) -> bytes:
        """Who we are, the first that is said; nats-py would say it to a broker without TLS, too."""
        if self.is_encrypted:
            if not self._server_info.get("tls_required"):
                raise NatsError("it speaks no TLS")
            # nats-py does not tell its reader over what it reads: it could slow nobody down.
            transport = self._transport._io_writer.transport  # type: ignore[union-attr]  # TCP
            transport.get_protocol().connection_made(transport)
        command: bytes = super()._connect_command()
        return command

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        subscription = self._subs.get(sid)
        hear = None if subscription is None else self.hearing.get(subscription._cb)
        if hear is None:
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        try:
            hear(subject, reply, data, headers)
        except Exception as error:  # noqa: BLE001  # as nats-py does: the connection goes on
            await self._error_cb(error)


class Listening:
    """A subscription on one connection."""

    def __init__(self, subscription: Subscription, forget: Callable[[], object]) -> None:
        self._subscription = subscription
        self._forget = forget

    async def end(self) -> None:
        """Hear out what is on its way, then nothing more; the connection may be gone."""
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._subscription.drain()  # type: ignore[no-untyped-call]  # nats-py's
        self._forget()


class Connection:
    """One connection; `reason` says why it could not be made, or was lost."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.is_over = False
        self.closed = asyncio.Event()
        self.watchers: set[asyncio.Event] = set()
        self._client = _Client()
        self._inbox = ""
        self._requests = 0
        self._answers: dict[str, asyncio.Future[Heard | None]] = {}

    @property
    def is_alive(self) -> bool:
        """Whether nats-py still holds the connection; it does not always say when it stops."""
        return self._client.is_connected

    async def connect(self, address: Address, name: str, proof: Proof | None = None) -> bool:
        """Try once; whether it succeeded, else `reason` says why not. To be ended in any case.

        Args:
            proof: who we are, in place of the user of the address.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._connect(address, name, proof)
        except Exception as error:  # noqa: BLE001  # the edge: a peer may send anything
            self.reason = self.reason or explain(error)
            if proof is not None and self.reason == REFUSED:
                self.reason = NOT_KNOWN
            return False
        self.reason = None
        return True

    async def end(self) -> None:
        """Fail all that waits on this connection, and let it go; may be told twice."""
        self.is_over = True
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)
        for watcher in self.watchers:
            watcher.set()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._client.close()
        except Exception as error:  # noqa: BLE001  # a broken connection may be past closing
            _log.debug("connection not closed cleanly reason=%s", explain(error))

    def new_inbox(self) -> str:
        """A subject that nobody else uses."""
        return self._client.new_inbox()

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        reply: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Hand a message to the connection.

        Raises:
            LinkError: it was lost.
        """
        if self.is_over:
            raise LinkError("the connection to the broker was lost")
        try:
            await self._client.publish(subject, payload, reply, headers)
        except (NatsError, OSError) as error:
            raise LinkError(f"not sent to the broker: {explain(error)}") from error

    async def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Hand many messages to the connection, each a subject and a payload.

        Raises:
            LinkError: it was lost.
        """
        if self.is_over:
            raise LinkError("the connection to the broker was lost")
        try:
            await self._client.publish_many(messages)
        except (NatsError, OSError) as error:
            raise LinkError(f"not sent to the broker: {explain(error)}") from error

    async def request(
        self,
        subject: str,
        payload: bytes,
        *,
        timeout_s: float,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """Send a message and return its answer.

        Raises:
            LinkError: the connection was lost, nobody takes the subject, or no answer in time.
        """
        answer = await self._exchange(subject, payload, timeout_s=timeout_s, headers=headers)
        if answer.status == NO_RESPONDERS:
            raise LinkError(f"the broker has no queue for {subject!r}")
        return answer.payload

    async def subscribe(self, subject: str, hear: Hear) -> Listening:
        """Have every message of a subject heard, one after another.

        Raises:
            LinkError: the connection was lost.
        """

        async def never(_: Msg) -> None:
            """Marks the subscription; what comes to it is heard before."""

        def hear_raw(subject: bytes, reply: bytes, payload: bytes, headers: bytes | None) -> None:
            hear(_heard(subject, reply, payload, headers))

        hearing = self._client.hearing
        hearing[never] = hear_raw
        try:
            subscription = await self._client.subscribe(subject, cb=never)
        except (NatsError, OSError) as error:
            del hearing[never]
            raise LinkError(f"not subscribed: {explain(error)}") from error
        return Listening(subscription, lambda: hearing.pop(never, None))

    async def flush(self, timeout_s: float = FLUSH_S) -> None:
        """Return when the broker has acted on all that was sent, or has had its time.

        It is told by an echo to ourselves, which comes last; nats-py's own flush writes its PING
        ahead of what is still waiting to be written.
        """
        with contextlib.suppress(LinkError):
            await self._exchange(None, b"", timeout_s=timeout_s)

    async def _connect(self, address: Address, name: str, proof: Proof | None) -> None:
        async def note(error: Exception) -> None:
            self.reason = self.reason or explain(error)  # the first says most

        async def close() -> None:
            self.closed.set()

        # nats-py sets the public key only where its own library of keys is installed.
        self._client._public_nkey = proof.user_key if proof else None
        self._client.is_encrypted = address.is_encrypted
        await self._client.connect(
            address.shown,
            name=name,
            user=None if proof else address.user,
            password=None if proof else address.password,
            token=proof.token if proof else address.token,
            signature_cb=_signature_by(proof) if proof else None,
            inbox_prefix=proof.inbox if proof else DEFAULT_INBOX_PREFIX,
            error_cb=note,
            closed_cb=close,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=HANDSHAKE_S,
            flush_timeout=HANDSHAKE_S,
            ping_interval=PING_S,
            tls=_encryption(address, proof),
        )
        if not self.is_alive:
            raise LinkError("it closed the connection")
        self._inbox = self.new_inbox()
        await self.subscribe(f"{self._inbox}.*", self._hear_answer)

    async def _exchange(
        self,
        subject: str | None,
        payload: bytes,
        *,
        timeout_s: float,
        headers: dict[str, str] | None = None,
    ) -> Heard:
        """Send a message, by default to ourselves, and wait for what comes to its reply subject."""
        self._requests += 1
        reply = f"{self._inbox}.{self._requests}"
        awaited: asyncio.Future[Heard | None] = asyncio.get_running_loop().create_future()
        self._answers[reply] = awaited
        try:
            if subject is None:
                await self.publish(reply, payload)
            else:
                await self.publish(subject, payload, reply=reply, headers=headers)
            async with asyncio.timeout(timeout_s):
                answer = await awaited
        except TimeoutError:
            raise LinkError(f"no answer from the broker within {timeout_s:g} s") from None
        finally:
            del self._answers[reply]
        if answer is None:
            raise LinkError("the connection to the broker was lost")
        return answer

    def _hear_answer(self, message: Heard) -> None:
        awaited = self._answers.get(message.subject)
        if awaited is not None and not awaited.done():
            awaited.set_result(message)


def _heard(subject: bytes, reply: bytes, payload: bytes, headers: bytes | None) -> Heard:
    """A message as it stands on the wire.

    A status comes to our inbox, without a reply subject: nobody can forge one by a header.
    """
    status, description = "", ""
    if headers and not reply:
        # NATS/1.0 404 No Messages\r\n...
        line = headers.partition(b"\r\n")[0].decode("utf-8", "replace")
        _, _, told = line.partition(" ")
        status, _, description = told.strip().partition(" ")
    return Heard(subject.decode(), payload, reply.decode(), status, description.strip())


def _encryption(address: Address, proof: Proof | None) -> ssl.SSLContext | None:
    if not address.is_encrypted:
        return None
    return address.encryption(proof.trusted_pem() if proof else None)


def _signature_by(proof: Proof) -> Callable[[str], bytes]:
    return lambda nonce: base64.urlsafe_b64encode(proof.sign(nonce)).rstrip(b"=")


def explain(error: BaseException) -> str:
    """What went wrong, in a few words on one line."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, NoServersError):
        return "it cannot be reached"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message.rstrip('.')}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    text = " ".join(str(error).split()).removeprefix("nats: ").strip("'")
    if "authorization" in text.lower():
        return REFUSED
    return text or type(error).__name__
