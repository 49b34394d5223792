"""What history is to find: the drives and charges that truly were, as far as rows tell of them.

    true = drives_of(life, kit, rows)
    found, missed, wrong = matched(facts.trips, true)

What the guide promises, as far as rows can tell it:

- A **drive** is from when the car was made ready until it was left. Off for less than 3 min does
  not end it. Of a car that tells neither ignition nor gear, wheels that stand for less than 10 min
  do not. A charge does. Under 0.05 km it is none.
- A **charge** is from the first to the last that went in at a cable. Pauses of 10 min belong to
  it; of an hour, if the car tells that the cable stayed in. Under 0.05 kWh it is none, nor where
  so little flows that a sensor at rest may be off by as much: 0.5 kW.
- **Silence.** Rows are silent where they are over 3 min apart. A silence of up to 30 min in which
  the car moved, as its odometer or its position tells, is on the way: the drive goes on, and if it
  ended meanwhile, it ended there; two drives that it joins are one, for nobody can know. A car
  that tells neither goes on over 20 min. Any longer silence ends a drive, and what is told behind
  it is a drive of its own. A charge goes on over 30 min, over an hour if the car tells that the
  cable stayed in, and over any time in which the state of charge rose by 2 %; never over one in
  which the car moved.
- **Seen** is a drive of which half the time and 0.1 km are told, and a charge of which half the
  energy is, by three rows at least. What is not seen is neither missed where it is not found, nor
  wrong where it is.
- **Doubtful** is what lies at a limit, so that either answer is right: parts of a charge with a
  pause between that is, or is told, within 90 s of 10 min or an hour; a charge that ends at a
  silence in which the state of charge rose by about 2 %, or in which a car drove that tells no way.
  It counts as not seen.
- **Found** is what a fact of its own covers by half; each fact counts once. A fact that
  covers nothing that was is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from contactor.history.facts import Charge, Trip
from tests.history.truth.lives import Flags, Floats, Life
from tests.history.truth.told import J_PER_KWH, START_NS, WHERE, Kit, Rows, S

EARLIEST_NS = 10**18  # 2001: what is dated before was never dated
SILENT_S = 180.0
BRIDGE_S, BLIND_BRIDGE_S, CHARGE_BRIDGE_S = 30 * 60.0, 20 * 60.0, 30 * 60.0
OFF_S, STAND_S = 180.0, 600.0
PAUSE_S, PLUGGED_PAUSE_S, DOUBT_S = 600.0, 3600.0, 90.0
MOVED_M = {"odometer_m": 100.0, "position": 300.0}
RISE_PCT = 2.0
LEAST_KM, SEEN_KM, SEEN_ROWS = 0.05, 0.1, 3
LEAST_KWH, DOUBTFUL_KWH = 0.05, 0.08
COVERS = 0.5
MOVES_KMH, GOES_IN_W, FLOWS_W = 1.0, 300.0, 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A drive or a charge that was, in seconds of the life.

    Fields:
        start_s, end_s: where a fact should lie that tells of it.
        start_ns, end_ns: the same, as the car's clock had it.
        amount: km or kWh between these.
        is_seen: whether enough is told of it to be found.
    """

    start_s: float
    end_s: float
    start_ns: int
    end_ns: int
    amount: float
    is_seen: bool


@dataclass(frozen=True, slots=True)
class Matches:
    """Facts and truths by place: pairs, truths that were missed, facts that are wrong."""

    pairs: list[tuple[int, int]]
    missed: list[int]
    wrong: list[int]


class Telling:
    """When a car told something, and what its clock made of it."""

    def __init__(self, rows: Rows) -> None:
        kept = rows.where(rows.ts > EARLIEST_NS)
        order = np.argsort(kept.second, kind="stable")
        self.second = kept.second[order]
        self._away_ns = kept.ts[order] - START_NS - (self.second * S).astype(np.int64)
        self.silences = [
            (float(self.second[at]), float(self.second[at + 1]))
            for at in np.flatnonzero(np.diff(self.second) > SILENT_S)
        ]

    def stamp_ns(self, second: float) -> int:
        """What the clock showed at a second."""
        if not len(self.second):
            return START_NS + int(second * S)
        at = int(np.searchsorted(self.second, second))
        near = min(
            (one for one in (at - 1, at) if 0 <= one < len(self.second)),
            key=lambda one: abs(self.second[one] - second),
        )
        return START_NS + int(second * S) + int(self._away_ns[near])

    def second_of(self, ts_ns: int) -> float:
        """The second at which the clock showed this."""
        shown_ns = START_NS + (self.second * S).astype(np.int64) + self._away_ns
        at = int(np.argmin(np.abs(shown_ns - ts_ns)))
        return (ts_ns - START_NS - int(self._away_ns[at])) / S

    def told_s(self, start_s: float, end_s: float) -> float:
        """How much of a stretch is told, s."""
        silent = sum(
            max(min(end, end_s) - max(begin, start_s), 0.0) for begin, end in self._around()
        )
        return end_s - start_s - silent

    def rows(self, start_s: float, end_s: float) -> int:
        """How many rows tell of a stretch."""
        first, last = np.searchsorted(self.second, [start_s, end_s])
        return int(last - first)

    def _around(self) -> list[tuple[float, float]]:
        if not len(self.second):
            return [(-np.inf, np.inf)]
        return [
            (-np.inf, float(self.second[0])),
            *self.silences,
            (float(self.second[-1]), np.inf),
        ]


def drives_of(life: Life, kit: Kit, telling: Telling) -> list[Truth]:
    """The drives that are to be found."""
    moves = life.speed_kmh > MOVES_KMH
    if kit.gives("is_on"):
        whole = _joined(_spans(life, life.is_on), OFF_S, _charged(life))
    elif kit.gives("gear"):
        whole = _joined(_spans(life, life.in_gear), OFF_S, _charged(life))
    else:
        whole = _joined(_spans(life, moves), STAND_S, _charged(life))
    cut = _cut_drives(life, kit, telling, whole)
    found = []
    for start_s, end_s in cut:
        km = _between(life, life.distance_m, start_s, end_s) / 1000
        told_s = telling.told_s(start_s, end_s)
        is_seen = km >= SEEN_KM and told_s >= 0.5 * (end_s - start_s)
        is_seen = is_seen and telling.rows(start_s, end_s) >= SEEN_ROWS
        if km > 0:
            found.append(_true(telling, start_s, end_s, km, is_seen))
    return found


def charges_of(life: Life, kit: Kit, telling: Telling) -> list[Truth]:
    """The charges that are to be found."""
    found = []
    for start_s, end_s in _cut_charges(life, kit, telling, _sessions(life, kit, telling)):
        kwh = _between(life, life.in_j, start_s, end_s) / J_PER_KWH
        told_kwh = kwh - sum(
            _between(life, life.in_j, max(begin, start_s), min(end, end_s)) / J_PER_KWH
            for begin, end in telling._around()
            if begin < end_s and end > start_s
        )
        least_kwh = DOUBTFUL_KWH
        if not kit.gives("current_a", "power_w"):
            least_kwh = 1.0
        is_seen = kwh >= least_kwh and told_kwh >= 0.5 * kwh
        is_seen = is_seen and telling.rows(start_s, end_s) >= SEEN_ROWS
        flows = _goes_in(life) & (life.seconds > start_s) & (life.seconds <= end_s)
        is_seen = is_seen and float(np.median(life.power_w[flows])) > FLOWS_W
        is_seen = is_seen and not _is_doubtful(life, kit, telling, start_s, end_s)
        found.append(_true(telling, start_s, end_s, kwh, is_seen))
    doubtful = _doubtful(life, telling)
    return found + [_true(telling, *span, 0.0, is_seen=False) for span in doubtful]


def matched(facts: Sequence[Trip] | Sequence[Charge], true: Sequence[Truth]) -> Matches:
    """Which fact tells of which truth."""
    pairs, free = [], set(range(len(facts)))
    shares: list[tuple[float, int, int]] = []
    touched = set()
    for place, one in enumerate(true):
        for number, fact in enumerate(facts):
            shared = min(one.end_ns, fact.end_ns) - max(one.start_ns, fact.start_ns)
            if shared <= 0:
                continue
            share = shared / max(one.end_ns - one.start_ns, 1)
            shares.append((share, place, number))
            if not one.is_seen:
                touched.add(number)
    left = {place for place, one in enumerate(true) if one.is_seen}
    for share, place, number in sorted(shares, reverse=True):
        if share >= COVERS and place in left and number in free:
            pairs.append((number, place))
            left.discard(place)
            free.discard(number)
    return Matches(pairs, sorted(left), sorted(free - touched))


# ── stretches ────────────────────────────────────────────────────────────────────────────────────


def _true(telling: Telling, start_s: float, end_s: float, amount: float, is_seen: bool) -> Truth:
    return Truth(
        start_s=start_s,
        end_s=end_s,
        start_ns=telling.stamp_ns(start_s),
        end_ns=telling.stamp_ns(end_s),
        amount=amount,
        is_seen=is_seen,
    )


def _spans(life: Life, flags: Flags) -> list[tuple[float, float]]:
    """Stretches of steps in which something holds, s."""
    edges = np.diff(flags.astype(np.int8), prepend=0, append=0)
    firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    begins = np.append(0, life.seconds[:-1])[firsts]
    return list(zip(begins.astype(float).tolist(), life.seconds[lasts].tolist(), strict=True))


def _goes_in(life: Life) -> Flags:
    flags: Flags = life.is_plugged & (life.power_w > GOES_IN_W)
    return flags


def _charged(life: Life) -> list[tuple[float, float]]:
    return [
        span
        for span in _spans(life, _goes_in(life))
        if _between(life, life.in_j, *span) >= LEAST_KWH * J_PER_KWH
    ]


def _joined(
    spans: list[tuple[float, float]], pause_s: float, cuts: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Stretches with the short pauses between them, unless something else was in these."""
    joined: list[tuple[float, float]] = []
    for begin, end in spans:
        is_cut = joined and any(joined[-1][1] <= cut[0] < begin for cut in cuts)
        if joined and begin - joined[-1][1] < pause_s and not is_cut:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((begin, end))
    return joined


def _sessions(life: Life, kit: Kit, telling: Telling) -> list[tuple[float, float]]:
    """Charges with their pauses."""
    joined: list[tuple[float, float]] = []
    for begin, end in _spans(life, _goes_in(life)):
        if joined and _is_pause(life, kit, telling, joined[-1][1], begin):
            joined[-1] = joined[-1][0], end
        else:
            joined.append((begin, end))
    return joined


def _is_pause(life: Life, kit: Kit, telling: Telling, before: float, begin: float) -> bool:
    if _moved_m(life, before, begin) >= 1.0:
        return False
    if not kit.gives("is_plugged"):
        return begin - before <= PAUSE_S
    seen = (telling.second > before) & (telling.second < begin)
    at = np.searchsorted(life.seconds, telling.second[seen])
    if not life.is_plugged[at].all():
        return False
    return begin - before <= PLUGGED_PAUSE_S


def _cut_drives(
    life: Life, kit: Kit, telling: Telling, whole: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Drives as silences leave them."""
    drives = list(whole)
    for begin, end in telling.silences:
        hit = [one for one in drives if one[0] < end and one[1] > begin]
        if not hit:
            continue
        rest = [one for one in drives if one not in hit]
        first, last = hit[0], hit[-1]
        is_under_way, goes_on = first[0] < begin, last[1] > end
        is_bridged = is_under_way and _is_bridged(life, kit, begin, end, goes_on)
        made = []
        if is_bridged:
            # Told off for less than 3 min behind it, it was not left.
            behind = [one for one in rest if end <= one[0] < end + OFF_S and last[1] <= end]
            rest = [one for one in rest if one not in behind]
            made = [(first[0], (behind or [last])[-1][1])]
        else:
            if is_under_way:
                made.append((first[0], begin))
            if goes_on:
                made.append((end, last[1]))
            lost = [one for one in hit if one[0] >= begin and one[1] <= end]
            made.extend(lost)
        drives = sorted(rest + made)
    return drives


def _is_bridged(life: Life, kit: Kit, begin: float, end: float, goes_on: bool) -> bool:
    moved_m = _moved_m(life, begin, end)
    if kit.gives("odometer_m"):
        least_m = max(MOVED_M["odometer_m"], kit.odometer_m)
    elif kit.gives(*WHERE):
        least_m = MOVED_M["position"]
    else:
        return goes_on and end - begin <= BLIND_BRIDGE_S
    if moved_m >= least_m:
        return end - begin <= BRIDGE_S
    stands_s = BRIDGE_S if kit.gives("is_on", "gear") else STAND_S
    return goes_on and end - begin <= stands_s


def _cut_charges(
    life: Life, kit: Kit, telling: Telling, whole: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Charges as silences leave them."""
    charges = list(whole)
    for silence in telling.silences:
        begin, end = silence
        hit = [one for one in charges if one[0] < end and one[1] > begin]
        if hit and _stays_in(life, kit, begin, end):
            charges = [one for one in charges if one not in hit] + [(hit[0][0], hit[-1][1])]
            charges.sort()
            continue
        for one in hit:
            charges.remove(one)
            parts = (one[0], begin), (max(one[0], begin), min(one[1], end)), (end, one[1])
            charges += [part for part in parts if part[1] > part[0]]
    return sorted(charges)


def _is_doubtful(life: Life, kit: Kit, telling: Telling, start_s: float, end_s: float) -> bool:
    """Whether it ends at a silence of which nobody can know what the car did in it."""
    knows_way = kit.gives("odometer_m", *WHERE)
    for begin, end in telling.silences:
        if begin != end_s and end != start_s:
            continue
        has_moved = _moved_m(life, begin, end) >= 1.0
        rise_pct = _between(life, life.state_of_charge_pct, begin, end)
        if (has_moved and not knows_way) or abs(rise_pct - RISE_PCT) <= kit.level_pct:
            return True
    return False


def _doubtful(life: Life, telling: Telling) -> list[tuple[float, float]]:
    """Parts of charges between pauses so long, or told so long, that either answer is right."""
    parts = []
    rows_s = telling.second
    for (start, before), (begin, end) in pairwise(_spans(life, _goes_in(life))):
        least_s = begin - before - DOUBT_S
        last, first = np.searchsorted(rows_s, before) - 1, np.searchsorted(rows_s, begin)
        is_told = last >= 0 and first < len(rows_s)
        most_s = max(begin - before, rows_s[first] - rows_s[last] if is_told else 0.0) + DOUBT_S
        if any(least_s <= one <= most_s for one in (PAUSE_S, PLUGGED_PAUSE_S)):
            parts += [(start, before), (begin, end)]
    return parts


def _stays_in(life: Life, kit: Kit, begin: float, end: float) -> bool:
    """Whether a charge goes on over a silence."""
    if _moved_m(life, begin, end) >= 1.0:
        return False
    rise_pct = _between(life, life.state_of_charge_pct, begin, end)
    if kit.gives("state_of_charge_pct") and rise_pct >= RISE_PCT:
        return True
    stays = (life.seconds > begin) & (life.seconds <= end)
    is_in = kit.gives("is_plugged") and bool(life.is_plugged[stays].all())
    return end - begin <= (PLUGGED_PAUSE_S if is_in else CHARGE_BRIDGE_S)


def _moved_m(life: Life, begin: float, end: float) -> float:
    return _between(life, life.distance_m, begin, end)


def _between(life: Life, summed: Floats, start_s: float, end_s: float) -> float:
    """How far a sum went from one second to another."""
    ends = np.interp([start_s, end_s], life.seconds, summed)
    return float(ends[1] - ends[0])


def net_kwh(life: Life, sensed_j: Floats, start_s: float, end_s: float) -> float:
    """What went out of the battery, as a sum over the steps has it."""
    return _between(life, sensed_j, start_s, end_s) / J_PER_KWH
