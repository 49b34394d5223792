from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.frames import FD_BYTES
from contactor.can.log import LogReading
from contactor.can.readers.lines import cut_lines
from contactor.can.readers.table import READERS, Reader, reader_of

Read = Callable[[str | bytes], LogReading]

GOLDENS = {
    "leaf-tab": """\
ParserFlags\tCh\tCounter\tT/R\tTime\tFlags\tCAN ID\tLen\tData\tParser Name
1\t0\t1\tRX\t48659509\t\t0x000001db\t2\t0xee c0 \tDefault
1\t0\t2\tRX\t48659519\t\t0x000001dc\t1\t0x0f \tDefault
""",
    "savvycan": """\
Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8
1674224,0000015F,false,Rx,0,2,90,F8,00,00,00,00,00,00,
1674311,18FF50E5,true,Rx,0,1,90,00,00,00,00,00,00,00,
""",
    "crtd": """\
1632509059.533816 CXX OVMS CRTD
1632509059.541604 2R11 174 00 00 00 aa
1632509059.541799 1T29 18DB33F1 02 01 00
""",
    "text-trc": """\
@ TEXT @ 3 @ 64 @ 0 @ 2 @ 21701 @ 00:00:21.701 @
39,615791\t1\t00000004\t463\t2\t02 00\t00000000\tab\t
39,616031\t1\t00000004\t464\t1\t02\t00000000\ta\t
""",
    "pp2can": """\
CAN speed 1: 500k CAN speed 2: 500k Id format: HEX | Data format: HEX | Id29 format: 29
>\t0\t17:18:39.303:4446.00\tSt\t0x197\t0\t2\tE0\t9E\t \tp:1
>\t1\t17:18:39.334:2993.00\tSt\t0x198\t0\t1\tE0\t \t \tp:2
""",
    "battery-emulator": """\
(12.340) RX0 1DB [2] FF E0
(12.350) TX3 18FF50E5 [1] 01
""",
    "busmaster": """\
***BUSMASTER Ver 2.4.0***
***START DATE AND TIME 14:11:2023 22:13:20:500***
***DEC***
***RELATIVE MODE***
0:0:0:5000 Rx 1 35 s 2 64 255
0:0:0:5000 Rx 1 36 s 1 64
""",
    "canking": """\
Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir
 0    00000010         2  10  20                                154.266550 R
 0    0CFBFFDB X       1  1B                                    154.266650 T
""",
    "memorator": """\
                              Kvaser Memorator Log
   Format of data field: HEX
        Time Chan   Identifier Flags        DLC  Data                             Counter
=====================================================================================
    1.234560  1         1DB    Rx         2  FF E0                         1
    1.234660  2    18FF50E5x   Tx         1  00                            2
""",
    "candump": """\
(1700000000.000000) can0 1DB#0011
(1700000000.000100) can1 18FF50E5#01
""",
    "candump-screen": """\
 (000.000000)  can0  1DB   [2]  FF E0
 (000.010000)  can0  18FF50E5   [1]  01
 (000.004000)  can0  1DB   [2]  FF E1
""",
    "car-scanner": """\
[ELM RESET]
>ATH1
OK
>0100
7E8064100BE3FA813
7E9064100BE3FA813
""",
}


@pytest.mark.parametrize("name", GOLDENS)
def test_format_is_recognised_with_any_line_ends(read: Read, name: str) -> None:
    golden = GOLDENS[name]
    expected = read(golden)
    assert expected.format == name
    assert not expected.refused
    assert len(expected.frames) == 2 + (name == "candump-screen")
    for end in ("\r\n", "\r"):
        found = read(golden.replace("\n", end))
        assert found.format == name
        assert not found.refused
        assert found.frames.ts.tolist() == expected.frames.ts.tolist()
        assert found.frames.can_id.tolist() == expected.frames.can_id.tolist()
        assert np.array_equal(found.frames.data, expected.frames.data)


@pytest.mark.parametrize("name", GOLDENS)
def test_format_is_that_of_what_comes_first(name: str) -> None:
    others = "".join(golden for other, golden in GOLDENS.items() if other != name)
    found = reader_of((GOLDENS[name] + others).encode())
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: str(reader.name))
@pytest.mark.parametrize("character", [" ", "0", "a", "\t", "time stamp,", "(1", "0 ", ",", "\x1b"])
def test_no_form_takes_long_on_one_long_line(reader: Reader, character: str) -> None:
    text = (character * 65_536)[:65_536].encode()
    # An unbounded search takes minutes here, which the run's own limit ends.
    assert reader.form.search(text) is None


PARSERS = {reader.name: reader.parser for reader in READERS}
BITS = st.sampled_from(
    [b"", b"-", b"0", b"9" * 20, b"1E+400", b"#", b"[", b'"', b"\t", b"\n", b";"]
)


@given(
    name=st.sampled_from(sorted(GOLDENS)),
    changes=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 9), BITS | st.binary(max_size=4))
    ),
    cut=st.integers(0, 400),
)
def test_every_line_gets_one_verdict_whatever_the_bytes(
    name: str, changes: list[tuple[int, int, bytes]], cut: int
) -> None:
    text = bytearray(GOLDENS[name].encode())
    for start, count, put in changes:
        text[start : start + count] = put
    parser = PARSERS[name](bytes(text))
    cut = text.rfind(b"\n", 0, cut) + 1
    for block in (bytes(text[:cut]), bytes(text[cut:])):
        lines = cut_lines(block)
        parsed = parser.parse(lines)
        is_frame = (parsed.verdicts == 0) & ~parsed.is_known
        assert len(parsed.verdicts) == len(parsed.is_known) == len(lines)
        assert is_frame.sum() == len(parsed.frames)
        assert (parsed.frames.length <= FD_BYTES).all()
