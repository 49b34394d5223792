"""UDS: what is answered, and what is refused with which code (ISO 14229-1)."""

import pytest

from contactor.car.virtual.diagnostics.security import default_key
from tests.car.virtual.diagnostics.conftest import ALL, BATTERY, BODY, VEHICLE, VIN


@pytest.mark.parametrize(
    ("unit", "request_hex", "answer"),
    [
        (VEHICLE, "22f190", "62f190" + VIN.encode().hex()),
        (VEHICLE, "22f186", "62f18601"),
        (VEHICLE, "220103", "6201031cac"),
        (VEHICLE, "22010101020105", "6201010dc10102ff850105ffe0"),
        (VEHICLE, "2201030999", "6201031cac"),
        (BATTERY, "220200", "6202000e530e540e55"),
        (BATTERY, "220203", "62020303"),
        (BODY, "220300", "6203000d"),
        (VEHICLE, "1003", "5003003201f4"),
        (VEHICLE, "3e00", "7e00"),
        (VEHICLE, "3e80", ""),
        (VEHICLE, "1103", "5103"),
    ],
)
def test_uds_answers_a_request(ask, unit, request_hex, answer):
    assert ask(unit, request_hex) == answer


@pytest.mark.parametrize(
    ("request_hex", "answer"),
    [
        ("31010203", "7f3111"),
        ("1002", "7f1012"),
        ("19ff", "7f1912"),
        ("10", "7f1013"),
        ("100300", "7f1013"),
        ("22f1", "7f2213"),
        ("22f19001", "7f2213"),
        ("220999", "7f2231"),
        ("220200", "7f2231"),
        ("14ffff", "7f1413"),
        ("14123456", "7f1431"),
        ("1902", "7f1913"),
        ("2701", "7f277f"),
        ("2ef190" + "00" * 17, "7f2e7f"),
        ("1101", "7f117e"),
        ("3e01", "7f3e12"),
    ],
)
def test_uds_refuses_with_the_code_of_the_standard(ask, request_hex, answer):
    assert ask(VEHICLE, request_hex) == answer


@pytest.mark.parametrize("request_hex", ["3101ff00", "1002", "220999", "2701", "1101"])
def test_uds_that_was_asked_of_all_is_not_refused_where_another_may_answer(ask, request_hex):
    assert ask(ALL, request_hex) == ""


def test_extended_session_ends_after_five_seconds_of_silence(ask):
    ask(VEHICLE, "1003")
    assert ask(VEHICLE, "22f186", later_s=4.9) == "62f18603"
    assert ask(VEHICLE, "3e80", later_s=9.0) == ""
    assert ask(VEHICLE, "22f186", later_s=13.9) == "62f18603"
    assert ask(VEHICLE, "22f186", later_s=18.9) == "62f18601"


def unlock(ask, *, later_s=0.0):
    seed = ask(VEHICLE, "2701", later_s=later_s)
    assert seed.startswith("6701")
    return ask(VEHICLE, "2702" + default_key(bytes.fromhex(seed[4:])).hex(), later_s=later_s)


def test_tester_is_written_only_when_unlocked_and_standing(ask):
    write = "2ef198" + b"TESTER 42".ljust(16).hex()
    ask(VEHICLE, "1003")
    assert ask(VEHICLE, write) == "7f2e33"
    assert unlock(ask) == "6702"
    assert ask(VEHICLE, "2701") == "670100000000"
    assert ask(VEHICLE, write, speed_mps=5.0) == "7f2e22"
    assert ask(VEHICLE, write[:-2]) == "7f2e13"
    assert ask(VEHICLE, "2ef190" + "41" * 17) == "7f2e31"
    assert ask(VEHICLE, write) == "6ef198"
    assert ask(VEHICLE, "22f198") == "62f198" + b"TESTER 42".ljust(16).hex()
    assert ask(VEHICLE, "1003") == "5003003201f4"
    assert ask(VEHICLE, write) == "7f2e33"


def test_third_wrong_key_delays_the_next_seed(ask):
    ask(VEHICLE, "1003")
    assert ask(VEHICLE, "270200000000") == "7f2724"
    for refusal in ("35", "35", "36"):
        ask(VEHICLE, "2701")
        assert ask(VEHICLE, "270212345678") == "7f27" + refusal
    assert ask(VEHICLE, "2701", later_s=4.0) == "7f2737"
    assert ask(VEHICLE, "3e00", later_s=8.0) == "7e00"
    assert unlock(ask, later_s=10.0) == "6702"


def test_car_that_moves_is_not_reset(ask):
    assert ask(VEHICLE, "1103", speed_mps=10.0) == "7f1122"
    ask(VEHICLE, "1003")
    assert ask(VEHICLE, "1101") == "5101"
    assert ask(VEHICLE, "22f186") == "62f18601"


def test_sessions_of_units_are_their_own(ask):
    ask(VEHICLE, "1003")
    assert ask(BATTERY, "22f186") == "62f18601"
