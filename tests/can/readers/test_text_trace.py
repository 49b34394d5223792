from collections.abc import Callable

from contactor.can.log import LogReading, Refusal

Read = Callable[[str | bytes], LogReading]

HEADER = "@ TEXT @ 3 @ 64 @ 0 @ 2 @ 21701 @ 00:00:21.701 @\r# $LocalTime=05:16:53.581\r"


def row(stamp: str, can_id: str = "463", data: str = "02 00", bus: int = 1) -> str:
    length = len(data.split())
    return f"{stamp}\t{bus}\t00000004\t{can_id}\t{length}\t{data:23}\t00000000\t{'':8}\t\r"


def times_s(log: LogReading) -> list[float]:
    return [ns / 1e9 for ns in log.frames.ts.tolist()]


def test_text_trace_yields_time_bus_id_and_payload(read: Read) -> None:
    log = read(HEADER + row("39,615791") + row("39,616031", "18FF50E5", "01 02 03", bus=2))
    assert log.format == "text-trc"
    assert not log.refused
    assert not log.has_date
    assert log.frames.ts.tolist() == [0, 240_000]
    assert log.frames.bus.tolist() == [1, 2]
    assert log.frames.can_id.tolist() == [0x463, 0x18FF50E5]
    assert log.frames.is_extended.tolist() == [False, True]
    assert log.frames[1].data == b"\x01\x02\x03"


def test_text_trace_time_goes_on_after_each_minute(read: Read) -> None:
    log = read(HEADER + "".join(row(s) for s in ("59,900000", "00,100000", "59,000000", "01,5")))
    assert times_s(log)[:3] == [0, 0.2, 59.1]


def test_text_trace_time_that_runs_backwards_stays_so(read: Read) -> None:
    log = read(HEADER + row("39,600000") + row("39,500000") + row("39,700000"))
    assert times_s(log) == [0, -0.1, 0.1]


def test_text_trace_counts_units_that_are_not_padded(read: Read) -> None:
    assert times_s(read(HEADER + row("1,0") + row("1,5") + row("1,615791"))) == [0, 5e-6, 0.615791]
    milliseconds = HEADER.replace("@ 3 @", "@ 2 @")
    assert times_s(read(milliseconds + row("1,0") + row("1,5") + row("2,015"))) == [0, 0.005, 1.015]


def test_text_trace_may_end_lines_as_windows_does(read: Read) -> None:
    text = (HEADER + row("39,615791") + row("39,616031")).replace("\r", "\r\n")
    assert len(read(text).frames) == 2


def test_text_trace_refuses_what_is_no_frame(read: Read) -> None:
    short = row("2,000000").replace("\t2\t", "\t3\t")
    log = read(HEADER + row("1,000000") + short + "nonsense\r" + row("x,1") + row("3,0000000"))
    assert len(log.frames) == 1
    assert [(refusal.reason, refusal.count, refusal.first_line) for refusal in log.refused] == [
        ("payload shorter than length", 1, 4),
        ("not a frame", 3, 5),
    ]


def test_text_trace_line_cut_at_the_end_is_refused(read: Read) -> None:
    for cut in ("01,2", "01,200000\t1\t00000004\t463", "01,200000\t1\t00000004\t463\t2\t02 0"):
        log = read(HEADER + row("01,100000") + cut)
        assert len(log.frames) == 1
        assert log.refused == (Refusal("truncated line", 1, 4, cut.replace("\t", " ")),)
