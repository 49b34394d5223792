"""What motor and inverter turn into heat, as a table over torque and shaft speed.

    loss = copper T² + iron ω + windage ω³ + constant + inverter |T ω|

The form is that of Larminie and Lowry, Electric Vehicle Technology Explained, 2nd ed. (2012). It is
laid on a grid once, so that a measured map of efficiency can stand in its place, and so that one
car and a fleet read the same numbers.

    losses = LossMap.of(driveline)
    losses.at(120.0, 800.0)         # watts, at 120 Nm and 800 rad/s
"""

from collections.abc import Callable

from contactor.physics.constants import RPM_PER_RAD_PER_S
from contactor.physics.parameters import Driveline

TORQUES, SPEEDS = 65, 65
"""Points of the grid: torque from braking to driving at the motor's most, speed up to its most."""


class LossMap:
    """The losses of one drive.

    Attributes:
        values: watts (TORQUES * SPEEDS,), torque by torque.
        torque_max_nm: where the grid ends, driving and braking.
        per_nm, per_rad_per_s: how many steps of the grid a newton metre and a rad/s are.
    """

    __slots__ = ("per_nm", "per_rad_per_s", "torque_max_nm", "values")

    def __init__(
        self, loss_w: Callable[[float, float], float], *, torque_max_nm: float, speed_max: float
    ) -> None:
        """`loss_w` of torque (Nm, - brakes) and shaft speed (rad/s), up to the two most."""
        self.torque_max_nm = torque_max_nm
        self.per_nm = (TORQUES - 1) / (2 * torque_max_nm)
        self.per_rad_per_s = (SPEEDS - 1) / speed_max
        self.values = tuple(
            loss_w(torque / self.per_nm - torque_max_nm, speed / self.per_rad_per_s)
            for torque in range(TORQUES)
            for speed in range(SPEEDS)
        )

    @classmethod
    def of(cls, driveline: Driveline) -> "LossMap":
        """The map of the form above."""

        def loss_w(torque: float, shaft: float) -> float:
            return (
                driveline.copper_w_per_nm2 * torque * torque
                + driveline.inverter_loss * abs(torque) * shaft
                + (driveline.iron_w_s + driveline.windage_w_s3 * shaft * shaft) * shaft
                + driveline.constant_w
            )

        return cls(
            loss_w,
            torque_max_nm=driveline.torque_max_nm,
            speed_max=driveline.motor_speed_max_rpm / RPM_PER_RAD_PER_S,
        )

    def at(self, torque_nm: float, shaft: float) -> float:
        """The loss in watts; straight lines between the points, the edge beyond them."""
        x = min(max((torque_nm + self.torque_max_nm) * self.per_nm, 0.0), TORQUES - 1.001)
        y = min(shaft * self.per_rad_per_s, SPEEDS - 1.001)
        row, column = int(x), int(y)
        place = row * SPEEDS + column
        values, right = self.values, y - column
        low = values[place] + (values[place + 1] - values[place]) * right
        place += SPEEDS
        high = values[place] + (values[place + 1] - values[place]) * right
        return low + (high - low) * (x - row)
