from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.support import BrokerProcess


@pytest.fixture
def gated_broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A running broker whose gate nobody keeps yet."""
    process = BrokerProcess(tmp_path / "broker", has_gate=True)
    try:
        process.start()
        yield process
    finally:
        process.kill()
