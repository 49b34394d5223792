"""The 12 V battery: a converter fills it while the car is awake, and sleep empties it slowly.

Its voltage at rest follows its charge: a lead-acid cell has its acid's density in g/cm³ plus 0.84
V, and the density is 1.28 full and 1.12 empty (Linden and Reddy, Handbook of Batteries, 3rd ed.,
2002, chapter 23), so an empty one has 0.925 of the full one's voltage.
"""

from contactor.physics.constants import S_PER_HOUR
from contactor.physics.parameters import Auxiliaries
from contactor.physics.state import CarState

EMPTY_VOLTAGE = 0.925
# The last of the charge goes in with this time constant.
ABSORPTION_S = 1800.0
# Filling that woke the car ends here.
FILLED = 0.9
# How fast the voltage rises to the converter's, and how slowly it sinks to rest.
RISE_S, FALL_S = 20.0, 900.0


def charge_w(charge: float, capacity_j: float, most_w: float) -> float:
    """What the converter puts into the 12 V battery."""
    return min(max(1.0 - charge, 0.0) * capacity_j / ABSORPTION_S, most_w)


def is_filling(charge: float, wake_at: float, was_filling: bool) -> bool:
    """Whether the charge is so low that it must be filled; once begun, until it is high again."""
    return charge <= wake_at or (was_filling and charge < FILLED)


class LowVoltage:
    """The 12 V network of one car; it works on the car's state."""

    __slots__ = ("_auxiliaries", "_capacity_j", "_state")

    def __init__(self, auxiliaries: Auxiliaries, state: CarState) -> None:
        self._auxiliaries = auxiliaries
        self._capacity_j = auxiliaries.low_voltage_capacity_wh * S_PER_HOUR
        self._state = state

    def look(self) -> bool:
        """Whether the charge is so low that the car must be awake to fill it."""
        state = self._state
        state.is_low_voltage_filling = is_filling(
            state.low_voltage_charge,
            self._auxiliaries.low_voltage_wake_at,
            state.is_low_voltage_filling,
        )
        return state.is_low_voltage_filling and state.state_of_charge > 0

    def power_w(self) -> float:
        """What the converter takes from the traction battery to fill this one."""
        into_w = charge_w(
            self._state.low_voltage_charge,
            self._capacity_j,
            self._auxiliaries.low_voltage_charge_max_w,
        )
        return into_w / self._auxiliaries.dcdc_efficiency

    def step(self, dt_s: float, power_w: float, *, is_awake: bool) -> None:
        """Let time pass; `power_w` is what the converter took for it."""
        state, auxiliaries = self._state, self._auxiliaries
        into_w = power_w * auxiliaries.dcdc_efficiency
        if is_awake:
            target_v, time_s = auxiliaries.low_voltage_awake_v, RISE_S
        else:
            into_w -= auxiliaries.sleep_drain_w
            empty = 1 - state.low_voltage_charge
            target_v = auxiliaries.low_voltage_asleep_v * (1 - (1 - EMPTY_VOLTAGE) * empty)
            time_s = FALL_S
        state.low_voltage_charge += into_w * dt_s / self._capacity_j
        state.low_voltage_charge = min(max(state.low_voltage_charge, 0.0), 1.0)
        state.low_voltage_v += (target_v - state.low_voltage_v) * min(1.0, dt_s / time_s)
