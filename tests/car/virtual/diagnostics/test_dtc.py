"""Trouble codes: set, read by UDS and OBD-II, cleared; those that are still true come back."""

import pytest

from contactor.car.virtual.diagnostics.codes import (
    BATTERY_CODES,
    BODY_CODES,
    VEHICLE_CODES,
    code_of,
    number_of,
)
from contactor.car.virtual.diagnostics.dtc import CLEAR_ALL, DtcMemory
from contactor.clock import NS_PER_S
from contactor.errors import UsageError
from tests.car.virtual.diagnostics.conftest import BATTERY, VEHICLE

START_S = 1_000


@pytest.fixture
def fail(units):
    def set_active(code, is_active, *, later_s=0.0):
        now_ns = round((START_S + later_s) * NS_PER_S)
        units.set_active(code, is_active, now_ns=now_ns, distance_m=100_000.0)

    return set_active


def test_code_is_two_bytes():
    assert [number_of(code) for code in ("P0AA6", "U0100", "B1234", "C0035")] == [
        *(0x0AA6, 0xC100, 0x9234, 0x4035)
    ]
    for code in (*VEHICLE_CODES, *BATTERY_CODES, *BODY_CODES):
        assert code_of(number_of(code)) == code


def test_fault_is_read_by_every_service(ask, fail):
    assert ask(BATTERY, "1902ff") == "5902ff"
    assert ask(BATTERY, "03") == "4300"
    fail("P0AA6", True)
    assert ask(BATTERY, "190108") == "5901ff000001"
    assert ask(BATTERY, "190208") == "5902ff0aa600af"
    assert [ask(BATTERY, one) for one in ("03", "07", "0a")] == [
        *("43010aa6", "47010aa6", "4a010aa6")
    ]
    assert ask(BATTERY, "0101") == "410181000000"
    assert ask(VEHICLE, "1902ff") == "5902ff"


def test_all_codes_that_can_be_found_are_told(ask):
    answer = bytes.fromhex(ask(BATTERY, "190a"))
    assert len(answer) == 3 + 4 * len(BATTERY_CODES)
    assert bytes.fromhex("0aa600") in answer


@pytest.mark.parametrize("clear", ["04", "14ffffff", "140aa600"])
def test_fault_that_is_gone_stays_until_it_is_cleared(ask, fail, clear):
    fail("P0AA6", True)
    fail("P0AA6", False)
    assert ask(BATTERY, "1902ff") == "5902ff0aa600ae"
    assert ask(BATTERY, clear) in {"44", "54"}
    assert ask(BATTERY, "190208") == "5902ff"
    assert ask(BATTERY, "03") == "4300"
    assert ask(BATTERY, "0a") == "4a010aa6"
    assert ask(BATTERY, "1902af", later_s=1.0) == "5902ff"
    assert ask(BATTERY, "0a", later_s=1.0) == "4a00"


def test_fault_that_is_still_there_comes_back_after_a_clear(ask, fail):
    fail("P0AA6", True)
    ask(BATTERY, "04")
    assert ask(BATTERY, "03", later_s=0.9) == "4300"
    assert ask(BATTERY, "03", later_s=1.0) == "43010aa6"


def test_pending_goes_after_a_cycle_without_the_fault():
    memory = DtcMemory(BATTERY_CODES)
    memory.set_active("P0AA6", True, now_ns=0, distance_m=0.0)
    memory.set_active("P0AA6", False, now_ns=1, distance_m=0.0)
    memory.begin_cycle(now_ns=2)
    assert memory.matching(0x04, now_ns=2) == [(0x0AA600, 0xAC)]
    memory.begin_cycle(now_ns=3)
    assert memory.matching(0xFF, now_ns=3) == [(0x0AA600, 0xA8)]


def test_distance_and_time_since_lamp_and_clear_are_told(ask, fail, facts):
    assert ask(BATTERY, "0101") == "410100000000"
    fail("P0A93", True)
    assert ask(VEHICLE, "0121", later_s=120) == "41210017"
    assert ask(VEHICLE, "014d", later_s=120) == "414d0002"
    ask(VEHICLE, "04", later_s=120)
    facts.state.distance_m += 5_000
    assert ask(VEHICLE, "0131", later_s=180) == "41310005"
    assert ask(VEHICLE, "014e", later_s=180) == "414e0001"


def test_code_that_nobody_knows_is_refused_with_those_that_are(units):
    with pytest.raises(UsageError, match="trouble code 'P1234'; allowed: P0500"):
        units.set_active("P1234", True, now_ns=0, distance_m=0.0)


def test_clear_of_all_is_counted_from_then():
    memory = DtcMemory(BATTERY_CODES)
    assert memory.clear(CLEAR_ALL, now_ns=5, distance_m=7.0)
    assert memory.cleared is not None
    assert (memory.cleared.at_ns, memory.cleared.distance_m) == (5, 7.0)
    assert not memory.clear(0x123456, now_ns=5, distance_m=7.0)
