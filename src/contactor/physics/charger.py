"""What a station gives the battery: AC through the car's charger, DC straight.

    battery side = efficiency (wall - constant) for AC; what the station gives for DC

On AC, car and station use the phases that both have, each up to the smaller of their currents.

DC power follows a curve over the state of charge, and the battery's temperature takes its part.
"""

import math

from contactor.physics.curve import Curve
from contactor.physics.pack import Pack
from contactor.physics.parameters import Charging
from contactor.physics.state import Plug

ESTIMATE_STEPS = 16
PHASE_V = 230.0  # IEC 60038


def ac_wall_w(
    station_w: float, station_phases: float, phases: float, phase_max_w: float, most_w: float
) -> float:
    """What a car can take of an AC station's power.

    Args:
        phases, phase_max_w, most_w: the car's own.
    """
    phase_w = min(station_w / station_phases, phase_max_w)
    return min(phase_w * min(station_phases, phases), most_w)


def drawn_w(taken_w: float, efficiency: float, constant_w: float) -> float:
    """What an AC station gives, where the high-voltage side takes `taken_w`."""
    return taken_w / efficiency + constant_w


class Charger:
    """One car's side of the plug; it holds no state."""

    __slots__ = (
        "_ac_max_w",
        "_constant_w",
        "_dc_w",
        "_efficiency",
        "_phase_max_w",
        "_phases",
        "ramp_w_per_s",
    )

    def __init__(self, charging: Charging) -> None:
        self._ac_max_w = charging.ac_power_max_kw * 1000
        self._phases = charging.ac_phases
        self._phase_max_w = charging.ac_current_max_a * PHASE_V
        self._efficiency = charging.ac_efficiency
        self._constant_w = charging.ac_constant_w
        self._dc_w = Curve(charging.dc_state_of_charge, [kw * 1000 for kw in charging.dc_power_kw])
        self.ramp_w_per_s = charging.ramp_kw_per_s * 1000

    def offered_w(self, plug: Plug, station_power_w: float, station_phases: int = 3) -> float:
        """The most that the car's high-voltage side can get."""
        if plug == "dc":
            return station_power_w
        wall_w = ac_wall_w(
            station_power_w, station_phases, self._phases, self._phase_max_w, self._ac_max_w
        )
        return max(0.0, (wall_w - self._constant_w) * self._efficiency)

    def wall_w(self, plug: Plug, taken_w: float) -> float:
        """What the station gives, where the high-voltage side takes `taken_w`."""
        if plug == "dc":
            return taken_w
        return drawn_w(taken_w, self._efficiency, self._constant_w)

    def accepted_w(self, plug: Plug, state_of_charge: float, factor: float) -> float:
        """The most that the car asks a fast charger for; AC is bound by the battery alone.

        Args:
            factor: what the battery's temperature allows.
        """
        return self._dc_w.at(state_of_charge) * factor if plug == "dc" else math.inf

    def time_to_limit_s(
        self,
        pack: Pack,
        plug: Plug,
        *,
        state_of_charge: float,
        state_of_health: float,
        limit: float,
        offered_w: float,
        factor: float,
    ) -> float:
        """How long a charge to `limit` will take, if warmth and station stay as they are."""
        step = (limit - state_of_charge) / ESTIMATE_STEPS
        if step <= 0:
            return 0.0
        total_s, below_j = 0.0, pack.stored_j(state_of_charge, state_of_health)
        for index in range(ESTIMATE_STEPS):
            middle = state_of_charge + (index + 0.5) * step
            above_j = pack.stored_j(state_of_charge + (index + 1) * step, state_of_health)
            power_w = min(offered_w, self.accepted_w(plug, middle, factor))
            total_s += (above_j - below_j) / max(power_w, 100.0)
            below_j = above_j
        return total_s
