"""OBD-II: scan tools read an electric car (SAE J1979)."""

import pytest

from contactor.car.virtual.diagnostics.facts import vin_of
from tests.car.virtual.diagnostics.conftest import ALL, BATTERY, BODY, VEHICLE, VIN


@pytest.mark.parametrize(
    ("request_hex", "answer"),
    [
        ("0100", "410080080013"),
        ("0120", "4120" + "8001a001"),
        ("0140", "4140" + "c48c8061"),
        ("010d", "410d32"),
        ("011f", "411f012c"),
        ("0133", "413365"),
        ("0142", "414235e8"),
        ("0146", "414621"),
        ("0151", "415108"),
        ("015b", "415bbb"),
        ("01a6", "41a6000004d3"),
        ("010d5b0c", "410d325bbb"),
        ("0902", "490201" + VIN.encode().hex()),
        ("0904", "490401" + b"CEV-VCU-01".ljust(16, b"\0").hex()),
        ("090a", "490a01" + b"VCU-VehicleControl".ljust(20, b"\0").hex()),
        ("0900", "4900" + "50400000"),
        ("010c", ""),
        ("01", ""),
        ("0300", ""),
        ("010d0d0d0d0d0d0d", ""),
        ("09020a", ""),
    ],
)
def test_obd_answers_a_request(ask, request_hex, answer):
    assert ask(VEHICLE, request_hex, speed_mps=13.9) == answer


def test_obd_masks_lead_to_every_identifier(ask):
    known, first = set(), 0
    while True:
        mask = int(ask(VEHICLE, f"01{first:02x}")[4:], 16)
        known |= {first + place for place in range(1, 33) if mask >> 32 - place & 1}
        if not mask & 1:
            break
        first += 0x20
    assert first == 0xA0
    assert {0x01, 0x0D, 0x1F, 0x21, 0x31, 0x42, 0x46, 0x5B, 0xA6} <= known
    for pid in sorted(known):
        assert ask(VEHICLE, f"01{pid:02x}").startswith(f"41{pid:02x}")


def test_all_units_that_know_an_answer_give_it(units, facts):
    heard = dict(units.answers(ALL, b"\x01\x5b", facts))
    assert heard == {VEHICLE + 8: b"\x41\x5b\xbb", BATTERY + 8: b"\x41\x5b\xbb"}
    assert [one for one, _ in units.answers(ALL, b"\x01\x0d", facts)] == [VEHICLE + 8]
    assert units.answers(BODY, b"\x01\x0d", facts) == [(BODY + 8, b"\x7f\x01\x11")]
    assert units.answers(0x7E1, b"\x01\x0d", facts) == []
    assert units.answers(VEHICLE, b"", facts) == []


def test_seeds_have_numbers_of_their_own():
    assert len({vin_of(seed) for seed in range(1_000)}) == 1_000


def test_vin_has_its_check_digit():
    """The method on the example of 49 CFR 565: 1M8GDM9AXKP042788 has X."""
    values = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    for vin in ("1M8GDM9AXKP042788", *(vin_of(seed) for seed in (0, 1, 7, 123_456_789, 2**31 - 1))):
        total = sum(
            weight * int(values.get(sign, sign)) for weight, sign in zip(weights, vin, strict=True)
        )
        assert vin[8] == "0123456789X"[total % 11]
        assert len(vin) == 17
