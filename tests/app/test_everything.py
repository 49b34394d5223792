"""Everything of a car and of a person in one file; and that nothing of who is erased is left."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import polars as pl
import pytest

from contactor.app.main import main
from tests.app.processes import RunningInstance, running, wait_for

pytestmark = pytest.mark.processes

ME, OTHER = "Mia", "Benedikta Quastenflosser"
PASSWORD, ANOTHER = "correct horse battery", "purple monkey dishwasher"
SPEED, LIMIT = "Vehicle.Speed", "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
TABLES = ["trips", "charges", "places", "journal", "journal-loose", "commands", "alerts", "people"]
TABLES += ["consents", "certificates", "keys", "audit", "gaps", "quarantined"]
CAR_FILES = {
    "README.md",
    *(f"signals/{group}.parquet" for group in ("drive", "fast", "slow", "cells", "events")),
    "battery.json",
    *(f"{name}.{form}" for form in ("csv", "json") for name in TABLES),
}


class House:
    """A car of a day, its owner, somebody else who drives it, a third party; and all secrets."""

    def __init__(self, instance: RunningInstance) -> None:
        self.data = instance.data
        document = instance.document()
        self.url, self.secrets = f"{document['url']}/api/v1", [PASSWORD, ANOTHER]
        self.owner = self._client({"origin": str(document["url"])})
        code = str(document["first_owner_url"]).partition("#")[2]
        body = {"code": code, "name": ME, "password": PASSWORD}
        assert self.owner.post("/first-owner", json=body).status_code == 201
        own = (self.data / "own-secret").read_text().strip()
        self.secrets += [code, own, *self.owner.cookies.values()]
        roles = [{"role": "driver", "vehicle_id": "demo"}]
        person = {"name": OTHER, "password": ANOTHER, "roles": roles}
        assert self.owner.post("/people", json=person).status_code == 201
        self.other = self._client({})
        made = self.owner.post(f"/people/{OTHER}/tokens", json={"name": "t", "scope": "admin"})
        self.other.headers["authorization"] = f"Bearer {made.json()['token']}"
        with self._client({"origin": str(document["url"])}) as browser:
            login = browser.post("/session", json={"name": OTHER, "password": ANOTHER})
            assert login.status_code == 201
            self.secrets += [made.json()["token"], *browser.cookies.values()]
        asked = {"path": LIMIT, "value": 80}
        assert self.other.post("/vehicles/demo/commands", json=asked).status_code == 202
        consent = {
            "receiver": "Grid Ltd",
            "purpose": "p",
            "kind": "energy",
            "vehicles": ["demo"],
            "signals": [SPEED],
            "until": "2027-06-01T00:00:00Z",
        }
        given = self.owner.post("/consents", json=consent).json()
        self.secrets.append(given["token"]["token"])
        self.receiver = self._client({"authorization": f"Bearer {given['token']['token']}"})
        assert self.receiver.get("/vehicles/demo").status_code == 200
        why = "a trip is found in what was committed"
        wait_for(self._trips, timeout_s=120, why=why)

    def _trips(self) -> list[object]:
        items: list[object] = self.owner.get("/vehicles/demo/trips").json()["items"]
        return items

    def _client(self, headers: dict[str, str]) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=60)

    def close(self) -> None:
        for client in (self.owner, self.other, self.receiver):
            client.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("everything")


@pytest.fixture(scope="module")
def house(folder: Path) -> Iterator[House]:
    with running(folder / "data", "--history-days", "1", has_login=True) as instance:
        house = House(instance)
        yield house
        house.close()


def opened(content: bytes, secrets: list[str]) -> dict[str, bytes]:
    """The files of an archive; no secret is in any."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    for name, text in files.items():
        assert [secret for secret in secrets if secret.encode() in text] == [], name
        assert name == "README.md" or f"{name}".encode() in files["README.md"]
    return files


def check_car(files: dict[str, bytes]) -> None:
    assert set(files) - {"signals/minute.parquet", "signals/hour.parquet"} == CAR_FILES
    drive = pl.read_parquet(files["signals/drive.parquet"])
    assert drive[SPEED].drop_nulls().len() > 1_000
    assert drive["ts"].is_sorted()
    trips = json.loads(files["trips.json"])
    assert len(trips) == len(pl.read_csv(files["trips.csv"])) > 0
    assert {"start_location", "distance_km"} <= set(trips[0])
    assert [one["receiver"] for one in json.loads(files["consents.json"])] == ["Grid Ltd"]
    assert [one["path"] for one in json.loads(files["commands.json"])] == [LIMIT]
    assert len(json.loads(files["certificates.json"])) == 1
    who = {one["who"] for one in json.loads(files["audit.json"])}
    assert {"Grid Ltd", OTHER} <= who


def test_everything_of_a_car_by_route_and_by_command(house: House, folder: Path) -> None:
    answer = house.owner.get("/vehicles/demo/everything")
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    check_car(opened(answer.content, house.secrets))
    output = folder / "demo.zip"
    asked = ["export", "--everything", "--vehicle", "demo", "--output", str(output)]
    assert main([*asked, "--data", str(house.data)]) == 0
    check_car(opened(output.read_bytes(), house.secrets))
    assert output.stat().st_mode & 0o777 == 0o600
    for who in (house.other, house.receiver):
        assert who.get("/vehicles/demo/everything").status_code == 403
    audit = house.owner.get("/audit?limit=1000").json()["items"]
    what = "GET /vehicles/{vehicle_id}/everything"
    noted = {(one["who"], one["outcome"]) for one in audit if one["what"] == what}
    assert noted == {(ME, "done"), ("local", "done"), (OTHER, "refused"), ("Grid Ltd", "refused")}
    left = [path.name for path in house.data.iterdir() if "export" in path.name]
    assert left == []


def test_everything_of_a_person_by_route_and_by_command(house: House, folder: Path) -> None:
    mine = house.other.get(f"/people/{OTHER.lower()}/everything")
    output = folder / "other.zip"
    asked = ["user", "export", OTHER, "--output", str(output), "--data", str(house.data)]
    assert main(asked) == 0
    for content in (mine.content, output.read_bytes()):
        files = opened(content, house.secrets)
        account = json.loads(files["account.json"])
        assert json.loads(files["passkeys.json"]) == []
        assert json.loads(files["second-factor.json"]) == {"is_on": False, "recovery_codes": 0}
        assert (account["name"], account["roles"][0]["role"]) == (OTHER, "driver")
        assert len(json.loads(files["sessions.json"])) == len(json.loads(files["tokens.json"])) == 1
        assert [one["path"] for one in json.loads(files["commands.json"])] == [LIMIT]
        audit = json.loads(files["audit.json"])
        did = {(one["who"], one["what"]) for one in audit}
        assert (OTHER, "POST /vehicles/{vehicle_id}/commands") in did
        assert (ME, "POST /people/{name}/tokens") in did
        assert {one["who"] for one in audit if "address" in one["detail"]} == {OTHER}
    assert house.other.get(f"/people/{ME}/everything").status_code == 403
    assert house.receiver.get(f"/people/{OTHER}/everything").status_code == 403
    owners = house.owner.get(f"/people/{ME}/everything").content
    assert len(json.loads(opened(owners, house.secrets)["consents.json"])) == 1


def test_what_is_no_archive_is_refused(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for output, words in (("all.tar", "allowed: FILE.zip"), ("no/all.zip", "there is no folder")):
        asked = ["export", "--everything", "--vehicle", "demo", "--output", output]
        assert main([*asked, "--data", str(tmp_path)]) == 2
        assert words in capfd.readouterr().err
    asked = ["export", "--everything", "--vehicle", "demo", "--output", "a.zip", "--since", "1d"]
    assert main([*asked, "--data", str(tmp_path)]) == 2


def test_who_is_removed_stands_in_no_file(
    house: House, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The last one: it stops nothing, but Benedikta is gone."""
    assert [name for name, _ in naming(house.data)] != []
    assert main(["user", "remove", OTHER, "--data", str(house.data)]) == 0
    assert house.other.get("/vehicles").status_code == 401
    assert naming(house.data) == []
    (command,) = house.owner.get("/vehicles/demo/commands").json()["items"]
    assert command["issued_by"] == "somebody"
    audit = house.owner.get("/audit?limit=1000").json()["items"]
    assert OTHER not in str(audit)
    capfd.readouterr()


def naming(data: Path) -> list[tuple[str, int]]:
    """The files that hold the name of who was removed, in any spelling; and where."""
    words = [OTHER.encode(), OTHER.casefold().encode(), OTHER.encode("utf-16-le")]
    found = []
    for path in sorted(data.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        found += [
            (str(path.relative_to(data)), content.find(one)) for one in words if one in content
        ]
    return found


def test_everything_of_a_folder_that_nobody_runs_on(tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "all.zip"
    (tmp_path / "map.toml").write_text(
        '[time]\ncolumn = "t"\nunit = "ms"\norigin = "2026-01-01T00:00:00Z"\n'
        f'[signals."{SPEED}"]\ncolumn = "speed"\n'
    )
    (tmp_path / "trip.csv").write_text("t,speed\n0,10\n1000,20\n")
    tables = [str(tmp_path / "trip.csv"), "--map", str(tmp_path / "map.toml")]
    assert main(["import", *tables, "--vehicle", "leaf", "--data", str(data)]) == 0
    asked = ["export", "--everything", "--output", str(output), "--data", str(data)]
    assert main([*asked, "--vehicle", "leaf"]) == 0
    files = opened(output.read_bytes(), [])
    assert pl.read_parquet(files["signals/drive.parquet"])[SPEED].to_list() == [10.0, 20.0]
    assert main([*asked, "--vehicle", "kona"]) == 1
    assert main(["user", "export", "Mia", "--output", str(output), "--data", str(data)]) == 1
    assert opened(output.read_bytes(), []) == files  # what failed left what was there
