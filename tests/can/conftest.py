from collections.abc import Callable
from pathlib import Path

import pytest

from contactor.can.log import LogReading, read_log


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], LogReading]:
    """Reads a log that is written here."""

    def read_text(text: str | bytes) -> LogReading:
        path = tmp_path / "drive.log"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_log(path)

    return read_text


@pytest.fixture(params=["numpy", "compiled"])
def decode_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs the test on both paths of the engine: plain NumPy, and compiled kernels."""
    monkeypatch.setenv("CONTACTOR_KERNELS", "0" if request.param == "numpy" else "1")
    return str(request.param)
