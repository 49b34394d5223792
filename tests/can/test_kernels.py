import os
import subprocess
import sys
from pathlib import Path

import pytest

from contactor.can import kernels
from contactor.can.kernels import MODULES, SWITCH, are_wanted, is_installed

FOLDER = Path(kernels.__file__).parent
COLD = "import sys; from contactor.can.kernels import are_wanted; print(are_wanted({}))"
DECODE = """\
import sys
from contactor.app.main import main
assert main(["decode", sys.argv[1], "--json"]) == 0
print("numba" in sys.modules, file=sys.stderr)
"""


def test_every_module_of_kernels_is_compiled_beforehand() -> None:
    assert set(MODULES) == {path.stem for path in FOLDER.glob("*.py")} - {
        "__init__",
        "__main__",
        "jit",
    }


@pytest.mark.skipif(not is_installed(), reason="Numba is not installed")
@pytest.mark.parametrize(("frames", "expected"), [(100_000, "False"), (100_001, "True")])
def test_kernels_are_wanted_for_many_frames(frames: int, expected: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != SWITCH}
    command = [sys.executable, "-c", COLD.format(frames)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == expected


def test_switch_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    assert not are_wanted(10**9)
    monkeypatch.setenv(SWITCH, "1")
    assert are_wanted(0) == is_installed()


def test_small_log_loads_no_numba(tmp_path: Path) -> None:
    path = tmp_path / "drive.log"
    path.write_text("(1700000000.000000) can0 1DB#0011223344556677\n" * 20_000)
    environment = {name: value for name, value in os.environ.items() if name != SWITCH}
    command = [sys.executable, "-c", DECODE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stderr.splitlines()[-1] == "False"


def test_numba_that_does_not_load_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "numba").mkdir()
    broken = "raise ImportError('Numba needs NumPy 1.0 or less')"
    (tmp_path / "numba" / "__init__.py").write_text(broken)
    path = tmp_path / "drive.log"
    path.write_text("(1700000000.000000) can0 1DB#0011223344556677\n")
    environment = os.environ | {SWITCH: "1", "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "contactor.app.main", "decode", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "1 frames" in done.stdout
    (line,) = done.stderr.splitlines()
    assert "Numba does not load, so all is decoded without compiled code: Numba needs" in line
