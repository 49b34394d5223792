from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import can
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.frames import Frame
from contactor.can.log import LogReading, Refusal, read_log

Read = Callable[[str | bytes], LogReading]

GOLDEN = """\
(1700000000.000000) can0 1DB#0011223344556677
(1700000000.000100) can1 18FF50E5#0102
(1700000000.000200) can0 1DB##1112233445566778899
(1700000000.000300) can0 1DB#R8
(1700000000.000350) can0 1DB#R
(1700000000.000400) can0 20000004#0001000000000000
(1700000000.000500) can0 7FF# R
(1700000000.000600) can0 123#0011223344556677_E
"""


def test_candump_yields_every_kind_of_frame(read: Read) -> None:
    log = read(GOLDEN)
    assert log.format == "candump"
    assert log.has_date
    assert not log.refused
    assert log.frames[0] == Frame(
        ts=1_700_000_000_000_000_000,
        bus=0,
        can_id=0x1DB,
        is_extended=False,
        is_fd=False,
        is_remote=False,
        is_error=False,
        length=8,
        data=bytes.fromhex("0011223344556677"),
    )
    assert log.frames.ts.tolist() == [
        1_700_000_000_000_000_000 + step for step in (0, 100000, 200000, 300000, 350000)
    ] + [1_700_000_000_000_000_000 + step for step in (400000, 500000, 600000)]
    assert log.frames.bus.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert log.frames.is_extended.tolist() == [False, True, *[False] * 6]
    assert log.frames.is_fd.tolist() == [False, False, True, *[False] * 5]
    assert log.frames.is_remote.tolist() == [False] * 3 + [True, True] + [False] * 3
    assert log.frames.is_error.tolist() == [False] * 5 + [True, False, False]
    assert log.frames.can_id[5] == 4
    assert log.frames.length.tolist() == [8, 2, 9, 8, 0, 8, 0, 8]
    assert log.frames[3].data == b""
    assert log.frames[2].data == bytes.fromhex("112233445566778899")


def test_candump_reads_nanoseconds_and_short_stamps(read: Read) -> None:
    log = read("(1700000000.123456789) can0 1DB#00\n(1700000000.5) can0 1DB#00\n")
    assert log.frames.ts.tolist() == [1_700_000_000_123_456_789, 1_700_000_000_500_000_000]


def test_candump_refuses_what_is_no_frame(read: Read) -> None:
    good = "(1700000000.000000) can0 1DB#00\n"
    log = read(
        good
        + "candump: something happened\n"
        + "(1700000000.000000) can0 1DB#0\n"
        + "(1700000000.000000) can0 1DB#001122334455667788\n"
        + "(1700000000.000000) can0 9FFFFFFF#00\n"
        + "(1700000000.000000) can0 1DG#00\n"
        + "(99999999999999.000000) can0 1DB#00\n"
        + "(1700000000.000000) can0 1DB#00 R (1700000000.000000)\n"
        + "\n"
        + good
    )
    assert len(log.frames) == 2
    assert log.refused == (
        Refusal("not a frame", 4, 2, "candump: something happened"),
        Refusal("truncated line", 1, 3, "(1700000000.000000) can0 1DB#0"),
        Refusal("length out of range", 1, 4, "(1700000000.000000) can0 1DB#001122334455667788"),
        Refusal("identifier out of range", 1, 5, "(1700000000.000000) can0 9FFFFFFF#00"),
    )


def test_candump_line_cut_at_the_end_is_refused(read: Read) -> None:
    whole = "(1700000000.000000) can0 1DB#00112233\n" * 2
    for cut in ("(1700000000.000000) can0 1DB#0011", "(1700000000.000000) can0 1D", "(17", "(1"):
        log = read(whole + cut)
        assert len(log.frames) == 2
        assert log.refused == (Refusal("truncated line", 1, 3, cut),)


def test_candump_whole_last_line_needs_no_line_end(read: Read) -> None:
    log = read("(1700000000.000000) can0 1DB#0011\n(1700000000.000000) can0 1DB#2233")
    assert len(log.frames) == 2
    assert not log.refused


MESSAGES = st.builds(
    lambda can_id, is_extended, data, is_remote, channel, us: can.Message(
        timestamp=1_700_000_000 + us / 1e6,
        arbitration_id=can_id if is_extended else can_id & 0x7FF,
        is_extended_id=is_extended,
        data=b"" if is_remote else data,
        dlc=len(data),
        is_remote_frame=is_remote,
        channel=f"can{channel}",
    ),
    st.integers(0, 0x1FFF_FFFF),
    st.booleans(),
    st.binary(max_size=8),
    st.booleans(),
    st.integers(0, 9),
    st.integers(0, 10**9),
)


@given(st.lists(MESSAGES, min_size=1, max_size=20))
def test_candump_reads_what_python_can_writes(messages: list[can.Message]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "drive.log"
        with can.CanutilsLogWriter(path) as writer:
            for message in messages:
                writer(message)
        log = read_log(path)
        peer = list(can.CanutilsLogReader(path))
    assert not log.refused
    for row, message in enumerate(peer):
        frame = log.frames[row]
        assert frame.can_id == message.arbitration_id
        assert frame.is_extended == message.is_extended_id
        assert frame.is_remote == message.is_remote_frame
        assert frame.data == bytes(message.data)
        assert f"can{frame.bus}" == message.channel
        assert abs(frame.ts - round(message.timestamp * 1e6) * 1000) < 1000


def test_candump_without_an_interface_is_bus_0(read: Read) -> None:
    log = read("(1.5) 1DB#FF\n(1.6) 18FF50E5#0102 R\n(1.7) can3 1DB#00 T\n(1.8) 1DB##1FF\n")
    assert not log.refused
    assert log.frames.bus.tolist() == [0, 0, 3, 0]
    assert log.frames.can_id.tolist() == [0x1DB, 0x18FF50E5, 0x1DB, 0x1DB]
    assert log.frames.is_fd.tolist() == [False, False, False, True]


def test_candump_stamps_with_a_decimal_comma_or_a_minus_are_read(read: Read) -> None:
    log = read("(-1,5) can0 1DB#FF\n(0,25) can0 1DB#FE\n")
    assert log.frames.ts.tolist() == [0, 1_750_000_000]


def test_candump_stamp_that_lost_its_digits_is_refused(read: Read) -> None:
    log = read("(1.5) can0 1DB#FF\n(1.61E+09) can0 1DB#FE\n")
    assert log.refused == (Refusal("time ruined by a spreadsheet", 1, 2, "(1.61E+09) can0 1DB#FE"),)
