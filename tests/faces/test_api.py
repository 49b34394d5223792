"""The HTTP API of a running instance, as a program outside meets it."""

import json
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contactor import version
from contactor.app.main import main
from contactor.clock import NS_PER_MS, from_iso
from tests.app.processes import contactor, running

pytestmark = pytest.mark.processes

START = "2024-05-01T08:00:00Z"
SPEED = "Vehicle.Speed"
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed"
ROWS, STEP_MS, HIGHEST, LOWEST = 20_000, 50, 7_777, 12_345
MAP = f"""\
[time]
column = "t"
unit = "ms"
origin = "{START}"

[signals."{SPEED}"]
column = "speed"

[signals."{CHARGE}"]
column = "soc"
"""
VEHICLES = ["a", "b", "c", "d", "peaks"]


def speed(row: int) -> float:
    """A wave between 40 and 60 km/h, with one reading far above it and one far below."""
    return {HIGHEST: 199.0, LOWEST: 0.0}.get(row, round(50 + 10 * math.sin(row / 500), 2))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables, and the data folder that they are imported into."""
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def api(desk: Path) -> Iterator[httpx.Client]:
    """An instance over a lake with five vehicles."""
    (desk / "map.toml").write_text(MAP)
    small = "t,speed,soc\n0,10,80\n1000,20,\n"
    big = [f"{STEP_MS * row},{speed(row)},\n" for row in range(ROWS)]
    for vehicle in VEHICLES:
        text = small if vehicle != "peaks" else "t,speed,soc\n" + "".join(big)
        (desk / f"{vehicle}.csv").write_text(text)
        tables = [str(desk / f"{vehicle}.csv"), "--map", str(desk / "map.toml")]
        assert main(["import", *tables, "--vehicle", vehicle, "--data", str(desk / "data")]) == 0
    with (
        running(desk / "data", command="serve") as instance,
        httpx.Client(base_url=str(instance.document()["url"]), trust_env=False) as client,
    ):
        yield client


def get(api: httpx.Client, path: str) -> object:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def check_problem(answer: httpx.Response, status: int, words: str) -> None:
    """A problem document (RFC 9457, section 3.1) that says what is wrong."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert list(problem) == ["type", "title", "status", "detail"]
    assert (answer.status_code, problem["status"], problem["type"]) == (
        status,
        status,
        "about:blank",
    )
    assert problem["title"]
    assert words in problem["detail"]


def test_healthz_answers(api: httpx.Client) -> None:
    assert get(api, "/healthz") == {"status": "ok", "version": version}


# ── vehicles ─────────────────────────────────────────────────────────────────────────────────────


def test_vehicles_are_told_by_id(api: httpx.Client) -> None:
    page = get(api, "/api/v1/vehicles")
    assert page["next"] is None
    assert [item["vehicle_id"] for item in page["items"]] == VEHICLES
    assert page["items"][0] == {
        "vehicle_id": "a",
        "name": "a",
        "profile": None,
        "connectivity": "asleep",
        "last_seen": "2024-05-01T08:00:01Z",
        "signals": 2,
        "rows": 2,
    }


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 1000])
def test_pages_of_vehicles_hold_each_once(api: httpx.Client, limit: int) -> None:
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        assert pages < len(VEHICLES)
        after = "" if cursor is None else f"&cursor={cursor}"
        page = get(api, f"/api/v1/vehicles?limit={limit}{after}")
        assert 1 <= len(page["items"]) <= limit
        found += [item["vehicle_id"] for item in page["items"]]
        cursor, pages = page["next"], pages + 1
    assert found == VEHICLES
    assert pages == math.ceil(len(VEHICLES) / limit)


def test_vehicles_that_are_so_now_are_told(api: httpx.Client, desk: Path) -> None:
    answer = api.get("/api/v1/vehicles", params={"where": f"{SPEED} == 20", "limit": 3})
    page = answer.json()
    assert [item["vehicle_id"] for item in page["items"]] == ["a", "b", "c"]
    assert page["next"] == "c"
    assert listed(desk, f"not {SPEED} == 20") == ["peaks"]
    wrong = api.get("/api/v1/vehicles", params={"where": "Vehicle.Speed is 20"})
    check_problem(wrong, 400, "where, character 15: 'is'; allowed: an operator")


@pytest.mark.usefixtures("api")
def test_vehicles_are_the_same_once_the_instance_is_gone(desk: Path, tmp_path: Path) -> None:
    shutil.copytree(desk / "data" / "lake", tmp_path / "lake")
    shutil.copy(desk / "data" / "format.json", tmp_path)
    for where in (f"{SPEED} == 20", f"{CHARGE} > 79 and connectivity == 'asleep'"):
        assert listed(tmp_path, where, data=tmp_path) == ["a", "b", "c", "d"]
    asked = contactor("vehicles", "--data", tmp_path, "--where", "Vehicle.Speed <")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "where, character 16: the end; allowed: a number" in asked.stderr


def listed(desk: Path, where: str, data: Path | None = None) -> list[str]:
    """What `contactor vehicles --where` names."""
    folder = data or desk / "data"
    asked = contactor("vehicles", "--json", "--data", folder, "--where", where)
    assert asked.returncode == 0, asked.stderr
    return [item["vehicle_id"] for item in json.loads(asked.stdout)]


def test_page_after_the_last_vehicle_is_empty(api: httpx.Client) -> None:
    assert get(api, "/api/v1/vehicles?cursor=zebra") == {"items": [], "next": None}


def test_vehicle_is_told_with_its_last_values(api: httpx.Client) -> None:
    vehicle = get(api, "/api/v1/vehicles/a")
    signals = vehicle.pop("signals")
    assert vehicle == {"vehicle_id": "a", "name": "a", "profile": None, "connectivity": "asleep"}
    assert signals[SPEED] == {
        "value": 20.0,
        "unit": "km/h",
        "ts": "2024-05-01T08:00:01Z",
        "desired": None,
        "stale": True,
    }
    assert (signals[CHARGE]["value"], signals[CHARGE]["ts"]) == (80.0, START)


# ── series ───────────────────────────────────────────────────────────────────────────────────────


def series(api: httpx.Client, query: str, vehicle: str = "peaks") -> dict[str, list[object]]:
    answer = get(api, f"/api/v1/vehicles/{vehicle}/signals?path={SPEED}&{query}")
    assert answer["vehicle_id"] == vehicle
    [found] = answer["series"]
    assert list(found) == ["path", "unit", "tier", "ts", "value", "min", "max"]
    assert (found["path"], found["unit"]) == (SPEED, "km/h")
    lengths = {len(found[column]) for column in ("ts", "value", "min", "max")}
    assert len(lengths) == 1
    return found


def test_series_with_room_for_all_is_what_was_stored(api: httpx.Client) -> None:
    found = series(api, f"max_points={ROWS}")
    assert found["tier"] == "raw"
    first_ms = from_iso(START) // NS_PER_MS
    assert found["ts"] == [first_ms + STEP_MS * row for row in range(ROWS)]
    assert found["value"] == pytest.approx([speed(row) for row in range(ROWS)], rel=1e-6)
    assert found["min"] == found["max"] == found["value"]


@pytest.mark.parametrize("points", [1, 2, 100, 1000, ROWS - 1])
def test_series_with_fewer_points_hides_no_extreme(api: httpx.Client, points: int) -> None:
    found = series(api, f"max_points={points}")
    assert found["tier"] != "raw"
    assert points / 2 <= len(found["ts"]) <= points
    assert found["ts"] == sorted(set(found["ts"]))
    assert (min(found["min"]), max(found["max"])) == (0.0, 199.0)
    for low, value, high in zip(found["min"], found["value"], found["max"], strict=True):
        assert low <= value <= high
    first_ms = from_iso(START) // NS_PER_MS
    place = found["max"].index(199.0)
    assert found["ts"][place] <= first_ms + STEP_MS * HIGHEST
    assert place + 1 == len(found["ts"]) or found["ts"][place + 1] > first_ms + STEP_MS * HIGHEST


def test_series_begins_with_its_start_and_ends_before_its_end(api: httpx.Client) -> None:
    found = series(api, "start=2024-05-01T08:00:10Z&end=2024-05-01T08:00:20Z")
    first_ms = from_iso("2024-05-01T08:00:10Z") // NS_PER_MS
    assert found["ts"] == list(range(first_ms, first_ms + 10_000, STEP_MS))
    nothing = series(api, "start=2030-01-01T00:00:00Z")
    assert (nothing["tier"], nothing["ts"], nothing["value"]) == ("raw", [], [])


def test_series_of_several_signals_come_in_the_order_asked(api: httpx.Client) -> None:
    answer = get(api, f"/api/v1/vehicles/a/signals?path={CHARGE}&path={SPEED}")
    assert [(one["path"], one["value"]) for one in answer["series"]] == [
        (CHARGE, [80.0]),
        (SPEED, [10.0, 20.0]),
    ]


def test_summary_is_what_the_command_line_prints(api: httpx.Client) -> None:
    summary = get(api, f"/api/v1/vehicles/peaks/summary?path={SPEED}")
    facts = summary["signals"][SPEED]
    assert list(summary) == ["vehicle_id", "since", "until", "signals"]
    assert (facts["count"], facts["min"], facts["max"]) == (ROWS, 0.0, 199.0)
    assert facts["mean"] == pytest.approx(sum(map(speed, range(ROWS))) / ROWS, rel=1e-6)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("vehicles?limit=0", "limit"),
        ("vehicles?limit=1001", "limit"),
        ("vehicles?limit=many", "limit"),
        ("vehicles/a/signals", "path is missing"),
        (f"vehicles/a/signals?path={SPEED}&path=Vehicle.Sped", "unknown signal 'Vehicle.Sped'"),
        ("vehicles/a/signals?path=", "unknown signal ''"),
        (f"vehicles/a/signals?path={SPEED}&max_points=0", "max_points"),
        (f"vehicles/a/signals?path={SPEED}&max_points=100001", "max_points"),
        (f"vehicles/a/signals?path={SPEED}&max_points=all", "max_points"),
        (f"vehicles/a/signals?path={SPEED}&start=yesterday", "start='yesterday'"),
        (f"vehicles/a/signals?path={SPEED}&end=0001-01-01", "end='0001-01-01'"),
        ("vehicles/a/summary?start=9999-12-31", "start='9999-12-31'"),
        ("vehicles/a/summary?path=Vehicle.Sped", "unknown signal 'Vehicle.Sped'"),
        ("vehicles/a/signals?" + f"path={SPEED}&" * 65, "65 paths; the limit is 64"),
    ],
)
def test_bad_parameter_is_named(api: httpx.Client, path: str, words: str) -> None:
    check_problem(api.get(f"/api/v1/{path}"), 400, words)


@pytest.mark.parametrize(
    "path", ["vehicles/e", "vehicles/e/summary", f"vehicles/e/signals?path={SPEED}"]
)
def test_unknown_vehicle_is_not_found(api: httpx.Client, path: str) -> None:
    check_problem(api.get(f"/api/v1/{path}"), 404, "'e'")


@pytest.mark.parametrize("path", ["/api", "/api/v1/", "/api/v1/bogus", "/api/v1/vehicles/a/b"])
def test_unknown_path_is_not_found(api: httpx.Client, path: str) -> None:
    check_problem(api.get(path), 404, "")


@pytest.mark.parametrize("path", ["/api/v1/vehicles", "/healthz"])
def test_other_method_is_not_allowed(api: httpx.Client, path: str) -> None:
    check_problem(api.post(path, json={}), 405, "")


# ── its own description ──────────────────────────────────────────────────────────────────────────

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture(scope="module")
def document(api: httpx.Client) -> dict[str, dict[str, object]]:
    answer = api.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert "json" in answer.headers["content-type"]
    return answer.json()


def operations(document: dict[str, dict[str, object]]) -> Iterator[tuple[str, dict[str, object]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, operation


ONLY_CHANGED = {
    "/api/v1/consents/{consent_id}/tokens": {"post"},
    "/api/v1/alerts/{alert_id}/acknowledge": {"post"},
    "/api/v1/enrolment/codes": {"post"},
    "/api/v1/enrolment/certificates": {"post"},
    "/api/v1/alerts/rules/{name}": {"delete"},
    "/api/v1/alerts/channels/{name}": {"delete"},
    "/api/v1/alerts/channels/{name}/test": {"post"},
    "/api/v1/alerts/push-subscriptions": {"post"},
    "/api/v1/vehicles/{vehicle_id}/history/rebuild": {"post"},
    "/api/v1/vehicles/{vehicle_id}/journal/{entry_id}": {"patch"},
    "/api/v1/places/{place_id}": {"put", "patch", "delete"},
    "/api/v1/first-owner/code": {"post"},
    **{
        f"/api/v1/{path}": {"post"}
        for path in (
            "session/code",
            "session/passkey/options",
            "session/passkey",
            "join/shown",
            "join/options",
            "join",
            "reset/shown",
            "reset",
            "passkeys/options",
            "second-factor/confirm",
            "second-factor/end",
            "people/{name}/reset",
        )
    },
    "/api/v1/invitations/{invitation_id}": {"delete"},
    "/api/v1/passkeys/{passkey_id}": {"patch", "delete"},
    "/api/v1/sessions/{session_id}": {"delete"},
    "/api/v1/password": {"put"},
    "/api/v1/vehicles/{vehicle_id}/keys/{key_id}": {"delete"},
    "/api/v1/vehicles/{vehicle_id}/commands/signed": {"post"},
    "/api/v1/tokens/{token_id}": {"delete"},
    "/api/v1/people/{name}/roles": {"put"},
    "/api/v1/people/{name}/password": {"put"},
    "/api/v1/people/{name}/opened/{opened_id}": {"delete"},
    "/api/v1/vehicles/{vehicle_id}/people/{name}": {"put"},
    "/api/v1/vehicles/{vehicle_id}/people/{name}/{role}": {"delete"},
}
"""Paths that cannot be got."""


def test_openapi_names_each_route(document: dict[str, dict[str, object]]) -> None:
    assert set(document["paths"]) == {
        "/healthz",
        "/metrics",
        "/api/v1/vehicles",
        "/api/v1/vehicles/{vehicle_id}",
        "/api/v1/vehicles/{vehicle_id}/signals",
        "/api/v1/vehicles/{vehicle_id}/summary",
        "/api/v1/vehicles/{vehicle_id}/commands",
        "/api/v1/vehicles/{vehicle_id}/commands/{command_id}",
        "/api/v1/campaigns",
        "/api/v1/campaigns/{campaign_id}",
        "/api/v1/campaigns/{campaign_id}/vehicles",
        "/api/v1/identities",
        "/api/v1/identities/{vehicle_id}",
        "/api/v1/alerts",
        "/api/v1/alerts/{alert_id}",
        "/api/v1/alerts/rules",
        "/api/v1/alerts/channels",
        "/api/v1/alerts/push-key",
        *(
            f"/api/v1/vehicles/{{vehicle_id}}/{topic}"
            for topic in ("trips", "charges", "places", "battery", "report")
        ),
        "/api/v1/vehicles/{vehicle_id}/trips/{trip_id}/consumption",
        "/api/v1/vehicles/{vehicle_id}/warnings",
        "/api/v1/vehicles/{vehicle_id}/journal",
        "/api/v1/vehicles/{vehicle_id}/journal/loose",
        "/api/v1/vehicles/{vehicle_id}/journal/month",
        "/api/v1/places",
        "/api/v1/tariffs",
        "/api/v1/first-owner",
        "/api/v1/session",
        "/api/v1/sessions",
        "/api/v1/invitations",
        "/api/v1/passkeys",
        "/api/v1/second-factor",
        "/api/v1/tokens",
        "/api/v1/people",
        "/api/v1/people/{name}",
        "/api/v1/people/{name}/sessions",
        "/api/v1/people/{name}/tokens",
        "/api/v1/vehicles/{vehicle_id}/people",
        "/api/v1/vehicles/{vehicle_id}/keys",
        "/api/v1/audit",
        "/api/v1/vehicles/{vehicle_id}/everything",
        "/api/v1/people/{name}/everything",
        "/api/v1/consents",
        "/api/v1/consents/{consent_id}",
        "/api/v1/consents/{consent_id}/accesses",
        *ONLY_CHANGED,
    }
    changes = {
        "/api/v1/first-owner": {"post"},
        "/api/v1/session": {"post", "delete"},
        "/api/v1/sessions": {"delete"},
        "/api/v1/invitations": {"post"},
        "/api/v1/passkeys": {"post"},
        "/api/v1/second-factor": {"post"},
        "/api/v1/people/{name}/sessions": {"delete"},
        "/api/v1/tokens": {"post"},
        "/api/v1/consents": {"post"},
        "/api/v1/consents/{consent_id}": {"delete"},
        "/api/v1/people": {"post"},
        "/api/v1/vehicles/{vehicle_id}/keys": {"post"},
        "/api/v1/people/{name}": {"delete"},
        "/api/v1/people/{name}/tokens": {"post"},
        "/api/v1/alerts/rules": {"post"},
        "/api/v1/tariffs": {"put"},
        "/api/v1/vehicles/{vehicle_id}/commands": {"post"},
        "/api/v1/campaigns": {"post"},
        "/api/v1/campaigns/{campaign_id}": {"delete"},
        "/api/v1/identities/{vehicle_id}": {"delete"},
    }
    for path, item in document["paths"].items():
        assert set(item) == ONLY_CHANGED.get(path, {"get"} | changes.get(path, set()))


def test_openapi_names_each_parameter(document: dict[str, dict[str, object]]) -> None:
    item = document["paths"]["/api/v1/vehicles/{vehicle_id}/signals"]
    found = {(one["name"], one["in"]) for one in item["get"]["parameters"]}
    assert found == {
        ("vehicle_id", "path"),
        ("path", "query"),
        ("start", "query"),
        ("end", "query"),
        ("max_points", "query"),
    }


def test_openapi_is_a_document_of_3_1(document: dict[str, dict[str, object]]) -> None:
    """What https://spec.openapis.org/oas/v3.1.0 asks of the objects that are used."""
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"].keys() >= {"title", "version"}
    assert document["info"]["version"] == version
    seen = []
    for path, operation in operations(document):
        assert path.startswith("/")
        seen.append(operation["operationId"])
        parameters = [(one["name"], one["in"]) for one in operation.get("parameters", [])]
        assert len(set(parameters)) == len(parameters)
        in_path = {name for name, place in parameters if place == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        for one in operation.get("parameters", []):
            assert one["in"] in ("query", "header", "path", "cookie")
            assert one["in"] != "path" or one["required"] is True
            assert ("schema" in one) != ("content" in one)
        assert operation["responses"]
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5](\d\d|XX)|default", status)
            assert response["description"]
    assert len(set(seen)) == len(seen)
    assert all(re.fullmatch(r"[\w.-]+", name) for name in document["components"]["schemas"])


def test_openapi_refers_to_what_it_holds(document: dict[str, dict[str, object]]) -> None:
    references = re.findall(r'"\$ref": "([^"]*)"', json.dumps(document))
    assert references
    for reference in references:
        assert reference.startswith("#/")
        place: object = document
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]


FOR_ANYBODY = {("/healthz", "get"), ("/api/v1/first-owner", "get"), ("/api/v1/session", "get")}
BODY, NAMED = {"400", "413"}, {"400", "404"}
OF_PEOPLE: list[tuple[str, str, set[str]]] = [
    ("first-owner", "get", set()),
    ("first-owner", "post", BODY | {"429"}),
    ("first-owner/code", "post", set()),
    ("session", "get", set()),
    ("session", "post", BODY | {"429"}),
    ("session", "delete", set()),
    ("session/code", "post", BODY | {"429"}),
    ("session/passkey/options", "post", {"400", "429"}),
    ("session/passkey", "post", BODY | {"429"}),
    *((path, "post", BODY | {"429"}) for path in ("join/shown", "join/options", "join")),
    *((path, "post", BODY | {"429"}) for path in ("reset/shown", "reset")),
    ("people/{name}/reset", "post", BODY | NAMED),
    ("invitations", "get", set()),
    ("invitations", "post", BODY),
    ("passkeys", "get", {"404"}),
    ("passkeys", "post", BODY | NAMED),
    ("passkeys/options", "post", NAMED | {"429"}),
    ("passkeys/{passkey_id}", "patch", BODY | NAMED),
    ("second-factor", "get", {"404"}),
    ("second-factor", "post", NAMED),
    ("second-factor/confirm", "post", BODY | NAMED | {"429"}),
    ("second-factor/end", "post", BODY | NAMED | {"429"}),
    ("sessions", "get", {"404"}),
    ("sessions", "delete", {"404"}),
    ("tokens", "get", {"404"}),
    ("tokens", "post", BODY | NAMED),
    ("password", "put", BODY | NAMED | {"429"}),
    ("people", "get", set()),
    ("people", "post", BODY | {"429"}),
    ("people/{name}/roles", "put", BODY | NAMED),
    ("people/{name}/password", "put", BODY | NAMED | {"429"}),
    ("people/{name}/tokens", "post", BODY | NAMED),
    ("vehicles/{vehicle_id}/people/{name}", "put", BODY | NAMED),
    ("audit", "get", {"400"}),
    ("vehicles/{vehicle_id}/everything", "get", NAMED | {"429"}),
    ("people/{name}/everything", "get", NAMED | {"429"}),
    ("consents", "get", set()),
    ("consents", "post", BODY | {"404"}),
    ("consents/{consent_id}", "delete", NAMED),
    ("consents/{consent_id}/tokens", "post", NAMED),
    ("vehicles/{vehicle_id}/keys", "get", NAMED | {"409"}),
    ("vehicles/{vehicle_id}/keys/{key_id}", "delete", NAMED | {"409"}),
]


def test_openapi_describes_its_errors_as_problems(document: dict[str, dict[str, object]]) -> None:
    campaigns, alerts = "/api/v1/campaigns", "/api/v1/alerts"
    expected = {
        (alerts, "get"): {"400"},
        (f"{alerts}/rules", "get"): set(),
        (f"{alerts}/rules", "post"): {"400", "413"},
        (f"{alerts}/rules/{{name}}", "delete"): {"400", "404"},
        (f"{alerts}/channels", "get"): set(),
        (f"{alerts}/channels/{{name}}", "delete"): {"400", "404"},
        (f"{alerts}/channels/{{name}}/test", "post"): {"400", "404", "502"},
        (f"{alerts}/push-key", "get"): {"501"},
        (f"{alerts}/push-subscriptions", "post"): {"400", "413"},
        (f"{alerts}/{{alert_id}}/acknowledge", "post"): {"400", "404"},
        ("/api/v1/vehicles/{vehicle_id}/history/rebuild", "post"): {"400", "404"},
        ("/api/v1/vehicles/{vehicle_id}/journal/{entry_id}", "patch"): {"400", "404", "413"},
        ("/api/v1/places", "get"): set(),
        ("/api/v1/places/{place_id}", "patch"): {"400", "404", "413"},
        ("/api/v1/places/{place_id}", "put"): {"400", "413"},
        ("/api/v1/places/{place_id}", "delete"): {"400", "404"},
        ("/api/v1/tariffs", "get"): set(),
        ("/api/v1/tariffs", "put"): {"400", "413"},
        ("/healthz", "get"): set(),
        ("/metrics", "get"): set(),
        ("/api/v1/vehicles", "get"): {"400"},
        (campaigns, "get"): {"400"},
        (campaigns, "post"): {"400", "404", "413"},
        (f"{campaigns}/{{campaign_id}}", "delete"): {"400", "404"},
        ("/api/v1/identities", "get"): {"400", "409"},
        ("/api/v1/identities/{vehicle_id}", "get"): {"400", "404", "409"},
        ("/api/v1/identities/{vehicle_id}", "delete"): {"400", "404", "409"},
        ("/api/v1/enrolment/codes", "post"): {"400", "409", "413"},
        ("/api/v1/enrolment/certificates", "post"): {"400", "409", "413"},
        **{(f"/api/v1/{path}", method): errors for path, method, errors in OF_PEOPLE},
    }
    for path, operation in operations(document):
        (method,) = (name for name, one in document["paths"][path].items() if one is operation)
        errors = {
            status: one for status, one in operation["responses"].items() if status[0] in "45"
        }
        usual = {"400", "404", "409", "413"} if "requestBody" in operation else {"400", "404"}
        who = set() if (path, method) in FOR_ANYBODY else {"401", "403"}
        assert errors.keys() == expected.get((path, method), usual) | who, (path, method)
        for status, error in errors.items():
            form = "Refusal" if status == "409" else "Problem"
            assert error["content"] == {
                "application/problem+json": {"schema": {"$ref": f"#/components/schemas/{form}"}}
            }


def test_answers_are_what_the_description_says(
    api: httpx.Client, document: dict[str, dict[str, object]]
) -> None:
    schemas = document["components"]["schemas"]
    vehicle = get(api, "/api/v1/vehicles?limit=1")["items"][0]
    assert set(vehicle) == set(schemas["Vehicle"]["properties"])
    problem = api.get("/api/v1/vehicles/e").json()
    assert set(problem) == set(schemas["Problem"]["properties"])
    assert set(get(api, "/api/v1/vehicles/a")) == set(schemas["VehicleNow"]["properties"])
