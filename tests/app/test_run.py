"""A running instance: its document, its processes, its end, and who else may use its folder."""

import contextlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest

import contactor
from contactor.errors import ContactorError
from contactor.link.broker import BrokerLaunch, prepare_broker, read_url
from tests.app.command_line import command
from tests.app.counting import COUNT, make_log, make_profile, ts_of
from tests.app.processes import (
    CONTACTOR,
    RunningInstance,
    killed_at_last,
    running,
    started,
    wait_for,
)

pytestmark = pytest.mark.processes

VEHICLE = "counter"
TABLE = "t,distance\n0,1\n1,2\n2,3\n"
MAP = f"""\
[time]
column = "t"
unit = "s"
origin = "2024-05-01T08:00:00Z"

[signals."{COUNT}"]
column = "distance"
"""


def make_desk(folder: Path) -> Path:
    """What the tests send: a car that counts for a quarter of an hour, a short log, a table."""
    make_profile(folder)
    make_log(folder / "long.log", 90_000)
    make_log(folder / "short.log", 300)
    (folder / "trip.csv").write_text(TABLE)
    (folder / "trip.toml").write_text(MAP)
    return folder


def car(desk: Path, log: str = "long.log") -> str:
    return f"recording:{desk}/{log}?profile={desk}/counting&vehicle={VEHICLE}&sampling=every"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def instance(desk: Path) -> Iterator[RunningInstance]:
    with running(desk / "data", "--car", car(desk)) as instance:
        yield instance


def get(instance: RunningInstance, path: str) -> object:
    answer = httpx.get(f"{instance.document()['url']}{path}", trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def is_gone(pid: int) -> bool:
    """Whether a process has ended, also where nobody has asked for its exit code."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def pids(instance: RunningInstance) -> list[int]:
    return [process["pid"] for process in instance.document()["processes"]]


def stored(data: Path, vehicle: str = VEHICLE) -> list[int]:
    """The numbers committed to a lake, each checked against the instant it was said at."""
    try:
        rows = contactor.open_lake(data).signals(vehicle, [COUNT])
    except ContactorError:
        return []
    numbers: list[int] = rows[COUNT].to_list()
    assert rows["ts"].to_list() == [ts_of(number) for number in numbers]
    return numbers


# ── its document ─────────────────────────────────────────────────────────────────────────────────


def test_run_json_says_how_to_reach_it(instance: RunningInstance) -> None:
    document = instance.document()
    assert list(document) == [
        "url",
        "version",
        "started_at",
        "supervisor_pid",
        "processes",
        "first_owner_url",
    ]
    assert document["version"] == contactor.version
    assert document["supervisor_pid"] == instance.process.pid
    assert document["first_owner_url"] is None
    assert document["started_at"].endswith("Z")
    age = datetime.now(UTC) - datetime.fromisoformat(document["started_at"])
    assert timedelta(0) < age < timedelta(minutes=10)
    assert [(one["role"], one["vehicles"]) for one in document["processes"]] == [
        ("broker", []),
        ("cloud", []),
        ("agent", [VEHICLE]),
    ]
    assert not any(is_gone(pid) for pid in pids(instance))
    assert get(instance, "/healthz") == {"status": "ok", "version": contactor.version}


def test_run_json_and_what_holds_a_secret_are_their_owners_alone(
    instance: RunningInstance,
) -> None:
    for name in (
        "run.json",
        "broker/url",
        "broker/password",
        "broker/broker.conf",
        "broker/gate.pem",
        "identity/authority.pem",
        "identity/identities.db",
        f"agent/identity/{VEHICLE}/key.pem",
    ):
        assert (instance.data / name).stat().st_mode & 0o777 == 0o600, name


def test_vehicles_are_told_with_what_is_stored_of_them(instance: RunningInstance) -> None:
    wait_for(lambda: known_rows(instance) > 0, timeout_s=60, why="rows of it are known")
    vehicles = get(instance, "/api/v1/vehicles")
    assert vehicles["next"] is None
    known = {item["vehicle_id"]: item for item in vehicles["items"]}[VEHICLE]
    assert (known["profile"], known["connectivity"]) == ("counting", "online")
    assert (known["signals"], known["rows"] > 0) == (1, True)


def known_rows(instance: RunningInstance) -> int:
    items = get(instance, "/api/v1/vehicles")["items"]
    return sum(item["rows"] for item in items if item["vehicle_id"] == VEHICLE)


# ── its folder ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["run --port 0", "serve --port 0"])
def test_second_instance_on_a_folder_is_refused(
    desk: Path, instance: RunningInstance, name: str
) -> None:
    before = instance.document()
    ended = command(f"{name} --data data", cwd=desk)
    ended.check_refused(1, f"data is in use by process {instance.process.pid}")
    assert instance.document() == before


def test_replay_and_import_go_through_the_instance_once(
    desk: Path, instance: RunningInstance
) -> None:
    replay = "replay short.log --car counting --vehicle second --data data --json"
    table = "import trip.csv --map trip.toml --vehicle third --data data --json"
    for line, rows in ((replay, 300), (table, 3)):
        first = command(line, cwd=desk).document()
        assert (first["rows_read"], first["rows_stored"]) == (rows, rows)
        assert command(line, cwd=desk).document() == {**first, "rows_stored": 0}
    assert stored(instance.data, "second") == list(range(1, 301))
    line = "signals --vehicle third --data data --json"
    assert command(line, cwd=desk).document()["signals"][COUNT]["count"] == 3
    vehicles = command("vehicles --data data --json", cwd=desk).document()
    found = {vehicle["vehicle_id"]: vehicle["rows"] for vehicle in vehicles}
    assert (found["second"], found["third"]) == (300, 3)


def test_signals_shows_rows_that_are_not_committed_yet(
    desk: Path, instance: RunningInstance
) -> None:
    line = f"signals --vehicle {VEHICLE} --data data --json"

    def is_ahead() -> bool:
        shown = command(line, cwd=desk).document()["signals"][COUNT]
        assert shown["max"] == shown["count"]
        return shown["count"] > len(stored(instance.data))

    wait_for(is_ahead, timeout_s=60, why="more is shown than was committed later")


def test_question_to_an_instance_is_refused_as_one_to_a_folder(
    desk: Path, instance: RunningInstance
) -> None:
    ended = command("signals --vehicle nobody --data data --json", cwd=desk)
    ended.check_refused(1, "'nobody'")
    ended = command("signals --data data --signal Vehicle.Sped --json", cwd=desk)
    ended.check_refused(2, "unknown signal 'Vehicle.Sped'")


# ── its processes ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ["broker", "agent", "cloud"])
def test_killed_role_is_started_again(instance: RunningInstance, role: str) -> None:
    wait_for(lambda: instance.pid(role), timeout_s=60, why=f"{role} is known")
    before, file = instance.pid(role), (instance.data / "run.json").stat().st_ino
    instance.kill(role)
    wait_for(lambda: instance.pid(role) != before, timeout_s=60, why=f"{role} runs again")
    assert (instance.data / "run.json").stat().st_ino != file  # by rename
    assert not list(instance.data.glob(".run.json*"))
    assert not is_gone(instance.pid(role))
    wait_for(lambda: answers(instance), timeout_s=60, why="the API answers")


def answers(instance: RunningInstance) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return get(instance, "/healthz") is not None
    return False


def test_two_instances_run_side_by_side(
    desk: Path, tmp_path: Path, instance: RunningInstance
) -> None:
    with running(tmp_path / "data", "--car", car(desk, "short.log"), "--speed", "max") as other:
        assert other.document()["url"] != instance.document()["url"]
        assert read_url(other.data / "broker") != read_url(instance.data / "broker")
        assert not set(pids(other)) & set(pids(instance))
        wait_for(lambda: len(stored(other.data)) == 300, timeout_s=60, why="all is stored")
        assert answers(instance)
    assert answers(instance)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "Ctrl-C"])
def test_signal_ends_it_cleanly(desk: Path, tmp_path: Path, how: str) -> None:
    with ready(tmp_path / "data", "--car", car(desk)) as instance:
        document, children, process = instance.document(), pids(instance), instance.process
        if how == "Ctrl-C":  # a terminal signals every process
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.Signals[how])
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, instance.logs()
    assert out.splitlines()[-1] == f"ready {document['url']}"
    assert all(line.startswith("waiting for ") for line in out.splitlines()[:-1])
    assert "\x1b" not in out + err
    assert document["url"].startswith("http://localhost:")
    assert not (instance.data / "run.json").exists()
    assert all(is_gone(pid) for pid in children)
    assert stored(instance.data), "what was taken in was committed"


def test_killed_supervisor_takes_its_processes_with_it(desk: Path, tmp_path: Path) -> None:
    with ready(tmp_path / "data", "--car", car(desk)) as instance:
        children = pids(instance)
        instance.process.kill()
        instance.process.wait()
        for pid in children:
            wait_for(lambda pid=pid: is_gone(pid), timeout_s=60, why=f"process {pid} ended")
    # What it left behind is no instance: commands open the folder themselves.
    assert (instance.data / "run.json").exists()
    signals = command("signals --data data --json", cwd=tmp_path).document()["signals"]
    assert signals[COUNT]["count"] == len(stored(instance.data)) > 0
    line = f"replay {desk}/short.log --car {desk}/counting --vehicle second --data data --json"
    assert command(line, cwd=tmp_path).document()["rows_stored"] == 300


@contextlib.contextmanager
def ready(data: Path, *arguments: str) -> Iterator[RunningInstance]:
    """An instance in a session of its own, from `ready` to whatever end the test gives it."""
    process = subprocess.Popen(
        [*CONTACTOR, "run", "--data", str(data), "--port", "0", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with killed_at_last(process):
        wait_for((data / "run.json").exists, timeout_s=60, why="it is ready")
        yield RunningInstance(data, process)


# ── car and cloud apart ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def launch(tmp_path: Path) -> BrokerLaunch:
    """A broker that may be started."""
    return prepare_broker(tmp_path / "broker")


def ready_url(folder: Path) -> str:
    """What `serve` says when it answers."""
    out = folder / "serve.out"
    wait_for(lambda: out.read_text().endswith("\n"), timeout_s=60, why="the API answers")
    word, _, url = out.read_text().strip().partition(" ")
    assert word == "ready"
    return url


def agent_line(desk: Path, link: str) -> list[str]:
    options = ["--link", link, "--data", "car", "--speed", "max"]
    return ["agent", "--car", car(desk, "short.log"), *options]


def test_car_and_cloud_meet_over_a_broker_of_their_own(
    desk: Path, tmp_path: Path, launch: BrokerLaunch
) -> None:
    serve = ["serve", "--link", launch.url, "--data", "cloud", "--port", "0"]
    with (
        started(tmp_path, *launch.command),
        started(tmp_path, *serve),
        started(tmp_path, *agent_line(desk, launch.url)),
    ):
        url = ready_url(tmp_path)

        def is_shown() -> bool:
            items = httpx.get(f"{url}/api/v1/vehicles", trust_env=False).json()["items"]
            return [(item["vehicle_id"], item["rows"]) for item in items] == [(VEHICLE, 300)]

        wait_for(is_shown, timeout_s=60, why="all rows are known to the API")
    assert stored(tmp_path / "cloud") == list(range(1, 301))
    assert not (tmp_path / "car" / "lake").exists()
    assert not (tmp_path / "cloud" / "agent").exists()


def test_car_keeps_everything_until_there_is_a_broker(
    desk: Path, tmp_path: Path, launch: BrokerLaunch
) -> None:
    with started(tmp_path, *agent_line(desk, launch.url)):
        # A message a second: 300 numbers, 10 ms apart, are in three of them.
        wait_for(lambda: kept(tmp_path) == 3, timeout_s=60, why="all is kept")
    assert kept(tmp_path) == 3
    serve = ["serve", "--link", launch.url, "--data", "cloud", "--port", "0"]
    with started(tmp_path, *agent_line(desk, launch.url)):
        with started(tmp_path, *launch.command), started(tmp_path, *serve):
            wait_for(lambda: kept(tmp_path) == 0, timeout_s=60, why="all is confirmed")
        assert stored(tmp_path / "cloud") == list(range(1, 301))


def kept(folder: Path) -> int | None:
    """How many messages an outbox holds."""
    path = folder / "car" / "agent" / "outbox.db"
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            count: int = database.execute("select count(*) from message").fetchone()[0]
            return count
    except sqlite3.Error:
        return None
