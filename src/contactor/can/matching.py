"""Which message a frame carries, for a whole table at once.

Ids are looked up among the plan's messages (see `identities.py`); what is found is kept in a table
of ids, which answers for the frames that come later. The table has a bound: of a log with more ids,
such as a fuzzer's, those beyond are looked up anew in each table of frames.

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

from contactor.can.frames import BUSES, MAX_STANDARD_ID, STANDARD_IDS, FrameTable
from contactor.can.identities import BUS_SHIFT, NO_PLACE, Identities, keys_of
from contactor.can.kernels import are_wanted
from contactor.can.plan import DecodePlan, MessagePlan

OTHER, UNKNOWN, FIRST_LANE = 0, 1, 2
UNRESOLVED = -1
ID_MASK = (1 << BUS_SHIFT) - 1
MAX_LANES = 2**15
# Of extended ids, so many are kept that have a message, and so many that have none.
MOST_KEPT = 65_536
# Most ids are met among as many frames of which none is known yet.
FIRST_FRAMES = 4096


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
        self._identities = Identities(plan.messages)
        self._is_shared = np.array([one.is_shared_name for one in plan.messages], np.bool_)
        self._lock = threading.Lock()
        self._lanes: list[Lane] = []
        self._lane_numbers: dict[tuple[int, int], int] = {}
        # The lane of each standard id of each bus, and of extended ids met so far, sorted.
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

    def met(self) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """The ids of all data frames so far, as keys (see identities.py), and the lane of each.

        Of extended ids so many as are kept.
        """
        with self._lock:
            places = np.flatnonzero(self._standard != UNRESOLVED)
            keys = places // STANDARD_IDS << BUS_SHIFT | places % STANDARD_IDS
            known, lanes = self._extended
            return np.concatenate((keys, known)), np.concatenate((self._standard[places], lanes))

    def lanes_of(self, frames: FrameTable) -> NDArray[np.int16]:
        """The lane of each frame, (n,); `OTHER` of error and remote frames."""
        lanes = self._looked_up(frames)
        rows = np.flatnonzero(lanes == UNRESOLVED)
        if len(rows) > FIRST_FRAMES:  # to sort them all would take longer than to look twice
            self._resolved(np.unique(keys_of(frames, rows[:FIRST_FRAMES])))
            lanes = self._looked_up(frames)
            rows = np.flatnonzero(lanes == UNRESOLVED)
        if len(rows):
            keys, inverse = np.unique(keys_of(frames, rows), return_inverse=True)
            lanes[rows] = self._resolved(keys)[inverse]
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
            wanted = keys_of(frames, rows)
            if len(keys):
                found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
                lanes[rows] = np.where(keys[found] == wanted, values[found], UNRESOLVED)
            else:
                lanes[rows] = UNRESOLVED
        lanes[frames.is_error | frames.is_remote] = OTHER
        return lanes

    def _resolved(self, keys: NDArray[np.int64]) -> NDArray[np.int16]:
        """Look up distinct ids, ascending, among the messages, and keep what is found."""
        places = self._identities.places_of(keys)
        lanes = np.full(len(keys), UNKNOWN, np.int16)
        found = np.flatnonzero(places != NO_PLACE)
        with self._lock:
            if len(found):
                buses = np.where(self._is_shared[places[found]], keys[found] >> BUS_SHIFT, 0)
                pairs, inverse = np.unique(places[found] * BUSES + buses, return_inverse=True)
                numbers = [self._lane_number(*divmod(pair, BUSES)) for pair in pairs.tolist()]
                lanes[found] = np.array(numbers, np.int16)[inverse]
            self._keep(keys, lanes)
        return lanes

    def _lane_number(self, place: int, bus: int) -> int:
        """The lane of a message, made where it is the first of it; no bus counts as 0."""
        key = (place, bus)
        if key not in self._lane_numbers:
            if len(self._lanes) >= MAX_LANES - FIRST_LANE:
                return UNKNOWN
            message = self._messages[place]
            label = f"{bus}:{message.name}" if message.is_shared_name else message.name
            self._lane_numbers[key] = self.lane_count
            self._lanes.append(Lane(label, place, message))
        return self._lane_numbers[key]

    def _keep(self, keys: NDArray[np.int64], lanes: NDArray[np.int16]) -> None:
        """Enter ids into the tables, as far as there is room."""
        is_standard = (keys & ID_MASK) <= MAX_STANDARD_ID
        standard = keys[is_standard]
        self._standard[(standard >> BUS_SHIFT) * STANDARD_IDS + (standard & ID_MASK)] = lanes[
            is_standard
        ]
        known, values = self._extended
        unknown = int((values == UNKNOWN).sum())
        is_kept = np.zeros(len(keys), np.bool_)
        for is_wanted, room in (
            (lanes == UNKNOWN, MOST_KEPT - unknown),
            (lanes != UNKNOWN, MOST_KEPT - (len(values) - unknown)),
        ):
            is_kept[np.flatnonzero(is_wanted & ~is_standard)[: max(room, 0)]] = True
        if not is_kept.any():
            return
        # Another thread may have entered the same ids meanwhile.
        is_kept &= ~np.isin(keys, known)
        more = np.concatenate((known, keys[is_kept]))
        order = np.argsort(more, kind="stable")
        self._extended = (more[order], np.concatenate((values, lanes[is_kept]))[order])


_matchers: WeakKeyDictionary[DecodePlan, Matcher] = WeakKeyDictionary()
