"""What tests of several rooms of the cloud share: a Dask cluster, databases of both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from tests.cloud.database.postgresql import Server, server


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """A Dask cluster of two processes."""
    options = {"host": "127.0.0.1", "dashboard_address": None, "threads_per_worker": 1}
    with LocalCluster(n_workers=2, processes=True, **options) as found:
        yield found


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a database may be made: a file, or an empty PostgreSQL."""
    if request.param == "sqlite":
        return tmp_path / "contactor.sqlite3"
    running: Server = request.getfixturevalue("postgresql")
    return running.new_url()
