"""Nothing recorded is lost or doubled: real processes, killed -9 at random moments.

A car counts 1, 2, 3, ...; whatever is killed, emptied or filled meanwhile, the lake holds each
number exactly once, less exactly the numbers declared as gaps.
"""

import contextlib
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

import contactor
from contactor.errors import ContactorError
from tests.app.counting import COUNT, STEP_MS, make_log, make_profile, ts_of
from tests.app.processes import RunningInstance, running, wait_for

pytestmark = pytest.mark.processes

VEHICLE = "counter"


def car(tmp_path: Path, count: int) -> str:
    profile = make_profile(tmp_path)
    log = make_log(tmp_path / "count.log", count)
    return f"recording:{log}?profile={profile}&vehicle={VEHICLE}&sampling=every"


def stored(data: Path) -> list[int]:
    """The numbers in the lake, each checked against the instant it was said at."""
    rows = contactor.open_lake(data).signals(VEHICLE, [COUNT])
    numbers: list[int] = rows[COUNT].to_list()
    assert rows["ts"].to_list() == [ts_of(number) for number in numbers]
    return numbers


def declared(data: Path) -> list[int]:
    """The numbers in the declared gaps."""
    numbers: list[int] = []
    for gap in contactor.open_lake(data).gaps(VEHICLE).to_dicts():
        first = (gap["first_ts"] - ts_of(0)) // (STEP_MS * 1_000_000)
        numbers += range(first, first + gap["row_count"])
        assert ts_of(numbers[-1]) == gap["last_ts"]
    return numbers


def wait_stored(data: Path, last: int, timeout_s: float) -> None:
    """Wait until the last number is in the lake and nothing before it is still on its way."""

    def is_done() -> bool:
        with contextlib.suppress(ContactorError):
            return len(stored(data)) + len(declared(data)) >= last
        return False

    wait_for(is_done, timeout_s=timeout_s, why=f"{last} numbers stored or declared in {data}")


def delete_store(instance: RunningInstance) -> None:
    shutil.rmtree(instance.data / "broker" / "store", ignore_errors=True)


def test_each_role_killed_ten_times_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance, count = random.Random(1), 3_500
    data = tmp_path / "data"
    with running(data, "--car", car(tmp_path, count), "--speed", "1") as instance:
        kills = ["agent", "broker", "cloud"] * 10
        chance.shuffle(kills)
        for role in kills:
            time.sleep(chance.uniform(0.2, 1.2))
            instance.kill(role)
        wait_stored(data, count, timeout_s=60)
    assert stored(data) == list(range(1, count + 1))
    assert declared(data) == []


def test_broker_store_deleted_under_unacknowledged_records(tmp_path: Path) -> None:
    count, data = 1_500, tmp_path / "data"
    with running(data, "--car", car(tmp_path, count), "--speed", "1") as instance:
        for _ in range(3):
            # While the cloud stands still nothing is acknowledged; the broker then loses it all,
            # and what is sent after that arrives before what was lost comes again.
            instance.signal("cloud", signal.SIGSTOP)
            time.sleep(1.5)
            instance.kill("broker")
            delete_store(instance)
            instance.signal("cloud", signal.SIGCONT)
            time.sleep(1.5)
        wait_stored(data, count, timeout_s=60)
    assert stored(data) == list(range(1, count + 1))


def test_outbox_reset_loses_nothing_that_can_be_read_again(tmp_path: Path) -> None:
    count, data = 1_200, tmp_path / "data"
    with running(data, "--car", car(tmp_path, count), "--speed", "1") as instance:
        for _ in range(3):
            time.sleep(2)
            for file in (data / "agent").glob("outbox.db*"):
                file.unlink()
            instance.kill("agent")
        wait_stored(data, count, timeout_s=90)
    assert stored(data) == list(range(1, count + 1))


def test_outbox_filled_until_it_drops_declares_exactly_what_is_missing(tmp_path: Path) -> None:
    count, data = 60_000, tmp_path / "data"
    options = ("--car", car(tmp_path, count), "--speed", "40", "--outbox-bytes", "200000")
    with running(data, *options) as instance:
        instance.signal("broker", signal.SIGSTOP)
        time.sleep(8)
        instance.signal("broker", signal.SIGCONT)
        instance.kill("agent")
        wait_stored(data, count, timeout_s=60)
    missing = declared(data)
    assert missing, "the outbox never dropped anything: this test shows nothing"
    assert sorted([*stored(data), *missing]) == list(range(1, count + 1))


def test_whole_instance_killed_and_started_again_goes_on(tmp_path: Path) -> None:
    count, data = 1_500, tmp_path / "data"
    url = car(tmp_path, count)
    for _ in range(2):
        with (
            contextlib.suppress(AssertionError),
            running(data, "--car", url, "--speed", "2") as instance,
        ):
            time.sleep(2)
            instance.process.kill()
            instance.process.wait()
        wait_for(lambda: not _is_held(data), timeout_s=10, why="processes ended with their parent")
    with running(data, "--car", url, "--speed", "2"):
        wait_stored(data, count, timeout_s=60)
    assert stored(data) == list(range(1, count + 1))


def _is_held(data: Path) -> bool:
    from contactor.app.folder import DataFolder

    return DataFolder(data).holder() is not None
