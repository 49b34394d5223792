"""Drives and the time between them, as spans: what a car does from each moment to the next.

           asleep   awake   unplug  door     drive      door   plug    asleep
    ──────────────┬───────┬───────┬────┬──────────────┬──────┬───────┬─────────►
                -45 s   -30 s    -8 s  0            end +4 s  +30 s  +120 s

At a fast charger the car stays awake; one that leaves at once has its door open just before.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Final

from contactor.physics.calendar import NS_PER_S, Drive
from contactor.physics.road import Place, Point
from contactor.physics.scenarios.scenario import Scenario, Station

AWAKE_S: Final = 120
PLUG_AFTER_S, UNPLUG_BEFORE_S = 30, 30
WAKE_BEFORE_S = 45
ARRIVAL_DOOR_S = (4, 8)
DEPARTURE_DOOR_S = (12.0, 8.0)
HURRIED_DOOR_S = (2.0, 0.5)
FAR_NS = 2**62
NO_STATION = Station()


@dataclass(frozen=True, slots=True)
class Span:
    """What lasts from `start_ns` to `end_ns`: a drive, or a car that stands at `point`."""

    start_ns: int
    end_ns: int
    point: Point
    drive: Drive | None = None
    station: Station = NO_STATION
    is_awake: bool = True
    is_door_open: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """The time between two drives.

    Fields:
        station: what the car is plugged into meanwhile.
        is_hurried: the drive that ends it was begun without notice.
        is_awake: all the time, whatever else.
    """

    arrive_ns: int
    leave_ns: int
    point: Point
    station: Station = NO_STATION
    is_hurried: bool = False
    is_awake: bool = False

    def spans(self) -> list[Span]:
        """Its parts, in which nothing changes."""
        sleep_ns = self._after(AWAKE_S + (PLUG_AFTER_S if self.station.plug != "none" else 0))
        plug_ns, unplug_ns = self._after(PLUG_AFTER_S), self._before(UNPLUG_BEFORE_S)
        wake_ns = self._before(WAKE_BEFORE_S)
        come_ns = [self._after(second) for second in ARRIVAL_DOOR_S]
        before_s = HURRIED_DOOR_S if self.is_hurried else DEPARTURE_DOOR_S
        go_ns = [self._before(second) for second in before_s]
        moments = {sleep_ns, plug_ns, unplug_ns, wake_ns, *come_ns, *go_ns, self.arrive_ns}
        edges = sorted(edge for edge in moments if self.arrive_ns <= edge < self.leave_ns)
        spans: list[Span] = []
        for start_ns, end_ns in zip(edges, [*edges[1:], self.leave_ns], strict=True):
            is_plugged = plug_ns <= start_ns < unplug_ns
            spans.append(
                Span(
                    start_ns,
                    end_ns,
                    self.point,
                    station=self.station if is_plugged else NO_STATION,
                    is_awake=self.is_awake or start_ns < sleep_ns or start_ns >= wake_ns,
                    is_door_open=come_ns[0] <= start_ns < come_ns[1]
                    or go_ns[0] <= start_ns < go_ns[1],
                )
            )
        return spans

    def _after(self, seconds: float) -> int:
        return self.arrive_ns + int(seconds * NS_PER_S)

    def _before(self, seconds: float) -> int:
        return self.leave_ns - int(seconds * NS_PER_S)


class Timeline:
    """Spans in order, without a gap between them."""

    __slots__ = ("_spans", "_starts", "end_ns", "start_ns")

    def __init__(self, spans: list[Span]) -> None:
        self._spans = spans
        self._starts = [span.start_ns for span in spans]
        self.start_ns = spans[0].start_ns
        self.end_ns = spans[-1].end_ns

    def at(self, ts_ns: int) -> Span:
        """The span of a moment between start and end."""
        return self._spans[max(bisect_right(self._starts, ts_ns) - 1, 0)]


def timeline_of(
    drives: list[Drive],
    *,
    scenario: Scenario,
    place: Place,
    start_ns: int,
    end_ns: int,
    plugs: tuple[bool, bool],
    hurried_ns: int | None = None,
) -> Timeline:
    """A car that is at `place` long before `start_ns`, and what it does until `end_ns`.

    Args:
        plugs: whether it is plugged in before the first drive, and after the last. In between it
            stands unplugged, but for a fast charger, where it also stays awake.
        hurried_ns: when a drive begins without notice.
    """
    spans: list[Span] = []
    arrive_ns, point = -FAR_NS, scenario.parked_at(place)
    station, is_plugged = scenario.stations[place], plugs[0]
    for index, drive in enumerate(drives):
        if index or drive.start_ns > start_ns:
            stay = Stay(
                arrive_ns,
                drive.start_ns,
                point,
                station if is_plugged else NO_STATION,
                is_hurried=drive.start_ns == hurried_ns,
                is_awake=is_plugged and station.plug == "dc",
            )
            spans += stay.spans()
        spans.append(Span(drive.start_ns, drive.end_ns, point, drive))
        arrive_ns, point = drive.end_ns, drive.way.at(drive.way.length_m)
        station = scenario.stations[drive.to_place]
        is_plugged = station.plug == "dc"
    last = Stay(arrive_ns, FAR_NS, point, station if is_plugged or plugs[1] else NO_STATION)
    spans += last.spans()
    return Timeline([cut for span in spans if (cut := _cut(span, start_ns, end_ns)) is not None])


def _cut(span: Span, start_ns: int, end_ns: int) -> Span | None:
    """The part of a span that lies between two moments; a drive is never shortened at its end."""
    first, last = max(span.start_ns, start_ns), span.end_ns
    if span.drive is None:
        last = min(last, end_ns)
    if first >= last:
        return None
    return replace(span, start_ns=first, end_ns=last)
