"""Who did what: names are told, the file knows them not, and what is erased stays somebody."""

import resource
from pathlib import Path

import pytest

from contactor.clock import FakeClock
from contactor.cloud.access.area import ACCESS
from contactor.cloud.access.audit import AuditLog, Entry, newest, verify
from contactor.cloud.access.door import LOCAL
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.people import People
from contactor.cloud.access.records import Records
from contactor.cloud.access.rights import Role
from contactor.cloud.access.rows import Held
from contactor.cloud.database.database import Database
from contactor.signals.rights import Right

T0 = 1_772_535_600 * 10**9


class Office:
    """People and the log of what they do, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(T0)
        self.path = folder / "audit.jsonl"
        database = Database.open(folder / "people.sqlite3", [ACCESS])
        self.people = People(database, clock=self.clock)
        self.records = Records(AuditLog.open(self.path), database, clock=self.clock)
        self.mia = Principal(
            self.people.add("Mia Muster", None, [Held("leaf-17", Role.DRIVER)]), "session 1"
        )


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_names_are_told_and_stand_in_no_byte_of_the_file(office: Office) -> None:
    office.records.note(office.mia, "open", "done", vehicle_id="leaf-17", detail={"status": 202})
    office.records.note(None, "log in", "refused")
    office.records.note(LOCAL, "list", "done", vehicle_id="leaf-17")
    last, refused, first = office.records.page(limit=10, before=None)
    assert (first.who, first.by, first.vehicle_id) == ("Mia Muster", "session 1", "leaf-17")
    assert first.detail == {"status": 202}
    assert (refused.who, refused.vehicle_id) == ("nobody", None)
    assert (last.who, last.vehicle_id, last.number) == ("local", "leaf-17", 3)
    assert office.records.page(limit=1, before=2) == [first]
    content = office.path.read_bytes()
    assert b"Mia" not in content
    assert b"leaf" not in content
    assert verify(office.path).count == 3


def test_what_is_erased_stays_as_somebody_in_a_chain_that_is_whole(office: Office) -> None:
    office.records.note(office.mia, "open", "done", vehicle_id="leaf-17")
    office.people.forget_vehicle("leaf-17")
    office.people.remove("Mia Muster")
    (told,) = office.records.page(limit=10, before=None)
    assert (told.what, told.outcome) == ("open", "done")
    assert "Mia" not in told.who
    assert told.vehicle_id not in (None, "leaf-17")
    assert verify(office.path).count == 1


def test_looking_is_new_once_an_hour(office: Office) -> None:
    asked = (office.mia, Right.SEE, "leaf-17")
    assert office.records.is_new(*asked)
    office.clock.advance(3_599)
    assert not office.records.is_new(*asked)
    assert office.records.is_new(office.mia, Right.LOCATE, "leaf-17")
    office.clock.advance(1)
    assert office.records.is_new(*asked)


def test_a_log_that_cannot_be_written_does_not_stop_work(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.records.note(office.mia, "open", "done", vehicle_id="leaf-17")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        office.records.note(office.mia, "close", "done", vehicle_id="leaf-17")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "not noted in the audit log what=close" in caplog.text
    assert [one.what for one in office.records.page(limit=10, before=None)] == ["open"]


def test_the_newest_come_first_across_the_blocks_of_a_large_file(tmp_path: Path) -> None:
    log = AuditLog.open(tmp_path / "audit.jsonl")
    for number in range(300):
        log.append(Entry(T0 + number, "Mia", "it", "done", detail={"text": "x" * (number * 7)}))
    found = list(newest(log.path))
    assert [number for number, _ in found] == list(range(300, 0, -1))
    assert [entry.ts for _, entry in found] == [T0 + number for number in range(299, -1, -1)]
    assert next(newest(log.path, before=5))[0] == 4
    assert list(newest(tmp_path / "none.jsonl")) == []
