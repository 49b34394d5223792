"""Who is told of the records that are taken in."""

import pytest

from contactor.cloud.ingest.intake import Intake
from contactor.signals.codec import encode_message
from contactor.signals.groups import Group
from contactor.signals.record import Gap, Record
from tests.cloud.lake.samples import SPEED, T0, rows


def record(sequence: int, speed: float, vehicle: str = "leaf") -> Record:
    return Record(vehicle, 1, sequence, (rows(Group.DRIVE, [T0], {SPEED: [speed]}),))


@pytest.fixture
def told() -> list[Record]:
    return []


@pytest.fixture
def intake(told: list[Record]) -> Intake:
    return Intake([], number=1, on_record=told.append)


def take(intake: Intake, message: Record | Gap, subject: str = "leaf") -> None:
    intake.take(subject, encode_message(message), now_ns=T0)


def test_each_record_is_told_once(intake: Intake, told: list[Record]) -> None:
    for sequence in (1, 2, 2, 1, 3):
        take(intake, record(sequence, 10.0 * sequence))
    assert [one.sequence for one in told] == [1, 2, 3]
    assert (intake.records, intake.rows, intake.repeats) == (3, 3, 2)


def test_nothing_is_told_of_what_is_refused(intake: Intake, told: list[Record]) -> None:
    take(intake, record(1, float("nan")))
    take(intake, record(2, 1.0), subject="elm")
    take(intake, Gap("leaf", 1, 2, 3, "full", 1, T0, T0))
    intake.take("leaf", b"\x00", now_ns=T0)
    intake.take_stranger("contactor.v1.up", encode_message(record(4, 1.0)), now_ns=T0)
    assert told == []
    take(intake, record(4, 1.0))
    assert [one.sequence for one in told] == [4]
