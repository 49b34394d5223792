"""When an instance is ready, and its run.json."""

import contextlib
import http.server
import json
import logging
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from contactor.app.folder import Process, RunningInstance
from contactor.app.instance import vehicles_without_value
from contactor.app.listening import Listening
from contactor.app.local_http import get_json
from contactor.app.run_file import RunFile
from contactor.errors import InstanceError
from tests.app.counting import make_log, make_profile
from tests.app.processes import contactor, running

BROKER = (Process("broker", 2),)
CLOUD = (*BROKER, Process("cloud", 3))


# ── run.json ─────────────────────────────────────────────────────────────────────────────────────


def read(path: Path) -> tuple[Process, ...]:
    return msgspec.json.decode(path.read_bytes(), type=RunningInstance).processes


def test_run_file_is_not_there_before_the_instance_is_ready(tmp_path: Path) -> None:
    file = RunFile(tmp_path / "run.json", Listening("localhost", 1), None)
    file.update(BROKER)
    assert not (tmp_path / "run.json").exists()
    file.begin(BROKER)
    assert read(tmp_path / "run.json") == BROKER
    file.update(CLOUD)
    assert read(tmp_path / "run.json") == CLOUD


def test_run_file_that_cannot_be_written_again_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.json"
    file = RunFile(path, Listening("localhost", 1), None)
    file.begin(BROKER)
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            file.update(CLOUD)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    path.rmdir()
    with caplog.at_level(logging.WARNING):
        file.update(CLOUD)
        file.update(CLOUD)
    assert [record.message for record in caplog.records][1:] == ["run.json written again"]
    assert read(path) == CLOUD


# ── ready ────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def answering(documents: dict[str, bytes]) -> Iterator[str]:
    """A server that answers by the vehicle asked for; what it does not know it lists nothing of."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            content = documents.get(query.get("vehicle", [""])[0], b'{"items": [], "next": null}')
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("localhost", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def seen(connectivity: str, signals: int, rows: int = 1) -> bytes:
    item = {"vehicle_id": "v", "connectivity": connectivity, "signals": signals, "rows": rows}
    return json.dumps({"items": [item], "next": None}).encode()


def test_vehicle_is_ready_when_it_is_heard_and_has_a_value() -> None:
    documents = {
        "told": seen("online", 1),
        "told-once": seen("asleep", 1),
        "lost": seen("lost", 1),
        "silent": seen("online", 0),
    }
    with answering(documents) as url:
        missing = vehicles_without_value(url, [*documents, "unknown"])
    assert missing == ["told-once", "lost", "silent", "unknown"]


def test_vehicle_that_sleeps_is_ready_when_it_has_sent_more_than_before() -> None:
    documents = {"v": seen("asleep", 1, rows=5)}
    rows: dict[str, int] = {}
    with answering(documents) as url:
        assert vehicles_without_value(url, ["v"], rows) == ["v"]
        documents["v"] = seen("asleep", 1, rows=6)
        assert vehicles_without_value(url, ["v"], rows) == []


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"items": 1}'])
def test_what_is_no_contactor_is_not_waited_for(content: bytes) -> None:
    with answering({"v": content}) as url, pytest.raises(InstanceError, match="no Contactor"):
        vehicles_without_value(url, ["v"])


def test_instance_that_does_not_answer_yet_is_waited_for() -> None:
    with answering({}) as url:
        assert vehicles_without_value(url, []) == []
    with pytest.raises(OSError, match=r"refused|reset"):
        vehicles_without_value(url, ["v"])


@pytest.mark.processes
def test_car_whose_recording_ended_in_an_earlier_run_is_ready_again(tmp_path: Path) -> None:
    profile, log = make_profile(tmp_path), make_log(tmp_path / "count.log", 50)
    car = f"recording:{log}?profile={profile}&vehicle=v&sampling=every"
    data = tmp_path / "data"
    assert contactor("replay", log, "--car", profile, "--vehicle", "w", "--data", data)
    for _ in range(2):
        with running(data, "--car", car, "--speed", "max") as instance:
            url = instance.document()["url"]
            page = get_json(f"{url}/api/v1/vehicles", timeout_s=60)
            known = {item["vehicle_id"]: item["connectivity"] for item in page["items"]}
            assert known == {"v": "online", "w": "asleep"}
