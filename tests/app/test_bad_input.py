"""Whatever is wrong: one clear line, the right exit code, and nothing done by halves.

What the arguments alone show to be wrong ends with 2, everything else with 1.
"""

import os
import shlex
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import contactor
from contactor.app.main import COMMANDS
from tests.app.command_line import command, command_here, tree
from tests.app.counting import COUNT, make_log, make_profile
from tests.app.processes import CONTACTOR

MAP = """\
[time]
column = "t"
unit = "s"
origin = "2024-05-01T08:00:00Z"

[signals."Vehicle.Speed"]
column = "speed"
"""
CAR = "recording:drive.log?profile=counting"
GOOD = {
    "run": "run --port 0 --data new",
    "agent": f"agent --car {CAR} --link nats://localhost --data new",
    "serve": "serve --port 0 --data new",
    "ingest": "ingest --link nats://localhost --data new",
    "decode": "decode drive.log",
    "replay": "replay drive.log --car counting --vehicle v --data new",
    "import": "import trip.csv --map trip.toml --vehicle v --data new",
    "vehicles": "vehicles --data stored",
    "signals": "signals --data stored",
    "trips": "trips --vehicle one --data stored",
    "user": "user list --data stored",
    "token": "token list --user Mia --data stored",
    "consent": "consent list --data stored",
    "audit": "audit list --data stored",
    "charges": "charges --vehicle one --data stored",
    "battery": "battery --vehicle one --data stored",
    "places": "places --vehicle one --data stored",
    "report": "report --vehicle one --data stored",
    "history": "history rebuild --data stored",
    "journal": "journal list --vehicle one --data stored",
    "alerts": "alerts list --data stored",
    "campaign": "campaign list --data stored",
    "elsewhere": "elsewhere --data stored",
    "car": "car list --data stored",
    "export": "export --vehicle one --output one.parquet --data stored",
    "compact": "compact --data stored",
    "erase": "erase --vehicle one --yes --data stored",
    "backup": "backup kept.tar.zst --data stored",
    "restore": "restore kept.tar.zst",
    "simulate": "simulate --profile contactor_ev --cycle NEDC",
    "profile": "profile list",
}
"""A command of each kind that nothing is wrong with."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a drive, a table, and a data folder in which two vehicles are stored."""
    desk = tmp_path_factory.mktemp("desk")
    make_profile(desk)
    make_log(desk / "drive.log", 50)
    (desk / "trip.csv").write_text("t,speed\n0,10\n1,20\n")
    (desk / "trip.toml").write_text(MAP)
    (desk / "broken.toml").write_text("[time\n")
    (desk / "words.txt").write_text("no log, no table, no folder\n")
    (desk / "empty").mkdir()
    for vehicle in ("one", "two"):
        replay = f"replay drive.log --car counting --vehicle {vehicle} --data stored"
        assert command(replay, cwd=desk).exit_code == 0
    return desk


@pytest.fixture
def at_desk(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk)
    return desk


def check_refused_here(
    desk: Path, capfd: pytest.CaptureFixture[str], line: str, exit_code: int, words: str
) -> None:
    """The command is refused, and no file came, went or changed."""
    before = tree(desk)
    command_here(capfd, line).check_refused(exit_code, words)
    assert tree(desk) == before


# ── arguments ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", COMMANDS)
def test_command_refuses_an_unknown_option(
    at_desk: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    line = f"{GOOD[name]} --bogus"
    check_refused_here(at_desk, capfd, line, 2, f"--bogus (contactor {name} --help)")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bogus", "unknown command 'bogus'; commands: run, agent, serve"),
        ("Replay drive.log", "unknown command 'Replay'"),
        ("--bogus", "--bogus (contactor --help)"),
        ("--json vehicles", "--json vehicles (contactor --help)"),
        ("decode", "LOG (contactor decode --help)"),
        ("replay", "LOG, --car, --vehicle (contactor replay --help)"),
        ("replay drive.log --vehicle v", "--car"),
        ("replay drive.log --car counting", "--vehicle"),
        ("replay drive.log again.log --car counting --vehicle v", "again.log"),
        ("import", "TABLE, --map, --vehicle"),
        ("import trip.csv --vehicle v", "--map"),
        ("profile", "ACTION (contactor profile --help)"),
        ("profile bogus", "invalid choice: 'bogus'"),
        ("car", "ACTION (contactor car --help)"),
        ("car code --data stored", "VEHICLE (contactor car code --help)"),
        ("car code a.b --data stored", "vehicle id 'a.b'; allowed: 1 to 64"),
        ("car code leaf leaf --data stored", "vehicle leaf stands twice"),
        ("car code leaf --days 0 --data stored", "'0' days; allowed: more than 0, to 3650"),
        ("car enrol 0000-0000-000", "no --link given: tls://HOST:PORT"),
        ("car enrol 0000 --link nats://localhost --data new", "no enrolment code: expected 11"),
        ("car enrol-batch trip.csv --data stored", "--output (contactor car enrol-batch --help)"),
        ("car enrol-batch none.csv --output u --data stored", "no file none.csv"),
        ("car enrol-batch empty --output u --data stored", "empty cannot be read: "),
        ("car enrol-batch trip.csv --output u --data stored", "trip.csv has no column vehicle_id"),
        ("agent --link nats://localhost", "no --car given"),
        ("agent --car recording:drive.log?profile=counting", "no --link given: nats://"),
        ("run --port", "--port: expected one argument"),
        ("run --port -1", "--port"),
        ("run --port 65536", "'65536' is no port; allowed: 0 to 65535"),
        ("serve --port eighty", "'eighty' is no port"),
        ("run --speed 0", "'0' is no speed; allowed: a number above 0, or max"),
        ("run --speed nan", "'nan' is no speed"),
        ("replay drive.log --car counting --vehicle v --speed fast", "'fast' is no speed"),
        ("run --history-days -1", "'-1' days; allowed: 0 to 400"),
        (
            "run --port 0 --bus virtual --car 'virtual:contactor_ev?count=2'",
            "--bus with 2 virtual cars; allowed: one",
        ),
        ("run --bus socketcan", "'socketcan' (choose from"),
        ("run --outbox-bytes 1", "--outbox-bytes: '1': allowed are "),
        (f"{GOOD['replay']} --sampling some", "'some' (choose from"),
    ],
)
def test_wrong_words_are_refused(
    at_desk: Path, capfd: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    check_refused_here(at_desk, capfd, line, 2, words)


@pytest.mark.parametrize(
    ("car", "words"),
    [
        ("", "car '': a CAR is virtual:PROFILE or recording:FILE?profile=PROFILE"),
        ("drive.log", "a CAR is virtual:PROFILE or recording:FILE?profile=PROFILE"),
        ("bogus:drive.log?profile=counting", "a CAR is virtual:"),
        ("virtual:", "no profile after virtual:"),
        ("virtual:leef", "unknown profile 'leef'; installed: contactor_ev, nissan_leaf"),
        ("virtual:counting", "profile counting has no physics.toml"),
        ("virtual:contactor_ev?count=0", "count=0; allowed: 1 to 100"),
        ("virtual:contactor_ev?seed=-1", "seed=-1; allowed: 0 to"),
        ("virtual:contactor_ev?elm327_port=80", "elm327_port=80; allowed: 1024 to 65535"),
        ("virtual:contactor_ev?count=3&elm327_port=65534", "=65534; allowed: 1024 to 65533"),
        ("virtual:contactor_ev?plan=fly", "plan=fly; allowed: day, drive, parked"),
        ("virtual:contactor_ev?sampling=every", "unknown key 'sampling'; allowed: vehicle, count"),
        ("can:can0?profile=counting", "can: cars are not in this version"),
        ("obd:/dev/ttyUSB0?profile=counting", "obd: cars are not in this version"),
        ("recording:", "no file after recording:"),
        ("recording:?profile=counting", "no file after recording:"),
        ("recording:drive.log", "profile=PROFILE is missing"),
        ("recording:drive.log?", "profile=PROFILE is missing"),
        ("recording:drive.log?profile=", "profile=PROFILE is missing"),
        ("recording:drive.log?profile", "'profile' is not KEY=VALUE&..."),
        ("recording:drive.log?profile=counting&", "is not KEY=VALUE&..."),
        ("recording:drive.log?profile=counting&profile=counting", "a key stands twice"),
        ("recording:drive.log?profile=counting&colour=red", "unknown key 'colour'; allowed:"),
        ("recording:drive.log?profile=counting&vehicle=", "vehicle '': allowed are"),
        ("recording:drive.log?profile=counting&vehicle=a/b", "vehicle 'a/b': allowed are"),
        ("recording:drive.log?profile=counting&sampling=some", "sampling=some; allowed: every"),
        ("recording:drive.log?profile=leef", "unknown profile 'leef'; installed: contactor_ev"),
        ("recording:drive.log?profile=empty", "empty is a folder without a profile"),
        ("recording:nothing.log?profile=counting", "no file nothing.log"),
        ("recording:empty?profile=counting", "empty is a folder; a file is needed"),
    ],
)
@pytest.mark.parametrize("name", ["run --port 0", "agent --link nats://localhost"])
def test_car_that_cannot_be_read_is_refused(
    at_desk: Path, capfd: pytest.CaptureFixture[str], name: str, car: str, words: str
) -> None:
    check_refused_here(at_desk, capfd, f"{name} --data new --car '{car}'", 2, words)


def test_two_cars_of_one_name_are_refused(at_desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    car = "--car 'recording:drive.log?profile=counting'"
    words = "vehicle counting stands twice; add vehicle=ID"
    check_refused_here(at_desk, capfd, f"run --port 0 --data new {car} {car}", 2, words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("replay nothing.log --car counting --vehicle v", "no file nothing.log"),
        ("replay empty --car counting --vehicle v", "empty is a folder; a file is needed"),
        ("replay drive.log --car leef --vehicle v", "unknown profile 'leef'; installed:"),
        ("replay drive.log --car empty --vehicle v", "empty is a folder without a profile"),
        ("import nothing.csv --map trip.toml --vehicle v", "no file nothing.csv"),
        ("import empty --map trip.toml --vehicle v", "empty is a folder; a file is needed"),
        ("import trip.csv nothing.csv --map trip.toml --vehicle v", "no file nothing.csv"),
        ("import trip.csv --map nothing.toml --vehicle v", "no such file: nothing.toml"),
        ("import trip.csv --map empty --vehicle v", "empty is a directory, not a map"),
        ("import trip.csv --map broken.toml --vehicle v", "broken.toml"),
        ("decode nothing.log", "no such file: nothing.log"),
        ("decode empty", "empty is a directory"),
        ("decode drive.log --dbc nothing.dbc", "no such file: nothing.dbc"),
        ("profile show leef", "unknown profile 'leef'; installed:"),
        ("profile show nissan_leaf_ze1 --message Bogus", "no message 'Bogus'"),
        ("profile check nothing", "no such folder: nothing"),
        ("profile check words.txt", "no such folder: words.txt"),
        ("vehicles --data nothing", "no data folder nothing; run or replay makes one"),
        ("signals --data nothing", "no data folder nothing"),
        ("vehicles --data words.txt/under", "no data folder words.txt/under"),
    ],
)
@pytest.mark.parametrize("as_json", ["", " --json"])
def test_what_is_not_there_is_refused(
    at_desk: Path, capfd: pytest.CaptureFixture[str], line: str, words: str, as_json: str
) -> None:
    if "--message" in line and as_json:
        words = "--message draws a picture"
    data = " --data new" if line.startswith(("replay", "import")) else ""
    check_refused_here(at_desk, capfd, line + data + as_json, 2, words)


@pytest.mark.parametrize("name", ["a b", "", "a/b", "../a", "ä", "a" * 65, "a.b", "*", ">"])
@pytest.mark.parametrize(
    "line",
    [
        "replay drive.log --car counting --data new",
        "import trip.csv --map trip.toml --data new",
        "signals --data stored",
        "vehicles --data stored",
    ],
)
def test_vehicle_that_cannot_be_a_name_is_refused(
    at_desk: Path, capfd: pytest.CaptureFixture[str], line: str, name: str
) -> None:
    words = f"vehicle {name!r}: allowed are 1 to 64 of A-Z a-z 0-9 _ -"
    check_refused_here(at_desk, capfd, f"{line} --vehicle '{name}' --json", 2, words)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("tomorrow", "'tomorrow' is no instant; allowed: 2024-05-01T08:00:00Z, or 7d"),
        ("", "'' is no instant"),
        ("2024-02-30", "'2024-02-30' is no instant"),
        ("9999999999d", "is before 1677"),
        ("0001-01-01", "'0001-01-01' is no instant"),
        ("1969-12-31T23:59:59Z", "--start 1969-12-31T23:59:59Z lies before 1970"),
        ("2199-01-01", "--start 2199-01-01 lies in the future"),
    ],
)
@pytest.mark.parametrize("name", ["replay", "import"])
def test_start_that_never_was_is_refused(
    at_desk: Path, capfd: pytest.CaptureFixture[str], name: str, start: str, words: str
) -> None:
    check_refused_here(at_desk, capfd, f"{GOOD[name]} --start '{start}' --json", 2, words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--since nonsense", "'nonsense' is no instant"),
        ("--since ''", "'' is no instant"),
        ("--until 9999999999d", "is before 1677"),
        ("--since 2024-05-02 --until 2024-05-01", "--since 2024-05-02 is not before --until"),
        ("--since 2024-05-01 --until 2024-05-01", "is not before --until"),
        ("--since 1d --until 2d", "--since 1d is not before --until 2d"),
        ("--signal Vehicle.Sped", "unknown signal 'Vehicle.Sped'; nearest: Vehicle.Speed"),
        ("--signal ''", "unknown signal ''"),
    ],
)
def test_question_that_cannot_be_meant_is_refused(
    at_desk: Path, capfd: pytest.CaptureFixture[str], options: str, words: str
) -> None:
    check_refused_here(at_desk, capfd, f"signals --data stored {options} --json", 2, words)


@pytest.mark.parametrize("name", ["run", "serve"])
@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", "127.0.0.2"])
def test_server_without_login_stays_on_this_machine(
    at_desk: Path, capfd: pytest.CaptureFixture[str], name: str, host: str
) -> None:
    line = f"{GOOD[name]} --host '{host}' --no-auth"
    words = f"--host {host} with --no-auth is refused: who is elsewhere has to log in;"
    check_refused_here(at_desk, capfd, line, 2, f"{words} allowed: localhost, 127.0.0.1, ::1")


@pytest.mark.parametrize("name", ["run", "serve"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--host ''", "'' is no host; allowed: a name or an address of this machine"),
        ("--host 'a b'", "'a b' is no host"),
        ("--link-host http://a", "'http://a' is no host"),
        ("--local-port 70000", "'70000' is no port"),
        ("--certificate-port x", "'x' is no port"),
        ("--tls-certificate a.crt", "belong together; allowed: both or none"),
        ("--tls-key a.key", "belong together; allowed: both or none"),
        (
            "--tls-certificate a.crt --tls-key a.key",
            "--tls-certificate with --host localhost: nothing is encrypted on this machine;"
            " allowed: --host beyond it",
        ),
    ],
)
def test_listening_that_cannot_be_is_refused(
    at_desk: Path, capfd: pytest.CaptureFixture[str], name: str, options: str, words: str
) -> None:
    check_refused_here(at_desk, capfd, f"{GOOD[name]} {options}", 2, words)


def test_link_host_is_of_a_broker_of_ones_own(
    at_desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    line = f"{GOOD['serve']} --link nats://localhost --link-host 0.0.0.0"
    check_refused_here(at_desk, capfd, line, 2, "allowed: it, or --link")


@pytest.mark.parametrize("link", ["localhost", "http://localhost", "nats://", "nats://host:99999"])
@pytest.mark.parametrize("name", ["serve --port 0", GOOD["agent"].partition(" --link")[0]])
def test_link_that_is_none_is_refused(
    at_desk: Path, capfd: pytest.CaptureFixture[str], name: str, link: str
) -> None:
    words = "expected nats://[USER:PASSWORD@]HOST[:PORT]"
    check_refused_here(at_desk, capfd, f"{name} --data new --link {link}", 2, words)


# ── what is not in the arguments ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("replay words.txt --car counting --vehicle v --data new", "words.txt"),
        (f"{GOOD['replay']} --start 0.1s", "drive.log from --start 0.1s on lasts until 20"),
        ("decode words.txt", "words.txt"),
        ("import words.txt --map trip.toml --vehicle v --data new", "words.txt: no column 't'"),
        ("signals --data stored", "which vehicle? --vehicle one or two"),
        ("signals --data stored --vehicle three", "unknown vehicle 'three'; stored: one, two"),
        ("vehicles --data stored --vehicle three", "no vehicle 'three'; known: one, two"),
    ],
)
def test_what_cannot_be_found_or_read_ends_with_1(
    at_desk: Path, capfd: pytest.CaptureFixture[str], line: str, words: str
) -> None:
    check_refused_here(at_desk, capfd, f"{line} --json", 1, words)


def a_file(path: Path) -> Path:
    path.write_text("not a folder")
    return path


def under_a_file(path: Path) -> Path:
    return a_file(path) / "under"


def foreign(path: Path) -> Path:
    path.mkdir()
    (path / "letter.txt").write_text("Dear reader")
    return path


def broken(path: Path) -> Path:
    path.mkdir()
    (path / "format.json").write_text("{")
    return path


def newer(path: Path) -> Path:
    path.mkdir()
    (path / "format.json").write_text('{"format": 99}')
    return path


def not_a_format(path: Path) -> Path:
    (path / "format.json").mkdir(parents=True)
    return path


FOLDERS = {
    a_file: (1, "is a file; --data takes a folder"),
    under_a_file: (1, "Not a directory"),
    foreign: (1, "is no Contactor data folder (it holds letter.txt); choose an empty one"),
    broken: (1, "format.json cannot be read"),
    newer: (1, "has format 99; this Contactor"),
    not_a_format: (1, "Is a directory"),
}


@pytest.mark.parametrize("make", FOLDERS)
@pytest.mark.parametrize("name", [name for name in COMMANDS if "--data" in GOOD[name]])
def test_data_folder_that_is_not_ours_is_refused_and_left_alone(
    at_desk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, make
) -> None:
    data = make(tmp_path / "data")
    before = tree(tmp_path)
    exit_code, words = FOLDERS[make]
    if make is under_a_file and name not in ("run", "agent", "serve", "ingest", "replay", "import"):
        exit_code, words = 2, "no data folder"
    line = GOOD[name].partition(" --data")[0] + f" --data '{data}'"
    command_here(capfd, line).check_refused(exit_code, words)
    assert tree(tmp_path) == before


# ── what is damaged, taken or cut off ────────────────────────────────────────────────────────────


@pytest.fixture
def damaged(at_desk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """A data folder whose lake has lost the sense of its first log entry."""
    data = tmp_path / "data"
    assert command_here(capfd, GOOD["replay"].replace("new", str(data))).exit_code == 0
    log = data / "lake" / "telemetry" / "_delta_log"
    (log / "00000000000000000000.json").write_text("garbage")
    return data


@pytest.mark.parametrize("name", ["vehicles", "signals", "replay", "import"])
def test_lake_that_cannot_be_read_is_refused(
    damaged: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    before = tree(damaged / "lake")
    line = GOOD[name].partition(" --data")[0] + f" --data '{damaged}'"
    command_here(capfd, line).check_refused(1, "lake")
    assert tree(damaged / "lake") == before


@pytest.mark.processes
def test_instance_over_a_lake_that_cannot_be_read_ends_with_its_reason(
    desk: Path, damaged: Path
) -> None:
    before = tree(damaged / "lake")
    ended = command(f"run --port 0 --data '{damaged}' --car {CAR}", cwd=desk)
    replace(ended, out="").check_refused(1, "cloud cannot start: the lake in")
    assert set(ended.out.splitlines()) <= {"waiting for the API"}
    assert tree(damaged / "lake") == before


@pytest.mark.parametrize("name", ["run", "serve", "serve --link nats://localhost"])
def test_port_that_is_taken_is_refused(
    at_desk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    with socket.create_server(("localhost", 0)) as other:
        port = other.getsockname()[1]
        line = f"{name} --port {port} --data '{tmp_path / 'data'}'"
        words = f"port {port} on localhost is taken; --port 0 takes a free one"
        command_here(capfd, line).check_refused(1, words)
    replay = GOOD["replay"].replace("new", str(tmp_path / "data"))
    assert command_here(capfd, replay).exit_code == 0


def test_log_cut_off_anywhere_in_a_line_keeps_all_before_it(
    at_desk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = make_log(tmp_path / "whole.log", 10).read_text()
    last, cut = whole.rindex("\n", 0, -1) + 1, tmp_path / "cut.log"
    for end in range(last + 1, len(whole) - 1, 3):
        cut.write_text(whole[:end])
        data = tmp_path / str(end)
        line = f"replay '{cut}' --car counting --vehicle v --data '{data}' --json"
        ended = command_here(capfd, line)
        assert ended.exit_code == 0
        sent = msgspec.json.decode(ended.out)
        assert (sent["rows_read"], sent["rows_stored"], sent["rows_refused"]) == (10, 9, 1)
        assert list(sent["refused"].values()) == [1]
        assert ended.err.startswith(f"contactor: {cut}: 1 refused: ")
        assert ended.err.endswith(f"first in line 10: {whole[last:end].rstrip()}\n")
        assert ended.err.count("\n") == 1
        stored = contactor.open_lake(data).signals("v")[COUNT].to_list()
        assert stored == list(range(1, 10))


# ── the same in processes of their own ───────────────────────────────────────────────────────────


@pytest.mark.processes
@pytest.mark.parametrize(
    ("line", "exit_code", "words"),
    [
        ("bogus", 2, "unknown command"),
        ("run --car bogus", 2, "a CAR is"),
        ("run --host 0.0.0.0", 2, "with --no-auth is refused"),
        ("agent", 2, "no --car given"),
        ("serve --host 0.0.0.0 --no-auth", 2, "with --no-auth is refused"),
        ("decode empty --json", 2, "is a directory"),
        ("replay drive.log --car leef --vehicle v --json", 2, "unknown profile"),
        ("import trip.csv --map broken.toml --vehicle v --json", 2, "broken.toml"),
        ("vehicles --data words.txt --json", 1, "is a file"),
        ("signals --data stored --vehicle three --json", 1, "unknown vehicle"),
        ("profile show leef --json", 2, "unknown profile"),
    ],
)
def test_process_ends_with_one_line_and_its_exit_code(
    desk: Path, line: str, exit_code: int, words: str
) -> None:
    before = tree(desk)
    command(line, cwd=desk).check_refused(exit_code, words)
    assert tree(desk) == before


@pytest.mark.processes
@pytest.mark.parametrize("line", ["profile list", "profile list --json", "signals --data stored"])
def test_output_that_cannot_be_written_is_told_in_one_line(desk: Path, line: str) -> None:
    if "signals" in line:
        line += " --vehicle one"
    with Path("/dev/full").open("w") as full:
        ended = command(line, cwd=desk, environment={"PYTHONUNBUFFERED": ""}, stdout=full)
    ended.check_refused(1, "contactor: No space left on device")


@pytest.mark.processes
@pytest.mark.parametrize("line", ["profile list", "profile list --json"])
def test_output_that_is_closed_is_not_missed(desk: Path, line: str) -> None:
    shell = f"{shlex.join(CONTACTOR)} {line} >&-"
    process = subprocess.run(["sh", "-c", shell], cwd=desk, capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.processes
@pytest.mark.parametrize("line", ["profile list", "profile show nissan_leaf_ze1 --json"])
def test_output_that_nobody_reads_is_no_error_to_speak_of(desk: Path, line: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        ended = command(line, cwd=desk, environment={"PYTHONUNBUFFERED": ""}, stdout=pipe)
    assert (ended.exit_code, ended.err) == (1, "")
