"""A live car, which cannot say anything twice: three lanes, each a random stream."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from contactor.car.agent.outbox import Outbox
from tests.app.processes import wait_for
from tests.flow import device
from tests.flow.device import DISTANCE, LANES, ROWS, VEHICLE, values_of
from tests.flow.drives import Drives, text_of
from tests.flow.flow import ROLES, Flow
from tests.flow.size import LIVE_KILLS, SEED
from tests.flow.stored import CELL, cells, check

pytestmark = pytest.mark.flow

PAUSE_S = 0.004


def said(life: int, count: int) -> pl.DataFrame:
    """All that a life says, a row per value; with the lane and the number of its message."""
    rows = [
        (VEHICLE, "drive", ts, DISTANCE, text_of(value), lane, number)
        for lane in range(len(LANES))
        for number in range(1, count + 1)
        for ts, value in values_of(life, lane, number)
    ]
    return pl.DataFrame(rows, schema=[*CELL, "lane", "number"], orient="row")


def live_car(outbox: Path, *, life: int, count: int) -> Callable[[str, str], list[str]]:
    def command(link: str, speed: str) -> list[str]:
        pause_s = 0.0 if speed == "max" else PAUSE_S
        words = map(str, (device.__file__, outbox, link, life, count, pause_s))
        return [sys.executable, *words]

    return command


def test_live_car_and_all_it_needs_killed_at_random(tmp_path: Path) -> None:
    count = 120 * LIVE_KILLS
    truth = said(0, count).select(CELL)
    car = live_car(tmp_path / "outbox.db", life=0, count=count)
    with Flow(tmp_path, Drives((), truth), seed=SEED, agent=car) as flow:
        for number in range(LIVE_KILLS):
            time.sleep(flow.chance.uniform(0.0, 1.5))
            flow.restart(ROLES[number % len(ROLES)])
        flow.finish()
    assert check(flow.data, truth).is_empty()
    assert not flow.ended


def test_outbox_of_a_live_car_reset_loses_only_what_was_not_confirmed(tmp_path: Path) -> None:
    count, outbox = 400, tmp_path / "outbox.db"
    first, second = said(0, count), said(1, count).select(CELL)
    car = live_car(outbox, life=0, count=count)
    with Flow(tmp_path, Drives((), first), seed=SEED, agent=car) as flow:
        flow.wait_settled(0.2)
        flow.kill("agent")
        confirmed = confirmed_of(outbox)
        for file in tmp_path.glob("outbox.db*"):
            file.unlink()
        flow.agent = live_car(outbox, life=1, count=count)
        flow.start("agent")
        # What the broker still held of the first life comes before that.
        wait_for(lambda: holds(flow.data, second), timeout_s=60, why="the second life is stored")
    kept = first.join(cells(flow.data), on=CELL, how="semi")
    check(flow.data, pl.concat([kept.select(CELL), second]))
    assert set(kept.group_by("lane", "number").len()["len"]) == {ROWS}, "half a message"
    for lane, watermark in enumerate(confirmed):
        numbers = set(kept.filter(pl.col("lane") == lane)["number"])
        assert numbers >= set(range(1, watermark + 1)), "confirmed, and not stored"
    assert min(confirmed) > 0, "nothing was ever confirmed: this test shows nothing"


def holds(data: Path, produced: pl.DataFrame) -> bool:
    return produced.join(cells(data), on=CELL, how="anti").is_empty()


def confirmed_of(path: Path) -> list[int]:
    """What the cloud had confirmed of each lane."""
    outbox = Outbox(path)
    try:
        return [outbox.position(stream).acknowledged for stream in outbox.streams()]
    finally:
        outbox.close()
