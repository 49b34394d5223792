"""What the intake makes of each form on the wire, and of signals that nobody knows."""

import json

import pytest

from contactor.cloud.ingest.codebooks import MAX_PARKED_BYTES
from contactor.cloud.ingest.intake import Cut, Intake
from contactor.signals.batch import RowsBatch
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Gap, Record, Rows
from contactor.signals.wire.alone import decode_alone
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.encode import encode_codebook, encode_gap, encode_record
from contactor.signals.wire.json_form import UNNUMBERED_STREAM
from tests.cloud.lake.samples import SPEED, T0, rows
from tests.signals.wire.version_1 import encode_version_1

GEAR = "Vehicle.Powertrain.Transmission.CurrentGear"
MOVING = "Vehicle.IsMoving"
STREAM, S = 7, 10**9


def record(sequence: int, *columns: Column, stream: int = STREAM) -> Record:
    drive = rows(Group.DRIVE, [T0], {SPEED: [10.0 * sequence]})
    both = Rows(drive.group, drive.ts, (*drive.columns, *columns))
    return Record("leaf", stream, sequence, (both,))


@pytest.fixture
def told() -> list[RowsBatch]:
    return []


@pytest.fixture
def intake(told: list[RowsBatch]) -> Intake:
    return Intake([], number=1, on_batch=told.append)


def take(intake: Intake, payload: bytes | str) -> None:
    intake.take("leaf", payload.encode() if isinstance(payload, str) else payload, now_ns=T0)


def watermark(intake: Intake, stream: int = STREAM) -> int:
    account = intake.ledger.find("leaf", stream)
    return account.watermark if account else 0


# ── version 2 ────────────────────────────────────────────────────────────────────────────────────


def test_a_record_waits_for_its_codebook(intake: Intake, told: list[RowsBatch]) -> None:
    codebook = Codebook()
    for sequence in (1, 2):
        take(intake, encode_record(record(sequence), codebook))
    assert (watermark(intake), told, intake.is_empty) == (0, [], True)
    assert intake.asks(S) == [("leaf", STREAM)]
    assert intake.asks(S + S // 2) == []
    assert intake.asks(2 * S) == [("leaf", STREAM)]
    take(intake, encode_codebook("leaf", STREAM, codebook))
    assert len(told) == 2
    assert watermark(intake) == 2
    assert intake.asks(9 * S) == []


def test_records_that_wait_are_bounded_and_those_dropped_stay_missing(intake: Intake) -> None:
    codebook = Codebook()
    payload = encode_record(record(1), codebook) + bytes(400_000)
    for _ in range(2 * MAX_PARKED_BYTES // len(payload)):
        take(intake, payload)
    take(intake, encode_record(record(2), codebook))
    take(intake, encode_codebook("leaf", 8, codebook))
    assert watermark(intake) == 0
    take(intake, encode_record(record(1, stream=8), codebook))
    assert watermark(intake, 8) == 1


def test_a_codebook_is_committed_once_with_the_first_record_that_uses_it(intake: Intake) -> None:
    codebook = Codebook()
    payload = encode_record(record(1), codebook)
    take(intake, encode_codebook("leaf", STREAM, codebook))
    assert intake.cut().codebooks == ()
    take(intake, payload)
    (stored,) = intake.cut().codebooks
    assert (stored.vehicle_id, stored.stream, stored.body) == ("leaf", STREAM, codebook.body)
    take(intake, encode_record(record(2), codebook))
    assert intake.cut().codebooks == ()
    again = Intake([], number=1, codebooks=[stored])
    take(again, payload)
    assert watermark(again) == 1


def test_gaps_and_repeats_are_settled_as_ever(intake: Intake, told: list[RowsBatch]) -> None:
    codebook = Codebook()
    first = encode_record(record(1), codebook)
    take(intake, encode_codebook("leaf", STREAM, codebook))
    for payload in (first, first, encode_gap(Gap("leaf", STREAM, 2, 5, "full", 4, T0, T0))):
        take(intake, payload)
    assert (watermark(intake), intake.repeats, len(told)) == (5, 1, 1)


def test_another_vehicles_message_is_quarantined(intake: Intake) -> None:
    intake.take("elm", encode_record(record(1), Codebook()), now_ns=T0)
    assert [one.reason for one in intake.cut().quarantined] == [
        "record of leaf on the subject of elm"
    ]


def test_a_damaged_record_is_settled_with_its_reason(intake: Intake) -> None:
    codebook = Codebook()
    payload = encode_record(record(1), codebook)
    take(intake, encode_codebook("leaf", STREAM, codebook))
    take(intake, payload + b"\0")
    later = encode_record(record(2), codebook)
    take(intake, later[:2] + b"\x09" + later[3:])
    cut = intake.cut()
    assert watermark(intake) == 2
    assert [one.reason for one in cut.quarantined] == [
        "record: 1 bytes after its end",
        "wire version 9; known: 1, 2",
    ]


# ── signals that the catalogue lacks ─────────────────────────────────────────────────────────────


def refused(cut: Cut) -> dict[str, int]:
    (state,) = cut.streams
    return dict(state.refused)


def test_unknown_signals_are_kept_aside_and_the_rest_is_stored(
    intake: Intake, told: list[RowsBatch]
) -> None:
    strange = Column.of("Vehicle.Flux", [88.0], Datatype.DOUBLE)
    other = Column.of(MOVING, [1], Datatype.UINT8)
    codebook = Codebook()
    payload = encode_record(record(1, strange, other), codebook)
    take(intake, encode_codebook("leaf", STREAM, codebook))
    take(intake, payload)
    cut = intake.cut()
    assert [[one.path for one in rows.columns] for rows in told] == [[SPEED]]
    assert refused(cut) == {
        "unknown signal Vehicle.Flux": 1,
        "Vehicle.IsMoving is sent as uint8; the catalogue has boolean": 1,
    }
    (kept,) = cut.quarantined
    (found,) = decode_alone(kept.payload).groups
    assert {one.path: one.to_list() for one in found.columns} == {
        "Vehicle.Flux": [88.0],
        MOVING: [1],
    }
    assert found.ts.tolist() == [T0]


def test_an_unknown_signal_that_version_2_could_not_carry_is_kept_as_it_came(
    intake: Intake,
) -> None:
    payload = encode_version_1(record(1, Column.of("é" * 200, [1.0], Datatype.DOUBLE)))
    take(intake, payload)
    (kept,) = intake.cut().quarantined
    assert kept.payload == payload
    assert watermark(intake) == 1


def test_a_record_with_a_wrong_value_is_kept_whole_and_reads_alone(intake: Intake) -> None:
    codebook = Codebook()
    payload = encode_record(
        record(1, Column.of("Vehicle.CurrentLocation.Latitude", [91.0])), codebook
    )
    take(intake, encode_codebook("leaf", STREAM, codebook))
    take(intake, payload)
    cut = intake.cut()
    (kept,) = cut.quarantined
    assert "Latitude: 91.0 is not" in kept.reason
    assert cut.buffer.tables() == {}
    assert len(decode_alone(kept.payload).groups[0].columns) == 2


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def test_one_sample_is_stored_and_acknowledged_to_nobody(
    intake: Intake, told: list[RowsBatch]
) -> None:
    for speed in (41.5, 42):
        take(intake, json.dumps({"ts": "2024-05-01T08:00:00Z", "values": {SPEED: speed}}))
    assert [one.columns[0].to_list() for one in told] == [[41.5], [42.0]]
    assert watermark(intake, UNNUMBERED_STREAM) == 2
    assert told[0].ts.tolist() == [1_714_550_400 * S]


def test_numbered_samples_are_stored_once_by_each_signals_group(
    intake: Intake, told: list[RowsBatch]
) -> None:
    message = json.dumps(
        {
            "stream": 9,
            "sequence": 1,
            "samples": [
                {"ts": 1_714_550_401_000, "values": {SPEED: 2, GEAR: 1.0}},
                {"ts": 1_714_550_400_000, "values": {SPEED: None}},
                {"values": {"Vehicle.Cabin.DoorCount": 4}},
            ],
        }
    )
    take(intake, message)
    take(intake, message)
    assert (watermark(intake, 9), intake.repeats) == (1, 1)
    by_group = {rows.group: rows for rows in told}
    assert len(told) == len(by_group)
    assert set(by_group) == {catalogue()[SPEED].group, catalogue()["Vehicle.Cabin.DoorCount"].group}
    drive = by_group[Group.DRIVE]
    assert (drive.ts // S % 10).tolist() == [0, 1]
    cells = {column.path: (column.to_list(), column.state.tolist()) for column in drive.columns}
    assert cells[SPEED] == ([None, 2.0], [2, 1])
    assert cells[GEAR] == ([None, 1], [0, 1])
    (later,) = [rows for group, rows in by_group.items() if group is not Group.DRIVE]
    assert later.ts.tolist() == [T0]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({SPEED: "fast"}, f"{SPEED}: 'fast' is no float"),
        ({SPEED: True}, f"{SPEED}: True is no float"),
        ({GEAR: 1.5}, f"{GEAR}: 1.5 is no int8"),
        ({GEAR: 300}, f"{GEAR}: 300 is outside -128..127"),
        ({MOVING: 1}, f"{MOVING}: 1 is no boolean"),
        ({SPEED: [1]}, f"{SPEED}: [1] is no float"),
        ({"Vehicle.CurrentLocation.Latitude": 91}, "Vehicle.CurrentLocation.Latitude: 91.0 is not"),
    ],
)
def test_a_wrong_type_or_value_is_refused_by_its_path(
    intake: Intake, values: dict[str, object], reason: str
) -> None:
    text = json.dumps({"stream": 9, "sequence": 1, "samples": [{"ts": 0, "values": values}]})
    take(intake, text)
    (kept,) = intake.cut().quarantined
    assert kept.reason.startswith(reason)
    assert kept.payload == text.encode()
    assert watermark(intake, 9) == 1


def test_json_with_an_unknown_signal_is_stored_without_it(
    intake: Intake, told: list[RowsBatch]
) -> None:
    text = json.dumps([{"ts": 0, "values": {SPEED: 1, "Vehicle.Flux": 2}}])
    take(intake, text)
    cut = intake.cut()
    assert [one.path for one in told[0].columns] == [SPEED]
    assert refused(cut) == {"unknown signal Vehicle.Flux": 1}
    assert cut.quarantined[0].payload == text.encode()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1]",
        '{"values": 3}',
        '{"ts": 1}',
        '{"values": {}, "stream": 1}',
        '{"samples": []}',
        '{"samples": [], "stream": 0, "sequence": 1}',
        '{"samples": [], "stream": 18446744073709551616, "sequence": 1}',
        '{"values": {}, "time": 1}',
        '{"values": {"Vehicle.Speed": 1e999}}',
    ],
)
def test_what_is_no_json_of_ours_is_quarantined(intake: Intake, text: str) -> None:
    take(intake, text)
    (kept,) = intake.cut().quarantined
    assert kept.reason.startswith("JSON: ")


@pytest.mark.parametrize("ts", ['"2024-05-01T08:00:00"', '"yesterday"', "9223372036854775807"])
def test_an_instant_that_is_none_is_refused(intake: Intake, ts: str) -> None:
    take(intake, f'{{"ts": {ts}, "values": {{"{SPEED}": 1}}}}')
    (kept,) = intake.cut().quarantined
    assert kept.reason.startswith("ts ")
