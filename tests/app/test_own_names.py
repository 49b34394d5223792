"""By which names a machine is reached, and what is said when an instance is ready."""

import ipaddress
import os
import pty
import subprocess
import sys

import pytest

from contactor.app.elsewhere import Elsewhere
from contactor.app.listening import Listening, Ports
from contactor.app.own_names import HERE, OwnNames, host_names
from contactor.app.ready import tell_ready

BESIDE = Listening("0.0.0.0", 8443, Ports(8080, 8081))
TOLD = Elsewhere(("https://garage.local:8443",), "http://192.0.2.7:8081", "AB:CD")
CODE = "cto_cod_x"


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Garage", ["garage", "garage.local"]),
        ("garage.example.org.", ["garage.example.org"]),
        ("my_garage", ["my_garage", "my_garage.local"]),
        ("localhost", []),
        ("", []),
        ("größe", []),
        ("a b", []),
    ],
)
def test_host_names(name: str, names: list[str]) -> None:
    assert host_names(name) == names


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_address_is_told_by_the_machines_own_names(host: str) -> None:
    own = OwnNames.of(host)
    assert own.served[: len(HERE)] == HERE
    assert host not in own.served
    assert set(own.elsewhere) <= {*own.served, "localhost"}
    for name in own.served[len(HERE) :]:
        if name[0].isdigit():
            assert not ipaddress.ip_address(name).is_loopback


def test_one_host_is_told_alone() -> None:
    own = OwnNames.of("Garage.Example.ORG")
    assert own.elsewhere == ("garage.example.org",)
    assert {"garage.example.org", *HERE} <= set(own.served)
    assert OwnNames.of("FD00:0::7").elsewhere == ("fd00::7",)


def test_ready_tells_of_here_and_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    tell_ready(BESIDE, TOLD, code=CODE)
    assert capsys.readouterr().out.splitlines() == [
        "ready http://localhost:8080",
        "elsewhere https://garage.local:8443",
        "certificate http://192.0.2.7:8081",
        "sha256 AB:CD",
        f"first owner http://localhost:8080/first-owner#{CODE}",
        f"first owner https://garage.local:8443/first-owner#{CODE}",
    ]
    tell_ready(Listening("localhost", 8080), None, code=CODE)
    assert capsys.readouterr().out.splitlines() == [
        "ready http://localhost:8080",
        f"first owner http://localhost:8080/first-owner#{CODE}",
    ]


def test_ready_draws_a_code_on_a_terminal() -> None:
    """A pseudo terminal stands for one."""
    lines = (
        "from contactor.app.ready import tell_ready",
        "from tests.app.test_own_names import BESIDE, TOLD",
        "tell_ready(BESIDE, TOLD)",
    )
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", closefd=True) as screen:
        subprocess.run([sys.executable, "-c", "\n".join(lines)], stdout=theirs, check=True)
        os.close(theirs)
        shown = os.read(screen.fileno(), 65_536).decode().splitlines()
    assert shown[0] == "ready http://localhost:8080"
    drawn = [line for line in shown if line and not line.strip(" █▀▄")]
    assert len(drawn) > 12
