"""The supervisor's logs, and the last words of a role that cannot start."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from contactor.app.supervisor import LOG_LIMIT_BYTES, TAIL_BYTES, RoleSpec, Supervisor
from contactor.errors import InstanceError

pytestmark = pytest.mark.processes


def run_to_its_end(logs: Path, script: str) -> str:
    """The last words of a role that ends at once, again and again."""
    role = RoleSpec("cloud", [sys.executable, "-c", script])
    supervisor = Supervisor([role], log_folder=logs, on_change=lambda _: None)
    with pytest.raises(InstanceError) as failure:
        asyncio.run(supervisor.run())
    return str(failure.value)


def test_role_that_cannot_start_ends_the_run_with_its_last_words(tmp_path: Path) -> None:
    words = run_to_its_end(tmp_path, "print('first'); print('contactor: no lake')")
    assert words == f"cloud cannot start: no lake (more in {tmp_path / 'cloud.log'})"


def test_last_words_are_read_from_the_end_of_the_log_alone(tmp_path: Path) -> None:
    (tmp_path / "cloud.log").write_bytes(b"an earlier line\n" * (LOG_LIMIT_BYTES // 16))
    script = "import sys; sys.stdout.buffer.write('überlang'.encode() * 9000)"
    words = run_to_its_end(tmp_path, script)
    assert len(words) < TAIL_BYTES + 200
    assert "earlier" not in words


def test_log_that_has_grown_too_large_is_begun_anew(tmp_path: Path) -> None:
    log = tmp_path / "cloud.log"
    log.touch()
    os.truncate(log, LOG_LIMIT_BYTES + 1)
    run_to_its_end(tmp_path, "print('no lake')")
    assert (tmp_path / "cloud.log.1").stat().st_size == LOG_LIMIT_BYTES + 1
    assert log.read_text() == "no lake\n" * 3


def test_log_that_is_small_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "cloud.log").write_text("before\n")
    run_to_its_end(tmp_path, "print('no lake')")
    assert (tmp_path / "cloud.log").read_text() == "before\n" + "no lake\n" * 3
