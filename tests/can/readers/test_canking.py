from collections.abc import Callable

from contactor.can.log import LogReading, Refusal, TimeSource

Read = Callable[[str | bytes], LogReading]

HEADER = "Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir\n"


def test_canking_yields_every_kind_of_frame(read: Read) -> None:
    log = read(
        HEADER
        + " 0    000000AD         8  FF  FF  00  00  00  00  00  01     154.266550 R\n"
        + " 1    0CFBFFDB X       2  1B  31                             154.266650 T\n"
        + " 0    00000123         0                                     154.266750 R\n"
        + " 0    00000124 R       4                                     154.266750 R\n"
        + " 0    00000000            ErrorFrame                         154.266950 R\n"
        + "Logging stopped.\n"
    )
    assert log.format == "canking"
    assert log.time_source is TimeSource.START
    assert not log.refused
    assert log.frames.ts.tolist() == [0, 100_000, 200_000, 200_000, 400_000]
    assert log.frames.bus.tolist() == [0, 1, 0, 0, 0]
    assert log.frames.can_id.tolist() == [0xAD, 0xCFBFFDB, 0x123, 0x124, 0]
    assert log.frames.is_extended.tolist() == [False, True, False, False, False]
    assert log.frames.is_remote.tolist() == [False, False, False, True, False]
    assert log.frames.is_error.tolist() == [False] * 4 + [True]
    assert log.frames.length.tolist() == [8, 2, 0, 4, 0]
    assert log.frames[1].data == b"\x1b\x31"


def test_canking_knows_decimal_by_its_bytes(read: Read) -> None:
    log = read(
        HEADER
        + " 0         173         3  10  20  30                         154.266550 R\n"
        + " 0         173         3 255   0   1                         154.266650 R\n"
    )
    assert log.frames.can_id.tolist() == [173, 173]
    assert log.frames[1].data == b"\xff\x00\x01"


def test_canking_reads_can_fd(read: Read) -> None:
    row = " 0    00000123 F      {}  " + "  ".join(["0A"] * 12) + "     1.5 R\n"
    log = read(HEADER + row.format(12) + row.format(9) + row.format(10))
    assert log.frames.is_fd.tolist() == [True, True]
    assert log.refused[0].reason == "payload shorter than length"


def test_canking_refuses_what_is_no_frame(read: Read) -> None:
    frame = " 0    000000AD         1  FF     154.266550 R\n"
    log = read(HEADER + frame + frame.replace("  1  FF", "  2  FF") + "rebooted\n0 1 2\n")
    assert len(log.frames) == 1
    assert log.refused == (
        Refusal(
            "payload shorter than length", 1, 3, "0    000000AD         2  FF     154.266550 R"
        ),
        Refusal("not a frame", 2, 4, "rebooted"),
    )
