"""The car as its control units see it, and control units."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contactor.car.virtual.diagnostics.ecus import ControlUnits
from contactor.car.virtual.diagnostics.facts import CarFacts, vin_of
from contactor.clock import NS_PER_S
from contactor.physics.state import CarState

VEHICLE, BODY, BATTERY, ALL = 0x7E0, 0x7E2, 0x7E4, 0x7DF
VIN = vin_of(7)


@pytest.fixture
def facts() -> CarFacts:
    state = CarState(
        speed_mps=13.9,
        distance_m=123_456.0,
        motor_temperature_degc=45.0,
        inverter_temperature_degc=40.0,
        state_of_charge=0.734,
        state_of_health=0.95,
        battery_temperature_degc=-3.2,
        battery_voltage_v=352.1,
        battery_current_a=-12.3,
        cabin_temperature_degc=21.0,
        ambient_degc=-7.0,
        consumption_j_per_m=500.0,
        low_voltage_v=13.8,
    )
    return CarFacts(
        now_ns=1_000 * NS_PER_S,
        awake_since_ns=700 * NS_PER_S,
        vin=VIN,
        state=state,
        cell_voltages_v=lambda: [3.667, 3.668, 3.669],
        is_locked=(True, False, True, True, False),
        insulation_kohm=5_000.0,
        link_v=352.1,
    )


@pytest.fixture
def units() -> ControlUnits:
    return ControlUnits(seed=1)


@pytest.fixture
def ask(units: ControlUnits, facts: CarFacts) -> Callable[..., str]:
    """What one control unit answers, as hexadecimal; "" for nothing. `later_s` from the start."""

    def one(can_id: int, request: str, *, later_s: float = 0.0, speed_mps: float = 0.0) -> str:
        facts.state.speed_mps = speed_mps
        now = replace(facts, now_ns=facts.now_ns + round(later_s * NS_PER_S))
        answers = units.answers(can_id, bytes.fromhex(request), now)
        assert all(answer_id == can_id + 8 for answer_id, _ in answers)
        return answers[0][1].hex() if answers else ""

    return one
