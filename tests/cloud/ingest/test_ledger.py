"""The watermark protocol: both halves against a link that loses, repeats and reorders."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.window import STANDSTILL_NS, SendWindow
from contactor.cloud.ingest.ledger import MAX_RANGES_ABOVE, StreamLedger


def take(ledger: StreamLedger, first: int, last: int) -> object:
    """Take in what of first..last is new, as the intake does."""
    parts = ledger.news(first, last)
    if parts:
        ledger.take(parts)
    return parts


def test_watermark_is_the_greatest_with_all_before_it() -> None:
    ledger = StreamLedger("leaf", 1)
    take(ledger, 1, 1)
    take(ledger, 2, 2)
    take(ledger, 4, 5)
    assert ledger.watermark == 2
    assert ledger.missing() == ((3, 3),)
    take(ledger, 3, 3)
    assert (ledger.watermark, ledger.missing()) == (5, ())


def test_repeat_is_taken_for_one() -> None:
    ledger = StreamLedger("leaf", 1)
    assert take(ledger, 1, 1) == [(1, 1)]
    assert take(ledger, 3, 3) == [(3, 3)]
    assert take(ledger, 1, 1) == []
    assert take(ledger, 3, 3) == []


def test_gap_counts_only_for_what_nobody_delivered() -> None:
    ledger = StreamLedger("leaf", 1)
    take(ledger, 1, 2)
    take(ledger, 5, 5)
    assert take(ledger, 1, 7) == [(3, 4), (6, 7)]
    assert ledger.watermark == 7


def test_too_many_holes_are_not_taken_in() -> None:
    ledger = StreamLedger("leaf", 1)
    for number in range(MAX_RANGES_ABOVE):
        assert take(ledger, 2 * number + 2, 2 * number + 2)
    assert take(ledger, 10_000, 10_000) is None
    assert take(ledger, 1, 1) == [(1, 1)]
    assert ledger.watermark == 2


def test_restored_account_is_the_committed_one() -> None:
    ledger = StreamLedger("leaf", 1, profile="p", lane="live")
    take(ledger, 1, 3)
    take(ledger, 7, 9)
    ledger.refuse("bad", 2)
    ledger.name([("Vehicle.Speed", "Vehicle.Cabin.DoorCount")])
    ledger.span(5, 9)
    assert StreamLedger.restored(ledger.state()).state() == ledger.state()


EVENTS = ("take", "take", "commit", "tell", "drop", "kill", "cut")


class Cloud:
    """A ledger with a lake behind it that may be killed between commits."""

    def __init__(self) -> None:
        self.committed = StreamLedger("leaf", 1).state()
        self.lake: list[int] = []
        self.restart()

    def restart(self) -> None:
        self.ledger = StreamLedger.restored(self.committed)
        self.buffer: list[int] = []

    def take(self, number: int) -> None:
        if take(self.ledger, number, number):
            self.buffer.append(number)

    def commit(self) -> None:
        self.lake += self.buffer
        self.buffer = []
        self.committed = self.ledger.state()


@pytest.mark.fuzz
@given(st.integers(0, 2**32), st.integers(1, 120))
def test_everything_is_stored_once_whatever_the_link_does(seed: int, total: int) -> None:
    chance = random.Random(seed)
    cloud, window, now_ns = Cloud(), SendWindow(0), 0
    link: list[int] = []
    loss = chance.choice((0.0, 0.1, 0.5))
    for step in range(4_000):
        now_ns += chance.choice((10**6, 10**8, STANDSTILL_NS // 4))
        is_calm = step > 2_500
        after, count = window.next(now_ns)
        sending = range(after + 1, min(after + min(count, chance.randint(1, 9)), total) + 1)
        if sending:
            link += [n for n in sending if is_calm or chance.random() >= loss]
            window.sent(after, sending[-1], now_ns)
        else:
            window.nothing_held(after)
        event = (
            "calm"
            if is_calm
            else chance.choice(["take", "take", "commit", "tell", "drop", "kill", "cut"])
        )
        if event in ("take", "calm") and link:
            chance.shuffle(link)
            delivered, link = link[:5], link[5:]
            link += delivered if chance.random() < 0.2 and not is_calm else []
            for number in delivered:
                cloud.take(number)
        if event in ("commit", "calm"):
            cloud.commit()
        if event in ("tell", "calm"):
            window.heard(cloud.committed.watermark, cloud.ledger.missing(), now_ns)
        if event == "drop":
            link.clear()
        if event == "kill":
            cloud.restart()
        if event == "cut":
            window.connected(now_ns)
        assert window.acknowledged <= cloud.committed.watermark
        if window.acknowledged == total:
            break
    assert sorted(cloud.lake) == list(range(1, total + 1))
