from collections.abc import Callable

from contactor.can.log import LogReading, Refusal, TimeSource
from contactor.can.readers.lines import cut_lines
from contactor.can.readers.memorator import MemoratorParser

Read = Callable[[str | bytes], LogReading]

HEADER = """\
                              Kvaser Memorator Log
                              ====================

Memorator Binary logfile created at: 2021-05-06 07:08:09

Settings:
   Format of data field: HEX
   Format of id field:   HEX
   Timestamp Offset:     0.000000           s
   CAN channel:          1 2

        Time Chan   Identifier Flags        DLC  Data                             Counter
=====================================================================================
    0.000000  Trigger (type=0x1, active=0x00, pre-trigger=0, post-trigger=-1)
"""
FRAMES = """\
    1.234560  1         1DB    Rx         8  FF E0 B7 6A 00 FF F0 25             1
    1.234660  2    18FF50E5x   Tx    FB   9  00 11 22 33 44 55 66 77 88 99 AA BB 2
    1.234760  1  ErrorFrame    Rx            ERROR FRAME                         3
    1.234860  1         123    TxRq   R   4  RTR                                 4
DateTime: 2021-05-06 07:08:10
    1.234960  1         124    Rx         0                                      5
"""


def test_memorator_yields_every_kind_of_frame(read: Read) -> None:
    log = read(HEADER + FRAMES)
    assert log.format == "memorator"
    assert log.time_source is TimeSource.START
    assert not log.refused
    assert log.frames.ts.tolist() == [0, 100_000, 200_000, 300_000, 400_000]
    assert log.frames.bus.tolist() == [1, 2, 1, 1, 1]
    assert log.frames.can_id.tolist() == [0x1DB, 0x18FF50E5, 0, 0x123, 0x124]
    assert log.frames.is_extended.tolist() == [False, True, False, False, False]
    assert log.frames.is_fd.tolist() == [False, True, False, False, False]
    assert log.frames.is_error.tolist() == [False, False, True, False, False]
    assert log.frames.is_remote.tolist() == [False, False, False, True, False]
    assert log.frames.length.tolist() == [8, 12, 0, 4, 0]
    assert log.frames[0].data == bytes.fromhex("FFE0B76A00FFF025")


def test_memorator_reads_decimal_numbers_where_the_header_says_so(read: Read) -> None:
    log = read(
        HEADER.replace("HEX", "DEC")
        + "    1.5  1         475    Rx         3  255   0  16             1\n"
    )
    assert log.frames.can_id.tolist() == [475]
    assert log.frames[0].data == b"\xff\x00\x10"


def test_memorator_may_be_cut_into_blocks_anywhere() -> None:
    lines = (HEADER + FRAMES).encode().splitlines(keepends=True)
    for cut in range(1, len(lines)):
        parser = MemoratorParser.of(HEADER.encode())
        blocks = (b"".join(lines[:cut]), b"".join(lines[cut:]))
        parsed = [parser.parse(cut_lines(block)) for block in blocks]
        assert sum(len(block.frames) for block in parsed) == 5
        assert not any(block.verdicts.any() for block in parsed)


def test_memorator_refuses_what_is_no_frame(read: Read) -> None:
    frame = "    1.5  1         1DB    Rx         2  FF 00             1\n"
    log = read(HEADER + frame + frame.replace("  2  FF", "  3  FF") + "rebooted\n")
    assert len(log.frames) == 1
    assert log.refused == (
        Refusal(
            "payload shorter than length",
            1,
            16,
            "1.5  1         1DB    Rx         3  FF 00             1",
        ),
        Refusal("not a frame", 1, 17, "rebooted"),
    )
