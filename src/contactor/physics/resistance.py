"""What of the road load follows the weather: tyres are stiffer and air is denser in the cold.

drag_kg_per_m(body, 20.0)           # 0.5 · density · drag area: times v² it is the drag in newton
rolling_resistance(body, 20.0)      # force per weight

Temperatures may be arrays.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from contactor.physics.constants import ZERO_DEGC_K
from contactor.physics.parameters import Body

AIR_DENSITY_K = 1.204 * 293.15  # kg/m³ times kelvin: dry air at 101,325 Pa and 20 °C
REFERENCE_DEGC = 20.0

F = TypeVar("F", float, NDArray[np.float64])


def drag_kg_per_m(body: Body, ambient_degc: F) -> F:
    """The drag over the square of the speed."""
    return 0.5 * AIR_DENSITY_K / (ambient_degc + ZERO_DEGC_K) * body.drag_area_m2


def rolling_resistance(body: Body, ambient_degc: F) -> F:
    """The rolling resistance at standstill, force per weight."""
    warmth = ambient_degc - REFERENCE_DEGC
    return body.rolling_resistance * (1 - body.rolling_resistance_per_degc * warmth)
