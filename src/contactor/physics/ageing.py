"""How a battery ages, lying still and by use, and how much of it is left.

    calendar: q = α t^0.75    α = (7.543 V - 23.75) 10⁶ exp(-6976 K / T)                 t in days
    cycles:   q = β √Q        β = 7.348e-3 (V - 3.667 V)² + 7.600e-4 + 4.081e-3 ΔDOD      Q in Ah

q is the part of the new capacity that is lost, V the open circuit voltage of a cell and ΔDOD how
deep it is cycled: Schmalstieg, Käbitz, Ecker and Sauer, J. Power Sources 257 (2014) 325, for a cell
of 2.05 Ah with NMC; `calendar_ageing` and `cycle_ageing` of a profile scale it to other cells.

Both laws slow down with what is already lost. Under changing conditions the loss goes on from where
it is, so what adds up over time is not q but its age: q^(4/3) lying still, q² by cycles.

    age += calendar_per_s(...) * dt        lost = lost_by_time(age)
"""

import math

from contactor.physics.constants import S_PER_DAY, ZERO_DEGC_K

CELL_AH = 2.05
CALENDAR_POWER = 4.0 / 3.0


def calendar_of_voltage(cell_v: float) -> float:
    """How much faster a cell ages lying still at a higher voltage; none below 3.15 V."""
    return math.pow(max(7.543 * cell_v - 23.75, 0.0), CALENDAR_POWER)


def calendar_of_warmth_per_s(temperature_degc: float) -> float:
    """How much faster it ages in the warmth; times `calendar_of_voltage`, the age of a second."""
    alpha = 1e6 * math.exp(-6976.0 / (temperature_degc + ZERO_DEGC_K))
    return math.pow(alpha, CALENDAR_POWER) / S_PER_DAY


def cycling_per_ah(cell_v: float, depth: float) -> float:
    """The age that an ampere hour through a cell of CELL_AH brings.

    Args:
        depth: how deep the battery is cycled, 0 to 1.
    """
    away_v = cell_v - 3.667
    beta = 7.348e-3 * away_v * away_v + 7.600e-4 + 4.081e-3 * depth
    return beta * beta


def lost_by_time(age: float) -> float:
    """The capacity lost lying still, as a part of the new one."""
    return math.pow(age, 0.75)


def lost_by_cycles(age: float) -> float:
    """The capacity lost by use, as a part of the new one."""
    return math.sqrt(age)


def ages_of(state_of_health: float) -> tuple[float, float]:
    """The two ages of a battery that lost one half lying still and the other by use."""
    half = (1.0 - state_of_health) / 2
    return math.pow(half, CALENDAR_POWER), half * half
