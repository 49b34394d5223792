"""Asks at the broker's door: who comes in, with which rights, and who is put out.

    broker ── who is this? ──► Gate ──► Doorkeeper.admit(knock) ──► name, rights, until when
           ◄── signed answer ──┘
           ◄── end the connections called NAME ── put_out(name)

    gate = Gate(GatePass(url, issuer, login), doorkeeper=office, clock=clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(gate.run())           # until cancelled
    await gate.put_out("leaf:5f0c")

Nobody is admitted while it does not run; who is in stays. When it comes back, it puts out whoever
was meanwhile to be. The cloud's own processes have a password, and are not asked about.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from contactor.clock import NS_PER_S, Clock
from contactor.errors import IdentityError, LinkError, MalformedRecord
from contactor.link.broker_config import CARS
from contactor.link.identities.keys import KeyPair
from contactor.link.nats.address import read_address
from contactor.link.nats.callout import (
    ASKED_ON,
    Knock,
    Question,
    admission,
    read_question,
    refusal,
)
from contactor.link.nats.connection import Connection, Heard
from contactor.link.nats.tokens import public_key
from contactor.link.rights import Rights

WAITING = 4_096
"""Questions that wait for an answer; whoever finds no room knocks again."""
RETRY_S = 0.2
WATCH_S = 0.25
ANSWER_S = 5.0
LISTED = 1_000
LIST = "$SYS.REQ.SERVER.PING.CONNZ"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GatePass:
    """What the broker knows the gate by: its login, and the key that its answers are signed with.

    Args:
        url: where the broker is; a user and password in it are not used.
    """

    url: str = field(repr=False)
    issuer: KeyPair = field(repr=False)
    login: KeyPair = field(repr=False)


@dataclass(frozen=True, slots=True)
class Admission:
    """Who it is, what he may, and until when (ns UTC)."""

    name: str
    rights: Rights
    until: int


class Doorkeeper(Protocol):
    """Knows who may come in."""

    def admit(self, knock: Knock) -> Admission:
        """Who that is.

        Raises:
            IdentityError: nobody who may come in; the text is for the broker's log.
        """
        ...

    def is_welcome(self, name: str) -> bool:
        """Whether a connection admitted under that name may stay."""
        ...


class Gate:
    """The service that a broker asks; one per broker."""

    def __init__(self, gate_pass: GatePass, *, doorkeeper: Doorkeeper, clock: Clock) -> None:
        self._address = read_address(gate_pass.url)
        self._issuer = gate_pass.issuer
        self._login = _Login(gate_pass.login)
        self._doorkeeper = doorkeeper
        self._clock = clock
        self._connection: Connection | None = None
        self._questions: asyncio.Queue[Heard] = asyncio.Queue(WAITING)
        self.admitted = 0
        self.refused = 0

    async def run(self) -> None:
        """Answer until cancelled; a lost broker is waited for without end."""
        while True:
            connection = Connection()
            try:
                if await connection.connect(self._address, "gate", self._login):
                    await self._serve(connection)
                elif connection.reason:
                    _log.info("gate not at the broker reason=%s", connection.reason)
            except LinkError as error:
                _log.warning("gate lost the broker reason=%s", error)
            finally:
                self._connection = None
                await connection.end()
            await asyncio.sleep(RETRY_S)

    async def put_out(self, name: str) -> int:
        """End the connections of that name, now; how many there were.

        Raises:
            LinkError: the broker is not reached; they are put out when it is again.
        """
        if self._connection is None:
            raise LinkError("the gate is not connected to the broker")
        connections = await self._connections(self._connection, name)
        for one in connections:
            await self._end(self._connection, one)
        return len(connections)

    async def _serve(self, connection: Connection) -> None:
        await connection.subscribe(ASKED_ON, self._hear)
        await connection.flush()
        self._connection = connection
        answering = asyncio.create_task(self._answer(connection))
        try:
            await self._sweep(connection)
            while connection.is_alive and not answering.done():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(WATCH_S):
                        await connection.closed.wait()
        finally:
            answering.cancel()
            # Not awaited itself: who cancels us meanwhile must not be taken for its end.
            await asyncio.wait([answering])
            if not answering.cancelled() and (error := answering.exception()) is not None:
                _log.warning("gate stopped answering reason=%s", error)

    def _hear(self, message: Heard) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._questions.put_nowait(message)

    async def _answer(self, connection: Connection) -> None:
        while True:
            message = await self._questions.get()
            try:
                answer = self._decide(read_question(message.payload))
            except MalformedRecord as error:
                _log.warning("question at the gate refused reason=%s", error)
                continue
            await connection.publish(message.reply, answer)
            await asyncio.sleep(0)  # others of this loop have their turn

    def _decide(self, question: Question) -> bytes:
        now_s = self._clock.now_ns() // NS_PER_S
        try:
            admitted = self._doorkeeper.admit(question.knock)
        except IdentityError as error:
            self.refused += 1
            return refusal(question, str(error), issuer=self._issuer, now_s=now_s)
        self.admitted += 1
        return admission(
            question,
            name=admitted.name,
            rights=admitted.rights,
            until_s=admitted.until // NS_PER_S,
            issuer=self._issuer,
            now_s=now_s,
        )

    async def _sweep(self, connection: Connection) -> None:
        """Put out who was no longer welcome while nobody was here to do it."""
        for one in await self._connections(connection, None):
            if not self._doorkeeper.is_welcome(one.authorized_user):
                await self._end(connection, one)

    async def _connections(self, connection: Connection, name: str | None) -> "list[_Seated]":
        """Who is in, under that name or any."""
        found: list[_Seated] = []
        while True:
            asked = {"auth": True, "acc": CARS, "limit": LISTED, "offset": len(found)}
            if name is not None:
                asked["user"] = name
            answer = await connection.request(LIST, msgspec.json.encode(asked), timeout_s=ANSWER_S)
            told = _told(answer)
            found += told.data.connections
            if len(told.data.connections) < LISTED:
                return [msgspec.structs.replace(one, server=told.server.id) for one in found]

    async def _end(self, connection: Connection, one: "_Seated") -> None:
        subject = f"$SYS.REQ.SERVER.{one.server}.KICK"
        asked = msgspec.json.encode({"cid": one.cid})
        await connection.request(subject, asked, timeout_s=ANSWER_S)
        _log.info("connection ended name=%s", one.authorized_user)


class _Login:
    """The gate's own proof: a key that the broker's configuration names."""

    inbox = "_GATE"
    token: str | None = None

    def __init__(self, pair: KeyPair) -> None:
        self._pair = pair
        self.user_key: str | None = public_key("U", pair.public_bytes)

    def sign(self, nonce: str) -> bytes:
        return self._pair.sign(nonce.encode())

    def trusted_pem(self) -> bytes | None:
        return None  # the link of the broker's folder says it


class _Seated(msgspec.Struct):
    """A connection as the broker lists it."""

    cid: int
    authorized_user: str = ""
    server: str = ""


class _Server(msgspec.Struct):
    id: str


class _List(msgspec.Struct, frozen=True):
    connections: list[_Seated] = []


class _Told(msgspec.Struct):
    server: _Server
    data: _List = _List()


_list = msgspec.json.Decoder(_Told)


def _told(answer: bytes) -> _Told:
    try:
        return _list.decode(answer)
    except msgspec.MsgspecError as error:
        raise LinkError(f"no list of the broker: {error}") from error
