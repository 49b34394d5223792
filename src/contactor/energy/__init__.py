"""What will happen: what a car will consume, and how far it goes. Pure.

range        how far a car goes with what it has, learnt from its own last drives
consumption  what it takes for each kilometre, by temperature and speed
"""

from contactor.energy.consumption import Consumption, Drive
from contactor.energy.range import Range, range_of

__all__ = ["Consumption", "Drive", "Range", "range_of"]
