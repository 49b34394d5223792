"""What it takes to keep cabin and battery at their temperatures.

A heat pump moves heat: `electricity = heat / COP`, and the COP falls with the cold. The functions
are equations (see `contactor.physics.equations`); `HeatPump` is one car's.
"""

from contactor.physics.parameters import Climate

# How eagerly a temperature error is driven out.
CABIN_GAIN_W_PER_K = 350.0
BATTERY_GAIN_W_PER_K = 800.0
HEATING_COP_MAX = 4.0
# Fan only: less than this is not worth the compressor.
LEAST_HEAT_W = 50.0


def cabin_heat_w(
    cabin_degc: float,
    target_degc: float,
    ambient_degc: float,
    loss_w_per_k: float,
    gain_w: float,
    heating_max_w: float,
    cooling_max_w: float,
) -> float:
    """The heat into the cabin (- cools it): what it loses, and more the further it is off."""
    heat_w = (
        CABIN_GAIN_W_PER_K * (target_degc - cabin_degc)
        + loss_w_per_k * (target_degc - ambient_degc)
        - gain_w
    )
    heat_w = min(max(heat_w, -cooling_max_w), heating_max_w)
    return heat_w if abs(heat_w) >= LEAST_HEAT_W else 0.0


def battery_heat_w(
    battery_degc: float, cool_from_degc: float, heat_to_degc: float, most_w: float
) -> float:
    """The heat into the battery (- cools it); where it is not to be warmed, heat to -273 °C."""
    cooling_w = BATTERY_GAIN_W_PER_K * max(battery_degc - cool_from_degc, 0.0)
    heating_w = BATTERY_GAIN_W_PER_K * max(heat_to_degc - battery_degc, 0.0)
    return min(heating_w, most_w) - min(cooling_w, most_w)


def electricity_w(
    heat_w: float,
    ambient_degc: float,
    heating_cop: float,
    heating_cop_per_degc: float,
    cooling_cop: float,
) -> float:
    """What it takes to move `heat_w` from outside, or (-) to there."""
    cop = min(max(heating_cop + heating_cop_per_degc * ambient_degc, 1.0), HEATING_COP_MAX)
    return max(heat_w, 0.0) / cop - min(heat_w, 0.0) / cooling_cop


def cabin_slope_k_per_s(
    cabin_degc: float,
    ambient_degc: float,
    heat_w: float,
    loss_w_per_k: float,
    heat_capacity_j_per_k: float,
) -> float:
    """How fast the cabin warms."""
    return (heat_w - loss_w_per_k * (cabin_degc - ambient_degc)) / heat_capacity_j_per_k


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
        heat_w = cabin_heat_w(
            cabin_degc,
            target_degc,
            ambient_degc,
            climate.cabin_loss_w_per_k,
            climate.cabin_gain_w,
            self._heating_w,
            self._cooling_w,
        )
        return heat_w, climate.fan_w + self._electricity_w(heat_w, ambient_degc)

    def battery(
        self, battery_degc: float, ambient_degc: float, *, is_warmed: bool, cooling: float = 1.0
    ) -> tuple[float, float]:
        """Heat into the battery (- cools it) and the electricity it takes, in watts.

        Args:
            is_warmed: it is made ready for a fast charge; else it is only kept from getting hot.
            cooling: the part of the coolant that is left, 0 to 1.
        """
        climate = self._climate
        heat_w = battery_heat_w(
            battery_degc,
            climate.battery_cool_from_degc,
            climate.battery_heat_to_degc if is_warmed else -273.0,
            self._thermal_w * cooling,
        )
        return heat_w, self._electricity_w(heat_w, ambient_degc)

    def _electricity_w(self, heat_w: float, ambient_degc: float) -> float:
        climate = self._climate
        return electricity_w(
            heat_w,
            ambient_degc,
            climate.heating_cop,
            climate.heating_cop_per_degc,
            climate.cooling_cop,
        )

    def cabin_slope(self, cabin_degc: float, ambient_degc: float, heat_w: float) -> float:
        """How fast the cabin warms, in kelvin per second."""
        climate = self._climate
        return cabin_slope_k_per_s(
            cabin_degc,
            ambient_degc,
            heat_w,
            climate.cabin_loss_w_per_k,
            climate.cabin_heat_capacity_j_per_k,
        )
