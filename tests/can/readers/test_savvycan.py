from collections.abc import Callable

import pytest

from contactor.can.log import LogReading, Refusal
from contactor.errors import LogError

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
        + "40,no id,false,Rx,0,1,00,\n"
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


@pytest.mark.parametrize(
    "header",
    [
        "time stamp , id, EXTENDED,dir,bus,Len,d1,d2,d3,d4,d5,d6,d7,d8\n",
        '"Time Stamp","ID","Extended","Dir","Bus","LEN","D1","D2","D3","D4"\n',
        "TimeStamp;ID;Extended;Dir;Bus;LEN;D1;D2;D3;D4\n",
        "sep=;\nTime_Stamp\tID\tExtended\tDir\tBus\tLEN\tD1\tD2\tD3\tD4\n",
    ],
)
def test_savvycan_header_may_be_written_otherwise(read: Read, header: str) -> None:
    mark = next(mark for mark in "\t;," if mark in header.splitlines()[-1])
    log = read(header + "10,1DB,true,Rx,1,2,90,F8,,\n20,1DC,false,Tx,0,1,91\n".replace(",", mark))
    assert log.format == "savvycan"
    assert not log.refused
    assert log.frames.can_id.tolist() == [0x1DB, 0x1DC]
    assert log.frames.is_extended.tolist() == [True, False]
    assert log.frames.bus.tolist() == [1, 0]
    assert log.frames[0].data == b"\x90\xf8"


def test_savvycan_further_columns_are_no_bytes(read: Read) -> None:
    log = read(
        "Time Stamp,Nr,ID,Extended,Bus,LEN,D1,D2,Comment,D9\n"
        "10,1,1DB,false,0,2,90,F8,AA,BB\n"
        "20,2,1DB,false,0,3,90,F8,AA,BB\n"
    )
    assert log.frames[0].data == b"\x90\xf8"
    assert log.refused == (
        Refusal("payload shorter than length", 1, 3, "20,2,1DB,false,0,3,90,F8,AA,BB"),
    )


def test_savvycan_reads_64_bytes(read: Read) -> None:
    names = ",".join(f"D{n + 1}" for n in range(64))
    data = ",".join(f"{n:02X}" for n in range(64))
    log = read(f"Time Stamp,ID,Extended,Dir,Bus,LEN,{names}\n10,1DB,false,Rx,0,64,{data}\n")
    assert log.frames[0].data == bytes(range(64))


def test_savvycan_without_its_header_is_known_by_its_rows(read: Read) -> None:
    log = read("10,000001DB,false,Rx,2,2,90,F8,00,\n20,18FF50E5,true,Tx,0,0,\n")
    assert log.format == "savvycan"
    assert log.frames.can_id.tolist() == [0x1DB, 0x18FF50E5]
    log = read("10,000001DB,false,2,2,90,F8\n20,18FF50E5,true,0,0\n")
    assert log.frames.bus.tolist() == [2, 0]
    assert log.frames.is_extended.tolist() == [False, True]


def test_savvycan_quoted_and_spaced_cells_are_looked_through(read: Read) -> None:
    log = read(
        HEADER
        + '"10","000001DB","false","Rx","0","2","90","F8"\n'
        + '20, ="000001DC", FALSE, Rx, 0, 2, 0, 5\n'
        + "30,0x1DD,WAHR,Rx,0,1,7\n"
        + '40,1DE,false,Rx,0,1,07,"a, b"\n'
    )
    assert not log.refused
    assert log.frames.can_id.tolist() == [0x1DB, 0x1DC, 0x1DD, 0x1DE]
    assert log.frames.is_extended.tolist() == [False, False, True, False]
    assert [frame.hex() for frame in (log.frames[n].data for n in range(4))] == [
        "90f8",
        "0005",
        "07",
        "07",
    ]


def test_savvycan_stamps_may_have_decimals(read: Read) -> None:
    semicolons = HEADER.replace(",", ";")
    log = read(semicolons + "10,5;1DB;FALSE;Rx;0;1;00\n12.25;1DB;FALSE;Rx;0;1;00\n")
    assert log.frames.ts.tolist() == [0, 1_750]


def test_savvycan_stamps_that_lost_their_digits_are_refused(read: Read) -> None:
    log = read(
        HEADER.replace(",", ";")
        + "1700000000123457;000001DB;FALSE;Rx;0;1;00\n"
        + "1,70E+15;000001DB;FALSE;Rx;0;1;00\n"
        + ";;;;;;\n"
        + ";;;;;;00\n"
    )
    assert len(log.frames) == 1
    assert log.refused == (
        Refusal("time ruined by a spreadsheet", 1, 3, "1,70E+15;000001DB;FALSE;Rx;0;1;00"),
        Refusal("not a frame", 1, 5, ";;;;;;00"),
    )


@pytest.mark.parametrize(
    ("cell", "can_id"),
    [
        ("1.00E+03", 0x1E3),
        ("1,00E+03", 0x1E3),
        ("1E+03", 0x1E3),
        ("7.00E+09", 0x7E9),
        ("2E+00", 0x2E0),
        ("1E3", 0x1E3),
        ("123", 0x123),
        ("1DEC", 0x1DEC),
    ],
)
def test_savvycan_id_taken_for_a_number_is_put_back_where_one_alone_is_possible(
    read: Read, cell: str, can_id: int
) -> None:
    log = read(
        HEADER.replace(",", ";") + "10;000001DB;FALSE;Rx;0;1;00\n" + f"20;{cell};FALSE;Rx;0;1;00\n"
    )
    assert log.frames.can_id.tolist() == [0x1DB, can_id]


@pytest.mark.parametrize(
    "row",
    [
        "1.00E+03;TRUE",
        "1.00E+03;",
        "0.00E+00;FALSE",
        "1.23E+02;FALSE",
        "1.00E+12;FALSE",
        "8.00E+03;FALSE",
        "01-Dec;FALSE",
        "1000;FALSE",
    ],
)
def test_savvycan_id_that_may_have_been_another_is_refused(read: Read, row: str) -> None:
    rows = "10;000001DB;FALSE;Rx;0;1;00\n" + f"20;{row};Rx;0;1;00\n"
    log = read(HEADER.replace(",", ";") + rows)
    assert log.frames.can_id.tolist() == [0x1DB]
    assert [(refusal.reason, refusal.count) for refusal in log.refused] == [
        ("identifier ruined by a spreadsheet", 1)
    ]


def test_savvycan_number_written_out_is_an_id_where_flags_tell(read: Read) -> None:
    log = read(
        HEADER
        + "10,000001DB,FALSE,Rx,0,1,00\n"
        + "20,18FF50E5,TRUE,Rx,0,1,00\n"
        + "30,1000,FALSE,Rx,0,1,00\n"
        + "40,1000,TRUE,Rx,0,1,00\n"
        + "50,123,FALSE,Rx,0,1,00\n"
        + "60,100,FALSE,Rx,0,1,00\n"
    )
    assert log.frames.can_id.tolist() == [0x1DB, 0x18FF50E5, 0x1E3, 0x1000, 0x123]
    assert log.refused == (
        Refusal("identifier ruined by a spreadsheet", 1, 7, "60,100,FALSE,Rx,0,1,00"),
    )


def test_savvycan_ids_without_flags_are_put_back_where_all_have_three_digits(read: Read) -> None:
    header = "Time Stamp,ID,Bus,LEN,D1\n"
    log = read(header + "10,1DB,0,1,00\n20,1.00E+03,0,1,00\n")
    assert log.frames.can_id.tolist() == [0x1DB, 0x1E3]
    log = read(header + "10,000001DB,0,1,00\n20,1.00E+03,0,1,00\n")
    assert log.frames.can_id.tolist() == [0x1DB]


def test_savvycan_number_is_an_extended_id_where_flags_fail(read: Read) -> None:
    log = read(HEADER + "10,18FF50E5,false,Rx,0,1,00\n20,1000,false,Rx,0,1,00\n")
    assert log.frames.can_id.tolist() == [0x18FF50E5, 0x1000]
    assert log.frames.is_extended.all()


def test_savvycan_quoted_decimal_commas_are_looked_through(read: Read) -> None:
    log = read(
        HEADER
        + '"10,5",000001DB,FALSE,Rx,0,1,00\n'
        + '11,"1,00E+03",FALSE,Rx,0,1,00\n'
        + '"1,70E+15",000001DB,FALSE,Rx,0,1,00\n'
    )
    assert log.frames.ts.tolist() == [0, 500]
    assert log.frames.can_id.tolist() == [0x1DB, 0x1E3]
    assert [refusal.reason for refusal in log.refused] == ["time ruined by a spreadsheet"]


def test_savvycan_log_that_is_ruined_all_over_is_refused_with_the_reason(read: Read) -> None:
    row = "1.70E+15,000001DB,false,Rx,0,1,00\n"
    with pytest.raises(LogError) as caught:
        read(HEADER + row * 3)
    reason = "refused 3: time ruined by a spreadsheet, first in line 2: 1.70E+15,000001DB"
    assert f"has the form of a savvycan log but holds no frame; {reason}" in str(caught.value)
