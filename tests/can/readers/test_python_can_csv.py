import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.log import LogReading, Refusal
from contactor.can.readers.lines import cut_lines
from contactor.can.readers.python_can_csv import PythonCanCsvParser

Read = Callable[[str | bytes], LogReading]

HEADER = "timestamp,arbitration_id,extended,remote,error,dlc,data\n"
FRAME = "1483389946.197,0x00dadada,1,0,0,6,WzQyLCA5XQ==\n"


def row(data: bytes, stamp: str = "0.5", can_id: str = "0x1db") -> str:
    return f"{stamp},{can_id},0,0,0,{len(data)},{base64.b64encode(data).decode()}\n"


def test_python_can_csv_yields_time_id_and_payload(read: Read) -> None:
    log = read(
        HEADER
        + FRAME.replace(",6,", ",7,")
        + "1483389946.2,0x7ff,0,0,0,0,\n"
        + "1483389946.300001,0x123,0,1,0,8,\n"
        + "1483389946.4,0x0,1,0,1,0,\n"
    )
    assert log.format == "python-can-csv"
    assert not log.refused
    frames = log.frames
    assert (frames.ts - 1_483_389_946 * 10**9).tolist() == [
        197_000_000,
        200_000_000,
        300_001_000,
        400_000_000,
    ]
    assert frames.can_id.tolist() == [0xDADADA, 0x7FF, 0x123, 0]
    assert frames.is_extended.tolist() == [True, False, False, False]
    assert frames.is_remote.tolist() == [False, False, True, False]
    assert frames.is_error.tolist() == [False, False, False, True]
    assert frames.length.tolist() == [7, 0, 8, 0]
    assert frames[0].data == b"[42, 9]"


@given(st.lists(st.binary(max_size=64), min_size=1, max_size=20))
def test_python_can_csv_reads_any_base64(payloads: list[bytes]) -> None:
    lines = cut_lines((HEADER + "".join(row(data) for data in payloads)).encode())
    frames = PythonCanCsvParser.of(b"").parse(lines).frames
    assert [frames[number].data for number in range(len(frames))] == payloads


@pytest.mark.parametrize(
    ("stamp", "expected_ns"),
    [
        ("1e-05", 10_000),
        ("1.5e-05", 15_000),
        ("-1.25e-07", -125),
        ("1e-20", 0),
        ("0.0001", 100_000),
    ],
)
def test_python_can_csv_reads_small_floats(read: Read, stamp: str, expected_ns: int) -> None:
    log = read(HEADER + row(b"\1", "0.0") + row(b"\1", stamp))
    assert log.frames.ts.tolist() == [0, expected_ns]


def test_python_can_csv_refuses_what_is_no_frame(read: Read) -> None:
    log = read(
        HEADER
        + row(b"\1\2")
        + "0.5,0x1db,0,0,0,8,AQI=\n"
        + "0.5,0x1db,0,0,0,2,A!I=\n"
        + "0.5,0x1db,0,0,0,2,AQIDBAUG\n"
        + "0.5,0x1db,0,0,0,65,AQI=\n"
        + "0.5,0x20000000,1,0,0,2,AQI=\n"
        + "1e+20,0x1db,0,0,0,2,AQI=\n"
        + "0.5,0x1db,2,0,0,2,AQI=\n"
        + "0.5,0x1db,0,0,0,2\n"
        + "\n"
    )
    assert len(log.frames) == 1
    assert [(refusal.reason, refusal.count, refusal.first_line) for refusal in log.refused] == [
        ("payload shorter than length", 2, 3),
        ("length out of range", 2, 5),
        ("identifier out of range", 1, 7),
        ("not a frame", 3, 8),
    ]


@pytest.mark.parametrize("cut", ["0.5", "0.5,0x1db,0,0,0,2", "0.5,0x1db,0,0,0,8,AQIDBAUGB"])
def test_python_can_csv_line_cut_at_the_end_is_refused(read: Read, cut: str) -> None:
    log = read(HEADER + row(b"\1\2") + cut)
    assert len(log.frames) == 1
    assert log.refused == (Refusal("truncated line", 1, 3, cut),)


def test_python_can_csv_without_a_last_line_end_is_whole(read: Read) -> None:
    for data in (b"\x11\x1b", bytes(6), b"\xff" * 8):
        log = read(HEADER + row(b"\1") + row(data).removesuffix("\n"))
        assert len(log.frames) == 2
        assert not log.refused


@pytest.mark.fuzz
@given(st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=3)), max_size=8))
def test_python_can_csv_gives_a_verdict_on_every_line_whatever_the_bytes(
    changes: list[tuple[int, bytes]],
) -> None:
    text = (HEADER + FRAME + row(bytes(64)) + row(b"\1", "1e-5")).encode()
    for place, new in changes:
        text = text[:place] + new + text[place + 1 :]
    cut = cut_lines(text)
    parsed = PythonCanCsvParser.of(text).parse(cut)
    is_frame = (parsed.verdicts == 0) & ~parsed.is_known
    assert len(parsed.verdicts) == len(cut)
    assert int(is_frame.sum()) == len(parsed.frames)
