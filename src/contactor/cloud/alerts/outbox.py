"""Sends what is due: one message of each channel at a time, so that a slow one holds up no other.

outbox = Outbox(store=store, messages=messages, clock=clock)
await outbox.run()          # until cancelled
outbox.nudge()              # something new is due
"""

import asyncio
import functools
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from contactor.clock import Clock
from contactor.cloud.alerts.channels import AnyChannel
from contactor.cloud.alerts.drivers import driver_of
from contactor.cloud.alerts.message import Message, trial
from contactor.cloud.alerts.messages import Due, MessageStore, wait_s
from contactor.cloud.alerts.ports import Driver, NotDelivered
from contactor.cloud.alerts.store import AlertStore
from contactor.errors import FolderError, UnknownAlert

SENDERS = 8
LOOK_S = 1.0
RETRY_S = 5.0
PUSH_KEY = "push"

_log = logging.getLogger(__name__)


class Outbox:
    """Owns the sending; lives on one loop, its drivers on threads of its own.

    Fields:
        delivered, retried, given_up: messages since the start.

    Args:
        drivers: makes the driver of a channel; for tests.
    """

    def __init__(
        self,
        *,
        store: AlertStore,
        messages: MessageStore,
        clock: Clock,
        drivers: Callable[[AnyChannel], Driver] | None = None,
    ) -> None:
        self._store, self._messages, self._clock = store, messages, clock
        self._driver_of = drivers or self._default_driver
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="alerts")
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._failing: set[str] = set()
        self.delivered = self.retried = self.given_up = 0
        self._some = asyncio.Event()
        self._chance = random.Random()

    def nudge(self) -> None:
        """Look at once: something may be due."""
        self._some.set()

    async def run(self) -> None:
        """Send what is due, until cancelled; what is being sent then is waited for."""
        is_failing = False
        try:
            while True:
                self._some.clear()
                try:
                    await self._begin_due()
                    is_failing = False
                except FolderError as error:
                    if not is_failing:
                        _log.error("alerts wait reason=%s", error)
                    is_failing = True
                try:
                    async with asyncio.timeout(RETRY_S if is_failing else LOOK_S):
                        await self._some.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._sending.values():
                task.cancel()
            await asyncio.gather(*self._sending.values(), return_exceptions=True)
            self._senders.shutdown(wait=False, cancel_futures=True)

    async def test(self, name: str) -> Message:
        """Send a message to one channel now.

        Raises:
            UnknownAlert: there is no such channel.
            NotDelivered: it was not taken.
        """
        channel = (await asyncio.to_thread(self._store.channels)).get(name)
        if channel is None:
            raise UnknownAlert(f"no alert channel {name[:64]!r}")
        message = trial(name, self._clock.now_ns())
        await self._in_thread(self._send, channel, message)
        return message

    async def _begin_due(self) -> None:
        now_ns, busy = self._clock.now_ns(), tuple(self._sending)
        due = await asyncio.to_thread(self._messages.due, now_ns, but=busy)
        if not due:
            return
        channels = await asyncio.to_thread(self._store.channels)
        for name, one in due.items():
            task = asyncio.create_task(self._deliver(one, channels.get(name)))
            self._sending[name] = task
            task.add_done_callback(functools.partial(self._done, name))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        self._sending.pop(name, None)
        if not task.cancelled() and task.exception() is not None:
            _log.error("alert delivery failed channel=%s", name, exc_info=task.exception())
            return  # looked at again within a second, not at once
        self._some.set()

    async def _deliver(self, due: Due, channel: AnyChannel | None) -> None:
        if channel is None:
            await asyncio.to_thread(
                self._messages.failed, due, "no such channel", self._clock.now_ns(), retry_s=None
            )
            return
        await asyncio.to_thread(self._messages.attempt, due)
        try:
            await self._in_thread(self._send, channel, due.message)
        except NotDelivered as error:
            await self._failed(due, channel, error)
            return
        await asyncio.to_thread(self._messages.delivered, due, self._clock.now_ns())
        self.delivered += 1
        if channel.name in self._failing:
            self._failing.discard(channel.name)
            _log.warning("alert channel delivers again channel=%s", channel.name)

    async def _failed(self, due: Due, channel: AnyChannel, error: NotDelivered) -> None:
        retry_s = None
        if not error.is_final:
            own_s = wait_s(due.attempts + 1, part=self._chance.random())
            retry_s = max(own_s, error.retry_after_s or 0.0)
        now_ns = self._clock.now_ns()
        is_retried = await asyncio.to_thread(
            self._messages.failed, due, str(error), now_ns, retry_s=retry_s
        )
        if channel.name not in self._failing:
            self._failing.add(channel.name)
            _log.warning("alert channel fails channel=%s reason=%s", channel.name, error)
        self.retried += is_retried
        self.given_up += not is_retried
        if not is_retried:
            _log.error("alert given up id=%s channel=%s", due.alert, channel.name)
        if error.is_gone:
            _log.warning("alert channel gone, removed channel=%s", channel.name)
            self._failing.discard(channel.name)
            await asyncio.to_thread(self._store.remove_channel, channel.name)

    def _send(self, channel: AnyChannel, message: Message) -> None:
        try:
            driver = self._driver_of(channel)
        except ModuleNotFoundError as error:
            raise NotDelivered(
                f"this needs {error.name}: pip install 'contactor[alerts]'", is_final=True
            ) from error
        driver.send(message)

    def _default_driver(self, channel: AnyChannel) -> Driver:
        return driver_of(channel, push_key=self.push_key, clock=self._clock)

    def push_key(self) -> str:
        """The instance's key for push services, PEM; made once."""
        from contactor.cloud.alerts.drivers.vapid import new_key

        return self._store.key(PUSH_KEY, new_key())

    async def _in_thread(
        self, send: Callable[[AnyChannel, Message], None], channel: AnyChannel, message: Message
    ) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._senders, send, channel, message)
