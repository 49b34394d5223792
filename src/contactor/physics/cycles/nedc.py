"""The New European Driving Cycle by its definition: four times in town, once out of it.

Source: UN Regulation 83, Annex 4a, Appendix 1: elementary urban cycle (195 s, 1.013 km) and
extra-urban cycle (400 s, 6.955 km). While gears are changed the speed is that before.
"""

import numpy as np

from contactor.physics.constants import KMH_PER_MPS
from contactor.physics.cycles.cycle import Cycle

URBAN_S, URBAN_TIMES = 195, 4
# "second: km/h" there.
URBAN = """
  0: 0   11: 0   15: 15   23: 15   25: 10   28: 0
 49: 0   54: 15   56: 15   61: 32   85: 32   93: 10   96: 0
117: 0  122: 15  124: 15  133: 35  135: 35  143: 50  155: 50  163: 35  178: 35  185: 10  188: 0
"""
EXTRA_URBAN = """
  0: 0   20: 0   25: 15   27: 15   36: 35   38: 35   46: 50   48: 50   61: 70  111: 70  119: 50
188: 50  201: 70  251: 70  286: 100  316: 100  336: 120  346: 120  362: 80  370: 50  380: 0  400: 0
"""


def nedc(name: str) -> Cycle:
    """The cycle, at 1 s: 1180 s, 11.0 km."""
    starts_s = [URBAN_S * turn for turn in range(URBAN_TIMES)]
    points = [point for start_s in starts_s for point in _points(URBAN, start_s)]
    points += _points(EXTRA_URBAN, URBAN_S * URBAN_TIMES)
    seconds, kmh = np.array(points, np.float64).T
    time_s = np.arange(seconds[-1] + 1)
    return Cycle(name=name, time_s=time_s, speed_mps=np.interp(time_s, seconds, kmh) / KMH_PER_MPS)


def _points(text: str, start_s: int) -> list[tuple[int, int]]:
    words = text.replace(":", "").split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return [(start_s + int(second), int(kmh)) for second, kmh in pairs]
