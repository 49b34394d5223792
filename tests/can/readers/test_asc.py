from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.log import LogReading
from contactor.can.readers.asc import AscParser
from contactor.can.readers.lines import cut_lines

Read = Callable[[str | bytes], LogReading]

DATE = "Sat Sep 30 15:06:13.191 2017"
DATE_NS = 1_506_783_973_191_000_000
HEAD = f"date {DATE}\nbase hex  timestamps absolute\ninternal events logged\n// version 9.0.0\n"
BEGIN = f"Begin Triggerblock {DATE}\n   0.000000 Start of measurement\n"
FRAME = "   1.500000 1  1DB             Rx   d 2 01 FF  Length = 0 BitCount = 0 ID = 475\n"


def refusals(log: LogReading) -> list[tuple[str, int, int]]:
    return [(refusal.reason, refusal.count, refusal.first_line) for refusal in log.refused]


def test_asc_yields_time_bus_id_and_payload(read: Read) -> None:
    log = read(
        HEAD
        + BEGIN
        + FRAME
        + "   1.600000 2  18FF50E5x       Tx   d 8 00 11 22 33 44 55 66 77\n"
        + "   1.700000 2  7ffx Rx d 0\nEnd TriggerBlock\n"
    )
    assert log.format == "asc"
    assert not log.refused
    assert log.frames.ts.tolist() == [DATE_NS + ms * 1_000_000 for ms in (1500, 1600, 1700)]
    assert log.frames.bus.tolist() == [0, 1, 1]
    assert log.frames.can_id.tolist() == [0x1DB, 0x18FF50E5, 0x7FF]
    assert log.frames.is_extended.tolist() == [False, True, True]
    assert log.frames.length.tolist() == [2, 8, 0]
    assert log.frames[0].data == b"\x01\xff"
    assert not log.frames.is_fd.any()


@pytest.mark.parametrize(
    "head",
    [
        "",
        "base hex\n",
        "base hex  timestamps absolute\nno internal events logged\n",
        "\ufeffbase hex timestamps absolute\r\nBegin Triggerblock\r\n",
    ],
)
def test_asc_without_a_date_begins_at_zero(read: Read, head: str) -> None:
    log = read(head + FRAME + FRAME.replace("1.5", "1.7"))
    assert not log.has_date
    assert not log.refused
    assert log.frames.ts.tolist() == [0, 200_000_000]


def test_asc_date_that_could_be_two_makes_no_date(read: Read) -> None:
    log = read(f"date 01/02/2017 15:06:13\nbase hex timestamps absolute\n{FRAME}")
    assert not log.has_date
    assert not log.refused


def test_asc_relative_stamps_add_up_over_events_and_blocks(read: Read) -> None:
    log = read(
        HEAD.replace("absolute", "relative")
        + BEGIN
        + "   0.500000 1  100 Rx d 1 01\n"
        + "   0.250000 1  Statistic: D 0 R 0 XD 0 XR 0 E 0 O 0 B 0.00%\n"
        + "   0.250000 1  100 Rx d 1 02\nEnd TriggerBlock\n"
        + "Begin Triggerblock Sat Sep 30 15:07:13.191 2017\n"
        + "   1.000000 1  100 Rx d 1 03\n"
    )
    assert (log.frames.ts - DATE_NS).tolist() == [500_000_000, 1_000_000_000, 2_000_000_000]


def test_asc_relative_stamps_add_up_over_blocks_of_lines() -> None:
    lines = [f"   0.001000 1  {number:X} Rx d 1 01\n" for number in range(10)]
    head = HEAD.replace("absolute", "relative")
    parser = AscParser.of(head.encode())
    texts = (head + "".join(lines[:3]), "".join(lines[3:4]), "".join(lines[4:]))
    ts = np.concatenate([parser.parse(cut_lines(text.encode())).frames.ts for text in texts])
    assert (ts - DATE_NS).tolist() == [number * 1_000_000 for number in range(1, 11)]


def test_asc_relative_stamp_out_of_range_is_refused_alone(read: Read) -> None:
    steps = ("0.5", "4000000000.0", "-1.0", "0.5")
    log = read("base hex timestamps relative\n" + "".join(f"{s} 1 100 Rx d 0\n" for s in steps))
    assert log.frames.ts.tolist() == [0, 500_000_000]
    assert refusals(log) == [("time out of range", 2, 3)]


@pytest.mark.parametrize(
    ("block", "stamp", "expected_s"),
    [
        # From the start of the measurement, as CANoe writes them: the block began 60 s later.
        ("15:07:13.191", "60.100000", 60.1),
        # From the start of the block.
        ("15:07:13.191", "0.100000", 60.1),
        # The head has another zone than the block.
        ("10:06:13.191 PM", "0.100000", 7 * 3600 + 0.1),
    ],
)
def test_asc_stamps_count_from_the_date_they_are_nearer_to(
    read: Read, block: str, stamp: str, expected_s: float
) -> None:
    log = read(HEAD + f"Begin Triggerblock Sat Sep 30 {block} 2017\n  {stamp} 1 100 Rx d 1 01\n")
    assert (log.frames.ts - DATE_NS).tolist() == [round(expected_s * 1e9)]


def test_asc_of_several_logs_one_after_another_has_the_date_of_each(read: Read) -> None:
    log = read(HEAD + FRAME + HEAD.replace("2017", "2018") + FRAME)
    year_ns = 365 * 86_400 * 10**9
    assert (log.frames.ts - DATE_NS).tolist() == [1_500_000_000, 1_500_000_000 + year_ns]
    assert not log.refused


def test_asc_decimal_commas_and_nanoseconds_are_read(read: Read) -> None:
    log = read("base hex\n 1,500000 1 100 Rx d 0\n 1.500000001 1 100 Rx d 0\n")
    assert log.frames.ts.tolist() == [0, 1]


def test_asc_decimal_base_holds_for_ids_lengths_and_bytes(read: Read) -> None:
    log = read(
        "base dec  timestamps absolute\n"
        "1344.4328 5  469744131x      Rx   d 8 135 129  24  62 177   0 240   1  Length = 2737\n"
        "1344.4329 3  1003            Rx   d 2  10  99\n"
        "1344.4330 3  1003            Rx   r 3\n"
        "1344.4331 3  1003            Rx   d 2  10  256\n"
        "1344.4332 3  100F            Rx   d 1  10\n"
    )
    assert log.frames.can_id.tolist() == [469744131, 1003, 1003]
    assert log.frames[0].data == bytes((135, 129, 24, 62, 177, 0, 240, 1))
    assert log.frames[1].data == bytes((10, 99))
    assert log.frames.length.tolist() == [8, 2, 3]
    assert refusals(log) == [("payload shorter than length", 1, 5), ("not a frame", 1, 6)]


def test_asc_can_fd_is_hexadecimal_in_a_decimal_log(read: Read) -> None:
    log = read(
        "base dec  timestamps absolute\n"
        "1.1 5  168  Rx   d 2 173 105\n"
        "1.2 CANFD   2 Rx   fc  ESC_51  1 0 9 12 67 ce ff 00 7e 00 40 06 00 00 00 10   299015  524"
        "   323000 c81a7d76 50a00150 46280150 20001f7e 20000b1a\n"
    )
    assert log.frames.can_id.tolist() == [168, 0xFC]
    assert log.frames[1].data == bytes.fromhex("67ceff007e00400600000010")
    assert log.frames[0].data == bytes((173, 105))


def test_asc_can_fd_is_decimal_where_its_bytes_show_it(read: Read) -> None:
    log = read(
        "base dec  timestamps absolute\n"
        "2.0 CANFD 1 Tx 291x 1 0 9 12 1 2 3 4 5 6 7 8 9 10 11 12\n"
        "2.1 CANFD 1 Tx 291x 1 0 10 16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 255\n"
    )
    assert log.frames.can_id.tolist() == [291, 291]
    assert log.frames.length.tolist() == [12, 16]
    assert log.frames[0].data == bytes(range(1, 13))


def test_asc_remote_frames_ask_for_a_length_or_none(read: Read) -> None:
    log = read(
        "base hex\n 2.51 2 100 Tx r\n 2.52 3 200 Tx r Length = 1704000 BitCount = 145 ID = 8x\n"
        " 2.58 4 300 Tx r 8 Length = 1704000\n 2.59 4 300x Tx r 2\n"
    )
    assert log.frames.is_remote.all()
    assert log.frames.length.tolist() == [0, 0, 8, 2]
    assert log.frames.is_extended.tolist() == [False, False, False, True]
    assert log.frames[2].data == b""


def test_asc_error_frames_have_a_bus_and_no_id(read: Read) -> None:
    log = read(
        "base hex\n 2.5 1 ErrorFrame\n 2.6 1  ErrorFrame ECC: 10100010\n"
        " 2.7 2 ErrorFrame\tFlags = 0xe CodeExt = 0x20a2 Code = 0x82 ID = 0 DLC = 0\n"
        " 2.8 CANFD   5 Tx ErrorFrame Not Acknowledge error, dominant error flag fffe c7 31ca\n"
    )
    assert log.frames.is_error.all()
    assert log.frames.bus.tolist() == [0, 0, 1, 4]
    assert log.frames.is_fd.tolist() == [False, False, False, True]
    assert not log.frames.can_id.any()
    assert not log.frames.length.any()


LONG = "   102203  133   {flags} e0006659 46500250 4b140250 20011736 2001040d"


@pytest.mark.parametrize(
    ("line", "is_fd", "is_remote", "length"),
    [
        ("CANFD 1 Rx 300 1 0 9 12 00 11 22 33 44 55 66 77 88 99 AA BB", True, False, 12),
        ("CANFD 1 Rx 300 Name 0 0 2 2 00 11", True, False, 2),
        ("CANFD 1 Rx 300 0 0 2  2 00 11" + LONG.format(flags="303000"), True, False, 2),
        # A classic frame on a channel of CAN FD: no bit 12.
        ("CANFD 1 Rx 300 0 0 2  2 00 11" + LONG.format(flags="200000"), False, False, 2),
        ("CANFD 1 Rx 300 0 0 5  0 140000 73 200050 7a60 46500250 460a0250", False, True, 5),
        ("CANFD 1 Rx 300 0 0 0  0" + LONG.format(flags="1000"), True, False, 0),
        ("CANFD 1 Rx 300 0 0 9  0" + LONG.format(flags="1010"), True, True, 12),
        ("CANFD 1 Rx 300 1 0 f  0", True, True, 64),
        # No DLC stands for ten bytes; they are there all the same.
        ("CANFD 1 Rx 300 1 0 a 10 00 11 22 33 44 55 66 77 88 99", True, False, 10),
    ],
)
def test_asc_can_fd_line_is_told_by_its_flags(
    read: Read, line: str, is_fd: bool, is_remote: bool, length: int
) -> None:
    log = read(f"base hex\n 1.0 {line}\n")
    frame = log.frames[0]
    assert (frame.is_fd, frame.is_remote, frame.length) == (is_fd, is_remote, length)
    assert not log.refused


@pytest.mark.parametrize(
    ("words", "is_fd", "length"),
    [
        ("d F 00 11 22 33 44 55 66 77  Length = 0", False, 8),
        ("d 9 00 11 22 33 44 55 66 77 88 99 AA BB", True, 12),  # a DLC
        ("d c 00 11 22 33 44 55 66 77 88 99 AA BB", True, 12),  # a count
        ("d 14 " + " ".join(f"{byte:02X}" for byte in range(20)), True, 20),
    ],
)
def test_asc_classic_line_of_more_than_eight_bytes(
    read: Read, words: str, is_fd: bool, length: int
) -> None:
    log = read(f"base hex\n 1.0 1 100 Rx {words}\n")
    assert (log.frames[0].is_fd, log.frames[0].length) == (is_fd, length)


def test_asc_id_given_as_a_name_is_read_from_its_number(read: Read) -> None:
    log = read(
        "base hex\n"
        " 1.0 1  EngineData      Rx   d 1 02  Length = 0 BitCount = 0 ID = 100\n"
        " 1.1 1  ABS             Rx   d 1 02  Length = 0 BitCount = 0 ID = 418119424x\n"
        " 1.2 1  ACC             Rx   d 1 02  Length = 0 BitCount = 0 ID = 101\n"
        " 1.3 1  65  EngineData  Rx   d 1 02\n"
        " 1.4 1  EngineData      Rx   d 1 02\n"
    )
    assert log.frames.can_id.tolist() == [100, 418119424, 101, 0x65]
    assert log.frames.is_extended.tolist() == [False, True, False, False]
    assert refusals(log) == [("identifier given as a name only", 1, 6)]


def test_asc_with_a_channel_0_counts_buses_from_it(read: Read) -> None:
    log = read("base hex\n 1.0 1 100 Rx d 0\n 1.1 0 100 Rx d 0\n")
    assert log.frames.bus.tolist() == [1, 0]


@pytest.mark.parametrize(
    "event",
    [
        "   0.015991 CAN 1 Status:chip status error passive - TxErr: 132 RxErr: 0",
        "   1.015991 1  Statistic: D 0 R 0 XD 0 XR 0 E 0 O 0 B 0.00%",
        "   3.297743 1  J1939TP FEE3p        6    0  0   -   Rx   d 23 A0 0F A6 60 3B D1",
        "   1.000000 1  OverloadFrame",
        "   1.000000 Li 3C Rx 8 01 02 03 04 05 06 07 08 checksum = 70",
        "   1.000000 ETH 1 Rx 2a:ffffffffffff00112233445508060001",
        "   1.000000 SV: 2 0 1 ::Vehicle::Speed = 12.5",
        "   1.000000 GPS-Device: 1  La:48.825 Lo: 9.09 Alt: 325 Sp: 29 Co: 87",
        "   1.000000 Doors_Open := 1",
        "   1.000000 log trigger event",
        "   1.000000 1  1DB             TxRq d 2 01 FF",
        "//1.000000 previous log file: before.asc",
        "",
    ],
)
def test_asc_event_of_another_kind_is_known(read: Read, event: str) -> None:
    log = read(HEAD + BEGIN + event + "\n" + FRAME + "End TriggerBlock\n")
    assert len(log.frames) == 1
    assert not log.refused


def test_asc_refuses_what_is_no_frame(read: Read) -> None:
    log = read(
        "base hex\n"
        + FRAME
        + " 1.0 1  1DB Rx d 3 01 02\n"
        + " 1.0 1  1DB Rx d 2 01 0G\n"
        + " 1.0 1  1DB Rx d 80 01\n"
        + " 1.0 1  20000000x Rx d 1 01\n"
        + " 1.0 300  1DB Rx d 1 01\n"
        + " 9999999999999 1  1DB Rx d 1 01\n"
        + " 1.0 CANFD 1 Rx 300 1 0 f 65\n"
        + " 1.0 1  1DB\n"
        + "hello\n 1.0\n 1.0 1  1DB Rx q 1 01\n 1.0 CANXL 1 Rx 300\n"
    )
    assert len(log.frames) == 1
    assert refusals(log) == [
        ("payload shorter than length", 2, 3),
        ("length out of range", 2, 5),
        ("identifier out of range", 1, 6),
        ("bus out of range", 1, 7),
        ("not a frame", 6, 8),
    ]


@pytest.mark.parametrize(
    "cut",
    [
        "   1.5",
        "   1.500000 1",
        "   1.500000 1  EngineDa",
        "   1.500000 CANF",
        "   1.500000 1  1DB             R",
        "   1.500000 1  1DB             Rx   d 2 01",
        "   1.500000 1  1DB             Rx   d 2 01 F",
        "   1.500000 CANFD   1 Rx        300    1 0 8  8 11",
    ],
)
def test_asc_line_cut_at_the_end_is_refused(read: Read, cut: str) -> None:
    log = read(HEAD + BEGIN + FRAME + cut)
    assert len(log.frames) == 1
    assert [(refusal.reason, refusal.first_text) for refusal in log.refused] == [
        ("truncated line", cut.strip())
    ]


@pytest.mark.parametrize(
    "line",
    [
        "1.5 1  1DB Rx d 1 AB",
        "1.5 1  1DB Rx d 0",
        "1.5 1  1DB Rx r 8",
        "1.5 1  ErrorFrame",
        "1.5 CANFD 1 Rx ErrorFrame Stuff 3 5 7 9 1 2 3",
        "1.5 CANFD 1 Rx 300 1 0 2 2 00 11",
        "1.5 CANFD 1 Rx 300 0 0 5 0 140000 73 200050 7a60",
    ],
)
def test_asc_last_line_without_an_end_is_whole(read: Read, line: str) -> None:
    log = read(f"base hex\n{FRAME}{line}")
    assert len(log.frames) == 2
    assert not log.refused


LINES = [FRAME, *(HEAD + BEGIN).splitlines(keepends=True), " 1.0 1 ErrorFrame\n", " 1 1 1 Rx r 1\n"]
FD_LINE = " 1.0 CANFD 1 Rx 300 Name 1 0 9 12 00 11 22 33 44 55 66 77 88 99 AA BB 1 2 3000 0 0\n"


@pytest.mark.fuzz
@given(
    st.lists(st.sampled_from([*LINES, FD_LINE, "base dec timestamps relative\n"]), max_size=8),
    st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=3)), max_size=8),
)
def test_asc_gives_a_verdict_on_every_line_whatever_the_bytes(
    lines: list[str], changes: list[tuple[int, bytes]]
) -> None:
    text = "".join(lines).encode()
    for place, new in changes:
        text = text[:place] + new + text[place + 1 :]
    cut = cut_lines(text)
    parsed = AscParser.of(text).parse(cut)
    is_frame = (parsed.verdicts == 0) & ~parsed.is_known
    assert len(parsed.verdicts) == len(cut)
    assert int(is_frame.sum()) == len(parsed.frames)
