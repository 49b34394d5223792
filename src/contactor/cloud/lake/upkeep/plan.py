"""Which parts are due, and for what. Pure: looks at a snapshot, touches no file.

    for task in due(snapshot, now_ns=clock.now_ns()):
        task.kind, task.group, task.day, task.parts

    MERGE   small parts of the running day become one: quickly, to be read by fewer openings
    PACK    the parts of a day that is over, or of sums: small files by ranges of vehicles
    RETIRE  the parts of a day that is older than rows are kept

A day is over an hour after its end. What comes later is packed with the parts of the same vehicles:
in a thorough run, or when it has become many parts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.cloud.lake.ports import Part, Snapshot
from contactor.cloud.lake.schema import HOUR, KEY, MINUTE, RAW, STREAMS, UNAVAILABLE
from contactor.cloud.lake.tables import day_of
from contactor.cloud.lake.upkeep.ages import Ages
from contactor.signals.groups import Group

GRACE_NS: Final = 3600 * NS_PER_S
MAX_CELLS: Final = 8_000_000
"""Rows x columns of a packed file and of what is merged at once: 64 MB of doubles."""
MAX_SMALL: Final = 64
MAX_SUMS: Final = 16
TIERS: Final = (MINUTE, HOUR)
_SUM_COLUMNS: Final = 10


class Kind(StrEnum):
    """What is done to parts."""

    MERGE = "merge"
    PACK = "pack"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One rewrite.

    Fields:
        kept_from: of a RETIRE, what the snapshot says from then on.
    """

    kind: Kind
    group: str
    day: date
    parts: tuple[Part, ...]
    kept_from: Mapping[str, date] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        return sum(part.row_count for part in self.parts)


def due(
    snapshot: Snapshot, *, now_ns: int, ages: Ages | None = None, is_thorough: bool = False
) -> list[Task]:
    """What is to be done, what is retired first.

    Args:
        is_thorough: once a day or by hand: also what is only a little untidy.
    """
    kept_from = _kept_from(ages or Ages(), now_ns)
    retired = list(_retired(snapshot, kept_from))
    leaving = {id(part) for task in retired for part in task.parts}
    by_day: dict[tuple[str, date], list[Part]] = defaultdict(list)
    for part in snapshot.parts:
        if id(part) not in leaving:
            by_day[part.group, part.day].append(part)
    tasks: list[Task] = []
    for (group, day), parts in sorted(by_day.items(), key=lambda item: (item[0][1], item[0][0])):
        if group in tuple(Group):
            is_over = (day - date(1970, 1, 1)).days * NS_PER_DAY + NS_PER_DAY + GRACE_NS <= now_ns
            columns = _columns(snapshot, group)
            if is_over:
                tasks.extend(_pack(group, day, parts, is_thorough=is_thorough))
            else:
                tasks.extend(_merge(group, day, parts, columns))
        elif group in TIERS:
            tasks.extend(_sum_up(group, day, parts, is_thorough=is_thorough))
        elif group != STREAMS:
            tasks.extend(_tidy(group, day, parts))
    streams = tuple(part for part in snapshot.parts if part.group == STREAMS)
    if is_thorough and len(streams) > 1:
        tasks.append(Task(Kind.PACK, STREAMS, max(part.day for part in streams), streams))
    return [*retired, *tasks]


def cells_of(part: Part, columns: int) -> int:
    """Rows x columns."""
    return part.row_count * columns


def _columns(snapshot: Snapshot, group: str) -> int:
    signals = sum(group in groups for groups in snapshot.groups.values())
    return len(KEY) + len(UNAVAILABLE) + max(signals, 1)


# ── the running day ──────────────────────────────────────────────────────────────────────────────


def _merge(group: str, day: date, parts: Sequence[Part], columns: int) -> Iterator[Task]:
    small = [
        part for part in parts if not part.is_packed and cells_of(part, columns) < MAX_CELLS // 2
    ]
    waiting = sum(cells_of(part, columns) for part in small)
    if len(small) < MAX_SMALL and waiting < MAX_CELLS:
        return
    chunk: list[Part] = []
    cells = 0
    for part in small:
        chunk.append(part)
        cells += cells_of(part, columns)
        if cells >= MAX_CELLS:
            yield Task(Kind.MERGE, group, day, tuple(chunk))
            chunk, cells = [], 0
    if len(chunk) >= MAX_SMALL:
        yield Task(Kind.MERGE, group, day, tuple(chunk))


# ── what stays ───────────────────────────────────────────────────────────────────────────────────


def _pack(group: str, day: date, parts: Sequence[Part], *, is_thorough: bool) -> Iterator[Task]:
    loose = [part for part in parts if not part.is_packed]
    is_first = len(loose) == len(parts)
    if loose and (is_first or is_thorough or len(loose) >= MAX_SMALL):
        yield Task(Kind.PACK, group, day, tuple(parts))


def _sum_up(group: str, day: date, parts: Sequence[Part], *, is_thorough: bool) -> Iterator[Task]:
    crossing = overlapping(parts)
    if len(crossing) >= (2 if is_thorough else MAX_SUMS):
        yield Task(Kind.PACK, group, day, tuple(crossing))


def _tidy(group: str, day: date, parts: Sequence[Part]) -> Iterator[Task]:
    if len(parts) >= MAX_SUMS:
        yield Task(Kind.PACK, group, day, tuple(parts[:MAX_SMALL]))


def overlapping(parts: Sequence[Part]) -> list[Part]:
    """Those whose range of vehicles is crossed by another's, in stored order."""
    known = sorted(
        (part.vehicles[0], part.vehicles[1], place)
        for place, part in enumerate(parts)
        if part.vehicles is not None
    )
    found: set[int] = set()
    furthest: tuple[str, int] | None = None
    for low, high, place in known:
        if furthest is not None and low <= furthest[0]:
            found |= {place, furthest[1]}
        if furthest is None or high > furthest[0]:
            furthest = (high, place)
    return [parts[place] for place in sorted(found)]


# ── what goes ────────────────────────────────────────────────────────────────────────────────────


def _kept_from(ages: Ages, now_ns: int) -> dict[str, date]:
    today = day_of(now_ns)
    kept = {RAW: ages.raw_days, MINUTE: ages.minute_days, HOUR: ages.hour_days}
    days = {
        tier: today - timedelta(days=count) for tier, count in kept.items() if count is not None
    }
    # Sums lie together by the month.
    return {tier: day if tier == RAW else day.replace(day=1) for tier, day in days.items()}


def _retired(snapshot: Snapshot, kept_from: Mapping[str, date]) -> Iterator[Task]:
    by_day: dict[tuple[str, date], list[Part]] = defaultdict(list)
    for part in snapshot.parts:
        tier = RAW if part.group in tuple(Group) else part.group
        since = max(kept_from.get(tier, date.min), snapshot.kept_from.get(tier, date.min))
        if tier in (RAW, *TIERS) and part.day < since:
            by_day[part.group, part.day].append(part)
    for (group, day), parts in sorted(by_day.items(), key=lambda item: (item[0][1], item[0][0])):
        tier = RAW if group in tuple(Group) else group
        noted = snapshot.kept_from.get(tier, date.min)
        step = day + timedelta(days=1) if tier == RAW else (day + timedelta(days=31)).replace(day=1)
        moved = {tier: step} if step > noted else {}
        yield Task(Kind.RETIRE, group, day, tuple(parts), moved)
