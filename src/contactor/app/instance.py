"""One instance: its roles under a supervisor, its `run.json`, its beginning and its end.

`ready http://localhost:PORT` is printed when the API answers and each car has sent its first value.
"""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from contactor import __version__
from contactor.app.folder import DataFolder, Process, RunningInstance, write_whole
from contactor.app.local_http import get_json
from contactor.app.supervisor import RoleSpec, Supervisor
from contactor.car.agent.outbox import DEFAULT_LIMIT_BYTES
from contactor.errors import InstanceError
from contactor.link.broker import prepare_broker

POLL_S = 0.1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Instance:
    """What to run: where the API listens (on a port that is free), and which cars."""

    host: str
    port: int
    cars: tuple[str, ...] = ()
    vehicles: tuple[str, ...] = ()
    speed: float = 1.0
    outbox_bytes: int = DEFAULT_LIMIT_BYTES


def run_instance(folder: DataFolder, instance: Instance) -> int:
    """Run all roles until SIGINT or SIGTERM; the folder is held by the caller.

    Raises:
        InstanceError: a role cannot start.
    """
    return asyncio.run(_run(folder, instance))


def free_port(host: str, port: int) -> int:
    """The port, if it is free; a free one for 0.

    Raises:
        InstanceError: it is taken, or cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as server:
            taken: int = server.getsockname()[1]
            return taken
    except OSError as error:
        is_taken = error.errno == errno.EADDRINUSE
        reason = "is taken; --port 0 takes a free one" if is_taken else f"fails: {error.strerror}"
        raise InstanceError(f"port {port} on {host} {reason}") from error


async def _run(folder: DataFolder, instance: Instance) -> int:
    folder.run_json.unlink(missing_ok=True)
    launch = prepare_broker(folder.broker)
    url = f"http://localhost:{instance.port}"
    started_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    is_ready = False

    def write_run_json(processes: tuple[Process, ...]) -> None:
        document = RunningInstance(
            url, __version__, started_at, os.getpid(), processes, first_owner_url=None
        )
        write_whole(folder.run_json, msgspec.json.encode(document).decode())

    def on_change(processes: tuple[Process, ...]) -> None:
        try:
            if is_ready:
                write_run_json(processes)
        except OSError as error:
            # A full disk is no reason to stop what runs; the next change writes it again.
            _log.error("run.json not written reason=%s", error)

    supervisor = Supervisor(
        _roles(folder, instance, launch.command, launch.url),
        log_folder=folder.log,
        on_change=on_change,
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    running = asyncio.create_task(supervisor.run())
    stopping = asyncio.create_task(stopped.wait())
    getting_ready = asyncio.create_task(_wait_ready(url, instance.vehicles))
    try:
        await asyncio.wait({running, stopping, getting_ready}, return_when=asyncio.FIRST_COMPLETED)
        if getting_ready.done() and not running.done():
            is_ready = True
            supervisor.ready()
            write_run_json(supervisor.processes)
            print(f"ready {url}", flush=True)
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        getting_ready.cancel()
        await supervisor.stop()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, InstanceError):
            await running
        folder.run_json.unlink(missing_ok=True)
    return 0


def _roles(folder: DataFolder, instance: Instance, broker: list[str], link: str) -> list[RoleSpec]:
    own = [sys.executable, "-m", "contactor.app.main"]
    data = ["--data", str(folder.root)]
    environment = {"CONTACTOR_SUPERVISED": "1", "CONTACTOR_LINK": link}
    serve = [*own, "serve", *data, "--host", instance.host, "--port", str(instance.port)]
    roles = [
        RoleSpec("broker", broker, death_signal=signal.SIGKILL),
        RoleSpec("cloud", serve, environment=environment),
    ]
    if instance.cars:
        cars = [word for car in instance.cars for word in ("--car", car)]
        speed = "max" if instance.speed == float("inf") else str(instance.speed)
        agent = [*own, "agent", *data, *cars, "--speed", speed]
        agent += ["--outbox-bytes", str(instance.outbox_bytes)]
        roles.append(RoleSpec("agent", agent, vehicles=instance.vehicles, environment=environment))
    return roles


async def _wait_ready(url: str, vehicles: tuple[str, ...]) -> None:
    """Return when the API answers and knows a value of each vehicle."""
    waited = 0.0
    while True:
        missing = await asyncio.to_thread(_vehicles_without_value, url, vehicles)
        if missing == []:
            return
        await asyncio.sleep(POLL_S)
        waited += POLL_S
        if waited >= 5:
            waited = 0.0
            what = f"first value of {', '.join(missing)}" if missing else "the API"
            print(f"waiting for {what}", flush=True)


def _vehicles_without_value(url: str, vehicles: tuple[str, ...]) -> list[str] | None:
    """The vehicles that have no value yet; None while the API does not answer."""
    try:
        page = get_json(f"{url}/api/v1/vehicles?limit=1000", timeout_s=2.0)
    except (OSError, ValueError):
        return None
    assert isinstance(page, dict)
    known = {item["vehicle_id"] for item in page["items"] if item["signals"]}
    return [vehicle_id for vehicle_id in vehicles if vehicle_id not in known]
