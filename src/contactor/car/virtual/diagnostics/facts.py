"""What the control units see of the car when they are asked.

facts = CarFacts(state=car.physics.state, cell_voltages_v=car.physics.cell_voltages_v, ...)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contactor.clock import NS_PER_S
from contactor.physics.state import CarState

# Made up, so that nobody takes the car for one that exists.
_MAKER, _MODEL, _YEAR, _PLANT = "ZZZ", "CEV", "T", "C"
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarFacts:
    """The car at an instant.

    Fields:
        now_ns: the car's own time, ns.
        awake_since_ns: when its control units were last powered up.
        state: what the control units know of it.
        is_locked: of each of the body's doors.
        insulation_kohm: between the traction battery's circuit and the body.
        link_v: between contactors and inverter.
    """

    now_ns: int
    awake_since_ns: int
    vin: str
    state: CarState
    cell_voltages_v: Callable[[], Sequence[float]]
    is_locked: Sequence[bool]
    insulation_kohm: float
    link_v: float

    @property
    def awake_s(self) -> float:
        """Seconds since the control units were powered up."""
        return max(self.now_ns - self.awake_since_ns, 0) / NS_PER_S


def vin_of(seed: int) -> str:
    """The vehicle identification number of the car of a seed; its check digit is right.

    Args:
        seed: at least 0; two below 7 x 10^7 have two numbers.

    Source: ISO 3779; the check digit and the letters' values, 49 CFR 565.15.
    """
    # Ends in 3 to 9: python-OBD cuts the digits 0, 1 and 2 off the end of a number.
    serial = f"{(seed // 7 * 10 + 3 + seed % 7) % 10**8:08d}"
    bare = f"{_MAKER}{_MODEL}{serial[:2]}0{_YEAR}{_PLANT}{serial[2:]}"
    total = sum(
        weight * (int(sign) if sign.isdigit() else _VALUES[sign])
        for weight, sign in zip(_WEIGHTS, bare, strict=True)
    )
    digit = total % 11
    return f"{bare[:8]}{'X' if digit == 10 else digit}{bare[9:]}"
