"""What an ELM327 prints, sign by sign."""

import pytest

from contactor.car.adapters.elm327_interpreter import Interpreter

VIN = b"\x49\x02\x01ZZZCEV000TC000001"
ANSWERS = {
    (0x7DF, b"\x01\x0d"): [(0x7E8, b"\x41\x0d\x32")],
    (0x7DF, b"\x01\x5b"): [(0x7E8, b"\x41\x5b\xb3"), (0x7EC, b"\x41\x5b\xb3")],
    (0x7DF, b"\x09\x02"): [(0x7E8, VIN)],
    (0x7E4, b"\x22\x01\x03"): [(0x7EC, b"\x62\x01\x03\x1c\xac")],
}


class Car:
    """A car that gives these answers."""

    low_voltage_v = 13.77

    def diagnose(self, can_id, request):
        return ANSWERS.get((can_id, request), [])


@pytest.fixture
def say():
    """Answers to the last of some lines, echo off and the protocol found."""
    interpreter = Interpreter(Car())
    interpreter.answer("ATE0")
    interpreter.answer("010D")

    def last(*lines):
        return [interpreter.answer(line) for line in lines][-1]

    return last


def test_new_one_echoes_and_searches_once():
    interpreter = Interpreter(Car())
    assert interpreter.answer("ATZ") == "ATZ\r\r\rELM327 v1.5\r\r>"
    assert interpreter.answer("atdpn") == "atdpn\rA0\r\r>"
    assert interpreter.answer("01 0d") == "01 0d\rSEARCHING...\r41 0D 32 \r\r>"
    assert interpreter.answer("ATDPN") == "ATDPN\rA6\r\r>"
    assert interpreter.answer("01 0D") == "01 0D\r41 0D 32 \r\r>"
    assert interpreter.answer("ATE0") == "ATE0\rOK\r\r>"
    assert interpreter.answer("") == "OK\r\r>"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("ATI", "ELM327 v1.5"),
        ("AT@1", "OBDII to RS232 Interpreter"),
        ("AT RV", "13.8V"),
        ("ATDP", "AUTO, ISO 15765-4 (CAN 11/500)"),
        ("ATIGN", "ON"),
        ("ATCS", "T:00 R:00"),
        *((f"AT{one}", "OK") for one in ("D", "M0", "AT1", "ST32", "CAF1", "PC", "AL", "SP6")),
        *((f"AT{one}", "OK") for one in ("SPA6", "TP6", "SH7E4", "SH 00 07 E4", "CRA7EC", "CRA")),
        *((f"AT{one}", "OK") for one in ("FCSH7E4", "FCSD300000", "FCSM1", "CF7E8", "CM7F8")),
        *((f"AT{one}", "?") for one in ("", "X", "E2", "AT3", "SH7", "SPD", "@3", "CRA7", "ST3")),
        ("hello", "?"),
        ("01 0G", "?"),
        ("0", "?"),
        ("2201010202030304", "?"),
        ("010C", "NO DATA"),
    ],
)
def test_command_is_answered(say, command, answer):
    assert say(command) == f"{answer}\r\r>"


def test_long_answer_has_its_length_and_numbered_lines(say):
    assert say("0902").split("\r") == [
        *("014", "0: 49 02 01 5A 5A 5A ", "1: 43 45 56 30 30 30 54 "),
        *("2: 43 30 30 30 30 30 31 ", "", ">"),
    ]


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (["ATH1"], ["7E8 03 41 5B B3 CC CC CC CC ", "7EC 03 41 5B B3 CC CC CC CC "]),
        (["ATH1", "ATS0"], ["7E803415BB3CCCCCCCC", "7EC03415BB3CCCCCCCC"]),
        (["ATH1", "ATD1"], ["7E8 8 03 41 5B B3 CC CC CC CC ", "7EC 8 03 41 5B B3 CC CC CC CC "]),
        (["ATS0", "ATCRA7EC"], ["415BB3"]),
        (["ATS0", "ATCRA7EX"], ["415BB3", "415BB3"]),
        (["ATS0", "ATCRA7E9"], ["NO DATA"]),
        (["ATS0", "ATCF7EC", "ATCM7FF"], ["415BB3"]),
        (["ATS0", "ATR0"], []),
        (["ATSP7"], ["UNABLE TO CONNECT"]),
        (["ATSPA7", "ATS0"], ["SEARCHING...", "415BB3", "415BB3"]),
        (["ATSP6", "ATS0"], ["415BB3", "415BB3"]),
    ],
)
def test_settings_shape_the_answer(say, settings, lines):
    assert say(*settings, "015B").split("\r") == [*lines, "", ">"]


def test_linefeeds_follow_returns(say):
    assert say("ATL1", "010D") == "41 0D 32 \r\n\r\n>"


@pytest.mark.parametrize(("count", "frames"), [("1", 1), ("2", 2), ("3", 3), ("", 3)])
def test_last_digit_says_how_many_frames_are_waited_for(say, count, frames):
    lines = say("ATH1", f"0902{count}").split("\r")[:-2]
    assert [line[:6] for line in lines] == ["7E8 10", "7E8 21", "7E8 22"][:frames]


def test_header_chooses_the_control_unit(say):
    assert say("ATSH7E4", "220103") == "62 01 03 1C AC \r\r>"
    assert say("ATD", "ATE0", "220103") == "SEARCHING...\rNO DATA\r\r>"


def test_request_with_its_own_length_is_sent_as_it_is(say):
    assert say("ATCAF0", "02010D0000000000") == "03 41 0D 32 CC CC CC CC \r\r>"
    assert say("ATCAF0", "300000") == "NO DATA\r\r>"
