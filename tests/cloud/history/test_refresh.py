"""Facts kept from refresh to refresh are those found at once, and cost what is new."""

import shutil
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.clock import NS_PER_DAY, FakeClock
from contactor.cloud.database.database import Database
from contactor.cloud.history.area import HISTORY
from contactor.cloud.history.coding import Kind
from contactor.cloud.history.documents import fact_id
from contactor.cloud.history.refresh import Refresher
from contactor.cloud.history.store import FactStore
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.ports import LakeStore
from contactor.cloud.lake.schema import RAW
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.history.facts import Facts
from contactor.history.find import find
from tests.cloud.history.stored import store_rows
from tests.history.made import START_NS, live

DAY = ["park 60", "drive 20", "park 480", "drive 20", "park 20", "charge 180", "park 660"]
WEEK = live(DAY * 7)
ROWS = WEEK.columns(
    every_s=10.0,
    names=tuple(
        set(WEEK.seconds)
        & {
            "speed_kmh",
            "latitude_deg",
            "longitude_deg",
            "odometer_m",
            "is_plugged",
            "is_charging",
            "voltage_v",
            "current_a",
            "state_of_charge_pct",
        }
    ),
)
A_DAY = 8_640
CLOCK = FakeClock(START_NS + 30 * NS_PER_DAY)


def facts_in_memory() -> FactStore:
    return FactStore(Database.open(":memory:", [HISTORY]))


def from_scratch(lake: LakeStore) -> Facts:
    store = facts_in_memory()
    Refresher(store, lake, clock=CLOCK).refresh("leaf")
    found = store.facts("leaf")
    store.close()
    return found


@pytest.fixture
def lake(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


@pytest.fixture
def facts(tmp_path: Path) -> FactStore:
    return FactStore(Database.open(tmp_path / "history.sqlite3", [HISTORY], is_derivable=True))


def test_facts_of_a_lake_are_those_of_its_columns(lake: LocalStore, facts: FactStore) -> None:
    store_rows(lake, ROWS)
    done = Refresher(facts, lake, clock=CLOCK).refresh("leaf")
    assert done.rows_read == len(ROWS)
    kept, found = facts.facts("leaf"), find(ROWS)
    assert [one.start_ns for one in kept.trips] == [one.start_ns for one in found.trips]
    assert len(kept.trips) == 14
    assert len(kept.charges) == len(found.charges) == 7
    assert kept.trips[3].energy == found.trips[3].energy
    assert kept.stands == found.stands
    assert kept.intervals == found.intervals


def test_a_second_refresh_reads_nothing(lake: LocalStore, facts: FactStore) -> None:
    store_rows(lake, ROWS)
    refresher = Refresher(facts, lake, clock=CLOCK)
    refresher.refresh("leaf")
    assert refresher.refresh("leaf").rows_read == 0


def test_rows_of_another_car_are_no_change(lake: LocalStore, facts: FactStore) -> None:
    store_rows(lake, ROWS)
    refresher = Refresher(facts, lake, clock=CLOCK)
    refresher.refresh("leaf")
    store_rows(lake, ROWS, vehicle_id="zoe")
    assert refresher.refresh("leaf").rows_read == 0


def test_a_new_day_costs_days_and_not_the_past(lake: LocalStore, facts: FactStore) -> None:
    store_rows(lake, ROWS, kept=slice(0, 6 * A_DAY))
    refresher = Refresher(facts, lake, clock=CLOCK)
    refresher.refresh("leaf")
    store_rows(lake, ROWS, kept=slice(6 * A_DAY, None))
    assert refresher.refresh("leaf").rows_read <= 5 * A_DAY
    assert facts.facts("leaf") == from_scratch(lake)


def test_late_rows_change_only_what_follows(lake: LocalStore, facts: FactStore) -> None:
    late = slice(5 * A_DAY + 3_300, 5 * A_DAY + 3_400)  # in the drive home of the sixth day
    early = np.ones(len(ROWS), bool)
    early[late] = False
    store_rows(lake, ROWS, kept=early)
    refresher = Refresher(facts, lake, clock=CLOCK)
    refresher.refresh("leaf")
    before = facts.facts("leaf").trips
    store_rows(lake, ROWS, kept=late)
    done = refresher.refresh("leaf")
    assert done.from_ns is not None
    assert 0 < done.rows_read < len(ROWS)
    after = facts.facts("leaf")
    assert after.trips[:10] == before[:10]
    assert after == from_scratch(lake)


def test_a_long_history_is_found_span_by_span(lake: LocalStore, facts: FactStore) -> None:
    store_rows(lake, ROWS)
    told: list[tuple[int, int]] = []
    refresher = Refresher(facts, lake, clock=CLOCK, span_rows=2 * A_DAY)
    refresher.refresh("leaf", on_progress=lambda done, total: told.append((done, total)))
    assert len(told) > 2
    assert told[-1][0] == told[-1][1]
    assert facts.facts("leaf") == from_scratch(lake)


def test_a_refresh_that_is_stopped_goes_on_where_it_was(lake: LocalStore, facts: FactStore) -> None:
    store_rows(lake, ROWS)
    refresher = Refresher(facts, lake, clock=CLOCK, span_rows=5 * A_DAY)
    refresher.stop()
    first = refresher.refresh("leaf").rows_read
    known = facts.known("leaf")
    assert known is not None
    assert known.dirty_ns is not None
    assert 0 < first < len(ROWS)
    assert 0 < Refresher(facts, lake, clock=CLOCK).refresh("leaf").rows_read < len(ROWS)
    assert facts.facts("leaf") == from_scratch(lake)


def test_compaction_changes_nothing(lake: LocalStore, facts: FactStore) -> None:
    for day in range(7):
        store_rows(lake, ROWS, kept=slice(day * A_DAY, (day + 1) * A_DAY))
    refresher = Refresher(facts, lake, clock=CLOCK)
    refresher.refresh("leaf")
    Upkeep(lake, ages=Ages()).run(now_ns=CLOCK.now_ns(), is_thorough=True)
    assert refresher.refresh("leaf").rows_read == 0


def test_facts_of_rows_that_are_let_go_stay(lake: LocalStore, facts: FactStore) -> None:
    store_rows(lake, ROWS)
    refresher = Refresher(facts, lake, clock=CLOCK)
    refresher.refresh("leaf")
    before = facts.facts("leaf")
    now_ns = START_NS + 7 * NS_PER_DAY
    Upkeep(lake, ages=Ages(4)).run(now_ns=now_ns, is_thorough=True)
    kept_from = lake.snapshot().kept_from[RAW]
    assert kept_from > date(2026, 1, 2)
    refresher.refresh("leaf")
    assert facts.facts("leaf").trips == before.trips
    refresher.rebuild("leaf")
    rebuilt = facts.facts("leaf")
    assert [fact_id("leaf", one) for one in rebuilt.trips] == [
        fact_id("leaf", one) for one in before.trips
    ]
    assert [one.start_ns for one in rebuilt.charges] == [one.start_ns for one in before.charges]


def test_a_lost_file_is_made_anew_with_the_same_ids(lake: LocalStore, tmp_path: Path) -> None:
    store_rows(lake, ROWS)
    ids = []
    for _ in range(2):
        folder = tmp_path / "facts"
        folder.mkdir()
        store = FactStore(Database.open(folder / "f.sqlite3", [HISTORY], is_derivable=True))
        Refresher(store, lake, clock=CLOCK).refresh("leaf")
        ids.append([fact_id("leaf", trip) for trip in store.facts("leaf").trips])
        store.close()
        shutil.rmtree(folder)
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 14


def test_an_erased_vehicle_leaves_no_byte(
    lake: LocalStore, facts: FactStore, tmp_path: Path
) -> None:
    store_rows(lake, ROWS, vehicle_id="forget-me")
    Refresher(facts, lake, clock=CLOCK).refresh("forget-me")
    assert facts.erase("forget-me") > 14
    facts.close()
    assert facts.vehicles() == []
    facts.close()
    assert all(b"forget-me" not in path.read_bytes() for path in tmp_path.glob("history.sqlite3*"))


def test_battery_evidence_lies_in_stretches_without_overlap(
    lake: LocalStore, facts: FactStore
) -> None:
    store_rows(lake, ROWS, kept=slice(0, 5 * A_DAY))
    refresher = Refresher(facts, lake, clock=CLOCK)
    refresher.refresh("leaf")
    store_rows(lake, ROWS, kept=slice(5 * A_DAY, None))
    refresher.refresh("leaf")
    spans = sorted(
        (one.start_ns, one.end_ns) for one in facts.all_coded("leaf") if one.kind is Kind.EVIDENCE
    )
    assert len(spans) > 1
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert sum(len(one.windows) for one in facts.evidence("leaf")) > 0


@settings(max_examples=5)
@given(st.lists(st.integers(1, len(ROWS) - 1), min_size=1, max_size=4), st.randoms())
def test_rows_in_any_order_tell_the_same(cuts: list[int], random: object) -> None:
    lake, facts = MemoryStore(), facts_in_memory()
    refresher = Refresher(facts, lake, clock=CLOCK)
    edges = [0, *sorted(set(cuts)), len(ROWS)]
    slices = list(pairwise(edges))
    random.shuffle(slices)  # type: ignore[attr-defined]  # hypothesis' own
    for start, end in slices:
        store_rows(lake, ROWS, kept=slice(start, end))
        refresher.refresh("leaf")
    assert facts.facts("leaf") == from_scratch(lake)
    facts.close()
