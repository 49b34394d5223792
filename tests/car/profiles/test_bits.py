"""Bits of signals, against the engine that decodes them, and their picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.database import Database, MessageFormat, SignalFormat
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.car.profiles.bits import bits_of, is_beyond, message_picture, overlaps
from contactor.car.profiles.profile import load_profile


def one_signal(name="A", start=0, length=8, byte_order="little_endian", **how):
    values = {
        "is_signed": False,
        "is_float": False,
        "scale": 1,
        "offset": 0,
        "unit": "",
        "labels": {},
        "multiplexer": None,
        "multiplexer_ids": (),
        "is_multiplexer": False,
        **how,
    }
    return SignalFormat(name=name, start=start, length=length, byte_order=byte_order, **values)


def message(*signals, length=8):
    return MessageFormat("Pack", 0x100, False, length, 10, signals, "car.dbc")


@given(st.integers(0, 63), st.integers(1, 64), st.sampled_from(["little_endian", "big_endian"]))
def test_bits_are_those_that_the_engine_reads(start, length, byte_order):
    signal = one_signal(start=start, length=length, byte_order=byte_order)
    if is_beyond(signal, message(signal)):
        return
    bits = set(bits_of(signal))
    assert len(bits) == length
    every = list(range(64))
    data = [(1 << bit).to_bytes(8, "little") for bit in every]
    frames = FrameTable.of(ts=every, can_id=[0x100] * 64, data=data)
    (column,) = decode_columns(frames, compile_plan(Database((message(signal),))))
    assert set(np.flatnonzero(column.raw != 0).tolist()) == bits


@pytest.mark.parametrize(
    ("start", "length", "byte_order", "is_outside"),
    [
        (56, 8, "little_endian", False),
        (57, 8, "little_endian", True),
        (63, 8, "big_endian", False),
        (62, 8, "big_endian", True),
        (7, 64, "big_endian", False),
    ],
)
def test_beyond_is_what_leaves_the_payload(start, length, byte_order, is_outside):
    signal = one_signal(start=start, length=length, byte_order=byte_order)
    assert is_beyond(signal, message(signal)) is is_outside


def test_overlaps_are_pairs_that_can_meet():
    always = one_signal("Always", 0, 8)
    case_0 = one_signal("Case0", 4, 8, multiplexer="M", multiplexer_ids=(0,))
    case_1 = one_signal("Case1", 8, 8, multiplexer="M", multiplexer_ids=(1, 2))
    other_1 = one_signal("Other1", 12, 8, multiplexer="M", multiplexer_ids=(2, 3))
    pairs = [
        (one.name, other.name) for one, other in overlaps(message(always, case_0, case_1, other_1))
    ]
    assert pairs == [("Always", "Case0"), ("Case1", "Other1")]


def test_picture_draws_each_bit_once():
    database = load_profile("nissan_leaf_ze1").database
    assert message_picture(database.message("BatteryPower")) == (
        "BatteryPower  0x1DC  8 bytes  every 10 ms\n"
        "          7  6  5  4  3  2  1  0\n"
        "byte 0    A  A  A  A  A  A  A  A   A  DischargePowerLimit  10 bits, x 0.25 kW\n"
        "byte 1    A  A  B  B  B  B  B  B   B  ChargePowerLimit     10 bits, x 0.25 kW\n"
        "byte 2    B  B  B  B  C  C  C  C   C  ChargerPowerLimit    10 bits, x 0.1 -10 kW\n"
        "byte 3    C  C  C  C  C  C  .  .   D  AliveCounter         2 bits\n"
        "byte 4    .  .  .  .  .  .  .  .   E  Checksum             8 bits\n"
        "byte 5    .  .  .  .  .  .  .  .\n"
        "byte 6    .  .  .  .  .  .  D  D\n"
        "byte 7    E  E  E  E  E  E  E  E"
    )


def test_picture_marks_bits_that_a_multiplexer_shares():
    text = message_picture(load_profile("nissan_leaf_ze1").database.message("BatteryHealth"))
    assert "byte 0    *  *  *  *  *  *  *  *   " in text
    assert "RemainingEnergyUnits  10 bits, where EnergyUnitsAreFull is 0" in text


def test_picture_of_more_signals_than_lines_or_letters():
    many = [one_signal(f"S{bit}", bit, 1) for bit in range(64)]
    text = message_picture(message(*many))
    assert len(text.splitlines()) == 2 + 64
    assert text.endswith("S63  1 bit")
