from collections.abc import Callable

from contactor.can.log import LogReading, Refusal, TimeSource
from contactor.clock import NS_PER_S

Read = Callable[[str | bytes], LogReading]

HEADER = """\
***BUSMASTER Ver 2.4.0***
***PROTOCOL CAN***
***NOTE: PLEASE DO NOT EDIT THIS DOCUMENT***
***[START LOGGING SESSION]***
***START DATE AND TIME 14:11:2023 22:13:20:500***
***HEX***
***SYSTEM MODE***
***<Time><Tx/Rx><Channel><CAN ID><Type><DLC><DataBytes>***
"""
UNDATED = HEADER.replace(" 14:11:2023 22:13:20:500", " ")
START_NS = 1_700_000_000 * NS_PER_S


def test_busmaster_yields_every_kind_of_frame(read: Read) -> None:
    log = read(
        HEADER
        + "22:13:20:5000 Rx 1 0x023 s 1 40\n"
        + "22:13:20:5010 Tx 2 0x18FF50E5 x 3 01 02 03 \n"
        + "22:13:21:0000 Rx 1 0x024 sr 8\n"
        + "22:13:21:0000 Rx 1 0x025 xr 0\n"
        + "***END DATE AND TIME 14:11:2023 22:13:22:0***\n***[STOP LOGGING SESSION]***\n"
    )
    assert log.format == "busmaster"
    assert log.time_source is TimeSource.UTC
    assert not log.refused
    assert [ns - START_NS for ns in log.frames.ts.tolist()] == [500000000, 501000000, *[10**9] * 2]
    assert log.frames.bus.tolist() == [1, 2, 1, 1]
    assert log.frames.can_id.tolist() == [0x23, 0x18FF50E5, 0x24, 0x25]
    assert log.frames.is_extended.tolist() == [False, True, False, True]
    assert log.frames.is_remote.tolist() == [False, False, True, True]
    assert log.frames.length.tolist() == [1, 3, 8, 0]
    assert log.frames[1].data == b"\x01\x02\x03"


def test_busmaster_time_of_day_goes_on_after_midnight(read: Read) -> None:
    log = read(UNDATED + "23:59:59:9000 Rx 1 0x023 s 1 40\n0:0:0:1000 Rx 1 0x023 s 1 40\n")
    assert log.time_source is TimeSource.START
    assert log.frames.ts.tolist() == [0, 200_000_000]


def test_busmaster_absolute_and_relative_times_count_from_the_start(read: Read) -> None:
    rows = "".join(f"0:00:0{n}:5000 Rx 1 0x023 s 1 40\n" for n in range(3))
    absolute = read(HEADER.replace("SYSTEM", "ABSOLUTE") + rows).frames.ts - START_NS
    assert absolute.tolist() == [1 * NS_PER_S, 2 * NS_PER_S, 3 * NS_PER_S]
    relative = read(HEADER.replace("SYSTEM", "RELATIVE") + rows).frames.ts - START_NS
    assert relative.tolist() == [1 * NS_PER_S, 2_500_000_000, 5 * NS_PER_S]


def test_busmaster_second_session_has_its_own_date(read: Read) -> None:
    row = "22:13:20:0000 Rx 1 0x023 s 1 40\n"
    log = read(HEADER + row + HEADER.replace("14:11:2023", "16:11:2023") + row)
    assert (log.frames.ts - START_NS).tolist() == [0, 2 * 86_400 * NS_PER_S]


def test_busmaster_reads_decimal_numbers(read: Read) -> None:
    log = read(HEADER.replace("HEX", "DEC") + "22:13:20:0 Rx 1 35 s 3 64 255 0\n")
    assert log.frames.can_id.tolist() == [35]
    assert log.frames[0].data == bytes((64, 255, 0))


def test_busmaster_refuses_what_is_no_frame(read: Read) -> None:
    log = read(
        HEADER
        + "22:13:20:5000 Rx 1 0x023 s 1 40\n"
        + "22:13:20:5000 Rx 1 0x023 s 3 40\n"
        + "99:13:20:5000 Rx 1 0x023 s 1 40\n"
        + "nonsense\n"
    )
    assert len(log.frames) == 1
    assert log.refused == (
        Refusal("payload shorter than length", 1, 10, "22:13:20:5000 Rx 1 0x023 s 3 40"),
        Refusal("not a frame", 2, 11, "99:13:20:5000 Rx 1 0x023 s 1 40"),
    )
