"""A command's life over the link in memory, with a clock that a test moves."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from contactor.clock import FakeClock, to_iso
from contactor.cloud.commands.dispatcher import MAX_OPEN, Dispatcher
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.twin.events import CommandEvent
from contactor.cloud.twin.feed import Subscription
from contactor.cloud.twin.twin import Twin
from contactor.errors import CommandRefused
from contactor.link import topics
from contactor.link.command_messages import Report, decode_command, encode_report
from contactor.link.memory import MemoryBroker, MemoryTransport
from contactor.link.messages import Hello
from contactor.link.ports import Message
from contactor.signals.command import Command, CommandState
from tests.cloud.lake.samples import T0, S

LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
OTHER_LOCK = "Vehicle.Cabin.Door.Row1.PassengerSide.IsLocked"
FINAL = (CommandState.DONE, CommandState.REFUSED, CommandState.EXPIRED)

Check = Callable[["Cloud"], Awaitable[None]]


class Cloud:
    """A dispatcher over a file, that can be started again; and the car it speaks to."""

    def __init__(self, file: Path) -> None:
        self.file, self.broker, self.clock = file, MemoryBroker(), FakeClock(T0)
        self.car = MemoryTransport(self.broker)

    async def start(self) -> None:
        self.presence = Presence()
        self.twin = Twin(presence=self.presence, clock=self.clock)
        self.store = CommandStore(self.file)
        self.transport = MemoryTransport(self.broker)
        self.dispatcher = Dispatcher(
            store=self.store,
            transport=self.transport,
            twin=self.twin,
            presence=self.presence,
            clock=self.clock,
        )
        self.events: Subscription = self.twin.subscribe()

    async def stop(self) -> None:
        self.store.close()
        await self.transport.close()

    def hello(self, **how: bool) -> None:
        self.presence.greet(Hello("demo", "", (), **how), self.clock.now_ns())

    async def submit(
        self, value: bool = True, *, path: str = LOCK, expires_in_s: float = 30.0
    ) -> Command:
        return await self.dispatcher.submit(
            "demo", path, value, profile=None, expires_in_s=expires_in_s
        )

    async def pass_s(self, seconds: float) -> None:
        """Let time pass in small steps, the dispatcher at work in each."""
        for _ in range(round(seconds / 0.25)):
            self.clock.advance(0.25)
            await self.dispatcher.step()

    def report(
        self, command: Command, state: CommandState, reason: str | None = None, car: str = "demo"
    ) -> None:
        payload = encode_report(Report(car, command.id, state, reason))
        self.dispatcher.hear(Message(topics.report(car), payload))

    def now(self, command: Command) -> Command:
        return self.store.find("demo", command.id)

    def told(self) -> list[str]:
        found: list[str] = []
        while events := self.events.take():
            found += [event.state for event in events if isinstance(event, CommandEvent)]
        return found

    def desired(self) -> object:
        now = self.twin.signals("demo").get(LOCK)
        return now and now.desired


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Check], None]:
    def within(check: Check) -> None:
        async def all_of_it() -> None:
            cloud = Cloud(tmp_path / "commands.db")
            await cloud.start()
            await check(cloud)
            await cloud.stop()

        asyncio.run(all_of_it())

    return within


Run = Callable[[Check], None]


def test_command_goes_from_queued_to_done(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        cloud.hello()
        heard = await cloud.car.subscribe(topics.command("demo"))
        command = await cloud.submit()
        assert (command.state, cloud.desired(), cloud.told()) == ("queued", True, ["queued"])
        await cloud.dispatcher.step()
        message = await heard.next(0.1)
        assert message is not None
        assert decode_command(message.payload) == command
        assert (cloud.now(command).state, cloud.told()) == ("sent", ["sent"])
        cloud.report(command, CommandState.ACCEPTED)
        assert (cloud.desired(), cloud.told()) == (True, ["accepted"])
        cloud.report(command, CommandState.DONE)
        assert (cloud.now(command).state, cloud.now(command).reason) == ("done", None)
        assert (cloud.desired(), cloud.told()) == (None, ["done"])
        await cloud.pass_s(60)
        assert (cloud.now(command).state, cloud.told()) == ("done", [])

    run(check)


def test_command_is_refused_with_the_cars_reason(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        command = await cloud.submit()
        cloud.report(command, CommandState.REFUSED, "the car moves")
        assert cloud.now(command).state == "refused"
        assert cloud.now(command).reason == "the car moves"
        assert cloud.desired() is None

    run(check)


def test_command_is_sent_again_until_the_car_answers(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        cloud.hello()
        heard = await cloud.car.subscribe(topics.command("demo"))

        async def copies() -> int:
            count = 0
            while await heard.next(0.001):
                count += 1
            return count

        command = await cloud.submit()
        await cloud.dispatcher.step()
        assert await copies() == 1
        await cloud.pass_s(6)
        assert await copies() == 3
        cloud.report(command, CommandState.ACCEPTED)
        await cloud.pass_s(4)
        assert await copies() == 0
        await cloud.pass_s(6)
        assert 1 <= await copies() <= 2  # in case its report was lost
        cloud.report(command, CommandState.DONE)
        await cloud.pass_s(12)
        assert await copies() == 0

    run(check)


@pytest.mark.parametrize("how", ["never heard", "lost", "closed"])
def test_command_to_a_car_that_is_away_waits_and_expires(run: Run, how: str) -> None:
    async def check(cloud: Cloud) -> None:
        if how != "never heard":
            cloud.hello(closing=how == "closed")
        cloud.clock.advance(46)
        command = await cloud.submit(expires_in_s=10)
        await cloud.pass_s(9.75)
        assert cloud.now(command).state == "queued"
        await cloud.pass_s(0.25)
        found = cloud.now(command)
        assert found.state == "expired"
        assert found.reason == f"no answer from the car before {to_iso(T0 + 56 * S)}"
        assert cloud.desired() is None
        cloud.report(command, CommandState.DONE)
        assert cloud.now(command).state == "expired"

    run(check)


def test_car_asleep_is_sent_it(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        cloud.hello(asleep=True)
        command = await cloud.submit()
        await cloud.dispatcher.step()
        assert cloud.now(command).state == "sent"

    run(check)


def test_car_that_comes_back_is_sent_it_at_once(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        heard = await cloud.car.subscribe(topics.command("demo"))
        command = await cloud.submit()
        await cloud.dispatcher.step()
        await heard.next(0.1)
        cloud.clock.advance(0.25)
        cloud.hello()
        cloud.dispatcher.resend("demo")
        await cloud.dispatcher.step()
        assert await heard.next(0.1) is not None
        assert cloud.now(command).state == "sent"

    run(check)


def test_accepted_command_without_proof_expires(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        command = await cloud.submit(expires_in_s=5)
        cloud.report(command, CommandState.ACCEPTED)
        await cloud.pass_s(6)
        assert cloud.now(command).reason == f"no proof from the bus before {to_iso(T0 + 5 * S)}"

    run(check)


def test_report_made_in_time_counts_though_it_comes_a_moment_late(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        command = await cloud.submit(expires_in_s=5)
        cloud.report(command, CommandState.ACCEPTED)
        await cloud.pass_s(5.25)
        cloud.report(command, CommandState.DONE)
        assert cloud.now(command).state == "done"

    run(check)


def test_link_that_is_lost_delays_and_loses_nothing(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        cloud.hello()
        heard = await cloud.car.subscribe(topics.command("demo"))
        cloud.broker.disconnect()
        command = await cloud.submit()
        await cloud.pass_s(5)
        assert cloud.now(command).state == "queued"
        cloud.broker.reconnect()
        await cloud.pass_s(2)
        assert await heard.next(0.1) is not None
        assert cloud.now(command).state == "sent"

    run(check)


def test_command_outlives_a_restart(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        ended = await cloud.submit()
        cloud.report(ended, CommandState.DONE)
        command, late = await cloud.submit(), await cloud.submit(path=OTHER_LOCK, expires_in_s=1)
        await cloud.stop()
        cloud.clock.advance(2)
        await cloud.start()
        assert cloud.desired() is True
        heard = await cloud.car.subscribe(topics.command("demo"))
        await cloud.dispatcher.step()
        message = await heard.next(0.1)
        assert message is not None
        assert decode_command(message.payload).id == command.id
        states = [cloud.now(one).state for one in (command, late, ended)]
        assert states == ["queued", "expired", "done"]
        cloud.report(command, CommandState.DONE)
        assert cloud.now(command).state == "done"

    run(check)


def test_report_of_another_car_or_command_is_ignored(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        command = await cloud.submit()
        cloud.report(command, CommandState.DONE, car="elm")
        payload = encode_report(Report("demo", command.id, CommandState.DONE))
        cloud.dispatcher.hear(Message(topics.report("elm"), payload))
        cloud.dispatcher.hear(Message(topics.report("demo"), b"\x93"))
        cloud.report(command, CommandState.SENT)
        unknown = Report("demo", "0", CommandState.DONE)
        cloud.dispatcher.hear(Message(topics.report("demo"), encode_report(unknown)))
        assert cloud.now(command).state == "queued"
        assert cloud.dispatcher.reports_ignored == 5

    run(check)


def test_repeated_and_late_reports_turn_nothing_back(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        command = await cloud.submit()
        for state in (CommandState.ACCEPTED, CommandState.DONE, *FINAL, CommandState.ACCEPTED):
            cloud.report(command, state, "late")
        assert (cloud.now(command).state, cloud.now(command).reason) == ("done", None)

    run(check)


def test_desired_is_what_the_newest_open_command_asks(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        first = await cloud.submit(True)
        cloud.report(first, CommandState.ACCEPTED)
        second = await cloud.submit(False)
        assert cloud.desired() is False
        cloud.report(first, CommandState.REFUSED, "superseded")
        assert cloud.desired() is False
        cloud.report(second, CommandState.DONE)
        assert cloud.desired() is None

    run(check)


@pytest.mark.parametrize("state", ["queued", "sent"])
def test_older_command_that_waits_is_superseded(run: Run, state: str) -> None:
    async def check(cloud: Cloud) -> None:
        if state == "sent":
            cloud.hello()
        older, elsewhere = await cloud.submit(True), await cloud.submit(True, path=OTHER_LOCK)
        await cloud.dispatcher.step()
        assert cloud.now(older).state == state
        cloud.told()
        heard = await cloud.car.subscribe(topics.command("demo"))
        newer = await cloud.submit(False)
        assert cloud.now(older).state == "refused"
        assert cloud.now(older).reason == f"superseded: by command {newer.id}"
        assert cloud.told() == ["refused", "queued"]
        assert cloud.desired() is False
        cloud.hello()
        cloud.dispatcher.resend("demo")
        await cloud.pass_s(5)
        sent = set()
        while message := await heard.next(0.001):
            sent.add(decode_command(message.payload).id)
        assert sent == {newer.id, elsewhere.id}

    run(check)


def test_older_command_that_was_accepted_is_left_to_the_car(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        older = await cloud.submit(True)
        cloud.report(older, CommandState.ACCEPTED)
        newer = await cloud.submit(False)
        assert (cloud.now(older).state, cloud.now(newer).state) == ("accepted", "queued")

    run(check)


def test_open_commands_of_a_vehicle_are_limited(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        commands = [await cloud.submit() for _ in range(3)]
        assert [cloud.now(one).state for one in commands] == ["refused", "refused", "queued"]
        commands = commands[-1:]
        while len(commands) < MAX_OPEN:
            cloud.report(commands[-1], CommandState.ACCEPTED)
            commands.append(await cloud.submit())
        replaced = commands.pop()
        commands.append(await cloud.submit())  # at the limit, but in the place of another
        assert cloud.now(replaced).state == "refused"
        cloud.report(commands[-1], CommandState.ACCEPTED)
        with pytest.raises(CommandRefused, match="too many: 100 commands of demo"):
            await cloud.submit()
        await cloud.dispatcher.submit("elm", LOCK, True, profile=None)
        cloud.report(commands[0], CommandState.DONE)
        await cloud.submit()

    run(check)


def test_dispatcher_at_work_hears_and_sends_by_itself(run: Run) -> None:
    async def check(cloud: Cloud) -> None:
        heard = await cloud.car.subscribe(topics.command("demo"))
        working = asyncio.create_task(cloud.dispatcher.run())
        await asyncio.sleep(0)
        command = await cloud.submit()
        message = await heard.next(60)
        assert message is not None
        report = encode_report(Report("demo", command.id, CommandState.DONE))
        await cloud.car.publish(topics.report("demo"), report)
        async with asyncio.timeout(60):
            while cloud.now(command).state != "done":
                await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    run(check)
