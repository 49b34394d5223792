from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.log import LogReading, Refusal
from contactor.can.readers.lines import cut_lines
from contactor.can.readers.trc import TrcParser

Read = Callable[[str | bytes], LogReading]

# 2023-11-14 22:13:07.5 UTC
START = ";$STARTTIME=45244.925781250\n"
START_NS = 1_700_000_000_000_000_000 - 12_500_000_000
HEADS = {
    "1.0": ";##########\n;   C:\\TraceFile.trc\n;----+-   ---+---  ----+---  +  -+ -- -- ...\n",
    "1.1": f";$FILEVERSION=1.1\n{START};\n",
    "1.2": f";$FILEVERSION=1.2\n{START};\n",
    "1.3": f";$FILEVERSION=1.3\n{START};\n",
    "2.0": f";$FILEVERSION=2.0\n{START};$COLUMNS=N,O,T,I,d,l,D\n;\n",
    "2.1": f";$FILEVERSION=2.1\n{START};$COLUMNS=N,O,T,B,I,d,R,L,D\n;\n",
}
# The same four frames in each version: data, extended, remote, error.
ROWS = {
    "1.0": """
     1)      1000      0300  2  0A FF
     2)      1001  18EFC034  8  01 02 03 04 05 06 07 08
     3)      1002      0100  3  RTR
     4)      1003      0008  4  ERROR 00 19 08 08
     5)      1003  FFFFFFFF  4  00 00 00 04 -- -- -- --  BUSLIGHT
""",
    "1.1": """
     1)      1000.0  Rx         0300  2  0A FF
     2)      1001.0  Tx     18EFC034  8  01 02 03 04 05 06 07 08
     3)      1002.0  Rx         0100  3  RTR
     4)      1003.0  Error      0008  4  00 19 08 08
     5)      1003.0  Warng  FFFFFFFF  4  00 00 00 04  BUSLIGHT
""",
    "1.2": """
     1)      1000.000  1  Rx         0300  2  0A FF
     2)      1001.000  1  Tx     18EFC034  8  01 02 03 04 05 06 07 08
     3)      1002.000  1  Rx         0100  3  RTR
     4)      1003.000  1  Error      0008  4  00 19 08 08
     5)      1003.000  1  Warng  FFFFFFFF  4  00 00 00 04  BUSLIGHT
""",
    "1.3": """
     1)      1000.000 1  Rx        0300 -  2    0A FF
     2)      1001.000 1  Tx    18EFC034 -  8    01 02 03 04 05 06 07 08
     3)      1002.000 1  Rx        0100 -  3    RTR
     4)      1003.000 1  Error     0008 -  4    00 19 08 08
     5)      1003.000 1  Warng FFFFFFFF -  4    00 00 00 04  BUSLIGHT
""",
    "2.0": """
      1      1000.000 DT     0300 Rx 2  0A FF
      2      1001.000 DT 18EFC034 Tx 8  01 02 03 04 05 06 07 08
      3      1002.000 RR     0100 Rx 3
      4      1003.000 ER          Rx    00 19 08 08
      5      1003.000 ST          Rx    00 00 00 08
      6      1003.000 EC          Rx    02 02
""",
    "2.1": """
      1      1000.000 DT 1      0300 Rx -  2    0A FF
      2      1001.000 DT 1  18EFC034 Tx -  8    01 02 03 04 05 06 07 08
      3      1002.000 RR 1      0100 Rx -  3
      4      1003.000 ER 1         - Rx -  4    00 19 08 08
      5      1003.000 EV 1  User-defined event for bus 1
      6      1003.000 EV -  User-defined event for all buses
      7      1003.000 ST 1         - Rx -  4    00 00 00 08
      8      1003.000 EC 1         - Rx -  2    02 02
""",
}
FD_ROWS = """\
      1      1000.000 FD 1      0300 Rx -  9    01 02 03 04 05 06 07 08 09 0A 0B 0C
      2      1000.000 FB 2      0300 Rx -  10   01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10
      3      1000.000 FE 16     0300 Rx -  0
      4      1000.000 BI 1  00000300 Rx -  2    01 02
"""


@pytest.mark.parametrize("version", HEADS)
def test_trc_of_each_version_yields_the_same_frames(read: Read, version: str) -> None:
    log = read(HEADS[version] + ROWS[version])
    assert log.format == "trc"
    assert not log.refused
    frames = log.frames
    assert (frames.ts - frames.ts[0]).tolist() == [0, 1_000_000, 2_000_000, 3_000_000]
    assert frames.can_id.tolist() == [0x300, 0x18EFC034, 0x100, 0]
    assert frames.is_extended.tolist() == [False, True, False, False]
    assert frames.is_remote.tolist() == [False, False, True, False]
    assert frames.is_error.tolist() == [False, False, False, True]
    assert frames.length.tolist() == [2, 8, 3, 4]
    assert [frames[row].data.hex() for row in range(4)] == [
        "0aff",
        "0102030405060708",
        "",
        "00190808",
    ]
    assert not frames.bus.any()
    assert log.has_date == (version != "1.0")
    assert frames.ts[0] == (START_NS + 10**9 if log.has_date else 0)


def test_trc_row_tells_its_form_where_the_head_says_another(read: Read) -> None:
    for version in ("1.1", "1.2", "1.3"):
        log = read(HEADS["1.0"] + ROWS[version])
        assert log.frames.can_id.tolist() == [0x300, 0x18EFC034, 0x100, 0]
        assert not log.refused
        assert read(ROWS[version]).frames.can_id.tolist() == [0x300, 0x18EFC034, 0x100, 0]


def test_trc_can_fd_has_a_dlc(read: Read) -> None:
    log = read(HEADS["2.1"] + FD_ROWS)
    assert log.frames.is_fd.all()
    assert log.frames.length.tolist() == [12, 16, 0, 2]
    assert log.frames.bus.tolist() == [0, 1, 15, 0]
    assert log.frames.is_extended.tolist() == [False, False, False, True]
    assert log.frames[0].data == bytes(range(1, 13))
    assert not log.refused


def test_trc_columns_may_be_fewer_and_a_length_be_in_bytes(read: Read) -> None:
    head = ";$FILEVERSION=2.1\n;$COLUMNS=O,T,I,d,l,D\n"
    log = read(
        head + " 1.5 FD 0300 Rx 12 01 02 03 04 05 06 07 08 09 0A 0B 0C\n 1,6 DT 0300 Rx 1 FF\n"
    )
    assert log.frames.length.tolist() == [12, 1]
    assert log.frames.ts.tolist() == [0, 100_000]
    assert not log.has_date


def test_trc_classic_dlc_above_eight_means_eight_bytes(read: Read) -> None:
    log = read(HEADS["2.1"] + " 1 1.0 DT 1 0300 Rx - 15 01 02 03 04 05 06 07 08\n")
    assert log.frames.length.tolist() == [8]


def test_trc_message_that_j1939_put_together_is_known(read: Read) -> None:
    data = " ".join(f"{byte:02X}" for byte in range(23))
    log = read(
        HEADS["2.1"]
        + f" 1 1.0 DT 3 18FEE300 Rx 255 23 {data}\n"
        + " 2 2.0 DT 3 18FEE300 Rx 255 8 01 02 03 04 05 06 07 08\n"
    )
    assert log.frames.length.tolist() == [8]
    assert not log.refused


def test_trc_with_a_bus_0_counts_from_it(read: Read) -> None:
    log = read(HEADS["2.1"] + " 1 1.0 DT 1 0300 Rx - 0\n 2 1.0 DT 0 0300 Rx - 0\n")
    assert log.frames.bus.tolist() == [1, 0]


@pytest.mark.parametrize(
    "start", ["", ";$STARTTIME=0\n", ";$STARTTIME=999999.5\n", ";$STARTTIME=14-11-2023\n"]
)
def test_trc_without_a_start_has_no_date(read: Read, start: str) -> None:
    log = read(HEADS["1.1"].replace(START, start) + ROWS["1.1"])
    assert not log.has_date
    assert log.frames.ts.tolist() == [0, 1_000_000, 2_000_000, 3_000_000]


def test_trc_refuses_what_is_no_frame(read: Read) -> None:
    log = read(
        HEADS["2.1"]
        + " 1 1.0 DT 1 0300 Rx - 1 FF\n"
        + " 2 1.0 DT 1 0300 Rx - 2 FF\n"
        + " 3 1.0 DT 1 0300 Rx - 2 FF 0G\n"
        + " 4 1.0 DT 1 0300 Rx - 16 FF\n"
        + " 5 1.0 DT 1 20000000 Rx - 1 FF\n"
        + " 6 1.0 DT 999 0300 Rx - 1 FF\n"
        + " 7 1.0 XY 1 0300 Rx - 1 FF\n"
        + " 8 x DT 1 0300 Rx - 1 FF\n"
        + "stopped\n"
    )
    assert len(log.frames) == 1
    assert [(refusal.reason, refusal.count, refusal.first_line) for refusal in log.refused] == [
        ("payload shorter than length", 2, 6),
        ("length out of range", 1, 8),
        ("identifier out of range", 1, 9),
        ("bus out of range", 1, 10),
        ("not a frame", 3, 11),
    ]


@pytest.mark.parametrize(
    "cut",
    [
        "5",
        "5      1004.0 D",
        "5      1004.0 DT 1      03",
        "5      1004.0 DT 1  0300 Rx -  2    0A F",
    ],
)
def test_trc_line_cut_at_the_end_is_refused(read: Read, cut: str) -> None:
    rows = ROWS["2.1"].lstrip("\n").splitlines(keepends=True)[:4]
    log = read(HEADS["2.1"] + "".join(rows) + cut)
    assert len(log.frames) == 4
    assert log.refused == (Refusal("truncated line", 1, 9, cut),)


def test_trc_that_ends_in_a_remote_frame_is_whole(read: Read) -> None:
    for version in ("1.0", "1.1", "1.2", "1.3", "2.0", "2.1"):
        rows = ROWS[version].strip("\n").splitlines()[:3]
        log = read(HEADS[version] + "\n".join(rows))
        assert len(log.frames) == 3
        assert not log.refused


@pytest.mark.fuzz
@given(
    st.sampled_from(list(HEADS)),
    st.sampled_from(list(ROWS)),
    st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=3)), max_size=8),
)
def test_trc_gives_a_verdict_on_every_line_whatever_the_bytes(
    head: str, rows: str, changes: list[tuple[int, bytes]]
) -> None:
    text = (HEADS[head] + ROWS[rows] + FD_ROWS).encode()
    for place, new in changes:
        text = text[:place] + new + text[place + 1 :]
    cut = cut_lines(text)
    parsed = TrcParser.of(text).parse(cut)
    is_frame = (parsed.verdicts == 0) & ~parsed.is_known
    assert len(parsed.verdicts) == len(cut)
    assert int(is_frame.sum()) == len(parsed.frames)
