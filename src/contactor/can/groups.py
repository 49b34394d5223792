"""Frames grouped by the message they carry, with one stable sort.

Error and remote frames carry no message; a frame is counted once.

    groups = group_frames(frames, plan)
    groups.decoded, groups.unknown, groups.other     # counts; their sum is len(frames)
    groups.groups[0].label, groups.groups[0].rows    # ("BatteryState", rows of `frames`)
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import MAX_STANDARD_ID, FrameTable
from contactor.can.plan import DecodePlan, MessagePlan

MAX_UINT16 = 2**16 - 1


@dataclass(frozen=True, slots=True, eq=False)
class FrameGroup:
    """The frames of one message.

    `label` is the message's name, prefixed `bus:` where several databases have that name; then the
    group holds the frames of that bus alone. `rows` is int64 (k,), ascending.
    """

    label: str
    message: MessagePlan
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FrameGroups:
    """All frames by message; `unknown` ones have none, `other` ones are error or remote frames."""

    groups: tuple[FrameGroup, ...]
    decoded: int
    unknown: int
    other: int

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
        return {label: len(rows) for label, rows in self.rows().items()}


def group_frames(frames: FrameTable, plan: DecodePlan) -> FrameGroups:
    """Group frames by id; error and remote frames carry no payload of a message."""
    count = len(plan.messages)
    unknown, other = count, count + 1
    slots = _slots(frames, plan)
    slots[frames.is_error | frames.is_remote] = other
    # NumPy sorts 16 bit integers by radix: stable, and linear in the frames.
    is_small = count + 2 <= MAX_UINT16
    order = np.argsort(slots.astype(np.uint16) if is_small else slots, kind="stable")
    sizes = np.bincount(slots, minlength=count + 2)
    ends = np.cumsum(sizes)
    groups = tuple(
        group
        for slot, message in enumerate(plan.messages)
        if sizes[slot]
        for group in _by_bus(message, order[ends[slot] - sizes[slot] : ends[slot]], frames)
    )
    return FrameGroups(groups, int(sizes[:count].sum()), int(sizes[unknown]), int(sizes[other]))


def _slots(frames: FrameTable, plan: DecodePlan) -> NDArray[np.uint32]:
    """The place in the plan of each frame's message, (n,); one past the last where it has none."""
    unknown = len(plan.messages)
    standard = np.full(MAX_STANDARD_ID + 1, unknown, np.uint32)
    extended: dict[int, int] = {}
    for slot, message in enumerate(plan.messages):
        if message.is_extended:
            extended[message.can_id] = slot
        elif message.can_id <= MAX_STANDARD_ID:
            standard[message.can_id] = slot
    slots = standard[np.minimum(frames.can_id, MAX_STANDARD_ID)]
    rows = np.flatnonzero(frames.is_extended)
    if len(rows):
        ids = np.array(sorted(extended) or [0], np.uint32)
        places = np.array([extended.get(int(can_id), unknown) for can_id in ids], np.uint32)
        found = np.minimum(np.searchsorted(ids, frames.can_id[rows]), len(ids) - 1)
        is_known = ids[found] == frames.can_id[rows]
        slots[rows] = np.where(is_known, places[found], unknown)
    return slots


def _by_bus(
    message: MessagePlan, rows: NDArray[np.int64], frames: FrameTable
) -> Iterator[FrameGroup]:
    if not message.is_shared_name:
        yield FrameGroup(message.name, message, rows)
        return
    buses = frames.bus[rows]
    for bus in np.unique(buses):
        yield FrameGroup(f"{bus}:{message.name}", message, rows[buses == bus])
