"""Identities of a folder that nobody uses: a factory's file, a backup, a damaged key."""

import shutil
from pathlib import Path

import pytest

from contactor.app.folder import DataFolder
from contactor.app.office import enrol_own_cars, open_office
from contactor.clock import SystemClock
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.unit import Unit
from tests.app.command_line import command_here

CLOCK = SystemClock()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cars.csv").write_text("vehicle_id\nleaf\nzoe\n")
    return DataFolder.create(tmp_path / "data")


def done(capfd: pytest.CaptureFixture[str], words: str) -> object:
    return command_here(capfd, f"car {words} --json").document()


def states(capfd: pytest.CaptureFixture[str], data: str = "data") -> dict[str, str]:
    found = done(capfd, f"list --data {data}")
    return {one["vehicle_id"]: one["state"] for one in found}


def is_good(folder: DataFolder, certificate: Certificate) -> bool:
    office = open_office(folder, CLOCK)
    try:
        return office.is_good(certificate)
    finally:
        office.close()


def of_unit(folder: DataFolder, vehicle_id: str) -> Certificate:
    identity = Unit(folder.car_identities).identity(vehicle_id)
    assert identity is not None
    return identity.certificate


# ── a factory ────────────────────────────────────────────────────────────────────────────────────


def test_batch_that_was_cut_short_is_gone_on_with(
    folder: DataFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    line = "enrol-batch cars.csv --output units --data data"
    assert done(capfd, line) == {"output": "units", "vehicles": 2, "enrolled": 2}
    before = (tmp_path / "units" / "leaf" / "key.pem").read_bytes()
    # As a kill leaves it: certified, and the answer not written.
    shutil.move(tmp_path / "units" / "zoe", tmp_path / "units" / ".zoe")
    (tmp_path / "units" / ".zoe" / "certificate.pem").unlink()
    assert done(capfd, line) == {"output": "units", "vehicles": 2, "enrolled": 1}
    assert (tmp_path / "units" / "leaf" / "key.pem").read_bytes() == before
    identity = Unit(tmp_path / "units").identity("zoe")
    assert identity is not None
    assert is_good(folder, identity.certificate)
    assert states(capfd) == {"leaf": "enrolled", "zoe": "enrolled"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cars.csv has no column vehicle_id"),
        ("id\nleaf\n", "cars.csv has no column vehicle_id"),
        ("vehicle_id\n", "cars.csv names no vehicle"),
        ("vehicle_id\nleaf\na.b\n", "cars.csv, line 3: vehicle id 'a.b'; allowed: 1 to 64"),
        ("vehicle_id,x\nleaf,1\n\nleaf,2\n", "cars.csv, line 4: vehicle leaf stands twice"),
        ("x,vehicle_id\n1\n", "cars.csv, line 2: vehicle id ''"),
        ("\udcff", "cars.csv cannot be read"),
    ],
)
def test_file_that_is_wrong_enrols_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (tmp_path / "cars.csv").write_bytes(text.encode(errors="surrogateescape"))
    ended = command_here(capfd, "car enrol-batch cars.csv --output units --data data")
    ended.check_refused(2, words)
    assert not (tmp_path / "units").exists()
    assert states(capfd) == {}


def test_file_of_a_spreadsheet_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cars.csv").write_bytes("\ufeffvehicle_id,colour\r\n leaf ,red\r\n".encode())
    assert done(capfd, "enrol-batch cars.csv --output units --data data")["enrolled"] == 1
    assert states(capfd) == {"leaf": "enrolled"}


@pytest.mark.parametrize("is_new", [True, False])
def test_nobody_that_is_not_known_is_revoked(
    folder: DataFolder, capfd: pytest.CaptureFixture[str], is_new: bool
) -> None:
    if not is_new:
        enrol_own_cars(folder, ["demo"], clock=CLOCK)
    ended = command_here(capfd, "car revoke nobody --data data")
    ended.check_refused(1, "vehicle 'nobody' has no code and no certificate")


# ── own cars ─────────────────────────────────────────────────────────────────────────────────────


def test_own_cars_are_enrolled_once(folder: DataFolder) -> None:
    assert enrol_own_cars(folder, ["demo", "leaf"], clock=CLOCK) == []
    before = of_unit(folder, "demo")
    assert is_good(folder, before)
    assert enrol_own_cars(folder, ["demo", "leaf"], clock=CLOCK) == []
    assert of_unit(folder, "demo") == before


@pytest.mark.parametrize("what", ["lost", "damaged"])
def test_own_car_whose_key_is_gone_is_enrolled_anew(folder: DataFolder, what: str) -> None:
    enrol_own_cars(folder, ["demo"], clock=CLOCK)
    before = of_unit(folder, "demo")
    if what == "lost":
        shutil.rmtree(folder.car_identities)
    else:
        (folder.car_identities / "demo" / "key.pem").write_bytes(b"garbage")
    assert enrol_own_cars(folder, ["demo"], clock=CLOCK) == []
    assert is_good(folder, of_unit(folder, "demo"))
    assert not is_good(folder, before)


def test_own_car_that_was_revoked_is_left_out(
    folder: DataFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    enrol_own_cars(folder, ["demo"], clock=CLOCK)
    done(capfd, "revoke demo --data data")
    assert enrol_own_cars(folder, ["demo", "leaf"], clock=CLOCK) == ["demo"]
    assert states(capfd) == {"demo": "revoked", "leaf": "enrolled"}


# ── a backup ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def restored(folder: DataFolder, capfd: pytest.CaptureFixture[str]) -> DataFolder:
    """A folder with a car of its own, and two that a factory has enrolled."""
    enrol_own_cars(folder, ["demo"], clock=CLOCK)
    done(capfd, "enrol-batch cars.csv --output units --data data")
    assert command_here(capfd, "backup kept.tar --data data").exit_code == 0
    ended = command_here(capfd, "restore kept.tar --data restored")
    assert ended.exit_code == 0
    assert "vehicles enrolled: 3; the key that certified them is in no backup" in ended.err
    return DataFolder(Path("restored").absolute())


def test_backup_holds_no_private_key(restored: DataFolder) -> None:
    assert b"PRIVATE KEY" not in Path("kept.tar").read_bytes()
    assert not list(restored.root.rglob("*.pem"))


def test_restored_folder_tells_who_is_to_be_enrolled_again(
    restored: DataFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    everybody = {"demo": "enrolled", "leaf": "enrolled", "zoe": "enrolled"}
    assert states(capfd, "restored") == everybody  # the key may still be put back
    assert enrol_own_cars(restored, ["demo"], clock=CLOCK) == []
    assert states(capfd, "restored") == {"demo": "enrolled", "leaf": "expired", "zoe": "expired"}


def test_restored_folder_with_its_key_put_back_knows_its_cars(
    folder: DataFolder, restored: DataFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folder.authority / "authority.pem", restored.authority)
    identity = Unit(Path("units")).identity("leaf")
    assert identity is not None
    assert is_good(restored, identity.certificate)
    assert states(capfd, "restored")["leaf"] == "enrolled"


def test_folder_with_a_cars_key_only_becomes_a_data_folder(tmp_path: Path) -> None:
    (tmp_path / "car" / "agent" / "identity" / "leaf").mkdir(parents=True)
    DataFolder.create(tmp_path / "car")
    (tmp_path / "other" / "agent" / "outbox").mkdir(parents=True)
    with pytest.raises(Exception, match="is no Contactor data folder"):
        DataFolder.create(tmp_path / "other")
