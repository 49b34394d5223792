from collections.abc import Callable

from contactor.can.log import LogReading, Refusal

Read = Callable[[str | bytes], LogReading]

HEADER = "ParserFlags\tCh\tCounter\tT/R\tTime\tFlags\tCAN ID\tLen\tData\tParser Name\n"
ROW = "1\t0\t1\tRX\t48659509\t\t0x000001db\t4\t0x08 dc 00 dd \tDefault Parser\t\n"


def test_leaf_tab_time_is_milliseconds_from_its_start(read: Read) -> None:
    log = read(HEADER + ROW + ROW.replace("48659509", "48678489"))
    assert log.format == "leaf-tab"
    assert not log.has_date
    assert log.frames.ts.tolist() == [0, 18_980_000_000]


def test_leaf_tab_yields_id_payload_and_channel(read: Read) -> None:
    log = read(
        HEADER
        + ROW
        + "1\t3\t2\tTX\t48659510\t\t0x18ff50e5\t1\t0x5d \t\t\n"
        + "1\t0\t3\tRX\t48659511\t\t0x000007ff\t0\t\t\t\n"
    )
    assert not log.refused
    assert log.frames[0].data == bytes.fromhex("08dc00dd")
    assert log.frames.can_id.tolist() == [0x1DB, 0x18FF50E5, 0x7FF]
    assert log.frames.is_extended.tolist() == [False, True, False]
    assert log.frames.bus.tolist() == [0, 3, 0]
    assert log.frames.length.tolist() == [4, 1, 0]


def test_leaf_tab_columns_are_found_by_name(read: Read) -> None:
    log = read("Ch\tCounter\tT/R\tTime\tFlags\tCAN ID\tLen\tData\n0\t1\tRX\t5\t\t0x1db\t1\t0x0f \n")
    assert log.frames.can_id.tolist() == [0x1DB]
    assert log.frames[0].data == b"\x0f"


def test_leaf_tab_reads_windows_line_ends(read: Read) -> None:
    log = read((HEADER + ROW + ROW).replace("\n", "\r\n"))
    assert len(log.frames) == 2
    assert not log.refused


def test_leaf_tab_skips_a_repeated_header(read: Read) -> None:
    log = read((HEADER + ROW) * 2)
    assert len(log.frames) == 2
    assert not log.refused


def test_leaf_tab_refuses_what_is_no_frame(read: Read) -> None:
    log = read(
        HEADER
        + ROW
        + ROW.replace("\t4\t", "\t5\t")
        + ROW.replace("\t4\t", "\t65\t")
        + ROW.replace("0x000001db", "0x")
        + ROW.replace("\t0\t1", "\t999\t1")
        + ROW.replace("48659509", "48659509000000000")
        + "the end\n"
    )
    assert len(log.frames) == 1
    assert [(refusal.reason, refusal.count, refusal.first_line) for refusal in log.refused] == [
        ("payload shorter than length", 1, 3),
        ("length out of range", 1, 4),
        ("not a frame", 2, 5),
        ("bus out of range", 1, 6),
        ("time out of range", 1, 7),
    ]


def test_leaf_tab_line_cut_at_the_end_is_refused(read: Read) -> None:
    for end in ("0x08 dc 00 dd", "0x08 dc 00 d", "0x08 dc 00", "0x", "\t4", "RX\t486595", "1"):
        cut = ROW[: ROW.index(end) + len(end)]
        log = read(HEADER + ROW + cut)
        is_whole = end == "0x08 dc 00 dd"
        assert len(log.frames) == 1 + is_whole
        shown = cut.replace("\t", " ").strip()
        assert log.refused == (() if is_whole else (Refusal("truncated line", 1, 3, shown),))


def test_leaf_tab_header_and_times_may_be_written_otherwise(read: Read) -> None:
    log = read(
        "Nr;CH;TIME;CAN Id;LEN;DATA;Note\n"
        "1;1;5,25;0x000001db;2;0x0f 10 ;a\n"
        "2;1;6;0x000001db;1;0x0f ;b\n"
        "3;1;4,87E+07;0x000001db;1;0x0f ;c\n"
    )
    assert log.format == "leaf-tab"
    assert log.frames.ts.tolist() == [0, 750_000]
    assert log.frames.bus.tolist() == [1, 1]
    assert log.frames[0].data == b"\x0f\x10"
    assert [refusal.reason for refusal in log.refused] == ["time ruined by a spreadsheet"]
