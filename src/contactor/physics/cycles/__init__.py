"""Drive cycles: speed over time as a car is asked to drive it, standard ones and your own.

cycle.py      what a cycle is
standard.py   those of the certification rules, by name; README.md tells where they come from
nedc.py       one of them by its definition
table.py      one out of a CSV text

    standard_cycle("WLTC3b").distance_m         # 23266.3
"""

from contactor.physics.cycles.cycle import Cycle
from contactor.physics.cycles.standard import cycle_names, standard_cycle
from contactor.physics.cycles.table import read_cycle

__all__ = ["Cycle", "cycle_names", "read_cycle", "standard_cycle"]
