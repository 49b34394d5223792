"""The road under test as processes of its own: cars ─► proxy ─► broker ◄─ proxy ◄─ cloud.

    with Flow(tmp_path, drives, seed=1) as flow:
        flow.kill("broker")
        flow.start("broker")
        flow.finish()               # the cars go on as fast as they can, until all is settled
    check(flow.data, drives.truth)

Roles: agent, broker, cloud, or several of the last two. Each is killed and started by the test,
never by a supervisor.
"""

import contextlib
import random
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from contactor.link.broker import BrokerLaunch, prepare_broker
from tests.app.processes import CONTACTOR
from tests.flow.drives import Drives
from tests.flow.proxy import Proxy
from tests.flow.stored import KEY, rows_settled
from tests.link.support import end_with_parent

ROLES = ("agent", "broker", "cloud")
CLOUD = {"cloud": "serve --port 0"}
SETTLE_S = 90.0
MOST_ENDS = 10
POLL_S = 0.25


class Flow:
    """Owns the processes, from their first start to their end.

    Args:
        seed: of all that is chosen by chance.
        speed: of the cars, times real time.
        options: further words for `contactor agent`, from its next start on.
        brokers: how to start each broker, by role; by default one, `broker`, behind the proxies.
        clouds: the words of each process of the cloud, by role; by default one, `cloud`.
        agent: what to run as the agent from its next start on, given link and speed; by default
            `contactor agent`.
    """

    def __init__(
        self,
        folder: Path,
        drives: Drives,
        *,
        seed: int,
        speed: float = 20,
        options: str = "",
        brokers: Mapping[str, BrokerLaunch] | None = None,
        clouds: Mapping[str, str] = CLOUD,
        agent: Callable[[str, str], list[str]] | None = None,
    ) -> None:
        self.data = folder / "cloud"
        self.car = folder / "car"
        self.chance = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self._folder = folder
        self._drives = drives
        self._speed = str(speed)
        self.options = options
        self._expected = drives.truth.select(KEY).n_unique()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._brokers = brokers or {"broker": prepare_broker(folder / "broker")}
        self._is_proxied = brokers is None
        self._clouds = clouds
        self.agent = agent
        first = next(iter(self._brokers.values()))
        self.car_side = Proxy(target_port=first.port, seed=seed)
        self.cloud_side = Proxy(target_port=first.port, seed=seed + 1)
        self._proxies = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._proxies.enter_context(self.car_side)
        self._proxies.enter_context(self.cloud_side)
        for role in self.roles:
            self.start(role)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()
        self._proxies.close()

    def start(self, role: str) -> None:
        """Start a role; does not wait until it works."""
        assert role not in self._running, f"{role} runs"
        with (self._folder / f"{role}.log").open("ab") as log:
            self._running[role] = subprocess.Popen(
                self._command(role),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  # one system call
            )

    def kill(self, role: str) -> None:
        """Kill -9; it is not to have ended by itself."""
        process = self._running.pop(role)
        assert process.poll() is None, f"{role} has ended\n{self.logs()}"
        process.kill()
        process.wait()
        self.kills[role] += 1

    def restart(self, role: str, after_s: float = 0.0) -> None:
        """Kill -9, and start again after a while."""
        self.kill(role)
        time.sleep(after_s)
        self.start(role)

    def signal(self, role: str, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP."""
        self._running[role].send_signal(number)

    def limit_files(self, role: str, most_bytes: int) -> None:
        """From now on no file of that role grows beyond so much, as on a full disk."""
        limits = (most_bytes, resource.RLIM_INFINITY)
        resource.prlimit(self._running[role].pid, resource.RLIMIT_FSIZE, limits)

    def revive(self) -> None:
        """Start again what has ended by itself, as a supervisor does; counted in `ended`."""
        for role, process in list(self._running.items()):
            if process.poll() is not None:
                del self._running[role]
                self.ended[role] += 1
                assert self.ended[role] < MOST_ENDS, f"{role} ends by itself\n{self.logs()}"
                self.start(role)

    def finish(self, timeout_s: float = SETTLE_S) -> None:
        """Have the cars go on as fast as they can, and wait until all is stored or declared."""
        self._speed = "max"
        if "agent" in self._running:
            self.kill("agent")
        self.start("agent")
        self.wait_settled(1.0, timeout_s)

    def wait_settled(self, part: float, timeout_s: float = SETTLE_S) -> None:
        """Wait until so much of all rows is stored or declared."""
        deadline = time.monotonic() + timeout_s
        while (settled := rows_settled(self.data)) < part * self._expected:
            self.revive()
            assert time.monotonic() < deadline, f"{settled} of {self._expected}\n{self.logs()}"
            time.sleep(POLL_S)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role, in the order in which they are started."""
        return (*self._brokers, *self._clouds, "agent")

    @property
    def broker_store(self) -> Path:
        return self._folder / "broker" / "store"

    @property
    def outbox(self) -> Path:
        return self.car / "agent" / "outbox.db"

    def logs(self) -> str:
        """The end of what each role said."""
        ends = []
        for role in self.roles:
            text = (self._folder / f"{role}.log").read_text(errors="replace")
            ends.append(f"── {role}\n{text[-2_000:]}")
        return "\n".join(ends)

    def _link(self, proxy: Proxy) -> str:
        """The url of the broker behind the proxy, or of all brokers of a cluster."""
        if not self._is_proxied:
            return ",".join(launch.url for launch in self._brokers.values())
        (launch,) = self._brokers.values()
        return launch.url.replace(f":{launch.port}", f":{proxy.port}")

    def _command(self, role: str) -> list[str]:
        if role in self._brokers:
            return self._brokers[role].command
        if role in self._clouds:
            where = ["--data", str(self.data), "--link", self._link(self.cloud_side)]
            return [*CONTACTOR, *self._clouds[role].split(), *where]
        if self.agent is not None:
            return self.agent(self._link(self.car_side), self._speed)
        cars = [word for car in self._drives.cars for word in ("--car", car)]
        where = ["--data", str(self.car), "--link", self._link(self.car_side)]
        return [*CONTACTOR, "agent", *cars, *where, "--speed", self._speed, *self.options.split()]
