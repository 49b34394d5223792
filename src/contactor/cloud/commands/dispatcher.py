"""Takes commands, sends each until its car answers, and follows it to its end.

    submit ──► queued ──► sent ──► accepted ──► done | refused | expired
                 │ published at once, again every 2 s, and when the car comes back
                 └ sent: the car was heard just now, so it should hear this

A command is kept before it is sent (`store`) and outlives a restart. Only the car can say that one
was done; only the end of its time makes one expire here. A newer command to the same actuator
refuses those that the car has not answered, so that no late copy of an older one has the last word;
one that was accepted the car supersedes itself. The state never moves back.

With a signer each command goes out signed, on behalf of whoever asked for it. One that a key's
holder has signed (`submit_signed`) is checked and goes out as it came.

    dispatcher = Dispatcher(store=store, transport=transport, twin=twin, presence=presence,
                            clock=clock)
    command = await dispatcher.submit("demo", path, True, profile="contactor_ev")
    await dispatcher.run()              # until cancelled
"""

import asyncio
import logging
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

import msgspec

from contactor.clock import NS_PER_DAY, NS_PER_S, Clock
from contactor.cloud.commands.refusals import Refusals
from contactor.cloud.commands.rules import ProfileRules, check_request
from contactor.cloud.commands.store import SOMEBODY, CommandStore
from contactor.cloud.commands.told import told, why_expired
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.twin.twin import Twin
from contactor.errors import CommandRefused, FolderError, LinkError, MalformedRecord, UsageError
from contactor.link import topics
from contactor.link.command_messages import (
    Report,
    decode_report,
    encode_command,
    encode_signed,
)
from contactor.link.listening import listen
from contactor.link.ports import Message, Transport
from contactor.signals.command import Command, CommandState, may_follow
from contactor.signals.signed_command import CheckedCommand, SignedCommand

EXPIRES_IN_S = (1.0, 3600.0)
DEFAULT_EXPIRES_IN_S = 30.0
MAX_OPEN = 100
"""Commands of one vehicle that are not final."""
AGAIN_NS = 2 * NS_PER_S
ACCEPTED_AGAIN_NS = 5 * NS_PER_S  # so that a lost report is said again
GRACE_NS = NS_PER_S // 2  # for a report made in time and still under way
NOT_REPORTED = (CommandState.QUEUED, CommandState.SENT)
STEP_S = 0.25
IDLE_S = 60.0
KEPT_NS = 30 * NS_PER_DAY
MAX_ISSUER_CHARACTERS = 128

_log = logging.getLogger(__name__)


class Signer(Protocol):
    """Signs for whoever asked the cloud."""

    def sign(self, command: Command) -> SignedCommand:
        """The command as its car accepts it."""
        ...


class Checker(Protocol):
    """Knows which keys hold."""

    def check(self, signed: SignedCommand, now_ns: int) -> CheckedCommand:
        """A command that a key's holder has signed.

        Raises:
            MalformedRecord: it cannot be read.
            CommandRefused: the text is the reason, as `kind: words`.
        """
        ...


@dataclass(slots=True)
class _Open:
    """A command that is not final; what its car gets, and got last when (monotonic)."""

    command: Command
    payload: bytes
    published_ns: int | None = None


class Dispatcher:
    """Owns every command of an instance; lives on one loop.

    Args:
        signer: signs what is asked; None where cars take what their link brings.
        checker: checks what others have signed; None where nobody may.
        refusals: hears what cars refused.
    """

    def __init__(
        self,
        *,
        store: CommandStore,
        transport: Transport,
        twin: Twin,
        presence: Presence,
        clock: Clock,
        signer: Signer | None = None,
        checker: Checker | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.store = store
        self.reports_ignored = 0
        self._transport = transport
        self._twin = twin
        self._presence = presence
        self._clock = clock
        self._signer = signer
        self._checker = checker
        self._refusals = refusals
        self._rules = ProfileRules()
        self._wake = asyncio.Event()
        self._is_failing = False
        self._open = {
            command.id: _Open(command, self._payload(command, store.signed(command.id)))
            for command in store.unfinished()
        }
        for one in self._open.values():
            twin.want(one.command.vehicle_id, one.command.path, one.command.value)

    async def submit(
        self,
        vehicle_id: str,
        path: str,
        value: object,
        *,
        profile: str | None,
        expires_in_s: float = DEFAULT_EXPIRES_IN_S,
        issued_by: str = "local",
    ) -> Command:
        """Take a command for a vehicle that is known.

        Args:
            profile: the vehicle's, as it says itself.
            expires_in_s: 1 to 3600.

        Raises:
            UsageError: the path is unknown, the value of another type, the time out of range.
            CommandRefused: it cannot be asked for; the text says why.
            FolderError: it cannot be kept, so it is not sent.
        """
        low, high = EXPIRES_IN_S
        if not low <= expires_in_s <= high:
            raise UsageError(f"expires_in_s is {expires_in_s:g}; allowed: {low:g} to {high:g}")
        checked = check_request(path, value)
        await self._check_rules(profile, path)
        now_ns = self._clock.now_ns()
        command = Command(
            id=uuid.uuid4().hex,
            vehicle_id=vehicle_id,
            path=path,
            value=checked,
            issued_by=issued_by,
            issued_at=now_ns,
            expires_at=now_ns + round(expires_in_s * NS_PER_S),
        )
        return self._take(command, None)

    async def submit_signed(self, signed: SignedCommand, *, profile: str | None) -> Command:
        """Take a command that the holder of a key has signed; it goes to its car as it is.

        The same one again is answered with where it stands.

        Raises:
            MalformedRecord: it cannot be read.
            CommandRefused: its signature, grant or instants are not right, or it cannot be asked
                for; the text says why.
            UsageError: the path is unknown, the value of another type.
            FolderError: it cannot be kept, so it is not sent.
        """
        if self._checker is None:
            raise CommandRefused("not signed by us: this instance forwards no command of others")
        checked = self._checker.check(signed, self._clock.now_ns())
        asked = checked.command
        check_request(asked.path, asked.value)
        await self._check_rules(profile, asked.path)
        payload = encode_signed(signed)
        if self.store.has(asked.id):
            if self.store.signed(asked.id) != payload:
                raise CommandRefused(f"replayed: another command has the id {asked.id}")
            return self.store.find(asked.vehicle_id, asked.id)
        for one in self._waiting(asked.vehicle_id, asked.path):
            if one.command.issued_at >= asked.issued_at:
                raise CommandRefused(f"superseded: by command {one.command.id}, made later")
        issued_by = f"key of {checked.grant.issued_to}"[:MAX_ISSUER_CHARACTERS]
        command = msgspec.structs.replace(asked, issued_by=issued_by)
        return self._take(command, payload)

    async def _check_rules(self, profile: str | None, path: str) -> None:
        objection = await self._rules.objection(profile, path)
        if objection is not None:
            raise CommandRefused(objection)

    def _take(self, command: Command, signed: bytes | None) -> Command:
        """Keep a new command, and send it as soon as possible."""
        superseded = self._waiting(command.vehicle_id, command.path)
        if self._open_of(command.vehicle_id) - len(superseded) >= MAX_OPEN:
            raise CommandRefused(
                f"too many: {MAX_OPEN} commands of {command.vehicle_id} are under way"
            )
        self.store.put(command, signed=signed)
        self._open[command.id] = _Open(command, self._payload(command, signed))
        for one in superseded:
            self._move(one, CommandState.REFUSED, f"superseded: by command {command.id}")
        self._twin.want(command.vehicle_id, command.path, command.value)
        self._twin.feed.publish(told(command))
        self._wake.set()
        return command

    def _payload(self, command: Command, signed: bytes | None) -> bytes:
        """What its car gets."""
        if signed is not None:
            return signed
        if self._signer is None:
            return encode_command(command)
        return encode_signed(self._signer.sign(command))

    def resend(self, vehicle_id: str) -> None:
        """The car is back: send what is open of it at once."""
        for one in self._open.values():
            if one.command.vehicle_id == vehicle_id:
                one.published_ns = None
                self._wake.set()

    def forget_issuer(self, name: str) -> None:
        """Somebody was erased: what they asked for was asked for by somebody.

        Raises:
            FolderError: it cannot be kept.
        """
        self.store.forget_issuer(name)
        for one in self._open.values():
            if one.command.issued_by == name:
                one.command = msgspec.structs.replace(one.command, issued_by=SOMEBODY)

    # ── its work ─────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Send and follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._transport, topics.ALL_REPORTS, self.hear))
            group.create_task(self._work())

    async def _work(self) -> None:
        forgotten_ns: int | None = None
        while True:
            self._wake.clear()
            await self.step()
            now_ns = self._clock.monotonic_ns()
            if forgotten_ns is None or now_ns - forgotten_ns > NS_PER_DAY // 24:
                forgotten_ns = now_ns
                self._forget()
            try:
                async with asyncio.timeout(STEP_S if self._open else IDLE_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def step(self) -> None:
        """Expire what is over, publish what is due."""
        for one in list(self._open.values()):
            command = one.command
            if command.state.is_final:
                continue  # ended while another was published
            now_ns = self._clock.now_ns()
            grace_ns = 0 if command.state is CommandState.QUEUED else GRACE_NS
            if now_ns >= command.expires_at + grace_ns:
                self._move(one, CommandState.EXPIRED, why_expired(command))
            elif now_ns < command.expires_at and self._is_due(one):
                await self._publish(one)

    def _is_due(self, one: _Open) -> bool:
        if one.published_ns is None:
            return True
        is_accepted = one.command.state is CommandState.ACCEPTED
        wait_ns = ACCEPTED_AGAIN_NS if is_accepted else AGAIN_NS
        return self._clock.monotonic_ns() - one.published_ns >= wait_ns

    async def _publish(self, one: _Open) -> None:
        vehicle_id = one.command.vehicle_id
        one.published_ns = self._clock.monotonic_ns()
        try:
            await self._transport.publish(topics.command(vehicle_id), one.payload)
        except LinkError as error:
            if not self._is_failing:
                _log.warning("commands wait for the link reason=%s", error)
            self._is_failing = True
            return
        self._is_failing = False
        if self._presence.is_listening(vehicle_id, self._clock.now_ns()):
            self._move(one, CommandState.SENT, None)  # unless its car was faster

    def hear(self, message: Message) -> None:
        """Take in what a car says of a command; what is not about one of its own is ignored."""
        try:
            report = decode_report(message.payload)
            sender = topics.vehicle_of(message.subject)
        except MalformedRecord as error:
            self.reports_ignored += 1
            _log.warning("report refused reason=%s", error)
            return
        one = self._open.get(report.command_id)
        is_its_own = one is not None and sender == report.vehicle_id == one.command.vehicle_id
        if one is None or not is_its_own or report.state in NOT_REPORTED:
            self.reports_ignored += 1
            if one is None and sender == report.vehicle_id:
                self._hear_of_unknown(report)
            return
        self._follow(one, report)

    def _hear_of_unknown(self, report: Report) -> None:
        """A car speaks of a command that is not open: of none of ours, what it refused is noted."""
        is_known = self._presence.is_listening(report.vehicle_id, self._clock.now_ns())
        if is_known and not self.store.has(report.command_id):
            self._hear_refusal(report, is_ours=False)

    def _hear_refusal(self, report: Report, *, is_ours: bool) -> None:
        if self._refusals is not None and report.state is CommandState.REFUSED:
            self._refusals.hear(
                report.vehicle_id, report.command_id, report.reason, is_ours=is_ours
            )

    def _follow(self, one: _Open, report: Report) -> None:
        if may_follow(report.state, one.command.state):
            self._hear_refusal(report, is_ours=True)
        says_why = report.state in (CommandState.REFUSED, CommandState.EXPIRED)
        self._move(one, report.state, report.reason if says_why else None)

    # ── what it keeps ────────────────────────────────────────────────────────────────────────────

    def _move(self, one: _Open, state: CommandState, reason: str | None) -> None:
        if not may_follow(state, one.command.state):
            return
        one.command = command = msgspec.structs.replace(one.command, state=state, reason=reason)
        try:
            self.store.put(command)
        except FolderError as error:
            # After a restart it is open again: the car says once more where it stands.
            _log.error("command not kept id=%s state=%s reason=%s", command.id, state, error)
        if state.is_final:
            self._open.pop(command.id, None)
            self._twin.want(command.vehicle_id, command.path, self._still_wanted(command))
        self._twin.feed.publish(told(command))

    def _still_wanted(self, ended: Command) -> bool | int | float | str | None:
        """What the newest other command that is open asks of the same actuator."""
        place = (ended.vehicle_id, ended.path)
        wanted = [
            one.command.value
            for one in self._open.values()
            if (one.command.vehicle_id, one.command.path) == place
        ]
        return wanted[-1] if wanted else None

    def _waiting(self, vehicle_id: str, path: str) -> list[_Open]:
        """The commands to one actuator that its car has not answered."""
        return [
            one
            for one in self._open.values()
            if (one.command.vehicle_id, one.command.path) == (vehicle_id, path)
            and one.command.state in NOT_REPORTED
        ]

    def _open_of(self, vehicle_id: str) -> int:
        return Counter(one.command.vehicle_id for one in self._open.values())[vehicle_id]

    def _forget(self) -> None:
        try:
            self.store.forget(before=self._clock.now_ns() - KEPT_NS)
        except FolderError as error:
            _log.error("old commands not forgotten reason=%s", error)
