"""The outbox: durable, bounded, counted without holes, and honest about what it dropped."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from contactor.car.agent.outbox import RESERVED_SENDS, Lane, Outbox, Stream
from contactor.errors import OutboxError
from contactor.signals.groups import Group
from contactor.signals.record import Column, Gap, Record, Rows


def batch(number: int, rows: int = 1) -> tuple[Rows, ...]:
    ts = np.arange(number, number + rows, dtype=np.int64)
    speeds = [float(number + row) for row in range(rows)]
    return (Rows(Group.DRIVE, ts, (Column.of("Vehicle.Speed", speeds),)),)


def filled(outbox: Outbox, count: int) -> Stream:
    stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
    outbox.append(stream, [batch(number) for number in range(1, count + 1)])
    return stream


def messages(outbox: Outbox, stream: Stream) -> list[Record | Gap]:
    return [outbox.read(held) for held in outbox.held(stream, after=0, limit=100_000)]


def test_appended_records_are_counted_from_one(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    stream = filled(outbox, 3)
    held = messages(outbox, stream)
    assert [message.sequence for message in held] == [1, 2, 3]
    assert {(message.vehicle_id, message.stream) for message in held} == {("leaf", stream.stream)}


def test_reopened_outbox_goes_on_counting_in_the_same_stream(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db")
    stream = filled(first, 2)
    first.close()
    again = Outbox(tmp_path / "outbox.db")
    assert again.open_stream("leaf", Lane.LIVE, profile="p") == stream
    again.append(stream, [batch(3)])
    assert [message.sequence for message in messages(again, stream)] == [1, 2, 3]


def test_lost_outbox_begins_another_stream(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db")
    stream = filled(first, 2)
    first.close()
    for file in tmp_path.iterdir():
        file.unlink()
    assert Outbox(tmp_path / "outbox.db").open_stream("leaf", Lane.LIVE, profile="p") != stream


def test_each_lane_and_vehicle_has_a_stream_of_its_own(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    streams = {
        outbox.open_stream(vehicle, lane, profile="p").stream
        for vehicle in ("leaf", "other")
        for lane in Lane
    }
    assert len(streams) == 6
    assert [stream.lane for stream in outbox.streams()] == [lane for lane in Lane for _ in range(2)]


def test_acknowledged_messages_are_deleted(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    stream = filled(outbox, 5)
    outbox.acknowledge(stream, 3)
    assert [message.sequence for message in messages(outbox, stream)] == [4, 5]
    position = outbox.position(stream)
    assert (position.acknowledged, position.first, position.last) == (3, 4, 5)


def test_older_watermark_changes_nothing(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    stream = filled(outbox, 5)
    outbox.acknowledge(stream, 3)
    outbox.acknowledge(stream, 2)
    assert outbox.position(stream).acknowledged == 3


def test_source_read_again_is_not_kept_where_the_cloud_has_it() -> None:
    outbox = Outbox(":memory:")
    stream = outbox.open_stream("leaf", Lane.BACKLOG, profile="p", stream=77)
    outbox.acknowledge(stream, 3)
    outbox.append(stream, [batch(number) for number in range(1, 6)])
    assert [message.sequence for message in messages(outbox, stream)] == [4, 5]


def test_overflow_drops_the_oldest_and_says_which(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", limit_bytes=20_000)
    stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
    for number in range(1, 301):
        outbox.append(stream, [batch(number)])
    held = messages(outbox, stream)
    gap, records = held[0], held[1:]
    assert isinstance(gap, Gap)
    assert (gap.sequence, gap.row_count, gap.first_ts) == (1, gap.last, 1)
    assert gap.last_ts == gap.last
    assert gap.reason == "outbox full at 20000 bytes"
    assert [record.sequence for record in records] == list(range(gap.last + 1, 301))
    assert len(records) > 50


def test_messages_that_may_have_been_sent_are_replaced_one_by_one(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", limit_bytes=60_000)
    stream = filled(outbox, 10)
    outbox.held(stream, after=0, limit=4)
    for number in range(11, 1_200):
        outbox.append(stream, [batch(number)])
    gaps = [message for message in messages(outbox, stream) if isinstance(message, Gap)]
    reserved = 4 + RESERVED_SENDS
    singles = [gap for gap in gaps if gap.sequence <= reserved]
    assert [(gap.sequence, gap.last) for gap in singles] == [(n, n) for n in range(1, reserved + 1)]
    assert len(gaps) == reserved + 1
    assert gaps[-1].sequence == reserved + 1
    assert gaps[-1].row_count == gaps[-1].last - reserved


def test_gap_that_was_sent_is_not_stretched(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", limit_bytes=20_000)
    stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
    for number in range(1, 301):
        outbox.append(stream, [batch(number)])
    sent = messages(outbox, stream)[0]
    for number in range(301, 400):
        outbox.append(stream, [batch(number)])
    assert messages(outbox, stream)[0] == sent


def test_backlog_is_dropped_before_live(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", limit_bytes=35_000)
    live = outbox.open_stream("leaf", Lane.LIVE, profile="p")
    backlog = outbox.open_stream("leaf", Lane.BACKLOG, profile="p")
    for number in range(1, 120):
        outbox.append(live, [batch(number)])
        outbox.append(backlog, [batch(number)])
    assert not any(isinstance(message, Gap) for message in messages(outbox, live))
    assert isinstance(messages(outbox, backlog)[0], Gap)


def test_declared_loss_is_sent_as_a_gap(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    stream = filled(outbox, 5)
    outbox.acknowledge(stream, 4)
    outbox.declare_lost(stream, 1, 4, "lost by the cloud")
    gap, record = messages(outbox, stream)
    assert isinstance(gap, Gap)
    assert (gap.sequence, gap.last, record.sequence) == (1, 4, 5)


def test_notes_survive(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.note("begun", "17")
    outbox.close()
    again = Outbox(tmp_path / "outbox.db")
    assert (again.noted("begun"), again.noted("other")) == ("17", None)


def test_foreign_file_is_set_aside_and_a_new_outbox_begun(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"not a database" * 100)
    outbox = Outbox(tmp_path / "outbox.db")
    assert outbox.streams() == []
    assert [path.name for path in tmp_path.glob("outbox.damaged-*")]


def test_newer_format_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "outbox.db") as database:
        database.execute("pragma user_version = 99")
    database.close()
    with pytest.raises(OutboxError, match="format 99; this Contactor reads 2"):
        Outbox(tmp_path / "outbox.db")


def test_unwritable_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutboxError, match="File exists"):
        Outbox(tmp_path / "file" / "outbox.db")


WRITER = """
import sys
from pathlib import Path
from tests.car.agent.test_outbox import batch
from contactor.car.agent.outbox import Lane, Outbox
outbox = Outbox(Path(sys.argv[1]))
stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
number = outbox.position(stream).last
while True:
    outbox.append(stream, [batch(number + 1), batch(number + 2), batch(number + 3)])
    number += 3
    print(number, flush=True)
"""


@pytest.mark.processes
def test_killed_writer_loses_nothing_that_append_returned_for(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    confirmed = 0
    for kill in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(3 + 5 * kill):
            confirmed = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split()
        confirmed = int(rest[-1]) if rest else confirmed
        writer.wait()
        writer.stdout.close()
        outbox = Outbox(path)
        stream = outbox.open_stream("leaf", Lane.LIVE, profile="p")
        sequences = [message.sequence for message in messages(outbox, stream)]
        outbox.close()
        assert sequences == list(range(1, len(sequences) + 1))
        assert confirmed <= len(sequences) <= confirmed + 3
        assert len(sequences) % 3 == 0


def test_full_disk_adds_nothing_and_says_so(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    stream = filled(outbox, 2)
    outbox._database.execute("pragma max_page_count = 12")
    with pytest.raises(OutboxError, match="full"):
        outbox.append(stream, [batch(number, rows=2_000) for number in range(3, 30)])
    assert [message.sequence for message in messages(outbox, stream)] == [1, 2]
    outbox._database.execute("pragma max_page_count = 1000000")
    outbox.append(stream, [batch(3)])
    assert [message.sequence for message in messages(outbox, stream)] == [1, 2, 3]


def test_outbox_damaged_inside_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    filled(outbox, 500)
    outbox.close()
    content = bytearray(path.read_bytes())
    content[8_192:20_000] = bytes(11_808)
    path.write_bytes(content)
    assert Outbox(path).streams() == []
    assert [found.name for found in tmp_path.glob("outbox.damaged-*")]


def test_rows_that_are_too_old_become_one_gap_with_the_reason(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    stream = filled(outbox, 10)
    assert outbox.drop_older(stream, 7, "too old") == 6
    assert outbox.drop_older(stream, 7, "too old") == 0
    gap, *rest = messages(outbox, stream)
    assert isinstance(gap, Gap)
    assert (gap.sequence, gap.last, gap.row_count, gap.reason) == (1, 6, 6, "too old")
    assert (gap.first_ts, gap.last_ts) == (1, 6)
    assert [message.sequence for message in rest] == [7, 8, 9, 10]


def test_rows_of_a_source_that_can_be_read_again_are_never_too_old(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    stream = outbox.open_stream("leaf", Lane.LIVE, profile="p", stream=7)
    outbox.append(stream, [batch(1)])
    assert outbox.drop_older(stream, 100, "too old") == 0
