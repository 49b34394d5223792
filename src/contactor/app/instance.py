"""One instance: its roles under a supervisor, its `run.json`, its beginning and its end.

`ready http://localhost:PORT` is printed when the API answers and each car has sent its first value.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from contactor.app.elsewhere import Elsewhere
from contactor.app.first_owner import FirstOwner
from contactor.app.folder import DataFolder
from contactor.app.listening import Listening
from contactor.app.local_http import get_json
from contactor.app.output import note
from contactor.app.ready import tell_ready
from contactor.app.run_file import RunFile
from contactor.app.supervisor import RoleSpec, Supervisor
from contactor.car.agent.outbox import DEFAULT_LIMIT_BYTES
from contactor.clock import SystemClock
from contactor.errors import InstanceError
from contactor.link.broker import BrokerLaunch, prepare_broker

POLL_S = 0.1
ANSWER_S = 2.0
MAX_OWN_KEYS = 32
"""Own cars that come by their keys, over a connection each."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What to run: where it listens, and which cars.

    Fields:
        link_host, link_port: where the broker listens to cars; None for this machine alone, and
            for the port that it had.
    """

    listening: Listening
    cars: tuple[str, ...] = ()
    vehicles: tuple[str, ...] = ()
    speed: float = 1.0
    history_days: int = 0
    bus: str | None = None
    outbox_bytes: int = DEFAULT_LIMIT_BYTES
    outbox_days: int | None = None
    has_login: bool = True
    link_host: str | None = None
    link_port: int | None = None


def run_instance(folder: DataFolder, instance: Instance) -> int:
    """Run all roles until SIGINT or SIGTERM; the folder is held by the caller.

    Raises:
        InstanceError: a role cannot start.
    """
    return asyncio.run(_run(folder, instance))


async def _run(folder: DataFolder, instance: Instance) -> int:
    folder.run_json.unlink(missing_ok=True)
    launch = _prepare_broker(folder, instance)
    awaited, car_link = _car_link(folder, instance, launch)
    listening, elsewhere = instance.listening, _elsewhere(folder, instance.listening)
    url = listening.local_url
    run_file = RunFile(folder.run_json, listening, elsewhere)
    supervisor = Supervisor(
        _roles(folder, instance, launch, car_link),
        log_folder=folder.log,
        on_change=run_file.update,
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    running = asyncio.create_task(supervisor.run())
    stopping = asyncio.create_task(stopped.wait())
    getting_ready = asyncio.create_task(_wait_ready(folder, url, awaited))
    owning: asyncio.Task[None] | None = None
    try:
        await asyncio.wait({running, stopping, getting_ready}, return_when=asyncio.FIRST_COMPLETED)
        if getting_ready.done() and not running.done():
            getting_ready.result()
            supervisor.ready()
            first_owner = FirstOwner(folder, url)
            code = await asyncio.to_thread(first_owner.code) if instance.has_login else None
            run_file.begin(supervisor.processes, code)
            tell_ready(listening, elsewhere, code=code)
            if code is not None:
                owning = asyncio.create_task(first_owner.follow(run_file))
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        getting_ready.cancel()
        if owning is not None:
            owning.cancel()
        await supervisor.stop()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, InstanceError):
            await running
        folder.run_json.unlink(missing_ok=True)
    return 0


def _prepare_broker(folder: DataFolder, instance: Instance) -> BrokerLaunch:
    if instance.link_host is None:
        return prepare_broker(folder.broker, port=instance.link_port, has_gate=True)
    from contactor.app.tls import open_broker_tls

    tls = open_broker_tls(folder, instance.link_host, clock=SystemClock())
    return prepare_broker(folder.broker, port=instance.link_port, has_gate=True, tls=tls)


def _elsewhere(folder: DataFolder, listening: Listening) -> Elsewhere | None:
    """What others are told; what it is served with is made by now."""
    if listening.beside is None:
        return Elsewhere.of(listening, None)
    from contactor.app.tls import WebTls

    return Elsewhere.of(listening, WebTls.open(folder, listening, clock=SystemClock()))


def _car_link(
    folder: DataFolder, instance: Instance, launch: BrokerLaunch
) -> tuple[tuple[str, ...], str]:
    """Enrol the instance's own cars; those to be waited for, and how they reach the broker.

    More than a connection each would be good for come by the password, all over one.
    """
    if not 0 < len(instance.vehicles) <= MAX_OWN_KEYS:
        return instance.vehicles, launch.url
    from contactor.app.office import enrol_own_cars

    left_out = enrol_own_cars(folder, instance.vehicles, clock=SystemClock())
    for vehicle_id in left_out:
        note(
            f"{vehicle_id} was revoked, or is another unit's, and does not come in;"
            f" to enrol it here again: contactor car code {vehicle_id}"
        )
    return tuple(one for one in instance.vehicles if one not in left_out), launch.bare_url


def _roles(
    folder: DataFolder, instance: Instance, launch: BrokerLaunch, car_link: str
) -> list[RoleSpec]:
    own = [sys.executable, "-m", "contactor.app.main"]
    data = ["--data", str(folder.root)]
    environment = {"CONTACTOR_SUPERVISED": "1", "CONTACTOR_LINK": launch.url}
    serve = [*own, "serve", *data, *instance.listening.options()]
    serve += [] if instance.has_login else ["--no-auth"]
    roles = [
        RoleSpec("broker", launch.command, death_signal=signal.SIGKILL),
        RoleSpec("cloud", serve, environment=environment),
    ]
    if instance.cars:
        cars = [word for car in instance.cars for word in ("--car", car)]
        speed = "max" if instance.speed == float("inf") else str(instance.speed)
        agent = [*own, "agent", *data, *cars, "--speed", speed]
        agent += ["--outbox-bytes", str(instance.outbox_bytes)]
        if instance.outbox_days is not None:
            agent += ["--outbox-days", str(instance.outbox_days)]
        agent += ["--history-days", str(instance.history_days)]
        agent += [] if instance.bus is None else ["--bus", instance.bus]
        roles.append(
            RoleSpec(
                "agent",
                agent,
                vehicles=instance.vehicles,
                environment={**environment, "CONTACTOR_LINK": car_link},
                shows_output=True,
            )
        )
    return roles


async def _wait_ready(folder: DataFolder, url: str, vehicles: tuple[str, ...]) -> None:
    """Return when the API answers and each vehicle has sent its first value since this start.

    Raises:
        InstanceError: something answers there that is no instance of ours.
    """
    missing, waited, is_answered = list(vehicles), 0.0, False
    rows: dict[str, int] = {}
    while True:
        try:
            missing = await asyncio.to_thread(
                vehicles_without_value, url, missing, rows, secret=folder.shown_secret()
            )
            is_answered = True
        except OSError:
            is_answered = False
        if is_answered and not missing:
            return
        await asyncio.sleep(POLL_S)
        waited += POLL_S
        if waited >= 5:
            waited = 0.0
            values = f"first value of {', '.join(missing)} (see {folder.log / 'agent.log'})"
            print(f"waiting for {values if is_answered else 'the API'}", flush=True)


def vehicles_without_value(
    url: str,
    vehicles: Sequence[str],
    rows: dict[str, int] | None = None,
    *,
    secret: str | None = None,
) -> list[str]:
    """Those of the vehicles that have sent no value since the instance at `url` started.

    One of which an earlier run has stored values counts as soon as its agent is heard.

    Args:
        rows: how many of each were stored when it was first asked; a vehicle that has more by now
            has sent some, though it may sleep again.
        secret: what to show there.

    Raises:
        OSError: there is no answer, or none yet.
        InstanceError: the answer is none of ours.
    """
    try:
        if not vehicles:
            get_json(f"{url}/healthz", timeout_s=ANSWER_S)
        seen = {} if rows is None else rows
        return [
            vehicle_id for vehicle_id in vehicles if not _has_value(url, vehicle_id, seen, secret)
        ]
    except (ValueError, msgspec.ValidationError) as error:
        raise InstanceError(f"{url} is answered by no Contactor: {error}") from error


def _has_value(url: str, vehicle_id: str, rows: dict[str, int], secret: str | None) -> bool:
    place = f"{url}/api/v1/vehicles?vehicle={vehicle_id}"
    page = get_json(place, timeout_s=ANSWER_S, secret=secret)
    items = msgspec.convert(page, _Page).items
    if not items:
        rows.setdefault(vehicle_id, 0)
    return any(
        item.signals
        and (item.connectivity == "online" or item.rows > rows.setdefault(vehicle_id, item.rows))
        for item in items
    )


class _Seen(msgspec.Struct):
    """What counts here of a vehicle in the API's list."""

    connectivity: str
    signals: int
    rows: int


class _Page(msgspec.Struct):
    items: list[_Seen]
