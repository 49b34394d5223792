"""What service 22 reads: identifier, bytes, unit. Numbers are big-endian; s: signed.

    F186 1   session now              0100 2  speed, 0.01 km/h       0200 2n all cells, mV
    F187 16  part number              0101 2  pack voltage, 0.1 V    0201 2  least cell, mV
    F188 16  software number          0102 2s pack current, 0.1 A,   0202 2  greatest cell, mV
    F189 8   software version                 + charges              0203 1  cells in series
    F18A 16  supplier                 0103 2  state of charge, 0.01 %
    F18C 16  serial number            0104 2  state of health, 0.01 %
    F190 17  VIN                      0105 2s battery, 0.1 degC      0300 1  doors locked, a bit
    F191 16  hardware number          0106 2s outside, 0.1 degC              each: front left,
    F195 8   software version         0107 2s cabin, 0.1 degC                front right, rear
             of the supplier          0108 2s motor, 0.1 degC                left, rear right,
    F197 16  name of the unit         0109 2s inverter, 0.1 degC             trunk
    F198 16  tester; written by 2E    010A 2  12 V system, 0.01 V    0204 2  insulation, kOhm
                                      010B 4  odometer, m            0205 2  voltage behind the
                                      010C 1  charging: 0, 1                 contactors, 0.1 V

A snapshot of a trouble code holds 0100, 0101, 0103 and 010B of when it was found.

Source: F180 to F19F, ISO 14229-1:2020, annex C.1; the others are our own, in the makers' range.
"""

from collections.abc import Callable, Mapping

from contactor.car.virtual.diagnostics.facts import CarFacts
from contactor.physics.state import CarState
from contactor.units import convert

Reader = Callable[[CarFacts], bytes]

SESSION = 0xF186
TESTER = 0xF198
TESTER_BYTES = 16
VIN = 0xF190

_KMH = convert(1.0, "m/s", "km/h")


def number(value: float, per_unit: float, size: int, *, is_signed: bool = False) -> bytes:
    """A value as a whole number of `size` bytes; what does not fit is the nearest that does."""
    bits = 8 * size
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    return min(max(round(value * per_unit), least), most).to_bytes(size, "big", signed=is_signed)


def text(value: str, size: int) -> bytes:
    """ASCII, padded with spaces."""
    return value.encode("ascii")[:size].ljust(size)


def _degc(of: Callable[[CarFacts], float]) -> Reader:
    return lambda facts: number(of(facts), 10, 2, is_signed=True)


def _locked(facts: CarFacts) -> bytes:
    return bytes([sum(1 << place for place, yes in enumerate(facts.is_locked) if yes)])


def _cells(facts: CarFacts) -> bytes:
    return b"".join(number(volts, 1_000, 2) for volts in facts.cell_voltages_v())


_LOW_VOLTAGE: Mapping[int, Reader] = {
    0x010A: lambda facts: number(facts.state.low_voltage_v, 100, 2)
}
_BATTERY: Mapping[int, Reader] = {
    0x0101: lambda facts: number(facts.state.battery_voltage_v, 10, 2),
    0x0102: lambda facts: number(facts.state.battery_current_a, 10, 2, is_signed=True),
    0x0103: lambda facts: number(facts.state.state_of_charge, 10_000, 2),
    0x0104: lambda facts: number(facts.state.state_of_health, 10_000, 2),
    0x0105: _degc(lambda facts: facts.state.battery_temperature_degc),
}

VEHICLE_READERS: Mapping[int, Reader] = {
    0x0100: lambda facts: number(facts.state.speed_mps * _KMH, 100, 2),
    **_BATTERY,
    0x0106: _degc(lambda facts: facts.state.ambient_degc),
    0x0108: _degc(lambda facts: facts.state.motor_temperature_degc),
    0x0109: _degc(lambda facts: facts.state.inverter_temperature_degc),
    **_LOW_VOLTAGE,
    0x010B: lambda facts: number(facts.state.distance_m, 1, 4),
    0x010C: lambda facts: bytes([facts.state.is_charging]),
}
BATTERY_READERS: Mapping[int, Reader] = {
    **_BATTERY,
    0x010C: lambda facts: bytes([facts.state.is_charging]),
    0x0200: _cells,
    0x0201: lambda facts: number(facts.state.cell_voltage_min_v, 1_000, 2),
    0x0202: lambda facts: number(facts.state.cell_voltage_max_v, 1_000, 2),
    0x0203: lambda facts: number(len(facts.cell_voltages_v()), 1, 1),
    0x0204: lambda facts: number(facts.insulation_kohm, 1, 2),
    0x0205: lambda facts: number(facts.link_v, 10, 2),
}
BODY_READERS: Mapping[int, Reader] = {
    0x0106: _degc(lambda facts: facts.state.ambient_degc),
    0x0107: _degc(lambda facts: facts.state.cabin_temperature_degc),
    **_LOW_VOLTAGE,
    0x0300: _locked,
}


def snapshot_of(state: CarState) -> bytes:
    """How many values a snapshot has, then each with its identifier."""
    values = {
        0x0100: number(state.speed_mps * _KMH, 100, 2),
        0x0101: number(state.battery_voltage_v, 10, 2),
        0x0103: number(state.state_of_charge, 10_000, 2),
        0x010B: number(state.distance_m, 1, 4),
    }
    told = (identifier.to_bytes(2, "big") + value for identifier, value in values.items())
    return bytes([len(values)]) + b"".join(told)


def identity_readers(name: str, *, software: str, version: str) -> Mapping[int, Reader]:
    """What a unit says of itself.

    Args:
        name: of the unit, at most 16 characters.
        software: its software's number; its hardware has the same one.
        version: of its software.
    """
    return {
        0xF187: lambda _: text(f"{software}-P", 16),
        0xF188: lambda _: text(software, 16),
        0xF189: lambda _: text(version, 8),
        0xF18A: lambda _: text("CONTACTOR", 16),
        0xF18C: lambda facts: text(f"{software}{facts.vin[-6:]}", 16),
        VIN: lambda facts: facts.vin.encode("ascii"),
        0xF191: lambda _: text(f"{software}-H", 16),
        0xF195: lambda _: text(version, 8),
        0xF197: lambda _: text(name, 16),
    }
