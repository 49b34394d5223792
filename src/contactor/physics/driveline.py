"""From the wheels to the battery's terminals: gear, motor, inverter and the friction brakes.

Torque is bounded by the motor, by its power, and by what the battery can give or take at this
moment; what regeneration may not do, the friction brakes do (see `contactor.physics.equations`).
"""

from contactor.physics import equations
from contactor.physics.constants import KMH_PER_MPS
from contactor.physics.losses import LossMap
from contactor.physics.parameters import Body, Driveline


class Drive:
    """The driveline of one car; it holds no state, only what is worked out once."""

    __slots__ = (
        "_fade_from_mps",
        "_fade_per_mps",
        "_lift_off_n",
        "_losses",
        "_pedal_n",
        "_power_max_w",
        "_regeneration_max_w",
        "_torque_max_nm",
        "brake_max_n",
        "efficiency",
        "ratio_per_m",
        "speed_max_mps",
    )

    def __init__(self, driveline: Driveline, body: Body) -> None:
        self.ratio_per_m = driveline.gear_ratio / body.wheel_radius_m
        self.efficiency = driveline.gear_efficiency
        self.speed_max_mps = driveline.speed_max_kmh / KMH_PER_MPS
        self._losses = LossMap.of(driveline)
        self._torque_max_nm = driveline.torque_max_nm
        self._power_max_w = driveline.power_max_kw * 1000
        self._regeneration_max_w = driveline.regeneration_power_max_kw * 1000
        self._fade_from_mps = driveline.regeneration_from_kmh / KMH_PER_MPS
        width_kmh = driveline.regeneration_full_kmh - driveline.regeneration_from_kmh
        self._fade_per_mps = KMH_PER_MPS / width_kmh
        self._lift_off_n = driveline.lift_off_deceleration_mps2 * body.mass_kg
        self.brake_max_n = body.brake_deceleration_mps2 * body.mass_kg
        self._pedal_n = self.brake_max_n - self._lift_off_n

    def motor_speed_rad_per_s(self, speed_mps: float) -> float:
        """Of the shaft."""
        return speed_mps * self.ratio_per_m

    def loss_w(self, torque_nm: float, shaft_rad_per_s: float) -> float:
        """What motor and inverter turn into heat."""
        return self._losses.at(torque_nm, shaft_rad_per_s)

    def fade(self, speed_mps: float) -> float:
        """How much regeneration the speed allows, 0 to 1."""
        return min(max((speed_mps - self._fade_from_mps) * self._fade_per_mps, 0.0), 1.0)

    def torque_nm(self, force_n: float, speed_mps: float, part: float = 1.0) -> float:
        """The motor's torque for a force at the wheels, within a part of what the motor may."""
        return equations.torque_nm(
            force_n,
            speed_mps * self.ratio_per_m,
            self.ratio_per_m,
            self.efficiency,
            self._torque_max_nm * part,
            self._power_max_w * part,
            self._regeneration_max_w * part,
            self.fade(speed_mps),
        )

    def force_n(self, torque_nm: float) -> float:
        """At the wheels; the gear loses a part either way."""
        return equations.wheel_force_n(torque_nm, self.ratio_per_m, self.efficiency)

    def accelerator_pct(self, torque_nm: float, shaft_rad_per_s: float) -> float:
        """Where the pedal is for that torque."""
        if torque_nm <= 0:
            return 0.0
        most = self._torque_max_nm
        if most * shaft_rad_per_s > self._power_max_w:
            most = self._power_max_w / shaft_rad_per_s
        return min(100.0, 100 * torque_nm / most)

    def brake_pct(self, force_n: float) -> float:
        """Where the brake pedal is for that (negative) force at the wheels."""
        beyond_n = -force_n - self._lift_off_n
        return min(100.0, 100 * beyond_n / self._pedal_n) if beyond_n > 0 else 0.0
