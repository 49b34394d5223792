"""The command desk of one car: hears commands, asks the guard, sends frames, waits for proof.

    command ─► heard before? ─► guard ─► accepted ─► frame on the bus ─► read back ─► done
                    │             └────► refused, with the reason
                    └─► the same answer again, nothing is sent twice

The guard is asked again before every frame, repeats included. A command is noted in the outbox's
file before its frame goes out, so an agent that was killed in between never sends it again: it
watches for the proof that is still to come. Proof is a reading of
the same signal from the bus, made after the frame, that has the value asked for.

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

import msgspec

from contactor.car.adapters.ports import FrameSource
from contactor.car.agent.frame_maker import FrameMaker
from contactor.car.agent.guard import CarNow, Guard, Seen
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.series import Series
from contactor.car.profiles.profile import Profile
from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.errors import ContactorError, LinkError, MalformedRecord, OutboxError
from contactor.link import topics
from contactor.link.command_messages import Report, decode_command, encode_report
from contactor.link.listening import listen
from contactor.link.ports import Message, Transport
from contactor.signals.command import Command, CommandState
from contactor.signals.record import Scalar, State

LOOK_S = 0.1
SEND_AGAIN_S = 1.0
MAX_SENDS = 3
MAX_UNDERWAY = 64
MAX_NOTED = 256
ANSWERS_KEPT_NS = 600 * NS_PER_S
"""After a command's end: a clock that was set forward and back does not make it new again."""
REPORT_S = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """The last valid reading of a signal, when it was made and when it was heard (monotonic)."""

    value: Scalar
    ts: int
    heard_ns: int


@dataclass(frozen=True, slots=True)
class _Underway:
    command: Command
    sent_ns: int
    sends: int


class _Noted(msgspec.Struct, frozen=True):
    """What was answered to a command; kept for some time after its end."""

    expires_at: int
    state: CommandState
    reason: str | None = None


_noted = msgspec.json.Decoder(dict[str, _Noted])


class CommandDesk:
    """Owns the commands of one car that are under way, and what was answered to earlier ones.

    Args:
        is_virtual: the car does not exist; see `Guard`.
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
    ) -> None:
        self._vehicle_id = vehicle_id
        self._source = source
        self._transport = transport
        self._outbox = outbox
        self._clock = clock
        self._guard = Guard(profile.limits, car=profile.map, is_virtual=is_virtual)
        self._maker = FrameMaker(profile)
        self._watched = {*self._guard.watched, *(entry.path for entry in profile.map.actuators)}
        self._readings: dict[str, Reading] = {}
        self._underway: dict[str, _Underway] = {}
        self._one_at_a_time = asyncio.Lock()
        self._note = f"commands:{vehicle_id}"
        noted = outbox.noted(self._note)
        self._answered: dict[str, _Noted] = {} if noted is None else dict(_noted.decode(noted))

    @property
    def underway(self) -> int:
        """How many commands wait for their proof."""
        return len(self._underway)

    def read(self, series: Sequence[Series]) -> None:
        """Take in what the bus says now."""
        heard_ns = self._clock.monotonic_ns()
        for one in series:
            if one.path not in self._watched or one.state[-1] != State.VALID:
                continue
            value: Scalar = one.values[-1:].tolist()[0]
            self._readings[one.path] = Reading(value, int(one.ts[-1]), heard_ns)

    async def run(self) -> None:
        """Hear and do commands until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self._transport, topics.command(self._vehicle_id), self._hear))
            group.create_task(self._watch())

    async def _hear(self, message: Message) -> None:
        try:
            command = decode_command(message.payload)
        except MalformedRecord as error:
            _log.warning("command refused reason=%s", error)
            return
        if command.vehicle_id == self._vehicle_id:
            await self._take(command)

    async def _take(self, command: Command) -> None:
        """Answer a command; do it if it was never heard before and the guard has no objection."""
        async with self._one_at_a_time:
            known = self._answered.get(command.id)
            if known is None:
                await self._begin(command)
            elif known.state is CommandState.ACCEPTED:
                await self._resume(command)
            else:
                await self._report(command.id, known.state, known.reason)

    async def _begin(self, command: Command) -> None:
        objection = self._objection(command, is_repeat=False)
        if objection is None and len(self._underway) >= MAX_UNDERWAY:
            objection = f"busy: {MAX_UNDERWAY} commands are under way"
        if objection is not None:
            await self._answer(command, CommandState.REFUSED, objection)
            return
        earlier = self._underway.pop(command.path, None)
        if earlier is not None:
            await self._answer(earlier.command, CommandState.REFUSED, _superseded_by(command))
        failure = self._note_down(command, CommandState.ACCEPTED)
        if failure is not None:
            await self._report(command.id, CommandState.REFUSED, failure)
            return
        refusal = await self._send(_Underway(command, 0, 0))
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

    def _objection(self, command: Command, *, is_repeat: bool) -> str | None:
        return self._guard.objection(
            command,
            now=self._car_now(),
            now_ns=self._clock.now_ns(),
            monotonic_ns=self._clock.monotonic_ns(),
            is_repeat=is_repeat,
        )

    def _car_now(self) -> CarNow:
        now_ns = self._clock.monotonic_ns()
        seen = {
            path: Seen(reading.value, (now_ns - reading.heard_ns) / NS_PER_S)
            for path, reading in self._readings.items()
        }
        return CarNow(seen, is_asleep=self._source.is_asleep, underway=self._underway.keys())

    async def _send(self, underway: _Underway) -> str | None:
        """Put a frame on the bus, if the guard has no objection at this very moment.

        Returns:
            Why none went out; None where one did.
        """
        command, now_ns = underway.command, self._clock.monotonic_ns()
        objection = self._objection(command, is_repeat=underway.sends > 0)
        if objection is not None:
            return objection
        try:
            frames = self._maker.frames(command.path, command.value, ts=self._clock.now_ns())
            await self._source.send(frames)
        except ContactorError as error:
            return f"not sent: {error}"
        self._guard.note_sent(command.path, now_ns)
        sent_ns = underway.sent_ns or now_ns
        self._underway[command.path] = _Underway(command, sent_ns, underway.sends + 1)
        return None

    async def _watch(self) -> None:
        """Look for proof, send again, give up at a command's end."""
        while True:
            await asyncio.sleep(LOOK_S)
            for path in list(self._underway):
                async with self._one_at_a_time:
                    underway = self._underway.get(path)
                    if underway is not None:
                        await self._look(underway)

    async def _look(self, underway: _Underway) -> None:
        command = underway.command
        reading = self._readings.get(command.path)
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
        self._note_down(command, state, reason)
        await self._report(command.id, state, reason)

    def _note_down(
        self, command: Command, state: CommandState, reason: str | None = None
    ) -> str | None:
        """Note where a command stands; why it could not be noted, None where it was."""
        _log.info("command %s id=%s path=%s", state, command.id, command.path)
        self._answered.pop(command.id, None)
        self._answered[command.id] = _Noted(command.expires_at, state, reason)
        oldest_ns = self._clock.now_ns() - ANSWERS_KEPT_NS
        kept = [(key, one) for key, one in self._answered.items() if one.expires_at > oldest_ns]
        self._answered = dict(kept[-MAX_NOTED:])
        try:
            self._outbox.note(self._note, msgspec.json.encode(self._answered).decode())
        except OutboxError as error:
            _log.error("command not noted id=%s reason=%s", command.id, error)
            failure = f"not noted: {error}"
            if state is CommandState.ACCEPTED:
                noted = _Noted(command.expires_at, CommandState.REFUSED, failure)
                self._answered[command.id] = noted
            return failure
        return None

    async def _report(self, command_id: str, state: CommandState, reason: str | None) -> None:
        """Say where a command stands; what gets lost is asked for again."""
        report = Report(self._vehicle_id, command_id, state, reason)
        with contextlib.suppress(LinkError, TimeoutError):
            async with asyncio.timeout(REPORT_S):
                await self._transport.publish(
                    topics.report(self._vehicle_id), encode_report(report)
                )


def _superseded_by(command: Command) -> str:
    return f"superseded: by command {command.id}"
