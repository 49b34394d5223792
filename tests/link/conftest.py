import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from contactor.link.broker import wait_broker
from tests.link.support import DEADLINE_S, BrokerProcess


@pytest.fixture
def broker_process(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A running broker of its own."""
    process = BrokerProcess(tmp_path / "broker")
    try:
        process.start()
        asyncio.run(wait_broker(process.launch.url, DEADLINE_S))
        yield process
    finally:
        process.kill()
