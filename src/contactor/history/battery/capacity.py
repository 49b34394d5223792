"""The capacity out of windows: the best kind of counting, fused over time, as kilowatt hours."""

import math
from dataclasses import dataclass

from contactor.history.battery.evidence import Floats, Window
from contactor.history.battery.fusion import Fused, Nuisance, Observation, fuse
from contactor.history.battery.report import Method
from contactor.history.battery.voltages import mean_voltage_v, usual_part

# What no fusing makes better, for it is in every session: the gain of the current's sensor, and of
# the voltage's.
GAIN_SIGMA = 0.005
VOLTAGE_GAIN_SIGMA = 0.002
# Where energy is counted alone: how far the voltage of the usual cell may be from this one's.
CURVE_SIGMA = 0.01
# How far a car's state of charge is bent, at either end of the widest window, in every session.
BENT = 0.0007
# The offset of a current's sensor, as a part of the mean current of the sessions.
OFFSET_PART = 0.005
LEAST_KWH = 0.1
# What a battery loses on the way in, and again on the way out.
LOSS, LOSS_SIGMA = 0.02, 0.01
# Beside the change of the state of charge: what counting itself is worth in one session.
COUNTING_SIGMA = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """After each session; `kwh_sigma` of all that is known to be unknown.

    Fields:
        ah: None where only energy was counted.
    """

    ts_ns: int
    kwh: float
    kwh_sigma: float
    ah: float | None
    ah_sigma: float | None
    is_used: bool


def from_windows(
    windows: tuple[Window, ...], voltages: Floats
) -> tuple[Method, list[Capacity]] | None:
    """The capacity after each window; None where nothing was counted."""
    by_charge = [one for one in windows if one.counted_ah is not None]
    voltage = mean_voltage_v(voltages)
    if by_charge and voltage is not None:
        mean_v, mean_sigma_v = voltage
        voltage_sigma = math.hypot(mean_sigma_v / mean_v, VOLTAGE_GAIN_SIGMA)
        shared_sigma = _shared_sigma(by_charge, GAIN_SIGMA)
        return Method.CHARGE_COUNTED, [
            _of_charge(one, shared_sigma, mean_v, voltage_sigma) for one in _by_charge(by_charge)
        ]
    by_energy = [one for one in windows if one.counted_kwh is not None]
    if not by_energy:
        return None
    # Some cells' voltage hardly rises with the charge, others' as is usual: the truth lies between.
    above = _above_mean(by_energy) / 2
    gain_sigma = math.hypot(GAIN_SIGMA, VOLTAGE_GAIN_SIGMA, CURVE_SIGMA, above)
    shared_sigma = _shared_sigma(by_energy, gain_sigma)
    return Method.ENERGY_COUNTED, [
        _of_energy(one, shared_sigma, 1 + above) for one in _by_energy(by_energy)
    ]


def _shared_sigma(windows: list[Window], gain_sigma: float) -> float:
    """What is wrong in all sessions alike, as a part of the capacity."""
    return math.hypot(gain_sigma, math.sqrt(2) * BENT / max(abs(one.change) for one in windows))


def _of_charge(fused: Fused, shared_sigma: float, mean_v: float, voltage_sigma: float) -> Capacity:
    ah_sigma = math.hypot(fused.sigma, shared_sigma * fused.value)
    kwh = fused.value * mean_v / 1000
    return Capacity(
        ts_ns=fused.ts_ns,
        kwh=kwh,
        kwh_sigma=kwh * math.hypot(ah_sigma / fused.value, voltage_sigma),
        ah=fused.value,
        ah_sigma=ah_sigma,
        is_used=fused.is_used,
    )


def _of_energy(fused: Fused, shared_sigma: float, above: float) -> Capacity:
    return Capacity(
        ts_ns=fused.ts_ns,
        kwh=fused.value / above,
        kwh_sigma=math.hypot(fused.sigma, shared_sigma * fused.value) / above,
        ah=None,
        ah_sigma=None,
        is_used=fused.is_used,
    )


def _by_charge(windows: list[Window]) -> list[Fused]:
    usual_a = _median([abs(one.counted_ah or 0.0) / one.hours for one in windows])
    observations = [_observation(one, one.counted_ah or 0.0, lever=one.hours) for one in windows]
    return fuse(observations, Nuisance(0.0, OFFSET_PART * usual_a))


def _by_energy(windows: list[Window]) -> list[Fused]:
    observations = [
        _observation(one, one.counted_kwh or 0.0, lever=abs(one.change)) for one in windows
    ]
    whole = _median([one.counted / one.change for one in observations])
    usual_kw = _median([abs(one.counted_kwh or 0.0) / one.hours for one in windows])
    # An offset of the sensor makes charges and drives disagree just as losses do.
    offset = OFFSET_PART * _median(
        [usual_kw * one.hours / max(abs(one.counted_kwh or 0.0), LEAST_KWH) for one in windows]
    )
    return fuse(observations, Nuisance(LOSS * whole, math.hypot(LOSS_SIGMA, offset) * whole))


def _above_mean(windows: list[Window]) -> float:
    """By which part the voltage of the usual cell, where it was used, lies above its mean."""
    known = [(one.charge, one.change) for one in windows if one.charge is not None]
    parts = [abs(change) * (usual_part(at, at + change) - 1) for at, change in known]
    return sum(parts) / sum(abs(change) for _, change in known) if known else 0.0


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _observation(window: Window, counted: float, *, lever: float) -> Observation:
    per_change = abs(counted / window.change)
    return Observation(
        ts_ns=window.end_ns,
        counted=counted,
        change=window.change,
        lever=lever,
        sigma=math.hypot(per_change * window.change_sigma, COUNTING_SIGMA * abs(counted)),
    )
