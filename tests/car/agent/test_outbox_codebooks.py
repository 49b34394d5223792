"""The outbox's codebooks: durable with the messages that need them, and no longer than they do."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.errors import OutboxError
from contactor.signals.groups import Group
from contactor.signals.record import Column, Gap, Record, Rows
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.decode import decode_codebook
from contactor.signals.wire.envelope import read_envelope
from tests.signals.wire.version_1 import encode_version_1

SPEED, GEAR, ODOMETER = (
    "Vehicle.Speed",
    "Vehicle.Powertrain.Transmission.CurrentGear",
    "Vehicle.TraveledDistance",
)
SCHEMA_1 = """
create table stream (
    stream text primary key, vehicle_id text not null, lane text not null,
    profile text not null, random integer not null, renewed text,
    made integer not null default 0, acknowledged integer not null default 0,
    sent_upto integer not null default 0
);
create table message (
    stream text not null, sequence integer not null, last integer not null,
    is_gap integer not null, payload blob not null, rows integer not null,
    first_ts integer not null, last_ts integer not null, primary key (stream, sequence)
);
create index message_last on message (stream, last);
create table note (key text primary key, value text not null) without rowid;
pragma user_version = 1
"""


def batch(*paths: str) -> tuple[Rows, ...]:
    columns = tuple(Column.of(path, [1]) for path in paths)
    return (Rows(Group.DRIVE, np.zeros(1, np.int64), columns),)


def opened(outbox: Outbox) -> Stream:
    return outbox.open_stream("leaf", Lane.LIVE, profile="p")


def told(outbox: Outbox, stream: Stream) -> list[Codebook]:
    found = outbox.codebooks(stream)
    read = [decode_codebook(read_envelope(one), one) for one in found.values()]
    assert [one.id for one in read] == list(found)
    return read


def signals(outbox: Outbox, stream: Stream) -> list[list[str]]:
    held = [outbox.read(one) for one in outbox.held(stream, after=0, limit=100)]
    return [[column.path for column in one.groups[0].columns] for one in held]  # type: ignore[union-attr]  # no gap among them


def test_a_codebook_grows_with_the_signals_and_old_ones_stay_while_needed() -> None:
    outbox = Outbox(":memory:")
    stream = opened(outbox)
    outbox.append(stream, [batch(SPEED), batch(SPEED), batch(GEAR, SPEED), batch(SPEED)])
    short, long = told(outbox, stream)
    assert [path for path, _ in long.entries] == [SPEED, GEAR]
    assert long.entries[:1] == short.entries
    held = outbox.held(stream, after=0, limit=9)
    assert [one.codebook_id for one in held] == [short.id, short.id, long.id, long.id]
    assert signals(outbox, stream) == [[SPEED], [SPEED], [GEAR, SPEED], [SPEED]]
    outbox.acknowledge(stream, 1)
    assert [one.id for one in told(outbox, stream)] == [short.id, long.id]
    outbox.acknowledge(stream, 2)
    assert [one.id for one in told(outbox, stream)] == [long.id]
    outbox.acknowledge(stream, 4)
    assert [one.id for one in told(outbox, stream)] == [long.id]


def test_an_outbox_opened_again_goes_on_with_its_codebook(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db")
    first.append(opened(first), [batch(SPEED, GEAR)])
    first.close()
    again = Outbox(tmp_path / "outbox.db")
    stream = opened(again)
    again.append(stream, [batch(GEAR), batch(ODOMETER)])
    assert [[path for path, _ in one.entries] for one in told(again, stream)] == [
        [SPEED, GEAR],
        [SPEED, GEAR, ODOMETER],
    ]
    assert signals(again, stream) == [[SPEED, GEAR], [GEAR], [ODOMETER]]


def test_a_source_read_again_gets_the_same_codes() -> None:
    batches = [batch(SPEED), batch(GEAR), batch(ODOMETER)]
    payloads = []
    for acknowledged in (0, 2):
        outbox = Outbox(":memory:")
        stream = outbox.open_stream("leaf", Lane.BACKLOG, profile="p", stream=77)
        outbox.acknowledge(stream, acknowledged)
        outbox.append(stream, batches)
        payloads.append(outbox.held(stream, after=2, limit=1)[0].payload)
    assert payloads[0] == payloads[1]


def test_what_was_rolled_back_leaves_no_codes_behind() -> None:
    outbox = Outbox(":memory:")
    stream = opened(outbox)
    outbox.append(stream, [batch(SPEED)])
    outbox._database.execute(
        "create trigger full before insert on message begin select raise(abort, 'full'); end"
    )
    with pytest.raises(OutboxError, match="full"):
        outbox.append(stream, [batch(GEAR)])
    outbox._database.execute("drop trigger full")
    outbox.append(stream, [batch(ODOMETER)])
    assert [path for path, _ in told(outbox, stream)[-1].entries] == [SPEED, ODOMETER]
    assert signals(outbox, stream) == [[SPEED], [ODOMETER]]


def test_a_renewed_stream_has_a_codebook_of_its_own() -> None:
    outbox = Outbox(":memory:")
    stream = opened(outbox)
    outbox.append(stream, [batch(SPEED), batch(GEAR)])
    outbox.acknowledge(stream, 1)
    renewed = outbox.renew(stream)
    assert told(outbox, stream) == []
    assert [path for path, _ in told(outbox, renewed)[0].entries] == [GEAR]
    assert signals(outbox, renewed) == [[GEAR]]


def test_a_file_of_format_1_is_migrated_and_its_messages_are_sent_as_they_are(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.db"
    old = Record("leaf", 5, 1, batch(SPEED))
    gap = Gap("leaf", 5, 2, 3, "outbox full at 9 bytes", 2, 0, 0)
    with sqlite3.connect(path) as database:
        database.executescript(SCHEMA_1)
        database.execute(
            "insert into stream values (?, 'leaf', 'live', 'p', 1, null, 3, 0, 9)", (f"{5:016x}",)
        )
        for message in (old, gap):
            database.execute(
                "insert into message values (?, ?, ?, ?, ?, 1, 0, 0)",
                (
                    f"{5:016x}",
                    message.sequence,
                    message.last,
                    message is gap,
                    encode_version_1(message),
                ),
            )
    database.close()
    outbox = Outbox(path)
    stream = opened(outbox)
    assert stream.stream == 5
    outbox.append(stream, [batch(GEAR)])
    held = outbox.held(stream, after=0, limit=9)
    assert [one.payload for one in held[:2]] == [encode_version_1(old), encode_version_1(gap)]
    assert [one.codebook_id is None for one in held] == [True, True, False]
    assert [outbox.read(one).sequence for one in held] == [1, 2, 4]
    outbox.close()
    assert Outbox(path).position(stream).last == 4
