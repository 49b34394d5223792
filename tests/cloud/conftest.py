"""What tests of the lake and of history share."""

from collections.abc import Iterator

import pytest
from distributed import LocalCluster


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """A Dask cluster of two processes."""
    options = {"host": "127.0.0.1", "dashboard_address": None, "threads_per_worker": 1}
    with LocalCluster(n_workers=2, processes=True, **options) as found:
        yield found
