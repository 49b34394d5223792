from collections.abc import Callable

from contactor.can.log import LogReading, Refusal, TimeSource

Read = Callable[[str | bytes], LogReading]


def test_battery_emulator_yields_time_bus_id_and_payload(read: Read) -> None:
    log = read(
        "(12.340) RX0 1DB [8] FF E0 B7 6A 00 FF F0 25\n"
        "(12.350) TX3 18FF50E5 [2] 01 02\n"
        "(12.35) RX4 7A [12] 00 11 22 33 44 55 66 77 88 99 AA BB\r\n"
        "(12.36) RX0 1DC [0] \n"
    )
    assert log.format == "battery-emulator"
    assert log.time_source is TimeSource.START
    assert not log.refused
    assert log.frames.ts.tolist() == [0, 10_000_000, 10_000_000, 20_000_000]
    assert log.frames.bus.tolist() == [0, 1, 2, 0]
    assert log.frames.can_id.tolist() == [0x1DB, 0x18FF50E5, 0x7A, 0x1DC]
    assert log.frames.is_extended.tolist() == [False, True, False, False]
    assert log.frames.is_fd.tolist() == [False, False, True, False]
    assert log.frames.length.tolist() == [8, 2, 12, 0]
    assert log.frames[0].data == bytes.fromhex("FFE0B76A00FFF025")


def test_battery_emulator_clock_begins_again_after_seven_weeks(read: Read) -> None:
    log = read("(4294967.29) RX0 1DB [1] FF\n(0.01) RX0 1DB [1] FE\n")
    assert log.frames.ts.tolist() == [0, 16_000_000]


def test_battery_emulator_ring_that_was_read_from_its_middle_runs_backwards(read: Read) -> None:
    log = read("(90.5) RX0 1DB [1] FF\n(20.5) RX0 1DB [1] FE\n")
    assert log.frames.ts.tolist() == [0, -70_000_000_000]


def test_battery_emulator_before_it_had_interfaces(read: Read) -> None:
    log = read("7556  54A  8  10 0 70 2 0 0 0 2B \n7558  18DAF10B  2  1 8 \n7559  1DB  0  \n")
    assert log.format == "battery-emulator"
    assert not log.refused
    assert log.frames.ts.tolist() == [0, 2_000_000, 3_000_000]
    assert log.frames.can_id.tolist() == [0x54A, 0x18DAF10B, 0x1DB]
    assert log.frames[0].data == bytes.fromhex("100070020000002B")
    assert log.frames[1].data == b"\x01\x08"


def test_battery_emulator_refuses_what_else_its_board_says(read: Read) -> None:
    log = read(
        "(12.34) RX0 1DB [1] FF\nEvent: BMS lost\n[12 CAN frames not printed]\n"
        "(12.35) RX0 1DB [3] FF\n(12.36) RX0 1DB [99] FF\n"
    )
    assert len(log.frames) == 1
    assert log.refused == (
        Refusal("not a frame", 2, 2, "Event: BMS lost"),
        Refusal("payload shorter than length", 1, 4, "(12.35) RX0 1DB [3] FF"),
        Refusal("length out of range", 1, 5, "(12.36) RX0 1DB [99] FF"),
    )
