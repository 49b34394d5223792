"""Signal groups: a group is a clock, not a subject.

A group's rows are written every `period_s` while anything in it changes, and every `heartbeat_s`
when nothing does. A reading older than its `stale_s` is no longer known.

    GROUP_RULES[Group.DRIVE].period_s       # 1.0
"""

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """The clocks that rows are stored by."""

    DRIVE = "drive"
    FAST = "fast"
    SLOW = "slow"
    CELLS = "cells"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class GroupRule:
    """How often a group is written, and how long its readings stay known."""

    period_s: float
    heartbeat_s: float
    stale_s: float


GROUP_RULES = {
    Group.DRIVE: GroupRule(period_s=1.0, heartbeat_s=60.0, stale_s=10.0),
    Group.FAST: GroupRule(period_s=0.1, heartbeat_s=60.0, stale_s=2.0),
    Group.SLOW: GroupRule(period_s=10.0, heartbeat_s=600.0, stale_s=300.0),
    Group.CELLS: GroupRule(period_s=10.0, heartbeat_s=600.0, stale_s=120.0),
    Group.EVENTS: GroupRule(period_s=0.0, heartbeat_s=3600.0, stale_s=7 * 86_400.0),
}
