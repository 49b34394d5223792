from collections.abc import Callable

from contactor.can.log import LogReading, Refusal

Read = Callable[[str | bytes], LogReading]

GOLDEN = """\
1632509059.533816 CXX OVMS CRTD
1632509059.533816 CVR 3.0
1632509059.541604 2R11 174 00 00 00 aa
1632509059.541799 1T29 18DB33F1 02 01 00
1632509059.541977 R11 7FF
1632509070.683420 1CEV Event vehicle.awake
"""


def test_crtd_yields_frames_and_skips_comments(read: Read) -> None:
    log = read(GOLDEN)
    assert log.format == "crtd"
    assert log.has_date
    assert not log.refused
    assert log.frames.ts.tolist() == [
        1_632_509_059_541_604_000,
        1_632_509_059_541_799_000,
        1_632_509_059_541_977_000,
    ]
    assert log.frames.bus.tolist() == [2, 1, 1]
    assert log.frames.can_id.tolist() == [0x174, 0x18DB33F1, 0x7FF]
    assert log.frames.is_extended.tolist() == [False, True, False]
    assert log.frames[0].data == bytes.fromhex("000000aa")
    assert log.frames.length.tolist() == [4, 3, 0]


def test_crtd_small_id_of_29_bits_stays_extended(read: Read) -> None:
    log = read("1632509059.5 1R29 101 00\n")
    assert log.frames.is_extended.tolist() == [True]


def test_crtd_refuses_what_is_no_frame(read: Read) -> None:
    log = read(
        GOLDEN
        + "1632509059.6 2R12 174 00\n"
        + "1632509059.6 2R11 174 0g\n"
        + "1632509059.6 2R11\n"
        + "1632509059.6 2R11 174"
        + " 00" * 65
        + "\n"
    )
    assert len(log.frames) == 3
    assert log.refused == (Refusal("not a frame", 4, 7, "1632509059.6 2R12 174 00"),)


def test_crtd_line_cut_at_the_end_is_refused(read: Read) -> None:
    for cut in ("1632509059.6 2R11 174 00 00 00 a", "1632509059.6 2R11 174 00", "1632509059.6 2"):
        log = read(GOLDEN + cut)
        assert len(log.frames) == 3
        assert log.refused == (Refusal("truncated line", 1, 7, cut),)


def test_crtd_blanks_and_decimal_commas_may_vary(read: Read) -> None:
    log = read("0,5\tR11\t00000174\t00\n-1.5   3T11  174  01\n1.63E+09 R11 174 00\n")
    assert log.frames.ts.tolist() == [0, -2_000_000_000]
    assert log.frames.bus.tolist() == [1, 3]
    assert [refusal.reason for refusal in log.refused] == ["time ruined by a spreadsheet"]
