from collections.abc import Callable

from contactor.can.log import LogReading, Refusal

Read = Callable[[str | bytes], LogReading]

HEADER = "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
SHORT_HEADER = HEADER.replace("Dir,", "")


def test_savvycan_time_is_microseconds_from_its_start(read: Read) -> None:
    log = read(
        HEADER + "1674224,0000015F,false,Rx,0,2,90,F8,\n" + "1674311,0000015F,false,Rx,0,2,90,F9,\n"
    )
    assert log.format == "savvycan"
    assert not log.has_date
    assert log.frames.ts.tolist() == [0, 87_000]


def test_savvycan_time_since_1970_is_a_date(read: Read) -> None:
    log = read(HEADER + "1700000000123457,0000015F,false,Rx,0,1,90,\n")
    assert log.has_date
    assert log.frames.ts.tolist() == [1_700_000_000_123_457_000]


def test_savvycan_negative_zero_and_backward_time_keep_their_rows(read: Read) -> None:
    stamps = (-1688467643383897, -1688467643373880, 0, -1688467643363869)
    log = read(
        HEADER + "".join(f"{stamp},1DB,false,Rx,0,1,0{n},\n" for n, stamp in enumerate(stamps))
    )
    assert log.frames.ts.tolist() == [(stamp - stamps[0]) * 1000 for stamp in stamps]
    assert [frame[0] for frame in log.frames.data] == [0, 1, 2, 3]


def test_savvycan_yields_id_bus_and_payload(read: Read) -> None:
    log = read(
        SHORT_HEADER
        + "10,18FF50E5,true,1,8,00,01,02,03,04,05,06,07\n"
        + "20,00000450,false,0,3,00,C2,05\n"
        + "30,000003D2,false,0,2,F3,FF,00,00,00,00,00,00\n"
        + "40,00000101,true,0,0\n"
    )
    assert not log.refused
    assert log.frames.can_id.tolist() == [0x18FF50E5, 0x450, 0x3D2, 0x101]
    assert log.frames.is_extended.tolist() == [True, False, False, True]
    assert log.frames.bus.tolist() == [1, 0, 0, 0]
    assert log.frames.length.tolist() == [8, 3, 2, 0]
    assert log.frames[2].data == b"\xf3\xff"
    assert not log.frames.data[2, 2:].any()


def test_savvycan_reads_bytes_that_a_spreadsheet_shortened(read: Read) -> None:
    log = read(HEADER + "10,1DB,false,Rx,0,3,0,F8,5,0,0\n")
    assert log.frames[0].data == b"\x00\xf8\x05"


def test_savvycan_reads_more_than_eight_bytes_as_can_fd(read: Read) -> None:
    data = ",".join(f"{n:02X}" for n in range(12))
    log = read(HEADER + f"10,1DB,false,Rx,0,12,{data}\n")
    assert log.frames.is_fd.tolist() == [True]
    assert log.frames[0].data == bytes(range(12))


def test_savvycan_refuses_what_is_no_frame(read: Read) -> None:
    log = read(
        HEADER
        + "10,1DB,false,Rx,0,1,00,\n"
        + "20,1DB,false,Rx,0,3,00,01\n"
        + "30,1DB,false,Rx,0,2,00,0G,\n"
        + "40,1.00E+05,false,Rx,0,1,00,\n"
        + "99999999999999999,1DB,false,Rx,0,1,00,\n"
        + "\n"
    )
    assert len(log.frames) == 1
    assert [(refusal.reason, refusal.count, refusal.first_line) for refusal in log.refused] == [
        ("payload shorter than length", 2, 3),
        ("not a frame", 1, 5),
        ("time out of range", 1, 6),
    ]


def test_savvycan_line_cut_at_the_end_is_refused(read: Read) -> None:
    row = "10,0000015F,false,Rx,0,2,90,F8"
    for cut in ("10,0000015F,false,Rx,0,2,90,F", "10,0000015F,false,Rx,0,2,90", "10,00", "1"):
        log = read(HEADER + row + "\n" + cut)
        assert len(log.frames) == 1
        assert log.refused == (Refusal("truncated line", 1, 3, cut),)
    assert len(read(HEADER + row + "\n" + row).frames) == 2
