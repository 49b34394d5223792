"""What the tests skip is said at the end, and in CI forgiven only where data are missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"

ALLOWED = """
import pytest
def test_passes(): pass
def test_needs_data(shared_data): pass
"""
FORBIDDEN = (
    ALLOWED
    + """
@pytest.mark.skip(reason="not today")
def test_lazy(): pass
"""
)


def run_pytest(folder: Path, *, tests: str, ci: str) -> subprocess.CompletedProcess[str]:
    """Pytest in a process of its own, on a folder with our conftest and these tests."""
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "test_sample.py").write_text(tests)
    missing = str(folder / "nowhere")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**os.environ, "CI": ci, "CONTACTOR_TEST_DATA": missing},
        capture_output=True,
        text=True,
    )


def test_summary_counts_skipped_tests_by_reason(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, tests=FORBIDDEN, ci="")
    assert done.returncode == 0, done.stdout
    assert "2 tests skipped" in done.stdout
    assert "     1 not today\n" in done.stdout
    assert f"     1 shared data missing: {tmp_path / 'nowhere'}\n" in done.stdout


@pytest.mark.parametrize(("tests", "status"), [(ALLOWED, 0), (FORBIDDEN, 1)])
def test_ci_forgives_missing_data_only(tmp_path: Path, tests: str, status: int) -> None:
    done = run_pytest(tmp_path, tests=tests, ci="true")
    assert done.returncode == status, done.stdout
    assert ("fails in CI" in done.stdout) == bool(status)
