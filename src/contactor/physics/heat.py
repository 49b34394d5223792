"""What it takes to keep cabin and battery at their temperatures.

A heat pump moves heat: `electricity = heat / COP`, and the COP falls with the cold.
"""

from contactor.physics.parameters import Climate

# How eagerly a temperature error is driven out.
CABIN_GAIN_W_PER_K = 350.0
BATTERY_GAIN_W_PER_K = 800.0
HEATING_COP_MAX = 4.0
# Fan only: less than this is not worth the compressor.
LEAST_HEAT_W = 50.0


class HeatPump:
    """Moves heat for cabin and battery; it holds no state."""

    __slots__ = ("_climate", "_cooling_w", "_heating_w", "_thermal_w")

    def __init__(self, climate: Climate) -> None:
        self._climate = climate
        self._heating_w = climate.heating_max_kw * 1000
        self._cooling_w = climate.cooling_max_kw * 1000
        self._thermal_w = climate.battery_thermal_max_kw * 1000

    def cabin(
        self, cabin_degc: float, target_degc: float, ambient_degc: float
    ) -> tuple[float, float]:
        """Heat into the cabin (- cools it) and the electricity it takes, in watts."""
        climate = self._climate
        heat_w = (
            CABIN_GAIN_W_PER_K * (target_degc - cabin_degc)
            + climate.cabin_loss_w_per_k * (target_degc - ambient_degc)
            - climate.cabin_gain_w
        )
        heat_w = min(max(heat_w, -self._cooling_w), self._heating_w)
        if -LEAST_HEAT_W < heat_w < LEAST_HEAT_W:
            return 0.0, climate.fan_w
        return heat_w, climate.fan_w + self._electricity_w(heat_w, ambient_degc)

    def battery(
        self, battery_degc: float, ambient_degc: float, *, is_fast_charging: bool
    ) -> tuple[float, float]:
        """Heat into the battery (- cools it) and the electricity it takes, in watts."""
        climate = self._climate
        above = battery_degc - climate.battery_cool_from_degc
        if above > 0:
            heat_w = -min(BATTERY_GAIN_W_PER_K * above, self._thermal_w)
            return heat_w, self._electricity_w(heat_w, ambient_degc)
        below = climate.battery_heat_to_degc - battery_degc
        if is_fast_charging and below > 0:
            heat_w = min(BATTERY_GAIN_W_PER_K * below, self._thermal_w)
            return heat_w, self._electricity_w(heat_w, ambient_degc)
        return 0.0, 0.0

    def _electricity_w(self, heat_w: float, ambient_degc: float) -> float:
        climate = self._climate
        if heat_w < 0:
            return -heat_w / climate.cooling_cop
        cop = climate.heating_cop + climate.heating_cop_per_degc * ambient_degc
        return heat_w / min(max(cop, 1.0), HEATING_COP_MAX)

    def cabin_slope(self, cabin_degc: float, ambient_degc: float, heat_w: float) -> float:
        """How fast the cabin warms, in kelvin per second."""
        climate = self._climate
        lost_w = climate.cabin_loss_w_per_k * (cabin_degc - ambient_degc)
        return (heat_w - lost_w) / climate.cabin_heat_capacity_j_per_k
