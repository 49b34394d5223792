"""What fires when cars say something, fall silent, or are found to be odd."""

import asyncio
from pathlib import Path

import pytest

from contactor.clock import NS_PER_S, FakeClock
from contactor.cloud.alerts.channels import Ntfy
from contactor.cloud.ingest.presence import Presence
from contactor.errors import UsageError
from contactor.history.alerts.events import Anomalies, Ended, Found
from contactor.history.alerts.rules import (
    FactKind,
    OnAnomaly,
    OnFact,
    OnSignal,
    OnSilence,
    Rule,
    Severity,
)
from contactor.signals.campaign import Claim
from tests.cloud.alerts.support import CHARGE, LOW, START, charges, document, opened

HELD = Rule("held", OnSignal((Claim(CHARGE, below=15.0),), holds_s=60.0))


def texts(path: Path) -> list[str]:
    async def told() -> list[str]:
        alerts = opened(path, FakeClock(START))
        found, _ = await alerts.alerts(limit=100, before=None, is_open=False)
        await alerts.close()
        return [one.text for one in reversed(found)]

    return asyncio.run(told())


def test_rows_fire_also_between_the_newest(tmp_path: Path) -> None:
    async def live() -> None:
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        await alerts.put(document(LOW))
        alerts.watch.take_batch(charges("leaf", 0, [30, 14, 30]))
        alerts.watch.take_batch(charges("zoe", 0, [30, 30, 30]))
        await alerts.close()

    asyncio.run(live())

    assert texts(tmp_path / "a.sqlite3") == [
        f"{CHARGE.removeprefix('Vehicle.')} under 15: {CHARGE} 14 percent"
    ]


def test_rows_told_again_after_a_restart_fire_once(tmp_path: Path) -> None:
    async def live(first: int) -> None:
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        await alerts.put(document(LOW))
        for at_s, value in enumerate([30, 14, 30, 14, 30, 14][first:], first):
            alerts.watch.take_batch(charges("leaf", at_s, [value]))
        await alerts.close()

    for first in (4, 0, 0, 3):
        asyncio.run(live(first))

    assert len(texts(tmp_path / "a.sqlite3")) == 1  # the first start knew the last of them only
    asyncio.run(live(0))
    assert len(texts(tmp_path / "a.sqlite3")) == 1


def test_what_holds_fires_by_time_alone_unless_it_is_stale(tmp_path: Path) -> None:
    async def live(path: Path, stale: list[str]) -> None:
        clock = FakeClock(START)
        alerts = opened(path, clock)
        alerts.watch._stale = lambda *_: stale  # as the twin would say
        await alerts.put(document(HELD))
        alerts.watch.take_batch(charges("leaf", 0, [10]))
        for _ in range(70):
            clock.advance(1.0)
            alerts.watch.tick()
        await alerts.close()

    asyncio.run(live(tmp_path / "a.sqlite3", []))
    asyncio.run(live(tmp_path / "b.sqlite3", [CHARGE]))

    assert len(texts(tmp_path / "a.sqlite3")) == 1
    assert texts(tmp_path / "b.sqlite3") == []


def test_car_that_is_lost_fires_once(tmp_path: Path) -> None:
    async def live(*, is_first: bool) -> None:
        clock, presence = FakeClock(START), Presence()
        presence.hear_all(["leaf"], START)
        alerts = opened(tmp_path / "a.sqlite3", clock, presence)
        await alerts.put(document(Rule("lost", OnSilence(lost_s=120))))
        for _ in range(300):
            clock.advance(1.0)
            alerts.watch.tick()
        await alerts.close()

    asyncio.run(live(is_first=True))
    asyncio.run(live(is_first=False))

    assert texts(tmp_path / "a.sqlite3") == ["The car has not been heard for 2 min"]


def test_facts_and_anomalies_fire_once(tmp_path: Path) -> None:
    rules = (
        Rule("charged", OnFact(FactKind.CHARGE)),
        Rule("early", OnAnomaly(("drifting_cell",))),
    )
    weak = Found("drifting_cell", "17", START, Severity.WARNING, "cell 17 lies 48 mV low")

    async def live() -> None:
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        await alerts.put(document(*rules))
        before = Ended(
            FactKind.CHARGE, "c0", START - 9 * NS_PER_S, START - NS_PER_S, is_interrupted=False
        )
        ended = Ended(
            FactKind.CHARGE, "c1", START, START + NS_PER_S, is_interrupted=False, words="9 kWh"
        )
        for _ in range(2):
            alerts.watch.take_ended("leaf", [before, ended])
            alerts.watch.take_anomalies("leaf", Anomalies((weak,)))
        await alerts.close()

    asyncio.run(live())
    asyncio.run(live())

    assert texts(tmp_path / "a.sqlite3") == [
        "A charge has ended: 9 kWh",
        "An early warning: cell 17 lies 48 mV low",
    ]


def test_rule_is_about_its_vehicles(tmp_path: Path) -> None:
    async def live() -> None:
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        await alerts.put(document(Rule("low", LOW.on, vehicles=("leaf",))))
        for vehicle_id in ("leaf", "zoe"):
            alerts.watch.take_batch(charges(vehicle_id, 0, [10]))
        found, _ = await alerts.alerts(limit=9, before=None, is_open=False)
        assert found == []
        await alerts.watch.flush()
        found, _ = await alerts.alerts(limit=9, before=None, is_open=False)
        assert [one.vehicle_id for one in found] == ["leaf"]
        await alerts.close()

    asyncio.run(live())


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule("a", OnSignal((Claim("Vehicle.Spede", below=1.0),))), "rule a: .*Vehicle.Spede"),
        (Rule("a", OnAnomaly(("drift",))), "rule a: on.anomalies: 'drift'; allowed: drifting_cell"),
        (Rule("a", LOW.on, send_to=("phone",)), "send_to: 'phone'; allowed: mail"),
        (
            Rule("a", OnSignal((Claim(CHARGE, below=1.0, above=2.0),))),
            r"on.when\[0\]: below and above given; allowed: one",
        ),
    ],
)
def test_rule_that_cannot_be_meant_is_refused(tmp_path: Path, rule: Rule, words: str) -> None:
    async def live() -> None:
        alerts = opened(tmp_path / "a.sqlite3", FakeClock(START))
        await alerts.put(document(channels=(Ntfy("mail", "https://a.org/b"),)))
        with pytest.raises(UsageError, match=words):
            await alerts.put(document(rule))
        assert await alerts.rules() == []
        await alerts.close()

    asyncio.run(live())
