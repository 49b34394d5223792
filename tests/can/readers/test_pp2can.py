from collections.abc import Callable

from contactor.can.log import LogReading, Refusal

Read = Callable[[str | bytes], LogReading]

HEADER = (
    "CAN speed 1: 500k CAN speed 2: 500k CAN speed 3: 1000k/4000k "
    "Id format: HEX | Data format: HEX | Id29 format: 29 \n\t\n"
)


def row(clock: str, can_id: str = "0x197", data: str = "E0 9E", channel: int = 1) -> str:
    cells = data.split() + [" "] * (8 - len(data.split()))
    kind, count = "St" if len(can_id) == 5 else "Ext", len(data.split())
    return "\t".join(
        (">", "0", f"   {clock}", kind, can_id, "0", str(count), *cells, f"p:{channel}\n")
    )


def test_pp2can_yields_time_bus_id_and_payload(read: Read) -> None:
    log = read(
        HEADER + row("17:18:59.303:4446.00") + row("17:19:9.69:78.00", "0x18FF50E5", "", channel=2)
    )
    assert log.format == "pp2can"
    assert not log.refused
    assert not log.has_date
    assert log.frames.ts.tolist() == [0, 9_766_000_000]
    assert log.frames.bus.tolist() == [1, 2]
    assert log.frames.can_id.tolist() == [0x197, 0x18FF50E5]
    assert log.frames.is_extended.tolist() == [False, True]
    assert log.frames.length.tolist() == [2, 0]
    assert log.frames[0].data == b"\xe0\x9e"


def test_pp2can_time_goes_on_after_midnight(read: Read) -> None:
    clocks = ("23:59:59.900:1.00", "0:0:0.100:1.00", "0:0:0.99:1.00")
    log = read(HEADER + "".join(row(clock) for clock in clocks))
    assert log.frames.ts.tolist() == [0, 200_000_000, 199_000_000]


def test_pp2can_reads_decimal_numbers_where_the_header_says_so(read: Read) -> None:
    header = HEADER.replace("HEX", "DEC")
    log = read(header + row("1:2:3.4:5.00", "00407", "224 9 255"))
    assert log.frames.can_id.tolist() == [407]
    assert log.frames[0].data == bytes((224, 9, 255))
    log = read(header + row("1:2:3.4:5.00", "00407", "1") + row("1:2:3.4:5.00", "00407", "256"))
    assert log.refused[0].reason == "payload shorter than length"


def test_pp2can_refuses_what_is_no_frame(read: Read) -> None:
    short = row("1:2:3.5:1.00").replace("\t2\tE0", "\t3\tE0")
    log = read(HEADER + row("1:2:3.4:5.00") + short + row("25:2:3.4:5.00") + "stopped\n>\n")
    assert len(log.frames) == 1
    assert [(refusal.reason, refusal.count, refusal.first_line) for refusal in log.refused] == [
        ("payload shorter than length", 1, 4),
        ("not a frame", 2, 5),
    ]


def test_pp2can_line_cut_at_the_end_is_refused(read: Read) -> None:
    for cut in (">\t1\t1:2:3.5", ">\t1\t1:2:3.5:1.00\tSt\t0x197\t0\t2\tE0\t9E"):
        log = read(HEADER + row("1:2:3.4:5.00") + cut)
        assert len(log.frames) == 1
        assert log.refused == (Refusal("truncated line", 1, 4, cut.replace("\t", " ")),)
