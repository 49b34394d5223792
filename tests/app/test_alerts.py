"""Alerts with real processes: from a rule in a file to a message at a receiver, over restarts."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.command_line import Ended, command
from tests.app.processes import RunningInstance, running, wait_for
from tests.cloud.alerts.drivers.test_push import Browser
from tests.cloud.alerts.receivers import Receiver, receiver

pytestmark = pytest.mark.processes

CAR = ("--car", "virtual:contactor_ev?vehicle=demo&plan=parked", "--history-days", "0")
LIMIT_S = 60.0


def toml(hook: str) -> str:
    return f"""
version = 1
[[channels]]
name = "hook"
kind = "webhook"
url = "{hook}/T0PSECRET"
secret = "T0PSECRET"
[[rules]]
name = "parked"
text = "The car stands"
[rules.on]
kind = "signal"
holds_s = 1
[[rules.on.when]]
signal = "Vehicle.Speed"
below = 1
rearm = 2
"""


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstance]:
    data: Path = tmp_path_factory.mktemp("alerts") / "data"
    with running(data, *CAR) as instance:
        yield instance


def alerts(desk: Path, words: str) -> Ended:
    return command(f"alerts {words} --data data", cwd=desk)


def call(instance: RunningInstance, method: str, place: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{instance.document()['url']}/api/v1/alerts{place}",
        data=data,
        method=method,
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def taken(server: Receiver) -> list[dict[str, object]]:
    return [json.loads(one.body) for one in server.taken]


def test_alert_fires_once_over_restarts(tmp_path: Path) -> None:
    with receiver() as server:
        (tmp_path / "alerts.toml").write_text(toml(server.url))
        with running(tmp_path / "data", *CAR) as instance:
            assert "parked" in alerts(tmp_path, "add alerts.toml").out
            wait_for(lambda: server.taken, timeout_s=LIMIT_S, why="told")
            instance.kill("cloud")
            wait_for(
                lambda: _delivered(tmp_path), timeout_s=LIMIT_S, why="the cloud is back and knows"
            )
            log = instance.logs()
        with running(tmp_path / "data", *CAR) as instance:
            wait_for(lambda: _speed_known(instance), timeout_s=LIMIT_S, why="rows again")
            log += instance.logs()
        found = alerts(tmp_path, "list --json").document()

    [message] = {json.dumps(one) for one in taken(server)}  # killed before its note, it comes again
    assert json.loads(message)["text"].startswith("The car stands: Vehicle.Speed 0")
    [one] = found
    assert (one["rule"], one["vehicle_id"]) == ("parked", "demo")
    assert "T0PSECRET" not in log


def _delivered(desk: Path) -> bool:
    ended = alerts(desk, "list --json")
    if ended.exit_code:
        return False
    return any(
        sent["state"] == "delivered" for one in ended.document() for sent in one["deliveries"]
    )


def _speed_known(instance: RunningInstance) -> bool:
    with urllib.request.urlopen(
        f"{instance.document()['url']}/api/v1/vehicles/demo", timeout=LIMIT_S
    ) as answer:
        return json.load(answer)["signals"]["Vehicle.Speed"]["stale"] is False


def test_alert_is_acknowledged_and_removed(instance: RunningInstance) -> None:
    desk = instance.data.parent
    with receiver() as server:
        (desk / "alerts.toml").write_text(toml(server.url))
        alerts(desk, "add alerts.toml")
        wait_for(lambda: server.taken, timeout_s=LIMIT_S, why="told")
        [one] = alerts(desk, "list --open --json").document()

        assert alerts(desk, f"ack {one['id']}").exit_code == 0
        assert alerts(desk, "list --open").out == "no alerts\n"
        assert "hook has taken test-" in alerts(desk, "test hook").out
        assert alerts(desk, "remove parked").exit_code == 0
        assert alerts(desk, "remove hook").exit_code == 0
        assert alerts(desk, "rules").out == "no rules\n"
        gone = alerts(desk, "remove hook")
        gone.check_refused(1, "no alert channel 'hook'")


def test_alerts_of_a_folder_that_is_not_in_use(tmp_path: Path) -> None:
    with running(tmp_path / "data", command="serve"):
        pass
    with receiver() as server:
        (tmp_path / "alerts.toml").write_text(toml(server.url))
        shown = alerts(tmp_path, "add alerts.toml")
        assert "T0PSECRET" not in shown.out
        assert "hook" in shown.out
        assert "hook has taken test-" in alerts(tmp_path, "test hook").out
    failed = alerts(tmp_path, "test hook")
    assert failed.exit_code == 1
    assert "Connection refused" in failed.err
    (tmp_path / "bad.toml").write_text("version = 1\n[[rules]]\nname = 'a b'\n")
    bad = alerts(tmp_path, "add bad.toml")
    assert bad.exit_code == 2
    assert "$.rules[0].name" in bad.err


def test_warnings_of_a_car_in_use_and_not(tmp_path: Path) -> None:
    with running(tmp_path / "data", *CAR):
        wait_for(
            lambda: alerts(tmp_path, "warnings demo --html demo.html").out == "demo: nothing odd\n",
            timeout_s=LIMIT_S,
            why="rows are committed",
        )
        assert "Nothing odd" in (tmp_path / "demo.html").read_text()
        alerts(tmp_path, "warnings nobody").check_refused(1, "unknown vehicle 'nobody'")

    assert alerts(tmp_path, "warnings demo --json").document() == []
    alerts(tmp_path, "warnings nobody").check_refused(1, "nobody")


def test_browser_subscribes_and_is_told(instance: RunningInstance) -> None:
    browser = Browser()
    with receiver() as server:
        key = call(instance, "GET", "/push-key")
        assert key == call(instance, "GET", "/push-key")
        channel = browser.channel(f"{server.url}/p/1")
        subscription = {
            "endpoint": channel.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": channel.p256dh, "auth": channel.auth},
        }
        kept = call(instance, "POST", "/push-subscriptions", subscription)
        assert kept == call(instance, "POST", "/push-subscriptions", subscription)
        assert isinstance(kept, dict)
        call(instance, "POST", f"/channels/{kept['name']}/test", {})

        assert call(instance, "GET", "/channels") == {"items": [kept], "next": None}
        call(instance, "DELETE", f"/channels/{kept['name']}")

    [one] = server.taken
    assert json.loads(browser.read(one.body))["rule"] == "test"


def test_api_refuses_with_problems(instance: RunningInstance) -> None:
    channel = {"kind": "webhook", "name": "away", "url": "http://127.0.0.1:9/T0PSECRET"}
    call(instance, "POST", "/rules", {"version": 1, "channels": [channel]})
    for method, place, body, status, words in [
        ("GET", "/none", None, 404, "no alert 'none'"),
        ("POST", "/none/acknowledge", {}, 404, "no alert 'none'"),
        ("GET", "?cursor=x", None, 400, "allowed: what `next` said"),
        ("POST", "/rules", {"version": 2}, 400, "version"),
        ("POST", "/rules", {"version": 1}, 400, "neither rules nor channels"),
        ("DELETE", "/rules/none", None, 404, "no alert rule 'none'"),
        ("POST", "/channels/away/test", {}, 502, "Connection refused"),
        ("POST", "/push-subscriptions", {"endpoint": "https://a.org"}, 400, "keys"),
    ]:
        with pytest.raises(urllib.error.HTTPError) as caught:
            call(instance, method, place, body)
        with caught.value as error:  # an answer left open would hold up the end
            problem = json.load(error)
        assert (caught.value.code, problem["status"]) == (status, status)
        assert words in problem["detail"]
        assert "T0PSECRET" not in problem["detail"]
