"""Intervals: one state at every instant, out of trips, charges and silences."""

from contactor.history.facts import Charge, Interval, State, Trip


def intervals_of(
    start_ns: int,
    end_ns: int,
    trips: list[Trip],
    charges: list[Charge],
    silences: list[tuple[int, int, bool]],
) -> list[Interval]:
    """Fill a car's time without holes.

    Args:
        silences: start, end, and whether the car moved meanwhile; those in a trip or a charge are
            part of it.
    """
    spans = [(one.start_ns, one.end_ns, State.DRIVING) for one in trips]
    spans += [(one.start_ns, one.end_ns, State.CHARGING) for one in charges]
    spans.sort(key=lambda span: span[:2])
    every = _with_silences(spans, silences)
    intervals: list[Interval] = []
    at = start_ns
    for begin, end, state in every:
        if begin > at:
            intervals.append(Interval(state=State.PARKED, start_ns=at, end_ns=begin))
        if end > max(begin, at):
            intervals.append(Interval(state=state, start_ns=max(begin, at), end_ns=end))
            at = end
    if end_ns > at:
        intervals.append(Interval(state=State.PARKED, start_ns=at, end_ns=end_ns))
    return intervals


def _with_silences(
    spans: list[tuple[int, int, State]], silences: list[tuple[int, int, bool]]
) -> list[tuple[int, int, State]]:
    """Spans and the silences that lie in none of them, by time."""
    every, place = list(spans), 0
    for begin, end, has_moved in sorted(silences):
        while place < len(spans) and spans[place][1] <= begin:
            place += 1
        if place == len(spans) or spans[place][0] >= end:
            every.append((begin, end, State.OFFLINE if has_moved else State.ASLEEP))
    every.sort(key=lambda span: span[:2])
    return every
