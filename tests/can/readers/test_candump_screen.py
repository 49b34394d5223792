from collections.abc import Callable

from contactor.can.log import LogReading, Refusal, TimeSource
from contactor.can.readers.candump_screen import CandumpScreenParser
from contactor.can.readers.lines import cut_lines

Read = Callable[[str | bytes], LogReading]

FRAME = "  can0  1DB   [2]  FF E0\n"


def test_screen_without_stamps_takes_a_millisecond_a_frame(read: Read) -> None:
    log = read("  can0  1DB   [2]  FF E0\n  can0  18FF50E5   [0] \n  can1  1DC   [1]  0F\n")
    assert log.format == "candump-screen"
    assert log.time_source is TimeSource.ASSUMED
    assert not log.has_date
    assert log.frames.ts.tolist() == [0, 1_000_000, 2_000_000]
    assert log.frames.can_id.tolist() == [0x1DB, 0x18FF50E5, 0x1DC]
    assert log.frames.is_extended.tolist() == [False, True, False]
    assert log.frames.bus.tolist() == [0, 0, 1]
    assert log.frames[0].data == b"\xff\xe0"


def test_screen_assumed_time_goes_on_from_block_to_block() -> None:
    parser = CandumpScreenParser.of(FRAME.encode())
    blocks = [parser.parse(cut_lines(FRAME.encode() * count)) for count in (3, 1, 2)]
    ts = [ns for block in blocks for ns in block.frames.ts.tolist()]
    assert ts == [n * 1_000_000 for n in range(6)]


def test_screen_with_stamps_is_dated(read: Read) -> None:
    log = read(
        " (1700000000.000000)  can0  1DB   [1]  FF\n (1700000000.010000)  can0  1DB   [1]  FE\n"
    )
    assert log.time_source is TimeSource.UTC
    assert log.frames.ts.tolist() == [1_700_000_000_000_000_000, 1_700_000_000_010_000_000]


def test_screen_with_stamps_from_zero_counts_from_its_start(read: Read) -> None:
    log = read(" (000.500000)  can0  1DB   [1]  FF\n (000.510000)  can0  1DB   [1]  FE\n")
    assert log.time_source is TimeSource.START
    assert log.frames.ts.tolist() == [0, 10_000_000]


def test_screen_yields_every_kind_of_frame(read: Read) -> None:
    log = read(
        "  can0  123   [4]  remote request\n"
        "  can0  20000004   [8]  00 01 00 00 00 00 00 00   ERRORFRAME\n"
        "  can0  456  [12]  00 11 22 33 44 55 66 77 88 99 AA BB\n"
        "  can0  457  [08]  00 11 22 33 44 55 66 77\n"
        "  can0  RX B -  458   [2]  00 11\n"
        "  can0  459   [2]  41 42   'AB'\n"
    )
    assert not log.refused
    assert log.frames.is_remote.tolist() == [True, *[False] * 5]
    assert log.frames.is_error.tolist() == [False, True, *[False] * 4]
    assert log.frames.is_fd.tolist() == [False, False, True, True, False, False]
    assert log.frames.can_id.tolist() == [0x123, 4, 0x456, 0x457, 0x458, 0x459]
    assert log.frames.length.tolist() == [4, 8, 12, 8, 2, 2]
    assert log.frames[2].data == bytes.fromhex("00112233445566778899AABB")


def test_screen_refuses_what_the_terminal_wrote(read: Read) -> None:
    frame = "  can0  1DB   [2]  FF E0\n"
    log = read(
        frame
        + "^Z\n[1]+  Stopped                 candump can0\n\n(reverse-i-search)\n"
        + "  can0  1DB   [2]  FF\n"
        + "  can0  1DB   [99]  FF\n"
        + frame
    )
    assert log.frames.ts.tolist() == [0, 1_000_000]
    assert log.refused == (
        Refusal("not a frame", 3, 2, "^Z"),
        Refusal("payload shorter than length", 2, 6, "can0  1DB   [2]  FF"),
    )


def test_screen_line_cut_at_the_end_is_refused(read: Read) -> None:
    frame = "  can0  1DB   [2]  FF E0\n"
    for cut in ("  can0  1DB   [2]  FF E", "  can0  1DB   [2]  FF ", "  can0  1DB  ", "  c"):
        log = read(frame + cut)
        assert len(log.frames) == 1
        assert log.refused == (Refusal("truncated line", 1, 2, cut.strip()),)


STEPS = (0, 0.01, 0.004, 0.01, 0.01, 0.02)


def stamped(stamps: list[str]) -> str:
    return "".join(f" ({stamp})  can0  1DB   [1]  {n:02X}\n" for n, stamp in enumerate(stamps))


def times_s(log: LogReading) -> list[float]:
    return [ns / 1e9 for ns in log.frames.ts.tolist()]


def test_screen_delta_stamps_add_up(read: Read) -> None:
    log = read(stamped([f"{step:010.6f}" for step in STEPS]))
    assert log.time_source is TimeSource.START
    assert times_s(log) == [0, 0.01, 0.014, 0.024, 0.034, 0.054]


def test_screen_delta_stamps_add_up_from_block_to_block() -> None:
    block = stamped([f"{step:010.6f}" for step in STEPS]).encode()
    parser = CandumpScreenParser.of(block)
    ts = [parser.parse(cut_lines(block)).frames.ts[-1] for _ in range(3)]
    assert ts == [54_000_000, 108_000_000, 162_000_000]


def test_screen_stamps_from_zero_do_not_add_up(read: Read) -> None:
    times = [0, 0.01, 0.014, 0.014, 0.034, 0.054, 0.064, 0.074]
    assert times_s(read(stamped([f"{time:010.6f}" for time in times]))) == times


def test_screen_dated_stamps_are_taken_as_utc(read: Read) -> None:
    log = read(stamped(["2023-11-14 22:13:20.000000", "2024-02-29 00:00:00.250000"]))
    assert log.time_source is TimeSource.UTC
    assert log.frames.ts.tolist() == [1_700_000_000_000_000_000, 1_709_164_800_250_000_000]


def test_screen_stamps_that_are_no_time_are_refused(read: Read) -> None:
    log = read(stamped(["1700000000.000000", "1.70E+09", "noon", "1700000000,25"]))
    assert log.frames.ts.tolist() == [1_700_000_000_000_000_000, 1_700_000_000_250_000_000]
    assert [refusal.reason for refusal in log.refused] == [
        "time ruined by a spreadsheet",
        "not a frame",
    ]


def test_screen_looks_through_colours(read: Read) -> None:
    log = read(
        " (0000000001.500000) \x1b[1m\x1b[31m can0\x1b[0m  1DB   [2]  FF E0\n"
        "\x1b[34m (0000000001.600000)  can1  RX - -  1DC   [1]  0F\x1b[0m\n"
    )
    assert not log.refused
    assert log.frames.ts.tolist() == [0, 100_000_000]
    assert log.frames.bus.tolist() == [0, 1]
    assert log.frames[0].data == b"\xff\xe0"


def test_screen_knows_what_an_error_was(read: Read) -> None:
    frame = "  can0  1DB   [2]  FF E0\n"
    error = "  can0  20000004   [8]  00 01 00 00 00 00 00 00   ERRORFRAME\n"
    log = read(error + "\tcontroller-problem{rx-overflow}\n\tbus-off\n" + frame + "\tstray\n")
    assert log.frames.is_error.tolist() == [True, False]
    assert log.refused == (Refusal("not a frame", 1, 5, "stray"),)


def test_screen_reads_raw_lengths_binary_and_swapped_bytes(read: Read) -> None:
    log = read(
        "  can0  123   {E}  00 11 22 33 44 55 66 77\n"
        "  can0  124   {2}  00 11\n"
        "  can0  125   [2]  10100101 00000001   '..'\n"
        "  can0  126   [3]  33`22`11\n"
        "  can0  127   [1]  11\n"
        "  can0  128   [2]  10100101 00000021\n"
        "  can0  129   [3]  33`22`1G\n"
    )
    assert [frame.hex() for frame in (log.frames[n].data for n in range(5))] == [
        "0011223344556677",
        "0011",
        "a501",
        "112233",
        "11",
    ]
    assert log.refused == (
        Refusal("payload shorter than length", 2, 6, "can0  128   [2]  10100101 00000021"),
    )
