"""Frames grouped by the message they carry, with one stable sort.

Error and remote frames carry no message; a frame is counted once.

    groups = group_frames(frames, plan)
    groups.decoded, groups.unknown, groups.other     # counts; their sum is len(frames)
    groups.groups[0].label, groups.groups[0].rows    # ("BatteryState", rows of `frames`)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FrameTable
from contactor.can.kernels import are_wanted
from contactor.can.matching import FIRST_LANE, OTHER, UNKNOWN, matcher_of
from contactor.can.plan import DecodePlan, MessagePlan


@dataclass(frozen=True, slots=True, eq=False)
class FrameGroup:
    """The frames of one message.

    Fields:
        label: the message's name, prefixed `bus:` where several databases have that name; then the
            group holds the frames of that bus alone.
        place: the message's place in the plan.
        order: int32, rows of a table: this group's are `count` from `start` on, ascending.
        base: where that table begins among all frames.
    """

    label: str
    place: int
    message: MessagePlan
    order: NDArray[np.int32]
    start: int
    count: int
    base: int = 0

    @property
    def rows(self) -> NDArray[np.int64]:
        """int64 (count,), ascending."""
        return self.order[self.start : self.start + self.count].astype(np.int64) + self.base


@dataclass(frozen=True, slots=True, eq=False)
class FrameGroups:
    """All frames by message, in the order of the plan.

    `unknown` frames, those at `unknown_rows`, have no message there, `other` ones are error or
    remote frames. A message has one group, or one of each table that was joined.
    """

    groups: tuple[FrameGroup, ...]
    unknown_rows: NDArray[np.int64]
    decoded: int
    unknown: int
    other: int

    @property
    def frames(self) -> int:
        """All frames."""
        return self.decoded + self.unknown + self.other

    @classmethod
    def joined(cls, parts: "Sequence[FrameGroups]") -> Self:
        """The groups of tables that follow each other, as of one table."""
        found: list[FrameGroup] = []
        bases = np.cumsum([0, *(part.frames for part in parts[:-1])]).tolist()
        for part, base in zip(parts, bases, strict=True):
            found += [replace(group, base=base) for group in part.groups]
        found.sort(key=lambda group: (group.place, group.label))
        return cls(
            tuple(found),
            np.concatenate(
                [part.unknown_rows + base for part, base in zip(parts, bases, strict=True)]
            ),
            sum(part.decoded for part in parts),
            sum(part.unknown for part in parts),
            sum(part.other for part in parts),
        )

    def rows(self) -> dict[str, NDArray[np.int64]]:
        """The rows of each label, ascending; two messages of one label are one."""
        by_label: dict[str, list[NDArray[np.int64]]] = {}
        for group in self.groups:
            by_label.setdefault(group.label, []).append(group.rows)
        return {
            label: parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))
            for label, parts in by_label.items()
        }

    def counts(self) -> dict[str, int]:
        """The number of frames of each label."""
        counts: dict[str, int] = {}
        for group in self.groups:
            counts[group.label] = counts.get(group.label, 0) + group.count
        return counts


def group_frames(frames: FrameTable, plan: DecodePlan) -> FrameGroups:
    """Group frames by id; error and remote frames carry no payload of a message."""
    matcher = matcher_of(plan)
    lanes = matcher.lanes_of(frames)
    lane_count = matcher.lane_count
    starts = np.empty(lane_count + 1, np.int64)
    if are_wanted(len(frames)):
        from contactor.can.kernels.groups import sort_by_lane

        order = np.empty(len(frames), np.int32)
        sort_by_lane(lanes, starts, order)
    else:
        # NumPy sorts 16 bit integers by radix: stable, and linear in the frames.
        order = np.argsort(lanes, kind="stable").astype(np.int32)
        starts[0] = 0
        np.cumsum(np.bincount(lanes, minlength=lane_count), out=starts[1:])
    sizes = np.diff(starts)
    found = []
    for number in np.flatnonzero(sizes[FIRST_LANE:]).tolist():
        lane = matcher.lane(number + FIRST_LANE)
        start, end = starts[number + FIRST_LANE : number + FIRST_LANE + 2].tolist()
        group = FrameGroup(lane.label, lane.place, lane.message, order, start, end - start)
        found.append(group)
    found.sort(key=lambda group: (group.place, group.label))
    return FrameGroups(
        tuple(found),
        order[starts[UNKNOWN] : starts[UNKNOWN + 1]].astype(np.int64),
        int(sizes[FIRST_LANE:].sum()),
        int(sizes[UNKNOWN]),
        int(sizes[OTHER]),
    )
