"""The capacity of a battery that gives no state of charge, from parts of its discharges.

Rests before and after a discharge show the open circuit voltage, and by how much the current takes
it down; with that, voltage over charge given is a piece of one curve. The curve is cut at steps of
voltage. A discharge that crosses a step tells how much charge lies in it, wherever it began and
ended; what all steps hold together is the capacity. Nobody has to drive from full to empty.

    4.2 V ─┬─ full, at rest                         full_v
           ├─ step                                  ┐
           ├─ step   ◄── a discharge crosses some   ├─ capacity
           ├─ step                                  ┘
           ├─ where the usual current brings the voltage down to empty_v
    2.7 V ─┴─

The first discharges give the curve of the young battery. From then on a Kalman filter follows all
steps at once: they shrink together, neighbours more alike than others, so a discharge over some
steps tells a little of those it did not cross. How fast is found by how well it foretells.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.history.battery.capacity import GAIN_SIGMA, VOLTAGE_GAIN_SIGMA, Capacity
from contactor.history.battery.evidence import Discharge, Floats

STEPS, EVEN = 32, 0.7
# Discharges that the first curve is made of, and the part of the steps they must have crossed.
FIRST, CROSSED_MIN = 12, 0.6
# From one discharge to the next, as parts of what a step holds: all together, and each for itself,
# alike over so many steps.
TOGETHER, ALONE, ALIKE = 0.003, 0.012, 5.0
# By how much a step grows from one discharge to the next is not known before, and wanders.
GROWTH_TOGETHER, GROWTH_ALONE, GROWTH_WANDER = 0.002, 0.002, 0.03
PACES = (0.1, 0.3, 1.0, 2.0)
# Of a voltage on the curve, as a part of the whole span: noise and what is not modelled.
VOLTAGE_SIGMA = 0.006
# How unevenly a step may hold its charge, and how much less the next one towards the ends.
UNEVEN, STEEPER = 1.0, 0.75
# The slices at the end of a discharge that tell its last voltage.
END_SLICES = 4
# The drop is the median of so many discharges.
DROPS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Between which voltages of the whole battery its capacity lies.

    Fields:
        full_v: at rest, charged full; None for the highest rest that was seen.
        empty_v: under the usual current, where the car stops; None for the lowest ever seen.
    """

    full_v: float | None = None
    empty_v: float | None = None


def from_discharges(discharges: tuple[Discharge, ...], ends: Ends) -> list[Capacity]:
    """The capacity after each discharge, from the first on that tells one."""
    kept = [one for one in discharges if _drop_v(one) is not None]
    if len(kept) < FIRST:
        return []
    pieces = _Pieces(kept, ends)
    first = pieces.first()
    if first is None:
        return []
    begin, steps, covariance = first
    tracks = [_follow(pieces, begin, steps, covariance, pace) for pace in PACES]
    best = max(track.log_likelihood for track in tracks)
    weights = np.array([math.exp(track.log_likelihood - best) for track in tracks])
    weights /= weights.sum()
    return [
        _joined([track.points[index] for track in tracks], weights)
        for index in range(len(tracks[0].points))
    ]


def _drop_v(one: Discharge) -> float | None:
    """How far the current takes the voltage down; None without a rest after it.

    At its end a discharge has settled; what comes back in the rest is what the current took.
    """
    if one.rest_after_v is None or len(one.given_ah) < 2 * END_SLICES:
        return None
    given, volts = one.given_ah[-END_SLICES:], one.voltage_v[-END_SLICES:]
    _, level = np.polyfit(np.array(given) - one.total_ah, volts, 1)
    return float(one.rest_after_v - level)


def _curve(one: Discharge, drop_v: float) -> tuple[Floats, Floats]:
    """A discharge as a piece of the curve: charge given and open circuit voltage."""
    given, volts = np.array(one.given_ah), np.array(one.voltage_v) + drop_v
    if one.rest_after_v is not None:
        given, volts = np.r_[given, one.total_ah], np.r_[volts, one.rest_after_v]
    if one.rest_before_v is not None:
        given, volts = np.r_[0.0, given], np.r_[one.rest_before_v, volts]
    # Noise makes a falling curve rise now and then: the mean of both envelopes falls.
    volts = (np.minimum.accumulate(volts) + np.maximum.accumulate(volts[::-1])[::-1]) / 2
    return given, volts


class _Pieces:
    """All discharges, cut at the same steps of voltage."""

    def __init__(self, discharges: list[Discharge], ends: Ends) -> None:
        self.ends_ns = [one.end_ns for one in discharges]
        drops = np.array([_drop_v(one) for one in discharges], np.float64)
        # Where a discharge ends on a bend of the curve its own drop is not to be trusted.
        self._drops_v = np.array(
            [
                float(np.median(drops[max(index + 1 - DROPS, 0) : max(index + 1, DROPS)]))
                for index in range(len(drops))
            ]
        )
        curves = [
            _curve(one, float(drop_v))
            for one, drop_v in zip(discharges, self._drops_v, strict=True)
        ]
        lowest = min(min(one.voltage_v) for one in discharges)
        self._empty_v = lowest if ends.empty_v is None else ends.empty_v
        highest = max(float(volts[0]) for _, volts in curves)
        full_v = highest if ends.full_v is None else ends.full_v
        bottom_v = self._empty_v + float(self._drops_v[0])
        self._cut_at(np.linspace(full_v, bottom_v, STEPS + 1), curves)
        first = self.first()
        if first is not None:
            self._cut_at(_evened(self.edges, first[1]), curves)

    def _cut_at(self, edges: Floats, curves: list[tuple[Floats, Floats]]) -> None:
        self.edges = edges
        self.cuts = [_cut(given, volts, edges) for given, volts in curves]

    def first(self) -> tuple[int, Floats, Floats] | None:
        """Number of the last discharge of the first curve, its steps and their covariance."""
        whole = np.array([one.whole() for one in self.cuts])
        for last in range(FIRST, len(whole) + 1):
            held = whole[:last]
            seen = np.isfinite(held)
            count = seen.sum(axis=0)
            if (count > 0).sum() < CROSSED_MIN * STEPS:
                continue
            steps = np.where(count > 0, np.nansum(held, axis=0) / np.maximum(count, 1), np.nan)
            filled = _filled(steps)
            sigma = np.where(count > 0, 0.1 / np.sqrt(np.maximum(count, 1)), 0.4) * filled
            return last - 1, filled, np.diag(sigma**2)
        return None

    def part(self, index: int) -> Floats:
        """How much of each step can be used after a discharge: all down to where it is empty."""
        widths = self.edges[:-1] - self.edges[1:]
        below_v = self.edges[:-1] - self._empty_v - self._drops_v[index]
        used: Floats = np.clip(below_v / widths, 0.0, 1.0)
        return used


@dataclass(slots=True)
class _Track:
    log_likelihood: float
    points: list[Capacity]


def _follow(pieces: _Pieces, begin: int, steps: Floats, covariance: Floats, pace: float) -> _Track:
    """Follow the steps from the first curve on."""
    track = _Track(0.0, [])
    place = np.arange(STEPS)
    alike = np.exp(-np.abs(place[:, None] - place[None, :]) / ALIKE)
    wander = (pace * TOGETHER) ** 2 + (pace * ALONE) ** 2 * alike
    # Beside what a step holds the state has by how much it grows from one discharge to the next.
    state = np.r_[steps, np.zeros(STEPS)]
    grown = np.zeros((2 * STEPS, 2 * STEPS))
    grown[:STEPS, :STEPS] = covariance
    of_pace = (GROWTH_TOGETHER**2 + GROWTH_ALONE**2 * alike) * pace**2
    grown[STEPS:, STEPS:] = of_pace * np.outer(steps, steps)
    advance = np.eye(2 * STEPS)
    advance[:STEPS, STEPS:] = np.eye(STEPS)
    for index in range(begin, len(pieces.cuts)):
        state, grown = advance @ state, advance @ grown @ advance.T
        scale = np.outer(state[:STEPS], state[:STEPS])
        grown[:STEPS, :STEPS] += wander * scale
        grown[STEPS:, STEPS:] += GROWTH_WANDER**2 * of_pace * scale
        cut = pieces.cuts[index]
        if len(cut.held):
            part = np.zeros((len(cut.held), 2 * STEPS))
            part[np.arange(len(cut.held)), cut.step] = cut.part
            # Within a step that is crossed in part the charge does not lie evenly.
            uneven = UNEVEN * cut.part * (1 - cut.part) * state[cut.step]
            spread = part @ grown @ part.T + cut.noise + np.diag(uneven**2)
            left = cut.held - part @ state
            solved = np.linalg.solve(spread, np.c_[left, part @ grown])
            track.log_likelihood -= 0.5 * float(left @ solved[:, 0] + np.linalg.slogdet(spread)[1])
            state = state + grown @ part.T @ solved[:, 0]
            grown = grown - grown @ part.T @ solved[:, 1:]
        track.points.append(
            _point(pieces, index, state[:STEPS], grown[:STEPS, :STEPS], is_used=len(cut.held) > 0)
        )
    return track


def _point(
    pieces: _Pieces, index: int, steps: Floats, covariance: Floats, *, is_used: bool
) -> Capacity:
    part = pieces.part(index)
    ah = float(part @ steps)
    ah_sigma = math.hypot(math.sqrt(max(float(part @ covariance @ part), 0.0)), GAIN_SIGMA * ah)
    kwh = float((part * steps) @ (pieces.edges[1:] + pieces.edges[:-1])) / 2000
    return Capacity(
        ts_ns=pieces.ends_ns[index],
        kwh=kwh,
        kwh_sigma=kwh * math.hypot(ah_sigma / ah, VOLTAGE_GAIN_SIGMA),
        ah=ah,
        ah_sigma=ah_sigma,
        is_used=is_used,
    )


def _joined(points: list[Capacity], weights: NDArray[np.float64]) -> Capacity:
    """The points of all guesses at one instant, by their weights."""
    ah = np.array([point.ah for point in points], np.float64)
    ah_sigma = np.array([point.ah_sigma for point in points], np.float64)
    kwh = np.array([point.kwh for point in points])
    kwh_sigma = np.array([point.kwh_sigma for point in points])
    mean_ah, mean_kwh = float(weights @ ah), float(weights @ kwh)
    return Capacity(
        ts_ns=points[0].ts_ns,
        kwh=mean_kwh,
        kwh_sigma=math.sqrt(float(weights @ (kwh_sigma**2 + (kwh - mean_kwh) ** 2))),
        ah=mean_ah,
        ah_sigma=math.sqrt(float(weights @ (ah_sigma**2 + (ah - mean_ah) ** 2))),
        is_used=points[0].is_used,
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """A discharge cut at the edges: the charge in each step, whole or the part that it crossed.

    Fields:
        step, part, held: (pieces,): number of the step, how much of it, the charge.
        noise: covariance of `held`: an edge that is misplaced takes from one and gives to the next.
    """

    step: NDArray[np.intp]
    part: Floats
    held: Floats
    noise: Floats

    def whole(self) -> Floats:
        """The charge in each step, NaN where it was not crossed whole, (STEPS,)."""
        held = np.full(STEPS, np.nan)
        is_whole = self.part == 1.0
        held[self.step[is_whole]] = self.held[is_whole]
        return held


def _cut(given: Floats, volts: Floats, edges: Floats) -> _Cut:
    """Cut a piece of the curve, which falls."""
    begin_v, end_v = min(float(volts[0]), float(edges[0])), max(float(volts[-1]), float(edges[-1]))
    if begin_v <= end_v:
        nothing = np.zeros(0)
        return _Cut(np.zeros(0, np.intp), nothing, nothing, np.zeros((0, 0)))
    between = edges[(edges < begin_v) & (edges > end_v)]
    nodes = np.r_[begin_v, between, end_v]
    # An error of the voltage moves a node by what lies around it.
    sigma_v = VOLTAGE_SIGMA * (edges[0] - edges[-1])
    reach = 3 * sigma_v
    at = np.interp(-nodes, -volts, given)
    near = np.interp(-nodes + reach, -volts, given) - np.interp(-nodes - reach, -volts, given)
    variance = (near / 6) ** 2 + (1e-4 * given[-1]) ** 2
    noise = np.diag(variance[:-1] + variance[1:])
    rows = np.arange(len(nodes) - 2)
    noise[rows, rows + 1] = noise[rows + 1, rows] = -variance[1:-1]
    middles = (nodes[:-1] + nodes[1:]) / 2
    step = np.clip(np.searchsorted(-edges, -middles) - 1, 0, STEPS - 1)
    widths = edges[step] - edges[step + 1]
    part = np.minimum((nodes[:-1] - nodes[1:]) / widths, 1.0)
    part[part > 1 - 1e-9] = 1.0
    return _Cut(step, part, np.diff(at), noise)


def _evened(edges: Floats, steps: Floats) -> Floats:
    """Edges between which there is a more even charge; where it is flat, steps are narrow."""
    share = EVEN * steps / steps.sum() + (1 - EVEN) / STEPS
    moved: Floats = np.interp(np.linspace(0.0, 1.0, STEPS + 1), np.r_[0.0, np.cumsum(share)], edges)
    return moved


def _filled(steps: Floats) -> Floats:
    """Every step; those never crossed from their neighbours."""
    places = np.arange(len(steps))
    seen = np.isfinite(steps)
    filled: Floats = np.interp(places, places[seen], steps[seen])
    # Towards both ends the curve is ever steeper: each step holds less than the one before.
    first, last = int(places[seen][0]), int(places[seen][-1])
    filled[last + 1 :] = steps[last] * STEEPER ** np.arange(1, len(steps) - last)
    filled[:first] = steps[first] * STEEPER ** np.arange(first, 0, -1)
    return np.maximum(filled, 1e-3 * float(filled.mean()))


__all__ = ["Ends", "from_discharges"]
