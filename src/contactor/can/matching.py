"""Which message a frame carries, for a whole table at once.

An id is looked up among the plan's messages once, by plain rules; after that a table of ids answers
for every frame that has it.

    matcher = matcher_of(plan)
    lanes = matcher.lanes_of(frames)         # (n,), OTHER, UNKNOWN, or a message's lane
    matcher.lane(int(lanes[0])).label        # "BatteryState"

A lane is a message; where several databases have a message of that name, that message on one bus.
A matcher serves as many tables, and threads, as come.
"""

import threading
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import MAX_STANDARD_ID, FrameTable
from contactor.can.j1939 import nearest, parameter_group
from contactor.can.kernels import are_wanted
from contactor.can.plan import DecodePlan, MessagePlan

OTHER, UNKNOWN, FIRST_LANE = 0, 1, 2
UNRESOLVED = -1
STANDARD_IDS = MAX_STANDARD_ID + 1
BUSES = 256
BUS_SHIFT, EXTENDED_SHIFT = 32, 31
MAX_LANES = 2**15


@dataclass(frozen=True, slots=True)
class Lane:
    """A message of the plan, by its place there, and how its frames are labelled."""

    label: str
    place: int
    message: MessagePlan


def matcher_of(plan: DecodePlan) -> "Matcher":
    """The one matcher of a plan, made when first needed."""
    matcher = _matchers.get(plan)
    if matcher is None:
        matcher = _matchers.setdefault(plan, Matcher(plan))
    return matcher


class Matcher:
    """Finds the messages of frames; keeps what it has found."""

    def __init__(self, plan: DecodePlan) -> None:
        self._messages = plan.messages
        self._places: dict[tuple[int | None, int, bool], int] = {}
        self._groups: dict[tuple[int | None, int], list[int]] = {}
        for place, message in enumerate(plan.messages):
            self._places.setdefault((message.bus, message.can_id, message.is_extended), place)
            if message.is_j1939:
                group = (message.bus, parameter_group(message.can_id))
                self._groups.setdefault(group, []).append(message.can_id)
        self._lock = threading.Lock()
        self._lanes: list[Lane] = []
        self._lane_numbers: dict[tuple[int, int], int] = {}
        # The lane of each standard id of each bus, and of each extended id met so far.
        self._standard = np.full(BUSES * STANDARD_IDS, UNRESOLVED, np.int16)
        self._extended: tuple[NDArray[np.int64], NDArray[np.int16]] = (
            np.zeros(0, np.int64),
            np.zeros(0, np.int16),
        )

    def lane(self, number: int) -> Lane:
        """The lane of a number from `FIRST_LANE` on."""
        return self._lanes[number - FIRST_LANE]

    @property
    def lane_count(self) -> int:
        """All lanes there are by now, `OTHER` and `UNKNOWN` among them."""
        return FIRST_LANE + len(self._lanes)

    def lanes_of(self, frames: FrameTable) -> NDArray[np.int16]:
        """The lane of each frame, (n,); `OTHER` of error and remote frames."""
        lanes = self._looked_up(frames)
        rows = np.flatnonzero(lanes == UNRESOLVED)
        if len(rows):
            self._resolve(_keys(frames, rows))
            lanes = self._looked_up(frames)
        return lanes

    def _looked_up(self, frames: FrameTable) -> NDArray[np.int16]:
        """The lanes as far as they are known."""
        keys, values = self._extended
        if are_wanted(len(frames)):
            from contactor.can.kernels.groups import look_up

            lanes = np.empty(len(frames), np.int16)
            look_up(
                frames.bus,
                frames.can_id,
                frames.is_extended,
                frames.is_error,
                frames.is_remote,
                self._standard,
                keys,
                values,
                lanes,
            )
            return lanes
        index = frames.bus.astype(np.int64) * STANDARD_IDS
        index += np.minimum(frames.can_id, MAX_STANDARD_ID)
        lanes = self._standard[index]
        rows = np.flatnonzero(frames.is_extended | (frames.can_id > MAX_STANDARD_ID))
        if len(rows):
            wanted = _keys(frames, rows)
            if len(keys):
                found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
                lanes[rows] = np.where(keys[found] == wanted, values[found], UNRESOLVED)
            else:
                lanes[rows] = UNRESOLVED
        lanes[frames.is_error | frames.is_remote] = OTHER
        return lanes

    def _resolve(self, keys: NDArray[np.int64]) -> None:
        """Look up ids among the messages, and keep what is found."""
        with self._lock:
            known, values = self._extended
            more: dict[int, int] = dict(zip(known.tolist(), values.tolist(), strict=True))
            for key in np.unique(keys).tolist():
                bus, can_id = key >> BUS_SHIFT, key & ((1 << EXTENDED_SHIFT) - 1)
                is_extended = bool(key >> EXTENDED_SHIFT & 1)
                lane = self._lane_of(bus, can_id, is_extended=is_extended)
                if is_extended or can_id > MAX_STANDARD_ID:
                    more[key] = lane
                else:
                    self._standard[bus * STANDARD_IDS + can_id] = lane
            ordered = sorted(more)
            self._extended = (
                np.array(ordered, np.int64),
                np.array([more[key] for key in ordered], np.int16),
            )

    def _lane_of(self, bus: int, can_id: int, *, is_extended: bool) -> int:
        """The lane of an id, made where it is the first of its message."""
        place = self._place_of(bus, can_id, is_extended=is_extended)
        if place is None:
            return UNKNOWN
        message = self._messages[place]
        key = (place, bus if message.is_shared_name else 0)
        if key not in self._lane_numbers:
            if len(self._lanes) >= MAX_LANES - FIRST_LANE:
                return UNKNOWN
            label = f"{bus}:{message.name}" if message.is_shared_name else message.name
            self._lane_numbers[key] = self.lane_count
            self._lanes.append(Lane(label, place, message))
        return self._lane_numbers[key]

    def _place_of(self, bus: int, can_id: int, *, is_extended: bool) -> int | None:
        """The place in the plan of an id's message: of that bus first, then of any.

        The id itself counts more than its J1939 parameter group.
        """
        for wanted in (bus, None):
            place = self._places.get((wanted, can_id, is_extended))
            if place is not None:
                return place
        for wanted in (bus, None) if is_extended else ():
            known = self._groups.get((wanted, parameter_group(can_id)), ())
            group_id = nearest(can_id, known)
            if group_id is not None:
                return self._places[wanted, group_id, True]
        return None


_matchers: WeakKeyDictionary[DecodePlan, Matcher] = WeakKeyDictionary()


def _keys(frames: FrameTable, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bus, kind of id and id of some frames in one number."""
    keys = frames.bus[rows].astype(np.int64) << BUS_SHIFT
    keys |= frames.is_extended[rows].astype(np.int64) << EXTENDED_SHIFT
    return keys | frames.can_id[rows]
