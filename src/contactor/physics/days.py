"""The days of one car, worked out when asked for: by its calendar, and from going live on.

    days = Days(scenario, seed=1, live_ns=now_ns)
    days.at(now_ns)             # Span(start_ns=..., drive=Drive(...), ...)

       calendar               live: drives on, or leaves at once        calendar
    ───────────────┬────────────────────────────────────────────┬─────────────────►
                live_ns                            the day's end, or the drive's

An endless drive goes home first, then round and round: to work, the shop and work again, with half
an hour at a fast charger in each round. Holidays are not taken: each day begins and ends at home.
"""

import random
from dataclasses import replace
from itertools import pairwise

from contactor.physics.calendar import (
    MINUTE_NS,
    NS_PER_S,
    Drive,
    Wish,
    arrange,
    day_of,
    start_of,
)
from contactor.physics.road import Place
from contactor.physics.scenarios.scenario import Scenario
from contactor.physics.timeline import FAR_NS, Span, Stay, Timeline, timeline_of

LIVE_AFTER_NS = 2 * NS_PER_S
LIVE_HALT_S = 2.0
# A drive that begins this soon after going live counts as begun.
NEAR_NS = 4 * NS_PER_S
# One that ends this soon is followed by another.
NEARLY_OVER_NS = 60 * NS_PER_S
TURNS_AFTER_S = 20.0
SETTLES_NS = 10 * MINUTE_NS
# Of the built-in commuter.
ROUND = ("home", "work", "home", "shop", "home", "work", "station", "home")
ERRAND, STATION = "shop", "station"
ROUND_PAUSE_S, ROUND_CHARGE_S = 5.0, 1800.0
MAX_DAYS = 8


class Days:
    """Finds the span of any moment; it keeps the days that it worked out last."""

    __slots__ = (
        "_days",
        "_driver",
        "_home",
        "_is_endless",
        "_live",
        "_live_ns",
        "_round",
        "_scenario",
        "_seed",
    )

    def __init__(
        self, scenario: Scenario, *, seed: int, live_ns: int, is_endless: bool = False
    ) -> None:
        self._scenario = scenario
        self._home = scenario.home
        self._driver = scenario.driver(None)
        self._seed = seed
        self._live_ns = live_ns
        self._is_endless = is_endless
        self._days: dict[int, Timeline] = {}
        self._live: Timeline | None = None
        self._round: Timeline | None = None

    def parked(self) -> Span:
        """A car that never leaves home, plugged in and awake."""
        home = self._home
        return Span(
            -FAR_NS,
            FAR_NS,
            self._scenario.parked_at(home),
            station=self._scenario.stations[home],
        )

    def at(self, ts_ns: int) -> Span:
        """The span of a moment."""
        if ts_ns < self._live_ns:
            span = self._day(day_of(ts_ns), None).at(ts_ns)
            return replace(span, end_ns=min(span.end_ns, self._live_ns))
        live = self._live
        if live is None:
            self._live = live = self._begin_live()
        if ts_ns < live.end_ns:
            return live.at(ts_ns)
        if self._is_endless:
            return self._going_round(ts_ns, live.end_ns)
        return self._day(day_of(ts_ns), live).at(ts_ns)

    # ── the calendar ─────────────────────────────────────────────────────────────────────────────

    def _day(self, day: int, live: Timeline | None) -> Timeline:
        """A day by the calendar, which begins where the live one ends, if that is on this day."""
        key = day if live is None else ~day
        if key not in self._days:
            if len(self._days) >= MAX_DAYS:
                self._days.clear()
            start_ns = start_of(day)
            if live is not None:
                start_ns = max(start_ns, live.end_ns)
            self._days[key] = timeline_of(
                self._drives(day, start_ns),
                scenario=self._scenario,
                place=self._home,
                start_ns=start_ns,
                end_ns=start_of(day + 1),
                plugs=(self._plugs_in(day - 1), self._plugs_in(day)),
            )
        return self._days[key]

    def _drives(self, day: int, free_ns: int) -> list[Drive]:
        return self._arranged(self._wishes(day), place=self._home, free_ns=free_ns)

    def _wishes(self, day: int) -> list[Wish]:
        return self._scenario.wishes(seed=self._seed, day=day)

    def _arranged(
        self, wishes: list[Wish], *, place: Place, free_ns: int, name: str | None = None
    ) -> list[Drive]:
        return arrange(
            wishes,
            ways=self._scenario.ways,
            name=str(self._seed) if name is None else name,
            place=place,
            free_ns=free_ns,
        )

    def _plugs_in(self, day: int) -> bool:
        return self._driver.plugs_in(seed=self._seed, day=day)

    # ── going live ───────────────────────────────────────────────────────────────────────────────

    def _begin_live(self) -> Timeline:
        """What happens from going live on."""
        live_ns = self._live_ns
        day = day_of(live_ns)
        wishes = self._wishes(day)
        # The calendar drops no wish of its own: each has its drive.
        planned = self._drives(day, start_of(day))
        past = [drive for drive in planned if drive.end_ns <= live_ns]
        place = past[-1].to_place if past else self._home
        now = planned[len(past)] if len(past) < len(planned) else None
        drives: list[Drive] = []
        free_ns = live_ns + LIVE_AFTER_NS
        if now is not None and now.start_ns <= live_ns + NEAR_NS:
            drives = [now.without_halt(live_ns, left_s=LIVE_HALT_S)]
            place, free_ns = now.to_place, drives[0].end_ns
        later = wishes[len(past) + len(drives) :]
        if self._is_endless:
            return self._homewards(drives, place=place, free_ns=free_ns)
        is_moving_on = bool(drives) and free_ns - live_ns > NEARLY_OVER_NS
        hurried_ns = None
        if not is_moving_on:
            first, *rest = self._at_once(place, free_ns)
            first = first._replace(stay_s=TURNS_AFTER_S if drives else 0.0)
            later = [first, *rest, *later]
            hurried_ns = free_ns
        drives += self._arranged(later, place=place, free_ns=free_ns)
        settled_ns = drives[-1].end_ns + SETTLES_NS
        return timeline_of(
            drives,
            scenario=self._scenario,
            place=place,
            start_ns=live_ns,
            end_ns=max(start_of(day + 1), settled_ns),
            plugs=(False, self._plugs_in(day)),
            hurried_ns=hurried_ns,
        )

    def _at_once(self, place: Place, now_ns: int) -> list[Wish]:
        """A drive that begins at once: home, or from home on an errand and back."""
        home = self._home
        if place != home:
            return [Wish(now_ns, place, home, 0.0)]
        stay_s = random.Random(f"at once {self._seed} {now_ns}").uniform(600, 900)
        return [Wish(now_ns, home, ERRAND, 0.0), Wish(now_ns, ERRAND, home, stay_s)]

    # ── the endless drive ────────────────────────────────────────────────────────────────────────

    def _homewards(self, drives: list[Drive], *, place: Place, free_ns: int) -> Timeline:
        """Until the first round begins: on, then home, without getting out."""
        if place != self._home:
            wish = Wish(free_ns, place, self._home, ROUND_PAUSE_S if drives else 0.0)
            drives = drives + self._arranged([wish], place=place, free_ns=free_ns)
        first_ns = drives[0].start_ns if drives else free_ns
        stay = Stay(-FAR_NS, first_ns, self._scenario.parked_at(place), is_hurried=True)
        spans = [
            replace(span, start_ns=max(span.start_ns, self._live_ns))
            for span in stay.spans()
            if span.end_ns > self._live_ns
        ]
        spans += _back_to_back(drives)
        return Timeline(spans)

    def _going_round(self, ts_ns: int, begin_ns: int) -> Span:
        """The span of a moment in one of the rounds, which are all alike."""
        if self._round is None:
            self._round = self._plan_round()
        turns = (ts_ns - begin_ns) // self._round.end_ns
        shift_ns = begin_ns + turns * self._round.end_ns
        span = self._round.at(ts_ns - shift_ns)
        drive = span.drive
        return replace(
            span,
            start_ns=span.start_ns + shift_ns,
            end_ns=span.end_ns + shift_ns,
            drive=drive and replace(drive, start_ns=drive.start_ns + shift_ns),
        )

    def _plan_round(self) -> Timeline:
        """One round; it begins at 0."""
        wishes = [
            Wish(0, start, end, ROUND_CHARGE_S if start == STATION else ROUND_PAUSE_S)
            for start, end in pairwise(ROUND)
        ]
        wishes[0] = wishes[0]._replace(stay_s=0.0)
        drives = self._arranged(wishes, place=self._home, free_ns=0, name=f"round {self._seed}")
        *before, last = drives
        charge = Stay(
            before[-1].end_ns,
            last.start_ns,
            self._scenario.parked_at(STATION),
            self._scenario.stations[STATION],
            is_awake=True,
        )
        return Timeline([*_back_to_back(before, 0.0), *charge.spans(), *_back_to_back([last])])


def _back_to_back(drives: list[Drive], pause_s: float = ROUND_PAUSE_S) -> list[Span]:
    """Drives between which the driver stays at the wheel; after the last for `pause_s`."""
    starts = [drive.start_ns for drive in drives[1:]]
    ends = [*starts, drives[-1].end_ns + int(pause_s * NS_PER_S)] if drives else []
    return [
        Span(drive.start_ns, end_ns, drive.way.at(0.0), drive)
        for drive, end_ns in zip(drives, ends, strict=True)
    ]
