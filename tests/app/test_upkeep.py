"""The upkeep behind a running cloud."""

import argparse
import asyncio
import os
from pathlib import Path

import pytest

from contactor.app.ages import ages_of_environment, tell_environment
from contactor.app.settings import add_upkeep_options
from contactor.app.upkeep import BackgroundUpkeep
from contactor.clock import SystemClock
from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.errors import UsageError
from contactor.signals.groups import Group
from tests.cloud.lake.samples import SPEED, T0, S, store_drive


def test_a_running_lake_is_put_in_order(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for number in range(5):
        store_drive(store, {SPEED: [float(number)]}, ts=[T0 + number * S])

    async def watch() -> None:
        upkeep = BackgroundUpkeep(store, ages=Ages(), clock=SystemClock(), first_s=0, period_s=0.01)
        running = asyncio.create_task(upkeep.run())
        async with asyncio.timeout(60):
            while not upkeep.done:
                await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(watch())
    drive = [part for part in store.snapshot().parts if part.group == Group.DRIVE]
    assert [part.row_count for part in drive] == [5]


def test_a_failure_of_the_upkeep_is_told_and_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = LocalStore(tmp_path)
    store_drive(store, {SPEED: [1.0]})
    for path in (tmp_path / "lake").rglob("group=drive/*/*.parquet"):
        path.write_bytes(b"torn")

    async def watch() -> None:
        upkeep = BackgroundUpkeep(store, ages=Ages(), clock=SystemClock(), first_s=0, period_s=0.01)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(upkeep.run(), 0.5)

    asyncio.run(watch())
    assert "lake upkeep failed reason=the lake" in caplog.text


def options(line: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_upkeep_options(parser)
    return parser.parse_args(line.split())


def test_ages_travel_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROWS", "MINUTES", "HOURS"):
        monkeypatch.setenv(f"CONTACTOR_KEEP_{name}_DAYS", "")
    assert ages_of_environment() == Ages()
    tell_environment(options("--keep-rows-days 30 --keep-minutes-days 365"))
    assert os.environ["CONTACTOR_KEEP_ROWS_DAYS"] == "30"
    assert ages_of_environment() == Ages(30, 365, None)
    with pytest.raises(UsageError, match="none less than the one before"):
        tell_environment(options("--keep-rows-days 30 --keep-hours-days 7"))
