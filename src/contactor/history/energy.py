"""What flowed through the battery in a stretch, from the best source that the car gives.

    account = EnergyAccount(columns, loops, capacity_kwh=None)
    account.between(first, last)           # Energy, or None where nothing tells

Sources, best first: voltage times current, power, the car's counters, its stored energy, its state
of charge times a capacity that somebody gives. One that knows little of the stretch gives way to
one that knows more.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from contactor.history.columns import Columns, Floats
from contactor.history.facts import Energy, EnergySource
from contactor.history.loops import Loops
from contactor.history.rules import KNOWN_MIN, MEANS_NS

J_PER_KWH = 3.6e6
S_PER_NS = 1e-9


@dataclass(frozen=True, slots=True)
class _Found:
    source: EnergySource
    out_kwh: float
    in_kwh: float
    known_s: float


@dataclass(frozen=True, slots=True)
class EnergyAccount:
    """Asks the sources of one car about stretches of its rows."""

    columns: Columns
    loops: Loops
    capacity_kwh: float | None = None

    def between(self, first: int, last: int) -> Energy | None:
        """What flowed between two rows; None where no source speaks."""
        needed_s = KNOWN_MIN * float(self.columns.ts[last] - self.columns.ts[first]) * S_PER_NS
        found: list[_Found] = []
        best: _Found | None = None
        for one in self._every(first, last):
            if one.known_s > 0:
                found.append(one)
                best = best or (one if one.known_s >= needed_s else None)
            if best is not None and len(found) > 1:
                break  # the others have nothing to say
        if not found:
            return None
        if best is None:
            best = max(found, key=lambda one: one.known_s)
        check = next((one for one in found if one is not best), None)
        return Energy(
            out_kwh=best.out_kwh,
            in_kwh=best.in_kwh,
            source=best.source,
            known_s=best.known_s,
            check_source=None if check is None else check.source,
            check_net_kwh=None if check is None else check.out_kwh - check.in_kwh,
        )

    def net_kwh(self, first: int, last: int) -> float | None:
        """What went out but for what came in, kWh."""
        energy = self.between(first, last)
        return None if energy is None else energy.net_kwh

    def taken_kwh(self, power: Floats | None, first: int, last: int) -> float | None:
        """What a consumer, or a station, whose power is positive drew; None where unknown."""
        if power is None:
            return None
        drawn_j, _, known_s = self.loops.flow(self.columns.ts, power, first, last)
        return float(drawn_j) / J_PER_KWH if known_s > 0 else None

    def _every(self, first: int, last: int) -> Iterator[_Found]:
        """What each source says, best first."""
        columns, loops, ts = self.columns, self.loops, self.columns.ts
        is_of_means = ts[last] - ts[first] >= MEANS_NS * (last - first)
        for is_power in (is_of_means, not is_of_means):
            if is_power and columns.power_w is not None:
                flowed = loops.flow(ts, columns.power_w, first, last)
                yield _flowed(EnergySource.POWER, flowed)
            elif not is_power and columns.voltage_v is not None and columns.current_a is not None:
                flowed = loops.product_flow(ts, columns.voltage_v, columns.current_a, first, last)
                yield _flowed(EnergySource.VOLTAGE_CURRENT, flowed)
        if columns.consumed_kwh is not None and columns.charged_kwh is not None:
            out_kwh, known_s = loops.counted(ts, columns.consumed_kwh, first, last)
            in_kwh, too_s = loops.counted(ts, columns.charged_kwh, first, last)
            known_s = float(min(known_s, too_s))
            yield _Found(EnergySource.COUNTERS, out_kwh, in_kwh, known_s)
        if columns.stored_kwh is not None:
            fell, seconds = self._fell(columns.stored_kwh, first, last)
            yield _fallen(EnergySource.STORED_ENERGY, fell, seconds)
        if columns.state_of_charge_pct is not None and self.capacity_kwh is not None:
            fell, seconds = self._fell(columns.state_of_charge_pct, first, last)
            yield _fallen(EnergySource.STATE_OF_CHARGE, fell * self.capacity_kwh / 100, seconds)

    def _fell(self, level: Floats, first: int, last: int) -> tuple[float, float]:
        """How far a level fell between its first and last known value, and in what time, s."""
        begin = self.loops.first_known(level, first, last)
        if begin < 0:
            return 0.0, 0.0
        end = self.loops.last_known(level, begin, last)
        seconds = float(self.columns.ts[end] - self.columns.ts[begin]) * S_PER_NS
        return float(level[begin]) - float(level[end]), seconds


def _flowed(source: EnergySource, flowed: tuple[float, float, float]) -> _Found:
    into_j, out_j, known_s = flowed
    return _Found(source, float(out_j) / J_PER_KWH, float(into_j) / J_PER_KWH, float(known_s))


def _fallen(source: EnergySource, fell_kwh: float, seconds: float) -> _Found:
    return _Found(source, max(fell_kwh, 0.0), max(-fell_kwh, 0.0), seconds)
