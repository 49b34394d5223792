"""Every setting has an option and a variable `CONTACTOR_*`; the option wins. Help tells of both."""

import argparse
import re
from pathlib import Path

import httpx
import pytest

from contactor import version
from contactor.app.main import COMMANDS, main
from contactor.app.settings import add_option
from tests.app.command_line import command, command_here
from tests.app.counting import make_log, make_profile
from tests.app.processes import running

CAR = "recording:drive.log?profile=counting"
COMMON = ["--help", "--json", "--verbose"]
TOLD = ["--csv", "--since", "--until", "--vehicle"]
ARGUMENTS = {
    "agent": [],
    "alerts": [],
    "audit": [],
    "backup": [],
    "battery": ["--certificate", "--csv", "--vehicle"],
    "campaign": [],
    "car": [],
    "charges": TOLD,
    "compact": ["--now"],
    "consent": [],
    "decode": ["--dbc", "--output", "--plot", "--signal", "--to"],
    "elsewhere": [],
    "erase": ["--vehicle", "--yes"],
    "export": ["--everything", "--output", "--signal", "--since", "--until", "--vehicle"],
    "history": ["--jobs", "--vehicle"],
    "import": ["--map", "--sampling", "--start", "--vehicle"],
    "ingest": [],
    "journal": [],
    "places": ["--latitude-deg", "--longitude-deg", "--polygon", "--radius-m", *TOLD],
    "profile": [],
    "replay": ["--car", "--sampling", "--start", "--vehicle"],
    "report": TOLD,
    "restore": [],
    "run": [],
    "serve": [],
    "signals": ["--signal", "--since", "--until", "--vehicle"],
    "simulate": [
        "--cycle",
        "--days",
        "--driver",
        "--output",
        "--plot",
        "--profile",
        "--repeat",
        "--scenario",
        "--seed",
        "--soc-pct",
        "--temperature-degc",
    ],
    "token": [],
    "trips": ["--explain", *TOLD],
    "user": [],
    "vehicles": ["--vehicle", "--where"],
}
"""Command → options that say what this one command is to do, and so are no settings."""


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_profile(tmp_path)
    make_log(tmp_path / "drive.log", 100)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def help_of(capfd: pytest.CaptureFixture[str], line: str) -> str:
    with pytest.raises(SystemExit, match="0"):
        main(line.split())
    out, err = capfd.readouterr()
    assert err == ""
    return out


# ── help ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", COMMANDS)
def test_help_tells_every_option_and_its_variable(
    capfd: pytest.CaptureFixture[str], name: str
) -> None:
    text = help_of(capfd, f"{name} --help")
    assert text.startswith(f"usage: contactor {name} ")
    assert COMMANDS[name] in " ".join(text.split())
    options = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", text, re.MULTILINE))
    assert "--help" in options
    for option in options.difference(COMMON, ARGUMENTS[name]):
        variable = "CONTACTOR_" + option.strip("-").replace("-", "_").upper()
        assert f"[{variable}]" in " ".join(text.split()), f"{name} {option}"
    assert options.issuperset(ARGUMENTS[name])


@pytest.mark.parametrize("action", ["list", "show", "check", "fit"])
def test_help_tells_of_each_action_of_profile(
    capfd: pytest.CaptureFixture[str], action: str
) -> None:
    assert action in help_of(capfd, "profile --help")
    assert f"usage: contactor profile {action} " in help_of(capfd, f"profile {action} --help")


def test_help_of_the_program_names_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    text = help_of(capfd, "--help")
    assert all(f"  {name:<10}{words}\n" in text for name, words in COMMANDS.items())
    bare = command_here(capfd, "")
    assert (bare.exit_code, bare.out, bare.err) == (0, text, "")


@pytest.mark.processes
def test_version_is_told(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert help_of(capfd, "--version") == f"contactor {version}\n"
    ended = command("--version", cwd=desk)
    assert (ended.exit_code, ended.out, ended.err) == (0, f"contactor {version}\n", "")


# ── the environment ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("variable", "value", "line", "words"),
    [
        ("DATA", "elsewhere", "vehicles", "no data folder elsewhere"),
        ("DATA", "elsewhere", "signals", "no data folder elsewhere"),
        ("HOST", "0.0.0.0", "run --port 0", "--host 0.0.0.0 with --no-auth is refused"),
        ("HOST", "0.0.0.0", "serve --port 0", "--host 0.0.0.0 with --no-auth is refused"),
        ("PORT", "eighty", "run", "'eighty' is no port"),
        ("PORT", "eighty", "serve", "'eighty' is no port"),
        ("NO_AUTH", "perhaps", "run", "CONTACTOR_NO_AUTH=perhaps; allowed: 1, true, yes, 0"),
        ("CAR", "bogus", "run", "car 'bogus': a CAR is"),
        ("CAR", "bogus", "agent --link nats://localhost", "car 'bogus': a CAR is"),
        ("CAR", f"{CAR}\n{CAR}", "run", "vehicle counting stands twice"),
        ("LINK", "bogus", f"agent --car {CAR}", "link 'bogus'; expected nats://"),
        ("LINK", "bogus", "car enrol 0000-0000-000", "link 'bogus'; expected nats://"),
        ("LINK", "bogus", "serve", "link 'bogus'; expected nats://"),
        ("SPEED", "fast", "run", "'fast' is no speed"),
        ("SPEED", "fast", f"agent --car {CAR} --link nats://localhost", "'fast' is no speed"),
        ("SPEED", "fast", "replay drive.log --car counting --vehicle v", "'fast' is no speed"),
        ("OUTBOX_BYTES", "few", "run", "'few': allowed are"),
        ("OUTBOX_DAYS", "0", "run", "'0' days; allowed: 1 to 3650"),
    ],
)
def test_variable_says_what_its_option_would(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    line: str,
    words: str,
) -> None:
    monkeypatch.setenv(f"CONTACTOR_{variable}", value)
    command_here(capfd, line).check_refused(2, words)


@pytest.mark.parametrize(
    ("variable", "value", "line", "words"),
    [
        ("DATA", "elsewhere", "vehicles --data here", "no data folder here"),
        ("HOST", "localhost", "run --host 0.0.0.0", "--host 0.0.0.0 with --no-auth"),
        ("CAR", "bogus", "run --car worse", "car 'worse'"),
        ("LINK", "nats://localhost", f"agent --car {CAR} --link worse", "link 'worse'"),
    ],
)
def test_option_wins_over_its_variable(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    line: str,
    words: str,
) -> None:
    monkeypatch.setenv(f"CONTACTOR_{variable}", value)
    command_here(capfd, line).check_refused(2, words)


def test_empty_variable_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATA", "CAR", "LINK", "SPEED", "NO_AUTH"):
        monkeypatch.setenv(f"CONTACTOR_{name}", "")
    command_here(capfd, "vehicles").check_refused(2, "no data folder contactor-data")
    command_here(capfd, "agent").check_refused(2, "no --car given")
    command_here(capfd, f"agent --car {CAR}").check_refused(2, "no --link given")


@pytest.mark.parametrize(("text", "is_on"), [("1", True), ("Yes", True), ("0", False), ("", False)])
def test_switch_is_set_by_yes_and_no(
    monkeypatch: pytest.MonkeyPatch, text: str, is_on: bool
) -> None:
    monkeypatch.setenv("CONTACTOR_NO_AUTH", text)
    parser = argparse.ArgumentParser()
    add_option(parser, "--no-auth", action="store_true")
    assert parser.parse_args([]).no_auth is is_on
    assert parser.parse_args(["--no-auth"]).no_auth is True


@pytest.mark.processes
def test_instance_is_run_by_its_environment_alone(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTACTOR_CAR", f"{CAR}&vehicle=one\n{CAR}&vehicle=two")
    monkeypatch.setenv("CONTACTOR_SPEED", "max")
    monkeypatch.setenv("CONTACTOR_NO_AUTH", "1")
    # A proxy is for the world outside, not for a program's own parts.
    monkeypatch.setenv("http_proxy", "http://localhost:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with running(desk / "data") as instance:
        document = instance.document()
        agent = document["processes"][-1]
        assert (agent["role"], agent["vehicles"]) == ("agent", ["one", "two"])
        vehicles = command("vehicles --data data --json", cwd=desk).document()
        assert [vehicle["vehicle_id"] for vehicle in vehicles] == ["one", "two"]
        assert httpx.get(f"{document['url']}/healthz", trust_env=False).status_code == 200
