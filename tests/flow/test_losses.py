"""What is lost on purpose: the broker's store, the outbox, room in the outbox."""

import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.flow.drives import make_drives
from tests.flow.flow import Flow
from tests.flow.size import IS_WHOLE, ROUNDS, SEED
from tests.flow.stored import check

pytestmark = pytest.mark.flow


def test_broker_store_deleted_under_unacknowledged_records(tmp_path: Path) -> None:
    drives = make_drives(tmp_path, vehicles=3, count=1_000 + 800 * ROUNDS)
    with Flow(tmp_path, drives, seed=SEED) as flow:
        flow.wait_settled(0.02)
        for _ in range(ROUNDS):
            # While the cloud stands still nothing is acknowledged; the broker then loses it all,
            # and what is sent after that arrives before what was lost comes again.
            flow.signal("cloud", signal.SIGSTOP)
            time.sleep(flow.chance.uniform(0.5, 1.5))
            flow.kill("broker")
            shutil.rmtree(flow.broker_store)
            flow.start("broker")
            time.sleep(flow.chance.uniform(0.0, 0.5))
            flow.signal("cloud", signal.SIGCONT)
            time.sleep(flow.chance.uniform(0.5, 1.0))
        flow.finish()
    assert check(flow.data, drives.truth).is_empty()
    assert not flow.ended


def test_outbox_reset_of_cars_that_can_be_read_again(tmp_path: Path) -> None:
    drives = make_drives(tmp_path, vehicles=3, count=1_000 + 800 * ROUNDS)
    with Flow(tmp_path, drives, seed=SEED) as flow:
        flow.wait_settled(0.02)
        for _ in range(ROUNDS):
            time.sleep(flow.chance.uniform(0.2, 1.5))
            flow.kill("agent")
            for file in flow.outbox.parent.glob("outbox.db*"):
                file.unlink()
            flow.start("agent")
        flow.finish()
    assert check(flow.data, drives.truth).is_empty()
    assert not flow.ended


def test_older_copy_of_the_outbox_put_back(tmp_path: Path) -> None:
    drives = make_drives(tmp_path, vehicles=3, count=3_000)
    with Flow(tmp_path, drives, seed=SEED) as flow:
        flow.wait_settled(0.02)
        flow.kill("agent")
        copy = shutil.copytree(flow.outbox.parent, tmp_path / "copy")
        flow.start("agent")
        flow.wait_settled(0.2)
        flow.kill("agent")
        shutil.rmtree(flow.outbox.parent)
        shutil.copytree(copy, flow.outbox.parent)
        flow.start("agent")
        time.sleep(1.0)
        flow.finish()
    assert check(flow.data, drives.truth).is_empty()
    assert not flow.ended


BREAKS = ["broker stands still", "broker is gone", "no way to it"]


@pytest.mark.parametrize("broken", BREAKS if IS_WHOLE else BREAKS[:1])
def test_outbox_overflowing_declares_exactly_what_is_missing(tmp_path: Path, broken: str) -> None:
    drives = make_drives(tmp_path, vehicles=3, count=12_000)
    options = "--outbox-bytes 200000"
    with Flow(tmp_path, drives, seed=SEED, speed=100, options=options) as flow:
        flow.wait_settled(0.02)
        break_link(flow, broken)
        time.sleep(4.0)
        mend_link(flow, broken)
        flow.options = ""
        flow.finish()
    gaps = check(flow.data, drives.truth)
    assert not gaps.is_empty(), "the outbox never dropped anything: this test shows nothing"
    assert not flow.ended


def break_link(flow: Flow, how: str) -> None:
    if how == "broker stands still":
        flow.signal("broker", signal.SIGSTOP)
    elif how == "broker is gone":
        flow.kill("broker")
    else:
        flow.car_side.harm("stall", 4.0)
        flow.car_side.harm("refuse", 4.0)


def mend_link(flow: Flow, how: str) -> None:
    if how == "broker stands still":
        flow.signal("broker", signal.SIGCONT)
    elif how == "broker is gone":
        flow.start("broker")
