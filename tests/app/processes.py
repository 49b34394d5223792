"""Real processes of the program under test: started, watched, killed by id, always ended."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CONTACTOR = [sys.executable, "-m", "contactor.app.main"]


def contactor(*arguments: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*CONTACTOR, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def full_device(folder: Path) -> Path | None:
    """A device without room; one in `folder` for a user who could replace that of the machine."""
    if os.geteuid() != 0:
        return Path("/dev/full")
    try:
        os.mknod(folder / "full", stat.S_IFCHR | 0o600, os.makedev(1, 7))
        (folder / "full").open("wb").close()
    except OSError:
        return None
    return folder / "full"


def wait_for(what: Callable[[], object], *, timeout_s: float, why: str) -> object:
    """Poll until `what()` is true; its value."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout_s} s: {why}")


class RunningInstance:
    """A `contactor run` of its own, on its own folder."""

    def __init__(self, data: Path, process: subprocess.Popen[str]) -> None:
        self.data, self.process = data, process

    def document(self) -> dict[str, object]:
        return json.loads((self.data / "run.json").read_text())

    def pid(self, role: str) -> int | None:
        """The process of a role, as run.json says now."""
        try:
            found = [item for item in self.document()["processes"] if item["role"] == role]
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return found[0]["pid"] if found else None

    def kill(self, role: str) -> None:
        """Kill -9 the process of a role, once it is known and alive."""
        pid = wait_for(lambda: self._alive(role), timeout_s=60, why=f"{role} alive")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def signal(self, role: str, number: signal.Signals) -> None:
        os.kill(self.pid(role), number)

    def _alive(self, role: str) -> int | None:
        pid = self.pid(role)
        return pid if pid is not None and Path(f"/proc/{pid}").exists() else None

    def logs(self) -> str:
        texts = [path.read_text(errors="replace") for path in (self.data / "log").glob("*.log")]
        return "\n".join(texts)[-4000:]


@contextlib.contextmanager
def running(
    data: Path, *arguments: str, command: str = "run", has_login: bool = False
) -> Iterator[RunningInstance]:
    """`contactor run --data DATA --port 0 ...` from `ready` to a clean end, which is checked.

    `command="serve"` is an instance without a car. Tests that are not of people and their rights
    have no login, by the environment that conftest sets.
    """
    environment = dict(os.environ)
    if has_login:
        environment.pop("CONTACTOR_NO_AUTH", None)
    process = subprocess.Popen(
        [*CONTACTOR, command, "--data", str(data), "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    instance = RunningInstance(data, process)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ready "):
                break
        else:
            raise AssertionError(f"never ready: {process.communicate()[1]}\n{instance.logs()}")
        yield instance
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, instance.logs()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextlib.contextmanager
def killed_at_last(process: subprocess.Popen[str]) -> Iterator[None]:
    """The process does not outlive the block."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that lives until SIGTERM, on which it must end cleanly within 5 s."""
    name = Path(arguments[0]).name
    program = CONTACTOR if name in ("serve", "agent") else []
    with (folder / f"{name}.out").open("a") as out, (folder / f"{name}.log").open("a") as log:
        process = subprocess.Popen(
            [*program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            text=True,
            cwd=folder,
        )
    with killed_at_last(process):
        yield process
        process.terminate()
        assert process.wait(timeout=60) == 0
