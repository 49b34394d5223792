"""The rows of one campaign: before, around and after a trigger, within its allowance."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.campaigns import recorder as module
from contactor.car.agent.campaigns.recorder import CampaignRecorder, Kept
from contactor.signals.campaign import Campaign, CampaignState, Claim
from contactor.signals.groups import Group
from contactor.signals.record import Rows
from tests.car.agent.campaigns.readings import CELLS, LOWEST, S, read

END_S = 100_000
LOW = Claim(LOWEST, below=3.0)


def campaign(**changed: object) -> Campaign:
    asked: dict[str, object] = {
        "id": "c",
        "name": "low",
        "signals": (LOWEST,),
        "rate_hz": 10.0,
        "until": END_S * S,
        "when": (LOW,),
        "before_s": 30.0,
        "after_s": 5.0,
    }
    return Campaign(**{**asked, **changed})


def recorder(asked: Campaign, kept: Kept | None = None) -> CampaignRecorder:
    return CampaignRecorder(asked, stale_ns=lambda _: 10 * S, kept=kept)


def volts(start_s: float, end_s: float, value: float) -> list[tuple[float, float]]:
    """Readings twice a second."""
    return [(at_s / 2, value) for at_s in range(round(start_s * 2), round(end_s * 2))]


def feed(one: CampaignRecorder, readings: Sequence[tuple[float, float]]) -> list[Rows]:
    """Hand over the readings a second at a time."""
    rows, rest = [], list(readings)
    while rest:
        second = rest[0][0] // 1
        part = [item for item in rest if item[0] // 1 == second]
        rest = rest[len(part) :]
        rows += one.feed({LOWEST: read(LOWEST, part)}, round(part[-1][0] * S))
    return rows


def ticks_s(rows: Sequence[Rows]) -> list[float]:
    return [ts / S for one in rows for ts in one.ts.tolist()]


def test_rows_begin_before_the_trigger_and_end_after_it() -> None:
    one = recorder(campaign())
    assert feed(one, volts(0, 60, 3.5)) == []
    rows = feed(one, [*volts(60, 61, 2.9), *volts(61, 90, 3.5)])
    found = ticks_s(rows)
    assert (found[0], found[-1], len(found)) == (30.0, 65.0, 351)
    assert np.allclose(np.diff(found), 0.1)
    assert {rows_of.group for rows_of in rows} == {Group.FAST}
    assert one.progress(90 * S).triggered == 1
    assert one.progress(90 * S).state is CampaignState.ACCEPTED


def test_cell_holds_the_last_reading() -> None:
    one = recorder(campaign(before_s=2.0, after_s=1.0))
    rows = feed(one, [*volts(0, 10, 3.5), *volts(10, 11, 2.9), *volts(11, 14, 3.2)])
    cells = dict(
        zip(ticks_s(rows), (v for one in rows for v in one.columns[0].values), strict=True)
    )
    assert (cells[9.9], cells[10.0], cells[10.9]) == (
        np.float32(3.5),
        np.float32(2.9),
        np.float32(2.9),
    )
    assert cells[11.0] == np.float32(3.2)


def test_second_trigger_makes_the_window_longer_and_no_row_twice() -> None:
    one = recorder(campaign())
    feed(one, volts(0, 40, 3.5))
    rows = feed(one, [*volts(40, 41, 2.9), *volts(41, 43, 3.5), *volts(43, 44, 2.9)])
    rows += feed(one, volts(44, 60, 3.5))
    found = ticks_s(rows)
    assert (found[0], found[-1]) == (10.0, 48.0)
    assert np.allclose(np.diff(found), 0.1)
    assert one.progress(0).triggered == 2


def test_trigger_soon_after_a_window_goes_on_where_that_ended() -> None:
    one = recorder(campaign())
    rows = feed(one, [*volts(0, 40, 3.5), *volts(40, 41, 2.9), *volts(41, 50, 3.5)])
    rows += feed(one, [*volts(50, 51, 2.9), *volts(51, 60, 3.5)])
    assert np.allclose(np.diff(ticks_s(rows)), 0.1)


def test_campaign_without_condition_records_until_its_end() -> None:
    one = recorder(campaign(when=(), before_s=0.0, after_s=0.0, until=20 * S, rate_hz=1.0))
    rows = feed(one, volts(5, 40, 3.5))
    found = ticks_s(rows)
    assert found == [float(at_s) for at_s in range(int(found[0]), 20)]
    assert found[0] in {5.0, 6.0}
    assert one.progress(20 * S).state is CampaignState.ENDED


def test_rows_beyond_the_allowance_of_a_day_are_dropped_and_counted() -> None:
    one = recorder(campaign(max_rows_per_day=100))
    rows = feed(one, [*volts(0, 60, 3.5), *volts(60, 61, 2.9), *volts(61, 90, 3.5)])
    assert len(ticks_s(rows)) == 100
    progress = one.progress(90 * S)
    assert (progress.rows, progress.dropped) == (100, 251)
    late = 86_400
    rows = feed(one, [*volts(late, late + 40, 3.5), *volts(late + 40, late + 41, 2.9)])
    rows += feed(one, volts(late + 41, late + 60, 3.5))
    assert len(ticks_s(rows)) == 100


def test_window_under_way_goes_on_after_a_restart() -> None:
    one = recorder(campaign(after_s=20.0))
    first = feed(one, [*volts(0, 40, 3.5), *volts(40, 50, 2.9)])
    again = recorder(campaign(after_s=20.0), one.kept)
    rows = feed(again, volts(52, 80, 2.9))
    assert again.progress(0).triggered == 1
    found = ticks_s(rows)
    assert ticks_s(first)[-1] < found[0] <= 52.6
    assert found[-1] == 60.0


def test_readings_before_a_trigger_are_bounded(monkeypatch) -> None:
    monkeypatch.setattr(module, "RING_BYTES", 3_000)
    one = recorder(campaign())
    feed(one, volts(0, 60, 3.5))
    assert one._ring_bytes <= 3_000
    rows = feed(one, [*volts(60, 61, 2.9), *volts(61, 70, 3.5)])
    assert 30.0 < ticks_s(rows)[0] < 60.0


def test_lists_are_recorded_as_they_came() -> None:
    one = recorder(campaign(signals=(CELLS,), before_s=1.0, after_s=0.0))
    cells = read(CELLS, [(9.0, (3.5, 3.6)), (9.5, (3.5, 3.4)), (10.0, (3.5, 2.9))])
    low = read(LOWEST, [(9.0, 3.5), (10.0, 2.9)])
    assert list(one.feed({CELLS: cells, LOWEST: low}, 10 * S)) != []
    rows = list(one.feed({LOWEST: read(LOWEST, [(11.0, 3.5)])}, 11 * S))
    assert [one.columns[0].to_list() for one in rows] == [[(3.5, 2.9)]]


@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_rows_are_those_of_the_windows_each_once(
    spells: Sequence[tuple[int, bool]], before_s: int, after_s: int
) -> None:
    """Whatever happens: ticks in order, none twice, exactly those within before and after."""
    one = recorder(campaign(before_s=float(before_s), after_s=float(after_s), rate_hz=1.0))
    readings, at_s, triggers, was_low = [(0.0, 3.5)], 1, [], False
    for length, is_low in spells:
        if is_low and not was_low:
            triggers.append(at_s)
        readings += [(float(at_s + n), 2.9 if is_low else 3.5) for n in range(length)]
        at_s, was_low = at_s + length, is_low
    readings += [(float(at_s + n), 3.5) for n in range(after_s + 2)]
    rows = [
        row
        for at, volt in readings
        for row in one.feed({LOWEST: read(LOWEST, [(at, volt)])}, round(at * S))
    ]
    wanted = {
        tick
        for trigger in triggers
        for tick in range(max(trigger - before_s, 0), trigger + after_s + 1)
    }
    assert ticks_s(rows) == sorted(wanted)
