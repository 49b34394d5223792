"""What a car says of itself, and when: over the link in memory, by a clock that stands still."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from contactor.car.agent.hellos import ALIVE_S, ASK_S, KEEPALIVE_S, Hellos
from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.clock import FakeClock
from contactor.errors import LinkError
from contactor.link import topics
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.link.messages import Hello, decode_hello


class Interrupted(MemoryTransport):
    """Something happens while a hello is on its way."""

    then: Callable[[], None] = staticmethod(lambda: None)

    async def publish(self, subject: str, payload: bytes) -> None:
        await super().publish(subject, payload)
        self.then()


class Cars:
    """Two cars with a stream each, and what the cloud hears of them."""

    def __init__(self) -> None:
        self.clock, outbox = FakeClock(0), Outbox(":memory:")
        made = [outbox.open_stream(car, Lane.LIVE, profile="p") for car in ("a", "b")]
        self.streams: dict[int, Stream] = {one.stream: one for one in made}
        broker = MemoryBroker()
        self.way, self._cloud = Interrupted(broker), MemoryTransport(broker)
        self.hellos = Hellos(self.streams, outbox=outbox, transport=self.way, clock=self.clock)

    async def heard(self, saying: Callable[[], Awaitable[None]]) -> list[Hello]:
        mailbox = await self._cloud.subscribe(topics.ALL_HELLOS)
        await saying()
        found = []
        while (message := await mailbox.next(timeout_s=0.01)) is not None:
            found.append(decode_hello(message.payload))
        await mailbox.close()
        return found

    async def due(self, *, is_settling: bool = False, asking: str = "") -> list[str]:
        said = await self.heard(lambda: self.hellos.say_due(set(asking), is_settling=is_settling))
        return [one.vehicle_id for one in said]


def test_hello_is_said_again_when_it_is_time() -> None:
    async def check() -> None:
        cars = Cars()
        assert await cars.due() == ["a", "b"]
        assert await cars.due() == []
        assert await cars.due(asking="b") == ["b"]
        cars.clock.advance(ASK_S * 1.1)
        assert await cars.due() == []
        assert await cars.due(is_settling=True) == ["a", "b"]
        cars.clock.advance(KEEPALIVE_S * 1.1)
        assert await cars.due() == ["a", "b"]

    asyncio.run(check())


def test_a_car_that_is_awake_speaks_often_and_one_that_sleeps_does_not() -> None:
    async def check() -> None:
        cars = Cars()
        cars.hellos.note_asleep("a", is_asleep=False)
        cars.hellos.note_asleep("b", is_asleep=True)
        said = await cars.heard(lambda: cars.hellos.say_due(set(), is_settling=False))
        assert [(one.vehicle_id, one.asleep) for one in said] == [("a", False), ("b", True)]
        cars.clock.advance(ALIVE_S * 1.1)
        assert await cars.due() == ["a"]
        assert await cars.due() == []
        cars.hellos.note_asleep("b", is_asleep=False)  # at once, not when it is time
        assert await cars.due() == ["a", "b"]

    asyncio.run(check())


def test_a_car_is_introduced_until_it_was_said() -> None:
    async def check() -> None:
        cars = Cars()
        cars.hellos.introduce("a")
        cars.way.cut()
        with pytest.raises(LinkError):
            await cars.hellos.say_new()
        cars.way.join()
        cars.way.then = lambda: cars.hellos.introduce("b")
        assert [one.vehicle_id for one in await cars.heard(cars.hellos.say_new)] == ["a"]
        cars.way.then = lambda: None
        assert [one.vehicle_id for one in await cars.heard(cars.hellos.say_new)] == ["b"]
        assert await cars.heard(cars.hellos.say_new) == []

    asyncio.run(check())


def test_the_end_is_said_for_every_car() -> None:
    async def check() -> None:
        cars = Cars()
        said = await cars.heard(lambda: cars.hellos.say_all(closing=True))
        assert [(one.vehicle_id, one.closing, one.flush) for one in said] == [
            ("a", True, False),
            ("b", True, False),
        ]
        assert [one.streams[0].stream for one in said] == list(cars.streams)

    asyncio.run(check())
