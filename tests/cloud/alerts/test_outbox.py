"""What is sent, how often it is tried, and that one channel does not hold up another."""

import asyncio
import json
import threading
from contextlib import suppress
from pathlib import Path

from contactor.clock import NS_PER_S, FakeClock
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.alerts.channels import Push, Webhook
from contactor.cloud.alerts.document import Document
from tests.cloud.alerts.drivers.test_push import Browser
from tests.cloud.alerts.receivers import Receiver, receiver
from tests.cloud.alerts.support import LOW, START, charges, document, opened, until


async def fire(alerts: Alerts, asked: Document, times: int = 1) -> None:
    await alerts.put(asked)
    alerts.watch.take_batch(charges("leaf", 0, [30, 10] * times))


async def run_until(alerts: Alerts, is_so: object, why: str) -> None:
    assert callable(is_so)
    running = asyncio.create_task(alerts.run())
    try:
        await until(is_so, why)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def bodies(server: Receiver) -> list[dict[str, object]]:
    return [json.loads(one.body) for one in server.taken]


def test_alert_reaches_its_channel_once(tmp_path: Path) -> None:
    async def live(hook: str) -> None:
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        await fire(alerts, document(LOW, channels=(Webhook("hook", hook),)))
        delivered = lambda: alerts.messages.counts().get("delivered")  # noqa: E731
        await run_until(alerts, delivered, "delivered")
        await alerts.close()
        again = opened(tmp_path / "a.sqlite3", FakeClock(START))
        again.outbox.nudge()
        await run_until(again, lambda: again.messages.next_due() is None, "nothing to send")
        [one], _ = await again.alerts(limit=9, before=None, is_open=True)
        assert [(d.channel, d.state, d.attempts) for d in one.deliveries] == [
            ("hook", "delivered", 1)
        ]
        await again.close()

    with receiver() as server:
        asyncio.run(live(server.url))

    [body] = bodies(server)
    assert (body["rule"], body["vehicle_id"]) == ("low", "leaf")


def test_alert_is_tried_again_with_the_same_id(tmp_path: Path) -> None:
    async def live(server: Receiver) -> None:
        clock = FakeClock(START)
        alerts = opened(tmp_path / "a.sqlite3", clock)
        await fire(alerts, document(LOW, channels=(Webhook("hook", server.url),)))
        server.answers = [(503, {}), (500, {})]

        def look() -> object:
            clock.advance(10.0)  # longer than it waits
            alerts.outbox.nudge()
            return alerts.messages.counts().get("delivered")

        await run_until(alerts, look, "delivered in the end")
        await alerts.close()

    with receiver() as server:
        asyncio.run(live(server))

    assert len(server.taken) == 3
    assert len({one["id"] for one in bodies(server)}) == 1
    assert len({one.headers["idempotency-key"] for one in server.taken}) == 1


def test_alert_that_is_refused_is_given_up(tmp_path: Path) -> None:
    async def live(server: Receiver) -> None:
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        await fire(alerts, document(LOW, channels=(Webhook("hook", server.url),)))
        server.answers = [(400, {})]
        await run_until(alerts, lambda: alerts.messages.counts().get("failed"), "given up")
        [one], _ = await alerts.alerts(limit=9, before=None, is_open=True)
        assert str(one.deliveries[0].reason).endswith("answered 400")
        await alerts.close()

    with receiver() as server:
        asyncio.run(live(server))

    assert len(server.taken) == 1


def test_alert_is_given_up_after_a_day(tmp_path: Path) -> None:
    async def live(server: Receiver) -> None:
        clock = FakeClock(START)
        alerts = opened(tmp_path / "a.sqlite3", clock)
        await fire(alerts, document(LOW, channels=(Webhook("hook", server.url),)))
        server.answers = [(503, {})] * 1000

        def look() -> object:
            clock.advance(1800.0)
            alerts.outbox.nudge()
            return alerts.messages.counts().get("failed")

        await run_until(alerts, look, "given up")
        await alerts.close()

    with receiver() as server:
        asyncio.run(live(server))

    assert 10 < len(server.taken) < 60


def test_slow_channel_does_not_hold_up_another(tmp_path: Path) -> None:
    async def live(slow: Receiver, fast: Receiver) -> None:
        released = threading.Event()
        slow.on_taken = lambda _: released.wait(60)
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        hooks = Webhook("slow", slow.url), Webhook("fast", fast.url)
        await fire(alerts, document(LOW, channels=hooks), times=3)

        def is_there() -> bool:
            if len(fast.taken) < 3:
                return False
            released.set()
            return True

        await run_until(alerts, is_there, "all of the fast one's")
        assert len(slow.taken) == 1
        await alerts.close()

    with receiver() as slow, receiver() as fast:
        asyncio.run(live(slow, fast))

    assert [one["at"] for one in bodies(fast)] == sorted(str(one["at"]) for one in bodies(fast))


def test_browser_that_is_gone_is_no_channel_any_more(tmp_path: Path) -> None:
    async def live(server: Receiver) -> None:
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        channel: Push = Browser().channel(f"{server.url}/p")
        await fire(alerts, document(LOW, channels=(channel,)))
        server.answers = [(410, {})]
        await run_until(alerts, lambda: not alerts.store.channels(), "channel removed")
        await alerts.close()

    with receiver() as server:
        asyncio.run(live(server))


def test_message_waits_for_the_morning(tmp_path: Path) -> None:
    async def live(server: Receiver) -> None:
        clock = FakeClock(START)  # 23:13 in Berlin
        alerts = opened(tmp_path / "a.sqlite3", clock)
        body = {
            "version": 1,
            "channels": [{"kind": "webhook", "name": "hook", "url": server.url}],
            "rules": [
                {
                    "name": "low",
                    "quiet": {"from": "22:00", "to": "07:00", "zone": "Europe/Berlin"},
                    "on": {
                        "kind": "signal",
                        "when": [{"signal": "Vehicle.Speed", "above": 0}],
                    },
                }
            ],
        }
        from contactor.cloud.alerts.document import decode_document
        from tests.cloud.alerts.support import batch

        await alerts.put(decode_document(json.dumps(body).encode()))
        alerts.watch.take_batch(batch("leaf", [START], {"Vehicle.Speed": [5.0]}))
        await alerts.watch.flush()
        due = alerts.messages.next_due()
        assert due == START + (7 * 3600 + 46 * 60 + 40) * NS_PER_S
        await alerts.close()

    with receiver() as server:
        asyncio.run(live(server))
