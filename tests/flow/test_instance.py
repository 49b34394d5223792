"""The same for a whole instance, whose supervisor starts again what is killed."""

import contextlib
import random
import time
from pathlib import Path

import pytest

from contactor.app.folder import DataFolder
from tests.app.processes import running, wait_for
from tests.flow.drives import Drives, make_drives
from tests.flow.flow import ROLES
from tests.flow.size import ROUNDS, SEED
from tests.flow.stored import KEY, check, rows_settled

pytestmark = pytest.mark.flow


def words(drives: Drives, speed: int) -> list[str]:
    cars = [word for car in drives.cars for word in ("--car", car)]
    return [*cars, "--speed", str(speed)]


def wait_settled(data: Path, drives: Drives) -> None:
    expected = drives.truth.select(KEY).n_unique()
    wait_for(lambda: rows_settled(data) >= expected, timeout_s=60, why=f"all settled in {data}")


def is_free(data: Path) -> bool:
    return DataFolder(data).holder() is None


def test_roles_of_an_instance_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    chance, data = random.Random(SEED), tmp_path / "data"
    drives = make_drives(tmp_path, vehicles=2, count=1_200 * ROUNDS)
    with running(data, *words(drives, speed=20)) as instance:
        for role in ROLES * ROUNDS:
            time.sleep(chance.uniform(0.2, 1.0))
            instance.kill(role)
        wait_settled(data, drives)
    assert check(data, drives.truth).is_empty()


def test_whole_instance_killed_and_started_again_goes_on(tmp_path: Path) -> None:
    chance, data = random.Random(SEED), tmp_path / "data"
    drives = make_drives(tmp_path, vehicles=2, count=1_500)
    for _ in range(ROUNDS - 1):
        with (
            contextlib.suppress(AssertionError),
            running(data, *words(drives, speed=20)) as instance,
        ):
            time.sleep(chance.uniform(0.5, 2.0))
            instance.process.kill()
            instance.process.wait()
        wait_for(lambda: is_free(data), timeout_s=60, why="processes ended with their parent")
    with running(data, *words(drives, speed=20)):
        wait_settled(data, drives)
    assert check(data, drives.truth).is_empty()
