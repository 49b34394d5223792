"""Who is told of the rows that are taken in."""

import pytest

from contactor.cloud.ingest.intake import MAX_NAMELESS, Intake
from contactor.signals.batch import RowsBatch
from contactor.signals.groups import Group
from contactor.signals.record import Gap, Record
from tests.cloud.lake.samples import SPEED, T0, rows
from tests.signals.wire.version_1 import encode_version_1


def record(sequence: int, speed: float, vehicle: str = "leaf") -> Record:
    return Record(vehicle, 1, sequence, (rows(Group.DRIVE, [T0], {SPEED: [speed]}),))


@pytest.fixture
def told() -> list[RowsBatch]:
    return []


@pytest.fixture
def intake(told: list[RowsBatch]) -> Intake:
    return Intake([], number=1, on_batch=told.append)


def take(intake: Intake, message: Record | Gap, subject: str = "leaf") -> None:
    intake.take(subject, encode_version_1(message), now_ns=T0)


def test_each_record_is_told_once(intake: Intake, told: list[RowsBatch]) -> None:
    for sequence in (1, 2, 2, 1, 3):
        take(intake, record(sequence, 10.0 * sequence))
    assert [one.columns[0].values.tolist() for one in told] == [[10.0], [20.0], [30.0]]
    assert (intake.records, intake.rows, intake.repeats) == (3, 3, 2)


def test_nothing_is_told_of_what_is_refused(intake: Intake, told: list[RowsBatch]) -> None:
    take(intake, record(1, float("nan")))
    take(intake, record(2, 1.0), subject="elm")
    take(intake, Gap("leaf", 1, 2, 3, "full", 1, T0, T0))
    intake.take("leaf", b"\x00", now_ns=T0)
    intake.take_stranger("contactor.v1.up", encode_version_1(record(4, 1.0)), now_ns=T0)
    assert told == []
    take(intake, record(4, 7.0))
    assert [one.columns[0].values.tolist() for one in told] == [[7.0]]


def test_a_flood_of_what_names_no_record_is_bounded_and_counted(intake: Intake) -> None:
    for number in range(MAX_NAMELESS + 7):
        intake.take("leaf", b"\xff%d" % number, now_ns=T0)
    take(intake, record(1, 1.0))
    assert (intake.thrown_away, intake.rows) == (7, 1)
    assert len(intake.cut().quarantined) == MAX_NAMELESS
    intake.take("leaf", b"\xff", now_ns=T0)
    assert (intake.thrown_away, len(intake.cut().quarantined)) == (7, 1)
