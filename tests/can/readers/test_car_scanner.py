from collections.abc import Callable

from contactor.can.log import LogReading, Refusal, TimeSource
from contactor.can.readers.car_scanner import CarScannerParser
from contactor.can.readers.lines import cut_lines

Read = Callable[[str | bytes], LogReading]

GOLDEN = """\
[STSupported=False(ByResponse)]VTI
?

>
[ELM RESET]
ATD
OK

>ATH1
OK

>ATSH7E4
OK

>22 01 01
7EC103E620101EFFBE7
7EC 21 8F 00 00

>
[cmd_reply=] 7EC103E620101EFFBE7
7EC 21 8F 00 00

>

[Trying to decode:
7EC103E620101EFFBE7
7EC 21 8F 00 00

>
ELMFormat=CAN11bit]

[DecodeResult=True]
0100
NO DATA

>0100
18DAF110064100BE3FA813

>ATRV
14.1V

>
"""


def test_car_scanner_yields_each_answer_once(read: Read) -> None:
    log = read(GOLDEN.replace("14.1V\n", "OK\n"))
    assert log.format == "car-scanner"
    assert log.time_source is TimeSource.ASSUMED
    assert not log.refused
    assert log.frames.ts.tolist() == [0, 1_000_000, 2_000_000]
    assert log.frames.can_id.tolist() == [0x7EC, 0x7EC, 0x18DAF110]
    assert log.frames.is_extended.tolist() == [False, False, True]
    assert [log.frames[n].data.hex() for n in range(3)] == [
        "103e620101effbe7",
        "218f0000",
        "064100be3fa813",
    ]


def test_car_scanner_may_be_cut_into_blocks_anywhere() -> None:
    lines = GOLDEN.encode().splitlines(keepends=True)
    for cut in range(1, len(lines)):
        parser = CarScannerParser.of(b"")
        blocks = (b"".join(lines[:cut]), b"".join(lines[cut:]))
        ids = [
            can_id
            for block in blocks
            for can_id in parser.parse(cut_lines(block)).frames.can_id.tolist()
        ]
        assert ids == [0x7EC, 0x7EC, 0x18DAF110]


def test_car_scanner_refuses_answers_without_their_id(read: Read) -> None:
    log = read(
        ">ath1\nOK\n>0100\n7E8 06 41 00 BE 3F A8 13\n>ATH0\nOK\n>0100\n41 00 BE 3F A8 13\n>0105\n"
        "4105 7B\n>ATH1\n>010C\n7E8 04 41 0C 0F A0\n41 00 BE 3F A8\nhello\n"
    )
    assert log.frames.can_id.tolist() == [0x7E8, 0x7E8]
    assert log.refused == (
        Refusal("answer without its identifier", 3, 8, "41 00 BE 3F A8 13"),
        Refusal("not a frame", 1, 15, "hello"),
    )


def test_car_scanner_takes_any_id_while_the_adapter_monitors(read: Read) -> None:
    log = read(
        "ATZ\nELM327 v1.5\n\n>ATH1\nOK\n\n>ATMA\n3200200007EFD24170F\n1DB 00 11\nSTOPPED\n\n>0100\n"
        "1DB0011\n"
    )
    assert log.frames.can_id.tolist() == [0x320, 0x1DB]
    assert [refusal.reason for refusal in log.refused] == ["answer without its identifier"]
