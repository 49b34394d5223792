from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.support import BrokerProcess


@pytest.fixture
def broker_process(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A running broker of its own."""
    process = BrokerProcess(tmp_path / "broker")
    try:
        process.start()
        yield process
    finally:
        process.kill()
