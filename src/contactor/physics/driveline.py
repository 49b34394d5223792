"""From the wheels to the battery's terminals: gear, motor, inverter and the friction brakes.

    loss = copper T² + iron ω + windage ω³ + constant + inverter |T ω|

The form is that of Larminie and Lowry, Electric Vehicle Technology Explained, 2nd ed.
(2012). Torque is bounded by the motor, by its power, and by what the battery can give or take
at this moment; what regeneration may not do, the friction brakes do.
"""

import math

from contactor.physics.parameters import Body, Driveline

KMH_PER_MPS = 3.6
RPM_PER_RAD_PER_S = 30 / math.pi


class Drive:
    """The driveline of one car; it holds no state, only what is worked out once."""

    __slots__ = (
        "_constant_w",
        "_copper",
        "_efficiency",
        "_fade_from_mps",
        "_fade_per_mps",
        "_inverter",
        "_iron",
        "_lift_off_n",
        "_pedal_n",
        "_power_max_w",
        "_ratio_per_m",
        "_regeneration_max_w",
        "_torque_max_nm",
        "_windage",
        "brake_max_n",
    )

    def __init__(self, driveline: Driveline, body: Body) -> None:
        self._ratio_per_m = driveline.gear_ratio / body.wheel_radius_m
        self._efficiency = driveline.gear_efficiency
        self._torque_max_nm = driveline.torque_max_nm
        self._power_max_w = driveline.power_max_kw * 1000
        self._regeneration_max_w = driveline.regeneration_power_max_kw * 1000
        self._fade_from_mps = driveline.regeneration_from_kmh / KMH_PER_MPS
        width_kmh = driveline.regeneration_full_kmh - driveline.regeneration_from_kmh
        self._fade_per_mps = KMH_PER_MPS / width_kmh
        self._copper = driveline.copper_w_per_nm2
        self._iron = driveline.iron_w_s
        self._windage = driveline.windage_w_s3
        self._constant_w = driveline.constant_w
        self._inverter = driveline.inverter_loss
        self._lift_off_n = driveline.lift_off_deceleration_mps2 * body.mass_kg
        self.brake_max_n = body.brake_deceleration_mps2 * body.mass_kg
        self._pedal_n = self.brake_max_n - self._lift_off_n

    def motor_speed_rad_per_s(self, speed_mps: float) -> float:
        """Of the shaft."""
        return speed_mps * self._ratio_per_m

    def loss_w(self, torque_nm: float, shaft_rad_per_s: float) -> float:
        """What motor and inverter turn into heat."""
        return (
            self._copper * torque_nm * torque_nm
            + self._inverter * abs(torque_nm) * shaft_rad_per_s
            + self._idle_w(shaft_rad_per_s)
        )

    def _idle_w(self, shaft_rad_per_s: float) -> float:
        """The loss at no torque."""
        turning = self._iron + self._windage * shaft_rad_per_s * shaft_rad_per_s
        return self._constant_w + turning * shaft_rad_per_s

    def torque_at(self, force_n: float, speed_mps: float, *, give_w: float, take_w: float) -> float:
        """The torque that comes nearest to `force_n` at the wheels.

        Args:
            speed_mps: the mean of the step.
            give_w: what the battery can give the inverter, 0 or more.
            take_w: what battery and auxiliaries can take from it, 0 or more.
        """
        shaft = speed_mps * self._ratio_per_m
        if force_n >= 0:
            torque = force_n / (self._ratio_per_m * self._efficiency)
            torque = min(torque, self._torque_max_nm)
            if torque * shaft > self._power_max_w:
                torque = self._power_max_w / shaft
            if torque * shaft + self.loss_w(torque, shaft) > give_w:
                torque = min(torque, self._torque_within(give_w, shaft))
            return torque
        fade = (speed_mps - self._fade_from_mps) * self._fade_per_mps
        if fade <= 0:
            return 0.0
        torque = -force_n * self._efficiency / self._ratio_per_m
        torque = min(torque, self._torque_max_nm * min(fade, 1.0))
        # What the copper and the inverter lose is left out of the bound: it errs to the safe side.
        power_w = min(self._regeneration_max_w, take_w + self._idle_w(shaft))
        return -min(torque, power_w / shaft)

    def _torque_within(self, give_w: float, shaft_rad_per_s: float) -> float:
        """The torque that takes exactly `give_w`: copper T² + ω (1 + inverter) T + idle = give."""
        left_w = give_w - self._idle_w(shaft_rad_per_s)
        if left_w <= 0:
            return 0.0
        slope = shaft_rad_per_s * (1 + self._inverter)
        return 2 * left_w / (slope + math.sqrt(slope * slope + 4 * self._copper * left_w))

    def force_n(self, torque_nm: float) -> float:
        """At the wheels; the gear loses a part either way."""
        if torque_nm >= 0:
            return torque_nm * self._ratio_per_m * self._efficiency
        return torque_nm * self._ratio_per_m / self._efficiency

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
