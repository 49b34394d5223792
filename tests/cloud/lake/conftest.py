"""Each driver of the lake's port; a test that asks for `store` runs over every one."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.memory import MemoryStore
from contactor.cloud.lake.object_store import ObjectStore
from contactor.cloud.lake.ports import LakeStore
from tests.cloud.lake.object_storage import BUCKET, storage

DRIVERS: dict[str, Callable[[Path], LakeStore]] = {
    "memory": lambda _: MemoryStore(),
    "local": LocalStore,
}

_numbers = itertools.count()


@pytest.fixture(params=[*DRIVERS, "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LakeStore:
    if request.param == "objects":
        return ObjectStore(request.getfixturevalue("url"))
    return DRIVERS[request.param](tmp_path)


@pytest.fixture(scope="session")
def object_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with storage(tmp_path_factory.mktemp("storage")):
        yield


@pytest.fixture
def url(object_storage: None) -> str:
    """A place for a lake where nothing is yet."""
    return f"s3://{BUCKET}/{next(_numbers)}"
