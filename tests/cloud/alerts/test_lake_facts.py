"""Early warnings out of a lake, and facts as rules hear of them."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from contactor.clock import FakeClock
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.alerts.lake_facts import LakeFacts
from contactor.cloud.alerts.warnings_told import evidence_of, warning_now
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.memory import MemoryStore
from contactor.errors import UnknownVehicle
from contactor.history.alerts.rules import FactKind, OnFact, Rule
from contactor.history.anomalies.anomaly import Kind
from contactor.history.anomalies.look import INSULATION, PACK_VOLTAGE
from contactor.history.facts import Facts
from contactor.signals.groups import Group
from tests.cloud.alerts.support import document, until
from tests.cloud.lake.samples import CELLS, DAY, T0, S, store_drive
from tests.history.alerts.test_endings import HOUR, START, charge, trip

DAYS = 10


def lake_with_a_weak_cell() -> MemoryStore:
    """Ten days, half an hour each: cell 7 falls, and the insulation of the last ten minutes."""
    store, source = MemoryStore(), np.random.default_rng(1)
    for day in range(DAYS):
        ts = [T0 + day * DAY + n * 30 * S for n in range(60)]
        volts = 3.7 + source.normal(0, 0.001, (60, 24))
        volts[:, 6] -= 0.02 * max(day - 5, 0)
        store_drive(
            store, {CELLS: [tuple(row) for row in volts.tolist()]}, ts=ts, group=Group.CELLS
        )
        is_last = day == DAYS - 1
        kohm = [30.0 if is_last and n > 40 else 5000.0 for n in range(60)]
        store_drive(store, {INSULATION: kohm}, ts=ts, group=Group.SLOW)
        store_drive(store, {PACK_VOLTAGE: [400.0] * 60}, ts=ts, group=Group.DRIVE)
    return store


def test_lake_shows_what_is_odd_about_a_car() -> None:
    clock = FakeClock(T0 + DAYS * DAY)
    source = LakeFacts(Lake(lake_with_a_weak_cell()), clock=clock)

    cell, insulation = asyncio.run(source.shown("leaf"))

    assert (cell.kind, cell.subject) == (Kind.DRIFTING_CELL, "7")
    assert (insulation.kind, insulation.since_ns) == (
        Kind.ISOLATION,
        T0 + (DAYS - 1) * DAY + 41 * 30 * S,
    )
    told = warning_now(cell)
    again = evidence_of(told.evidence)
    assert (again.ts == cell.evidence.ts).all()
    assert np.allclose(again.value, cell.evidence.value, atol=1e-6)


def test_car_of_which_nothing_is_stored_is_unknown() -> None:
    source = LakeFacts(Lake(lake_with_a_weak_cell()), clock=FakeClock(T0))

    with pytest.raises(UnknownVehicle):
        asyncio.run(source.shown("zoe"))


def test_facts_that_ended_are_told() -> None:
    facts = Facts(
        intervals=(),
        trips=(trip(),),
        charges=(charge(soc_end_pct=50, plugged_s=3600),),
        stands=(),
    )
    source = LakeFacts(
        Lake(MemoryStore()),
        clock=FakeClock(START + 3 * HOUR),
        facts=lambda _: facts,
        limit_pct=lambda _: 80.0,
    )

    ended = asyncio.run(source.ended("leaf"))

    assert [(one.fact.value, one.is_interrupted) for one in ended] == [
        ("trip", False),
        ("charge", True),
    ]


def test_trip_that_ended_is_told_by_a_running_instance(tmp_path: Path) -> None:
    """A rule of before the trip hears of it, one of after it does not."""
    store = MemoryStore()
    store_drive(store, {PACK_VOLTAGE: [400.0]}, ts=[START])
    facts = Facts(intervals=(), trips=(trip(),), charges=(), stands=())
    clock = FakeClock(START)

    async def live() -> list[str]:
        source = LakeFacts(Lake(store), clock=clock, facts=lambda _: facts)
        database = tmp_path / "contactor.sqlite3"
        alerts = Alerts.open(database, presence=Presence(), clock=clock, facts=source)
        await alerts.put(document(Rule("before", OnFact(FactKind.TRIP))))
        clock.advance(3 * 3600)
        await alerts.put(document(Rule("after", OnFact(FactKind.TRIP))))
        running = asyncio.create_task(alerts.run())
        await until(lambda: alerts.store.alerts(limit=9), "told")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        found, _ = await alerts.alerts(limit=9, before=None, is_open=True)
        await alerts.close()
        return [f"{one.rule}: {one.text}" for one in found]

    assert asyncio.run(live()) == [
        "before: A trip has ended: 40.6 km, 1 h 0 min, 6.0 kWh, now at 60 %"
    ]
