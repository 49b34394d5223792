"""Each driver of the lake's port; a test that asks for `store` runs over every one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.ports import LakeStore

DRIVERS: dict[str, Callable[[Path], LakeStore]] = {
    "memory": lambda _: MemoryStore(),
    "local": LocalStore,
}


@pytest.fixture(params=DRIVERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LakeStore:
    return DRIVERS[request.param](tmp_path)
