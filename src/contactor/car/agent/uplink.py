"""Carries the outbox to the cloud: sends, listens for watermarks, sends again.

A message leaves the outbox only when the cloud's watermark has passed it; the broker's own
acknowledgement merely paces the sender (`SendWindow` has the rules; `Hellos` asks the cloud). What
is urgent goes first, then live rows, then the backlog; what is handed over at once is little on a
slow link (`Pace`), so that nothing urgent waits long. The codebook that a message needs goes ahead
of it: once in each round of sending, and whenever the cloud asks.

    uplink = Uplink(outbox=outbox, transport=transport, clock=SystemClock())
    uplink.carry(stream)
    async with asyncio.TaskGroup() as group:
        group.create_task(uplink.run())
        outbox.append(stream, batches)
        uplink.wake()
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Sequence

from contactor.car.agent.hellos import Hellos
from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.car.agent.outbox_messages import HeldMessage
from contactor.car.agent.pace import Pace
from contactor.car.agent.window import MAX_IN_FLIGHT, SendWindow
from contactor.clock import NS_PER_S, Clock
from contactor.errors import ContactorError, LinkError, MalformedRecord, OutboxError
from contactor.link import topics
from contactor.link.messages import Watermark, decode_watermark
from contactor.link.ports import Subscription, Transport
from contactor.signals.record import Rows

SEND_AT_ONCE = 64
IDLE_S = 0.25
RETRY_S = 0.2
WRITE_AGAIN_S = 1.0
ROOM_POLL_S = 0.05
DRAINING_ASK_S = 0.1
LOST_BY_CLOUD = "stored once and lost by the cloud; no longer held by the car"

_log = logging.getLogger(__name__)


class Uplink:
    """One agent's sender for all of its streams.

    Args:
        max_in_flight: messages of a stream that may be out unconfirmed.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        transport: Transport,
        clock: Clock,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._streams: dict[int, Stream] = {}
        self._hellos = Hellos(self._streams, outbox=outbox, transport=transport, clock=clock)
        self._windows: dict[int, SendWindow] = {}
        self._watermarks: dict[int, Watermark] = {}
        self._unsettled: dict[int, int] = {}
        self._told: dict[int, tuple[int, set[int]]] = {}
        self._codebook_wanted: set[int] = set()
        self._codebooks_sent = 0
        self._pace = Pace()
        self._turns: Counter[Lane] = Counter()
        self._fresh: set[Lane] = set()
        self._nothing_after: dict[tuple[str, Lane], tuple[int, int]] = {}
        self._awake = asyncio.Event()
        self._moved = asyncio.Event()
        self._run_id = secrets.token_hex(4)
        self._connects = 0
        self._group: asyncio.TaskGroup | None = None
        self._listened: set[str] = set()
        self._is_failing = False

    def carry(self, stream: Stream) -> None:
        """Take on a stream of the outbox; one that is carried already goes on.

        Nothing of it is sent until the cloud has said what it has: it may know more of the stream
        than the outbox does.
        """
        if stream.stream in self._streams:
            self.wake()
            return
        position = self._outbox.position(stream)
        self._streams[stream.stream] = stream
        self._unsettled[stream.stream] = position.last
        self._open_window(stream, position.acknowledged)
        self._hellos.introduce(stream.vehicle_id)
        self._listen_for(stream.vehicle_id)
        self.wake()

    async def room(self) -> None:
        """Wait until the outbox takes more from a source that can wait: nothing is dropped."""
        while self._outbox.is_half_full:
            await asyncio.sleep(ROOM_POLL_S)

    async def append(self, stream: Stream, batches: Sequence[tuple[Rows, ...]]) -> None:
        """Put records into the outbox and on their way; while it cannot be written, wait."""
        is_failing = False
        while True:
            try:
                self.append_now(stream, batches)
            except OutboxError as error:
                if not is_failing:
                    _log.error("outbox cannot be written, waiting reason=%s", error)
                is_failing = True
                await asyncio.sleep(WRITE_AGAIN_S)
            else:
                break
        if is_failing:
            _log.warning("outbox can be written again")

    def append_now(self, stream: Stream, batches: Sequence[tuple[Rows, ...]]) -> None:
        """Put records into the outbox and on their way.

        Raises:
            OutboxError: it cannot be written; nothing was added.
        """
        self._outbox.append(stream, batches)
        self._fresh.add(stream.lane)
        self._look_again(stream)

    def tell_asleep(self, vehicle_id: str, *, is_asleep: bool) -> None:
        """The car fell asleep or woke: tell the cloud now, not with the next hello."""
        self._hellos.note_asleep(vehicle_id, is_asleep=is_asleep)
        self.wake()

    def wake(self) -> None:
        """There may be something new to send, in any stream."""
        self._fresh.update(Lane)
        self._nothing_after.clear()
        self._awake.set()

    def _look_again(self, stream: Stream) -> None:
        """There may be something to send in this stream, or in the one in its place."""
        self._nothing_after.pop((stream.vehicle_id, stream.lane), None)
        self._awake.set()

    async def run(self) -> None:
        """Send and listen until cancelled; a lost link is waited for without end."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for stream in self._streams.values():
                self._listen_for(stream.vehicle_id)
            group.create_task(self._send())

    def _listen_for(self, vehicle_id: str) -> None:
        """Hear what the cloud says to a vehicle, from now on and once."""
        if self._group is not None and vehicle_id not in self._listened:
            self._listened.add(vehicle_id)
            self._group.create_task(self._listen(vehicle_id))

    async def watermark(self, stream: Stream, timeout_s: float) -> Watermark:
        """What the cloud says of the stream now.

        Raises:
            LinkError: it did not say anything in time.
        """
        self._watermarks.pop(stream.stream, None)
        deadline = asyncio.get_running_loop().time() + timeout_s
        patience_s = 0.05
        while stream.stream not in self._watermarks:
            await self._greet_quietly({stream.vehicle_id})
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise LinkError(f"the cloud did not answer within {timeout_s:g} s")
            await self._wait_moved(min(patience_s, left))
            patience_s = min(2 * patience_s, 1.0)
        return self._watermarks[stream.stream]

    async def drained(self, stream: Stream, still_s: float) -> Watermark:
        """Wait until the cloud has stored all that the outbox holds of the stream.

        Raises:
            LinkError: the watermark stood still for `still_s`.
        """
        loop = asyncio.get_running_loop()
        reached, since, greeted = -1, loop.time(), 0.0
        while True:
            position = self._outbox.position(stream)
            if position.acknowledged >= position.last and stream.stream in self._watermarks:
                return self._watermarks[stream.stream]
            if position.acknowledged > reached:
                reached, since = position.acknowledged, loop.time()
            if loop.time() - since > still_s:
                raise LinkError(
                    f"the cloud stored {reached} of {position.last} messages, then nothing"
                    f" for {still_s:g} s"
                )
            if loop.time() - greeted > DRAINING_ASK_S:
                greeted = loop.time()
                await self._greet_quietly({stream.vehicle_id}, flush=self._is_all_sent(stream))
            await self._wait_moved(DRAINING_ASK_S)

    def _is_all_sent(self, stream: Stream) -> bool:
        window = self._windows[stream.stream]
        return window.cursor >= self._outbox.position(stream).last

    async def close(self) -> None:
        """Tell the cloud that this is a clean end."""
        try:
            await self._hellos.say_all(closing=True)
        except (LinkError, OutboxError) as error:
            self._failed(error)

    async def _send(self) -> None:
        while True:
            self._awake.clear()
            try:
                has_sent = await self._send_round()
                self._recovered()
            except (LinkError, OutboxError) as error:
                self._failed(error)
                await asyncio.sleep(RETRY_S)
                continue
            if not has_sent:
                await _wait(self._awake, IDLE_S)

    async def _send_round(self) -> bool:
        """One turn over all streams; whether anything was sent."""
        await self._transport.wait_connected(timeout_s=5.0)
        if self._transport.connects != self._connects:
            self._connects = self._transport.connects
            self._pace = Pace()  # the way to the broker may be another one
            for window in self._windows.values():
                window.connected(self._clock.monotonic_ns())
            await self._hellos.say_all()
        await self._hellos.say_new()
        try:
            has_sent = await self._send_lanes()
        finally:
            # Also where the broker takes nothing: the cloud hears that there is more to come.
            await self._say_due()
        return has_sent

    async def _send_lanes(self) -> bool:
        """One turn over the most urgent lane that has anything to send; whether any was sent.

        It ends where a more urgent lane has got something meanwhile.
        """
        above: set[Lane] = set()
        for lane in Lane:
            self._fresh.discard(lane)
            streams = [one for one in self._streams.values() if one.lane is lane]
            first = self._turns[lane] % max(len(streams), 1)
            has_sent = False
            for stream in [*streams[first:], *streams[:first]]:
                if self._fresh & above:
                    self._turns[lane] += 1
                    return True
                has_sent |= await self._send_some(stream)
            if has_sent:
                return True
            above.add(lane)
        return False

    async def _say_due(self) -> None:
        now_ns = self._clock.monotonic_ns()
        asking = {
            stream.vehicle_id
            for number, stream in self._streams.items()
            if self._windows[number].should_ask(now_ns)
        }
        await self._hellos.say_due(asking, is_settling=bool(self._unsettled))

    async def _send_some(self, stream: Stream) -> bool:
        if stream.stream in self._unsettled:
            return False
        if stream.stream in self._codebook_wanted:
            for payload in self._outbox.codebooks(stream).values():
                await self._put_codebook(stream, payload)
            self._codebook_wanted.discard(stream.stream)
        window = self._windows[stream.stream]
        after, count = window.next(self._clock.monotonic_ns())
        place = (stream.vehicle_id, stream.lane)
        if not count or self._nothing_after.get(place) == (stream.stream, after):
            return False
        held = self._outbox.held(stream, after=after, limit=min(count, SEND_AT_ONCE))
        messages = self._pace.chunk(held, size=lambda one: len(one.payload))
        if not messages:
            window.nothing_held(after)
            self._nothing_after[place] = (stream.stream, after)
            return False
        await self._tell_codebooks(stream, messages, window.round)
        began_ns = self._clock.monotonic_ns()
        results = await asyncio.gather(
            *(self._put(stream, message, window.round) for message in messages),
            return_exceptions=True,
        )
        self._took(sum(len(message.payload) for message in messages), began_ns)
        last = after
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, BaseException):
                window.sent(after, last, self._clock.monotonic_ns())
                raise result
            last = message.last
        window.sent(after, last, self._clock.monotonic_ns())
        return True

    async def _tell_codebooks(
        self, stream: Stream, messages: Sequence[HeldMessage], sending_round: int
    ) -> None:
        """Send what the cloud needs to read these messages, unless it was sent in this round."""
        told_round, told = self._told.get(stream.stream, (sending_round, set()))
        if told_round != sending_round:
            told = set()
        needed = {one.codebook_id for one in messages if one.codebook_id is not None}
        if needed - told:
            for codebook_id, payload in self._outbox.codebooks(stream).items():
                if codebook_id in needed - told:
                    await self._put_codebook(stream, payload)
        self._told[stream.stream] = (sending_round, told | needed)

    async def _put_codebook(self, stream: Stream, payload: bytes) -> None:
        self._codebooks_sent += 1
        began_ns = self._clock.monotonic_ns()
        await self._transport.put(
            topics.uplink(stream.vehicle_id),
            payload,
            message_id=f"{self._run_id}-{stream.stream:016x}-codebook-{self._codebooks_sent}",
        )
        self._took(len(payload), began_ns)

    def _took(self, sent_bytes: int, began_ns: int) -> None:
        self._pace.took(sent_bytes, (self._clock.monotonic_ns() - began_ns) / NS_PER_S)

    async def _put(self, stream: Stream, message: HeldMessage, sending_round: int) -> None:
        await self._transport.put(
            topics.uplink(stream.vehicle_id),
            message.payload,
            message_id=f"{self._run_id}-{stream.stream:016x}-{message.sequence}-{sending_round}",
        )

    async def _listen(self, vehicle_id: str) -> None:
        subscription = await self._subscribe(vehicle_id)
        try:
            while True:
                message = await subscription.next(timeout_s=60.0)
                if message is None:
                    continue
                try:
                    self._hear(decode_watermark(message.payload))
                except MalformedRecord as error:
                    _log.warning("watermark refused reason=%s", error)
                except OutboxError as error:
                    self._failed(error)
        finally:
            await subscription.close()

    async def _subscribe(self, vehicle_id: str) -> Subscription:
        while True:
            try:
                return await self._transport.subscribe(topics.watermark(vehicle_id))
            except LinkError as error:
                self._failed(error)
                await asyncio.sleep(RETRY_S)

    def _hear(self, watermark: Watermark) -> None:
        stream = self._streams.get(watermark.stream)
        if stream is None or watermark.vehicle_id != stream.vehicle_id:
            return
        made = self._unsettled.pop(stream.stream, None)
        if made is not None and watermark.watermark > made:
            renewed = self._outbox.renew(stream)
            if renewed != stream:
                del self._streams[stream.stream], self._windows[stream.stream]
                self.carry(renewed)
                return
        window = self._windows[stream.stream]
        if watermark.watermark < window.acknowledged:
            self._start_over(stream, watermark)
        else:
            self._outbox.acknowledge(stream, watermark.watermark)
            window.heard(watermark.watermark, watermark.missing, self._clock.monotonic_ns())
        self._watermarks[stream.stream] = watermark
        if watermark.needs_codebook:
            self._codebook_wanted.add(stream.stream)
        self._moved.set()
        self._look_again(stream)

    def _start_over(self, stream: Stream, watermark: Watermark) -> None:
        """The cloud has less than it once confirmed: say what nobody has any more."""
        held_from = self._outbox.position(stream).first
        if watermark.watermark + 1 < held_from:
            lost = (watermark.watermark + 1, held_from - 1)
            self._outbox.declare_lost(stream, *lost, LOST_BY_CLOUD)
            _log.warning("cloud lost messages first=%s last=%s", *lost)
        self._open_window(stream, watermark.watermark)

    def _open_window(self, stream: Stream, acknowledged: int) -> None:
        window = SendWindow(acknowledged, max_in_flight=self._max_in_flight)
        self._windows[stream.stream] = window
        self._told.pop(stream.stream, None)

    async def _greet_quietly(self, vehicle_ids: set[str], *, flush: bool = False) -> None:
        try:
            await self._hellos.say(vehicle_ids, flush=flush)
        except (LinkError, OutboxError) as error:
            self._failed(error)

    async def _wait_moved(self, timeout_s: float) -> None:
        self._moved.clear()
        await _wait(self._moved, timeout_s)

    def _failed(self, error: ContactorError) -> None:
        if not self._is_failing:
            _log.warning("sending stopped reason=%s", error)
        self._is_failing = True

    def _recovered(self) -> None:
        if self._is_failing:
            _log.warning("sending goes on")
        self._is_failing = False


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    """Wait for the event, at most so long."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
