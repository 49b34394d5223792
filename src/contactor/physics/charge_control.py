"""What the car does at the plug: whether it charges, how fast, and what the wall carries besides.

`is_done` and `charge_w` are equations (see `contactor.physics.equations`); `ChargeControl` works on
a car's state.
"""

import math

from contactor.physics.battery import Source
from contactor.physics.charger import Charger
from contactor.physics.pack import Pack
from contactor.physics.parameters import Charging
from contactor.physics.state import CarState, Controls

# A charge that is done begins anew when this much is gone.
RESUME = 0.005
CHARGE_DONE = 1e-6
ESTIMATE_EVERY_S = 15.0


def is_done(state_of_charge: float, limit: float, was_done: bool) -> bool:
    """Whether a plugged-in car is full; one that was stays so until some of the charge is gone."""
    return state_of_charge >= limit - CHARGE_DONE or (
        was_done and state_of_charge >= limit - RESUME
    )


def charge_w(
    left_a: float,
    current_max_a: float,
    voltage_max_v: float,
    source_v: float,
    resistance_ohm: float,
    offered_w: float,
    accepted_w: float,
    ramped_w: float,
) -> float:
    """The power into the battery's terminals; less than nothing where the station is weak.

    Args:
        left_a: what fills the battery to its limit within the step.
        ramped_w: what the power may have risen to by the step's end.
    """
    most_a = min(left_a, current_max_a, (voltage_max_v - source_v) / resistance_ohm)
    return min(offered_w, accepted_w, ramped_w, (source_v + most_a * resistance_ohm) * most_a)


class ChargeControl:
    """One car's side of a charge."""

    __slots__ = ("_charger", "_estimate_age_s", "_pack", "_state")

    def __init__(self, charging: Charging, pack: Pack, state: CarState) -> None:
        self._charger = Charger(charging)
        self._pack = pack
        self._state = state
        self._estimate_age_s = math.inf

    def look(self, controls: Controls) -> bool:
        """Whether this step charges; a charge that is done stays done until some of it is gone."""
        state = self._state
        if controls.plug == "none":
            state.is_charge_done = False
            return False
        state.is_charge_done = is_done(
            state.state_of_charge, controls.charge_limit, state.is_charge_done
        )
        return _is_ready(controls) and not state.is_charge_done

    def charge_w(self, dt_s: float, controls: Controls, aux_w: float, source: Source) -> float:
        """The power into the battery's terminals; less than nothing where the station is weak."""
        state, pack, charger = self._state, self._pack, self._charger
        offered_w = self._offered_w(controls) - aux_w
        factor = pack.charge_factor(state.battery_temperature_degc)
        left_as = (controls.charge_limit - state.state_of_charge) * pack.capacity_as
        power_w = charge_w(
            left_as * state.state_of_health / dt_s,
            pack.charge_current_max_a * factor,
            pack.voltage_max_v,
            source.voltage_v,
            source.resistance_ohm,
            offered_w,
            charger.accepted_w(controls.plug, state.state_of_charge, factor),
            state.charge_power_w + charger.ramp_w_per_s * dt_s,
        )
        state.charge_wall_power_w = charger.wall_w(controls.plug, power_w + aux_w)
        self._estimate(dt_s, controls, offered_w, factor)
        return power_w

    def feed_w(self, controls: Controls, aux_w: float) -> float:
        """What of `aux_w` the wall carries for a car that does not charge: once that is done."""
        state = self._state
        state.charge_power_w = state.time_to_limit_s = state.charge_wall_power_w = 0.0
        if controls.plug != "ac" or not _is_ready(controls) or aux_w <= 0:
            return 0.0
        fed_w = min(aux_w, self._offered_w(controls))
        if fed_w > 0:
            state.charge_wall_power_w = self._charger.wall_w("ac", fed_w)
        return fed_w

    def _offered_w(self, controls: Controls) -> float:
        return self._charger.offered_w(
            controls.plug, controls.station_power_w, controls.station_phases
        )

    def _estimate(self, dt_s: float, controls: Controls, offered_w: float, factor: float) -> None:
        """Count the time to the limit down, and work it out anew now and then."""
        state = self._state
        self._estimate_age_s += dt_s
        if state.time_to_limit_s > dt_s and self._estimate_age_s < ESTIMATE_EVERY_S:
            state.time_to_limit_s -= dt_s
            return
        self._estimate_age_s = 0.0
        state.time_to_limit_s = self._charger.time_to_limit_s(
            self._pack,
            controls.plug,
            state_of_charge=state.state_of_charge,
            state_of_health=state.state_of_health,
            limit=controls.charge_limit,
            offered_w=offered_w,
            factor=factor,
        )


def _is_ready(controls: Controls) -> bool:
    """Whether car and station would let current flow."""
    return controls.is_charge_allowed and controls.station_power_w > 0
