"""What a car says of itself: what it holds, whether it sleeps, that it is still there.

Hello is said at once where something is new (a link, a stream, sleep), often while an answer is
missing, and now and then in any case. The cloud answers with its watermarks.

    hellos = Hellos(streams, outbox=outbox, transport=transport, clock=clock)
    hellos.introduce("leaf")                        # with the next `say_new`
    await hellos.say_due({"leaf"}, is_settling=True)
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet

from contactor.car.agent.outbox import Outbox, Stream
from contactor.clock import NS_PER_S, Clock
from contactor.link import topics
from contactor.link.messages import Hello, StreamHello, encode_hello
from contactor.link.ports import Transport

STREAMS_AT_ONCE = 512
KEEPALIVE_S = 15.0
ALIVE_S = 4.0
"""A live car that is awake speaks this often: only then does no new row mean no change."""
ASK_S = 0.5

_LONG_AGO = -(2**62)


class Hellos:
    """Says hello for all cars of an agent.

    Args:
        streams: those that are carried now, by number; read anew each time.
    """

    def __init__(
        self, streams: Mapping[int, Stream], *, outbox: Outbox, transport: Transport, clock: Clock
    ) -> None:
        self._streams, self._outbox = streams, outbox
        self._transport, self._clock = transport, clock
        self._new: set[str] = set()
        self._asleep: set[str] = set()
        self._awake: set[str] = set()
        self._said_ns = self._alive_ns = _LONG_AGO

    def introduce(self, vehicle_id: str) -> None:
        """A stream of the car is new: the cloud is to say what it has of it."""
        self._new.add(vehicle_id)

    def note_asleep(self, vehicle_id: str, *, is_asleep: bool) -> None:
        """The car fell asleep or woke: hello is due for all."""
        now_in, now_out = self._awake, self._asleep
        if is_asleep:
            now_in, now_out = now_out, now_in
        now_in.add(vehicle_id)
        now_out.discard(vehicle_id)
        self._said_ns = _LONG_AGO

    async def say_all(self, *, closing: bool = False) -> None:
        """Say hello for every car.

        Args:
            closing: whether this is a clean end.

        Raises:
            LinkError: the link is down.
            OutboxError: it cannot be read.
            So does every method that says hello.
        """
        await self.say({one.vehicle_id for one in self._streams.values()}, closing=closing)

    async def say_new(self) -> None:
        """Say hello for the cars that were introduced, until it was said."""
        new = set(self._new)
        if new:
            await self.say(new)
            self._new -= new

    async def say_due(self, asking: AbstractSet[str], *, is_settling: bool) -> None:
        """Say hello for the cars that should by now.

        Args:
            asking: those that miss an answer.
            is_settling: whether the cloud has still to say what it has of a stream.
        """
        now_ns = self._clock.monotonic_ns()
        due = set(asking)
        if now_ns - self._said_ns > (ASK_S if is_settling else KEEPALIVE_S) * NS_PER_S:
            due = {stream.vehicle_id for stream in self._streams.values()}
        elif now_ns - self._alive_ns > ALIVE_S * NS_PER_S:
            due |= self._awake
        if due >= self._awake:
            self._alive_ns = now_ns
        await self.say(due)

    async def say(
        self, vehicle_ids: Collection[str], *, flush: bool = False, closing: bool = False
    ) -> None:
        """Tell the cloud what is held here of these cars.

        Args:
            flush: whether the cloud is to store at once what it has taken.
        """
        by_vehicle: dict[str, list[Stream]] = defaultdict(list)
        for stream in self._streams.values():
            by_vehicle[stream.vehicle_id].append(stream)
        for vehicle_id in sorted(vehicle_ids):
            for streams in _batched(by_vehicle[vehicle_id], STREAMS_AT_ONCE):
                hello = Hello(
                    vehicle_id=vehicle_id,
                    profile=streams[-1].profile,
                    streams=tuple(self._told(stream) for stream in streams),
                    flush=flush,
                    closing=closing,
                    asleep=vehicle_id in self._asleep,
                )
                await self._transport.publish(topics.hello(vehicle_id), encode_hello(hello))
        if by_vehicle.keys() <= set(vehicle_ids):
            self._said_ns = self._clock.monotonic_ns()

    def _told(self, stream: Stream) -> StreamHello:
        position = self._outbox.position(stream)
        return StreamHello(stream.stream, stream.lane, position.first, position.last)


def _batched(streams: list[Stream], size: int) -> Iterator[list[Stream]]:
    for start in range(0, len(streams), size):
        yield streams[start : start + size]
