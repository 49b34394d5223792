"""A history that is continued is the one found from scratch; compiled loops say the same."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.can.kernels import SWITCH, is_installed
from contactor.history.columns import Columns
from contactor.history.facts import Facts
from contactor.history.find import find, restart_ns
from tests.history.made import ALL, live

WORDS = ("park", "drive", "wait", "charge", "plug")
PLANS = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 40)), min_size=1, max_size=9).map(
    lambda plan: [f"{word} {minutes}" for word, minutes in plan]
)
NAMES = st.sets(st.sampled_from(ALL), min_size=1)


@st.composite
def broken_days(draw: st.DrawFn) -> Columns:
    """Days at any pace from any columns, with silences, unknown values, spikes and resets."""
    day = live(draw(PLANS), seed=draw(st.integers(0, 99)))
    source = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    count = len(day.seconds["is_on"])
    kept = np.ones(count, bool)
    for _ in range(draw(st.integers(0, 4))):
        begin = int(source.integers(count))
        kept[begin : begin + int(source.integers(30, 3000))] = False
    kept[int(source.integers(count))] = True
    columns = day.columns(
        every_s=draw(st.sampled_from([1, 5, 20, 60])), names=draw(NAMES), kept=kept
    )
    part = draw(st.sampled_from([0.0, 0.3, 0.95]))
    changed = {}
    for field in fields(columns):
        column = getattr(columns, field.name)
        if field.name == "ts" or column is None or len(column) == 0:
            continue
        column = column.copy()
        column[source.random(len(column)) < part] = np.nan
        for _ in range(draw(st.integers(0, 2))):
            column[int(source.integers(len(column)))] *= source.choice([0.0, 1.001, 3.0, 1e4])
        if draw(st.booleans()):  # a sensor that says the same from somewhere on
            begin = int(source.integers(len(column)))
            column[begin : begin + 900] = column[begin]
        changed[field.name] = column
    return replace(columns, **changed)


def rows_of(columns: Columns, kept: object) -> Columns:
    """Some rows of a car."""
    named = {field.name: getattr(columns, field.name) for field in fields(columns)}
    return Columns(**{name: col[kept] for name, col in named.items() if col is not None})


def joined(old: Facts, new: Facts, since: int) -> Facts:
    """What was over before an instant, and what came after it."""
    parts = {}
    for field in fields(old):
        kept = tuple(one for one in getattr(old, field.name) if one.end_ns <= since)
        parts[field.name] = kept + getattr(new, field.name)
    return Facts(**parts)


@settings(max_examples=150)
@given(broken_days(), st.floats(0, 1), st.floats(0, 0.3))
def test_continued_history_is_the_one_found_from_scratch(
    columns: Columns, at: float, late: float
) -> None:
    count = len(columns)
    if count < 2:
        return
    before = np.arange(count) < max(int(at * count), 1)
    source = np.random.default_rng(count)
    before &= source.random(count) >= late * (np.arange(count) > at * count / 2)
    if not before.any() or before.all():
        return
    old = find(rows_of(columns, before))
    changed_from_ns = int(columns.ts[~before][0])
    since = restart_ns(old, changed_from_ns)
    new = find(rows_of(columns, columns.ts >= since))
    assert joined(old, new, since) == find(columns)


def test_continuing_reads_little_of_what_was() -> None:
    day = live(["park 20", "drive 20"] * 8)
    columns = day.columns()
    facts = find(columns)
    assert restart_ns(facts, int(columns.ts[-1]) + 1) == facts.trips[-1].start_ns
    assert restart_ns(facts, facts.trips[3].end_ns) == facts.trips[2].start_ns
    assert restart_ns(facts, facts.trips[0].end_ns) < int(columns.ts[0])


@pytest.mark.skipif(not is_installed(), reason="Numba is not installed")
@settings(max_examples=60)
@given(broken_days())
def test_compiled_loops_find_the_same_facts(columns: Columns) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, "0")
        plain = find(columns)
        patch.setenv(SWITCH, "1")
        assert find(columns) == plain


@settings(max_examples=100)
@given(broken_days())
def test_facts_are_in_order_and_fill_all_time(columns: Columns) -> None:
    facts = find(columns)
    if len(columns) == 0:
        return
    for kind in (facts.intervals, facts.trips, facts.charges, facts.stands):
        for one, following in pairwise(kind):
            assert one.start_ns < one.end_ns <= following.start_ns
    if facts.intervals:
        assert facts.intervals[0].start_ns == columns.ts[0]
        assert facts.intervals[-1].end_ns == columns.ts[-1]
    pairs = pairwise(facts.intervals)
    assert all(one.end_ns == following.start_ns for one, following in pairs)
