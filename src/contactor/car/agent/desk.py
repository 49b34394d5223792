"""The command desk of one car: hears commands, asks the guard, sends frames, waits for proof.

    command ─► heard before? ─► guard ─► accepted ─► frame on the bus ─► read back ─► done
                    │             └────► refused, with the reason
                    └─► the same answer again, nothing is sent twice

The guard is asked again before every frame, repeats included. A command is noted in the outbox's
file before its frame goes out, so an agent that was killed in between never sends it again: it
watches for the proof that is still to come. Proof is a reading of the same signal from the bus,
made after the frame, that has the value asked for.

A car that has an authority (`keyring`) does only what is signed: signature, grant, vehicle, right
and instants are looked at before the guard is asked, and nothing is done after what was made later
for the same actuator. What is refused there is answered and not noted: nobody knows whose it is.

    desk = CommandDesk(vehicle_id="demo", profile=profile, source=source, transport=transport,
                       outbox=outbox, clock=clock)
    desk.read(series)               # what the bus says, batch by batch
    await desk.run()
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from contactor.car.adapters.ports import FrameSource
from contactor.car.agent.answers import Answers
from contactor.car.agent.frame_maker import FrameMaker
from contactor.car.agent.guard import CarNow, Guard
from contactor.car.agent.keyring import CommandVerifier, Keyring
from contactor.car.agent.last_seen import LastSeen, Reading
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.series import Series
from contactor.car.profiles.profile import Profile
from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.errors import (
    CommandRefused,
    ContactorError,
    LinkError,
    MalformedRecord,
    OutboxError,
)
from contactor.link import topics
from contactor.link.command_messages import (
    Report,
    decode_asked,
    encode_report,
    encode_revocations_heard,
)
from contactor.link.listening import listen
from contactor.link.ports import Message, Transport
from contactor.signals.command import MAX_REASON_CHARACTERS, Command, CommandState
from contactor.signals.signed_command import (
    AHEAD_NS,
    CheckedCommand,
    SignedCommand,
    decode_body,
)

LOOK_S = 0.1
SEND_AGAIN_S = 1.0
MAX_SENDS = 3
MAX_UNDERWAY = 64
REPORT_S = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Underway:
    command: Command
    sent_ns: int
    sends: int
    checked: CheckedCommand | None = None


class CommandDesk:
    """Owns the commands of one car that are under way, and what was answered to earlier ones.

    Args:
        is_virtual: the car does not exist; see `Guard`.
        verifier: knows the authority that commands must come by; None for a car that has none and
            takes what its link brings.
    """

    def __init__(
        self,
        *,
        vehicle_id: str,
        profile: Profile,
        source: FrameSource,
        transport: Transport,
        outbox: Outbox,
        clock: Clock,
        is_virtual: bool = False,
        verifier: CommandVerifier | None = None,
    ) -> None:
        self._vehicle_id = vehicle_id
        self._source = source
        self._transport = transport
        self._clock = clock
        self._guard = Guard(profile.limits, car=profile.map, is_virtual=is_virtual)
        self._maker = FrameMaker(profile)
        paths = [entry.path for entry in profile.map.actuators]
        self._seen = LastSeen(
            vehicle_id,
            watched={*self._guard.watched, *paths},
            kept=self._guard.watched,
            outbox=outbox,
            clock=clock,
        )
        self._underway: dict[str, _Underway] = {}
        self._has_read = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._keyring: Keyring | None = None
        if verifier is not None:
            self._keyring = Keyring(vehicle_id, verifier=verifier, outbox=outbox)
        self._answers = Answers(vehicle_id, actuators=paths, outbox=outbox, clock=clock)
        self.refused_unread = 0
        for command in self._answers.unproven():
            self._underway[command.path] = _Underway(command, clock.monotonic_ns(), MAX_SENDS)

    @property
    def underway(self) -> int:
        """How many commands wait for their proof."""
        return len(self._underway)

    def read(self, series: Sequence[Series]) -> None:
        """Take in what the bus says now."""
        self._seen.read(series)
        if self._underway:
            self._has_read.set()

    async def run(self) -> None:
        """Hear and do commands until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._transport, topics.command(self._vehicle_id), self._hear))
            if self._keyring is not None:
                subject = topics.revoked(self._vehicle_id)
                group.create_task(listen(self._transport, subject, self._hear_revocations))
            group.create_task(self._watch())

    async def _hear(self, message: Message) -> None:
        try:
            asked = decode_asked(message.payload)
            command = asked if isinstance(asked, Command) else decode_body(asked.body)
            is_ours = command.vehicle_id == self._vehicle_id
            if self._keyring is None:
                if is_ours:
                    await self._take(command, None)
            elif isinstance(asked, Command):
                if is_ours:
                    await self._refuse(command, "not signed: this car does only what is signed")
            else:
                await self._take_signed(command, asked, self._keyring)
        except MalformedRecord as error:
            self.refused_unread += 1
            _log.warning("command refused reason=%s", error)

    async def _hear_revocations(self, message: Message) -> None:
        if self._keyring is None:
            return
        try:
            heard = self._keyring.hear(message.payload)
        except OutboxError as error:
            _log.error("list of revocations not kept reason=%s", error)
            return
        if heard is not None:
            subject = topics.revoked_heard(self._vehicle_id)
            await self._say(subject, encode_revocations_heard(heard))

    async def _take_signed(self, command: Command, signed: SignedCommand, keyring: Keyring) -> None:
        """Take a command whose signatures, grant and instants are right."""
        if self._answers.of(command.id) is not None:
            await self._take(command, None)  # where that one stands, whatever this one says
            return
        try:
            checked = keyring.check(signed, self._now_ns())
        except CommandRefused as error:
            await self._refuse(command, str(error))
            return
        newest = self._answers.newest(command.path)
        if newest is not None and command.issued_at <= newest:
            await self._refuse(command, f"superseded: by a command made {to_iso(newest)}")
            return
        await self._take(command, checked)

    async def _refuse(self, command: Command, reason: str) -> None:
        """Answer what is not to be believed: it is not noted, and takes no place from another."""
        _log.info("command refused id=%s reason=%s", command.id, reason)
        if self._answers.of(command.id) is None:
            await self._report(command.id, CommandState.REFUSED, reason)

    async def _take(self, command: Command, checked: CheckedCommand | None) -> None:
        """Answer a command; do it if it was never heard before and the guard has no objection."""
        async with self._one_at_a_time:
            known = self._answers.of(command.id)
            if known is None:
                await self._begin(command, checked)
            elif known.command is not None:
                await self._resume(known.command)
            else:
                await self._report(command.id, known.state, known.reason)

    async def _begin(self, command: Command, checked: CheckedCommand | None) -> None:
        wanted = _Underway(command, 0, 0, checked)
        objection = self._objection(wanted)
        if objection is None and len(self._underway) >= MAX_UNDERWAY:
            objection = f"busy: {MAX_UNDERWAY} commands are under way"
        if objection is not None:
            await self._answer(command, CommandState.REFUSED, objection)
            return
        earlier = self._underway.pop(command.path, None)
        if earlier is not None:
            await self._answer(earlier.command, CommandState.REFUSED, _superseded_by(command))
        failure = self._answers.note(command, CommandState.ACCEPTED)
        if failure is not None:
            await self._report(command.id, CommandState.REFUSED, failure)
            return
        refusal = await self._send(wanted)
        if refusal is None:
            await self._report(command.id, CommandState.ACCEPTED, None)
        else:
            await self._answer(command, CommandState.REFUSED, refusal)

    async def _resume(self, command: Command) -> None:
        """Say again that it was accepted; after a new start only the proof is still to come."""
        now_ns = self._clock.monotonic_ns()
        holder = self._underway.setdefault(command.path, _Underway(command, now_ns, MAX_SENDS))
        if holder.command.id == command.id:
            await self._report(command.id, CommandState.ACCEPTED, None)
        else:
            reason = _superseded_by(holder.command)
            await self._answer(command, CommandState.REFUSED, reason)

    def _objection(self, underway: _Underway) -> str | None:
        """Why no frame may go out for it now: its grant holds no more, or the guard objects."""
        if self._keyring is not None and underway.checked is not None:
            objection = self._keyring.objection(underway.checked, self._now_ns())
            if objection is not None:
                return objection
        return self._guard.objection(
            underway.command,
            now=self._car_now(),
            now_ns=self._clock.now_ns(),
            monotonic_ns=self._clock.monotonic_ns(),
            is_repeat=underway.sends > 0,
        )

    def _now_ns(self) -> int:
        """The time for what is signed: a clock that was set back is not to make it good again."""
        return max(self._clock.now_ns(), self._answers.latest - AHEAD_NS)

    def _car_now(self) -> CarNow:
        is_asleep, underway = self._source.is_asleep, self._underway.keys()
        return CarNow(self._seen.ages(), is_asleep=is_asleep, underway=underway)

    async def _send(self, underway: _Underway) -> str | None:
        """Put a frame on the bus, if the guard has no objection at this very moment.

        Returns:
            Why none went out; None where one did.
        """
        command, now_ns = underway.command, self._clock.monotonic_ns()
        objection = self._objection(underway)
        if objection is not None:
            return objection
        try:
            frames = self._maker.frames(command.path, command.value, ts=self._clock.now_ns())
            await self._source.send(frames)
        except ContactorError as error:
            return f"not sent: {error}"
        self._guard.note_sent(command.path, now_ns)
        sent_ns = underway.sent_ns or now_ns
        sends = underway.sends + 1
        self._underway[command.path] = replace(underway, sent_ns=sent_ns, sends=sends)
        return None

    async def _watch(self) -> None:
        """Look for proof, send again, give up at a command's end."""
        while True:
            self._has_read.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._has_read.wait()
            self._seen.note_sleep(is_asleep=self._source.is_asleep)
            for path in list(self._underway):
                async with self._one_at_a_time:
                    underway = self._underway.get(path)
                    if underway is not None:
                        await self._look(underway)

    async def _look(self, underway: _Underway) -> None:
        command = underway.command
        reading = self._seen.of(command.path)
        if self._is_proof(underway, reading):
            self._underway.pop(command.path, None)
            await self._answer(command, CommandState.DONE)
            return
        if command.expires_at <= self._clock.now_ns():
            self._underway.pop(command.path, None)
            said = "nothing" if reading is None else repr(reading.value)
            reason = f"no proof from the bus before {to_iso(command.expires_at)}: it says {said}"
            await self._answer(command, CommandState.EXPIRED, reason)
            return
        waited_s = (self._clock.monotonic_ns() - underway.sent_ns) / NS_PER_S
        if underway.sends < MAX_SENDS and waited_s >= SEND_AGAIN_S * underway.sends:
            objection = await self._send(underway)
            if objection is not None:
                # What has gone out may still be proven; nothing more goes out.
                self._underway[command.path] = replace(underway, sends=MAX_SENDS)

    def _is_proof(self, underway: _Underway, reading: Reading | None) -> bool:
        """Whether the bus has said, since the frame went out, what was asked for."""
        if reading is None or reading.heard_ns <= underway.sent_ns:
            return False
        return self._maker.is_same(underway.command.path, underway.command.value, reading.value)

    async def _answer(
        self, command: Command, state: CommandState, reason: str | None = None
    ) -> None:
        """Note where a command stands, then say so."""
        self._answers.note(command, state, reason)
        await self._report(command.id, state, reason)

    async def _report(self, command_id: str, state: CommandState, reason: str | None) -> None:
        """Say where a command stands; what gets lost is asked for again."""
        short = reason and reason[:MAX_REASON_CHARACTERS]
        report = Report(self._vehicle_id, command_id, state, short)
        await self._say(topics.report(self._vehicle_id), encode_report(report))

    async def _say(self, subject: str, payload: bytes) -> None:
        with contextlib.suppress(LinkError, TimeoutError):
            async with asyncio.timeout(REPORT_S):
                await self._transport.publish(subject, payload)


def _superseded_by(command: Command) -> str:
    return f"superseded: by command {command.id}"
