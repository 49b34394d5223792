import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.databases.text import decode

ASCII = 'BO_ 1 A: 8 X\n SG_ B : 0|8@1+ (1,0) [0|0] "{}" X\nCM_ SG_ 1 B "{}";\n'


@pytest.mark.parametrize(
    ("encoding", "unit", "comment"),
    [
        ("cp1252", "°C", ""),
        ("cp1252", "µs", "Geschwindigkeit über Grund, Größe in m²"),
        ("cp1252", "°", "température extérieure"),
        ("cp1252", "km/h", "Signal ä"),
        ("gb18030", "℃", ""),
        ("gb18030", "km/h", "电池电压，单位为伏"),
        ("gb18030", "°", "电机转速"),
        ("cp932", "℃", "車速とバッテリー電圧"),
        ("cp932", "°", "電圧"),
        ("cp1251", "°C", "Скорость автомобиля"),
        ("cp1251", "км/ч", "Напряжение батареи"),
        ("cp949", "℃", "배터리 전압 센서의 값"),
        ("big5", "℃", "電池電壓與車速訊號"),
    ],
)
def test_legacy_encoding_is_chosen_by_its_characters(encoding, unit, comment):
    text = ASCII.format(unit, comment)
    decoded = decode(text.encode(encoding))
    assert (decoded.content, decoded.encoding) == (text, encoding)


@pytest.mark.parametrize("undefined", [(), (0x81, 0x90)])
def test_encoding_that_loses_characters_comes_after_windows_1252(undefined):
    rows = range(0x80, 0x100)
    high = bytes(one for one in rows if one not in {0x81, 0x8D, 0x8F, 0x90, 0x9D} - {*undefined})
    decoded = decode(b'CM_ "' + high + b'";\n')
    assert decoded.encoding == "cp1252"
    assert decoded.content.count("\ufffd") == len(undefined)


def test_text_of_two_bytes_a_character_may_lose_one():
    text = ASCII.format("℃", 10 * "电池电压，单位为伏").encode("gb18030")
    cut = text[:-6] + text[-5:]
    assert decode(cut).encoding == "gb18030"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_known_by_its_mark_or_its_bytes(encoding):
    text = ASCII.format("°C", "电压")
    assert decode(text.encode(encoding)).content == text


def test_lines_in_utf8_and_in_windows_1252_are_read_each_in_its_own():
    first, second = ASCII.format("°C", "Größe"), ASCII.format("°F", "Länge")
    decoded = decode(first.encode("utf-8") + second.encode("cp1252"))
    assert decoded.content == first + second


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded(content):
    assert isinstance(decode(content).content, str)
