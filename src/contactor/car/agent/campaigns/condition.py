"""When a campaign's condition becomes true: edge-triggered, with hysteresis. Pure.

    reading    3.2   2.9   3.05   2.9   3.2   2.9         below = 3.0, rearm = 3.1
    triggers         *                        *
    armed      yes   no    no     no    yes   no

A reading that is not available, or one older than its signal's stale limit, says nothing: the
condition is then not true, and it does not arm again either.

    condition = Condition(campaign.when, stale_ns=[...], holds_s=0.0)
    condition.feed({path: series}, newest_ns)       # the instants at which it triggered
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from contactor.car.agent.series import Series
from contactor.clock import NS_PER_S
from contactor.signals.campaign import Claim
from contactor.signals.record import State

_LONG_AGO = -(2**62)


class _Says(IntEnum):
    """What a reading says of a claim."""

    NOTHING = 0
    BETWEEN = 1
    TRUE = 2
    FALSE = 3


class Condition:
    """Owns what is known of the claims of one campaign, which hold together or not.

    Args:
        stale_ns: of each claim's signal, how long a reading counts.
        is_armed: whether it may trigger; False where it has and was not false since.
    """

    def __init__(
        self,
        claims: Sequence[Claim],
        *,
        stale_ns: Sequence[int],
        holds_s: float = 0.0,
        is_armed: bool = True,
    ) -> None:
        self.is_armed = is_armed
        self._claims = tuple(claims)
        self._stale_ns = tuple(stale_ns)
        self._holds_ns = round(holds_s * NS_PER_S)
        self._says = [_Says.NOTHING] * len(self._claims)
        self._read_ts = [_LONG_AGO] * len(self._claims)
        self._true_since: int | None = None

    def feed(self, by_path: Mapping[str, Series], newest_ns: int) -> list[int]:
        """The instants (ns) at which it triggered, once these readings are known."""
        fired = []
        for ts, place, says in self._readings(by_path):
            fired += self._fire(ts)  # it may have held long enough before this reading
            self._says[place], self._read_ts[place] = says, ts
            self._look(ts)
            fired += self._fire(ts)
        return fired + self._fire(newest_ns)

    def forget(self) -> None:
        """What was read counts no more: the clock has changed."""
        self._says = [_Says.NOTHING] * len(self._claims)
        self._true_since = None

    def _readings(self, by_path: Mapping[str, Series]) -> list[tuple[int, int, _Says]]:
        """All readings of all claims by time."""
        found: list[tuple[int, int, _Says]] = []
        for place, claim in enumerate(self._claims):
            series = by_path.get(claim.signal)
            if series is not None:
                said = says_of(claim, series)
                found += [
                    (ts, place, _Says(code))
                    for ts, code in zip(series.ts.tolist(), said.tolist(), strict=True)
                ]
        if len(self._claims) > 1:
            found.sort(key=lambda one: one[0])
        return found

    def _look(self, ts: int) -> None:
        says = [
            one if ts - read_ts <= stale_ns else _Says.NOTHING
            for one, read_ts, stale_ns in zip(
                self._says, self._read_ts, self._stale_ns, strict=True
            )
        ]
        if _Says.FALSE in says:
            self.is_armed = True
        is_true = all(one is _Says.TRUE for one in says)
        if not is_true:
            self._true_since = None
        elif self._true_since is None:
            self._true_since = ts

    def _fire(self, now_ns: int) -> list[int]:
        if not self.is_armed or self._true_since is None:
            return []
        due_ns = self._true_since + self._holds_ns
        if now_ns < due_ns:
            return []
        known_until = min(
            read_ts + stale_ns
            for read_ts, stale_ns in zip(self._read_ts, self._stale_ns, strict=True)
        )
        if due_ns > known_until:
            return []
        self.is_armed = False
        return [due_ns]


def says_of(claim: Claim, series: Series) -> NDArray[np.int8]:
    """What each reading says of a claim, (k,)."""
    values = series.values
    if claim.below is not None:
        rearm = claim.below if claim.rearm is None else claim.rearm
        is_true, is_false = np.less(values, claim.below), np.greater_equal(values, rearm)
    elif claim.above is not None:
        rearm = claim.above if claim.rearm is None else claim.rearm
        is_true, is_false = np.greater(values, claim.above), np.less_equal(values, rearm)
    else:
        assert claim.equals is not None  # `check_campaign` saw to it
        is_true = np.equal(values, claim.equals).astype(np.bool_)
        is_false = ~is_true
    said = np.full(len(series.ts), _Says.BETWEEN, np.int8)
    said[is_false] = _Says.FALSE
    said[is_true] = _Says.TRUE
    said[series.state != State.VALID] = _Says.NOTHING
    return said
