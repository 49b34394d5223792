"""Who was heard of when: online, asleep or lost. Owned by the ingest, changed on its loop only.

    presence = Presence()
    presence.hear_all(["leaf"], now_ns)
    presence.of("leaf", now_ns)         # Connectivity.ONLINE
    presence.codes(now_ns)              # of all at once, indices into CONNECTIVITIES

A car that says it closes or sleeps is asleep until it says otherwise. While its live agent is
there, only a hello that names a live stream says so: an import of old drives that ends is not the
car. One that was never heard is taken to sleep: nothing is known that would make it lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from contactor.clock import NS_PER_S
from contactor.link.messages import Hello

ONLINE_NS = 45 * NS_PER_S
PAUSE_NS = 10 * NS_PER_S
"""A live car that is awake says something more often than that."""
MAX_HEARD = 1_000_000
NOT_HELD = int(np.iinfo(np.int64).max)
BACKLOG = "backlog"
"""The lane of what is sent later; any other is of an agent that is with the car now."""
FIRST_ROWS = 16
_CLOSED, _ASLEEP, _WITH_AGENT = np.uint8(1), np.uint8(2), np.uint8(4)
_RESTING = np.uint8(3)


class Connectivity(StrEnum):
    """Heard of just now; silent on purpose or never heard; silent without a word."""

    ONLINE = "online"
    ASLEEP = "asleep"
    LOST = "lost"


CONNECTIVITIES = tuple(Connectivity)
ONLINE, ASLEEP, LOST = (np.uint8(place) for place in range(len(CONNECTIVITIES)))
"""The code of each, an index into `CONNECTIVITIES`."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is known of every car that was heard, as of `taken_at` (ns), to be kept and restored.

    Fields:
        heard_at: int64 (n,), ns.
        flags: uint8 (n,); what each said of itself.
    """

    taken_at: int
    vehicles: tuple[str, ...]
    heard_at: NDArray[np.int64]
    flags: NDArray[np.uint8]


class Presence:
    """When each car was last heard, and which of them rest.

    Args:
        limit: of how many cars; what comes from others is not noted.
    """

    def __init__(self, *, limit: int = MAX_HEARD) -> None:
        self.vehicles: list[str] = []
        self._limit = limit
        self._rows: dict[str, int] = {}
        self._heard_at = np.zeros(FIRST_ROWS, np.int64)
        self._unbroken_from = np.zeros(FIRST_ROWS, np.int64)
        self._flags = np.zeros(FIRST_ROWS, np.uint8)

    # ── what comes in ────────────────────────────────────────────────────────────────────────────

    def hear_all(self, vehicles: Iterable[str], now_ns: int) -> None:
        """Note that something came from each of those cars."""
        places = [row for name in vehicles if (row := self._row(name, now_ns)) is not None]
        rows = np.array(places, np.intp)
        paused = rows[now_ns - self._heard_at[rows] > PAUSE_NS]
        self._unbroken_from[paused] = now_ns
        self._heard_at[rows] = now_ns

    def greet(self, hello: Hello, now_ns: int) -> bool:
        """Note what a car says of itself; whether it is back after a silence."""
        is_back = not (hello.closing or self.is_listening(hello.vehicle_id, now_ns))
        row = self._hear(hello.vehicle_id, now_ns)
        is_live = any(stream.lane != BACKLOG for stream in hello.streams)
        if row is None or (self._flags[row] & _WITH_AGENT and not is_live):
            return is_back
        flags = self._flags[row] & _WITH_AGENT
        if hello.closing:
            flags = _CLOSED
        elif is_live:
            flags |= _WITH_AGENT
        self._flags[row] = flags | _ASLEEP if hello.asleep else flags
        return is_back

    # ── what is known ────────────────────────────────────────────────────────────────────────────

    def of(self, vehicle_id: str, now_ns: int) -> Connectivity:
        """Where a car stands at `now_ns`."""
        row = self._rows.get(vehicle_id)
        if row is None or self._flags[row] & _RESTING:
            return Connectivity.ASLEEP
        is_recent = now_ns - int(self._heard_at[row]) <= ONLINE_NS
        return Connectivity.ONLINE if is_recent else Connectivity.LOST

    def codes(self, now_ns: int) -> NDArray[np.uint8]:
        """Where each of `vehicles` stands: indices into `CONNECTIVITIES`."""
        count = len(self.vehicles)
        codes = np.full(count, ONLINE)
        codes[self._heard_at[:count] < now_ns - ONLINE_NS] = LOST
        codes[(self._flags[:count] & _RESTING) != 0] = ASLEEP
        return codes

    def awake_since(self, vehicle_id: str, now_ns: int) -> int | None:
        """Since when a car was heard without a pause longer than `PAUSE_NS`; None if it rests."""
        row = self._rows.get(vehicle_id)
        if row is None or self._flags[row] & _RESTING:
            return None
        is_paused = now_ns - int(self._heard_at[row]) > PAUSE_NS
        return None if is_paused else int(self._unbroken_from[row])

    def held_from(self, now_ns: int) -> NDArray[np.int64]:
        """From which stamp on the newest row of each of `vehicles` holds though it is old.

        A car that is awake writes no row while nothing changes. `NOT_HELD` for one that is not.
        """
        count = len(self.vehicles)
        held = self._unbroken_from[:count] - PAUSE_NS
        is_away = self._heard_at[:count] < now_ns - PAUSE_NS
        held[is_away | ((self._flags[:count] & _RESTING) != 0)] = NOT_HELD
        return held

    def is_listening(self, vehicle_id: str, now_ns: int) -> bool:
        """Whether a car would hear what is sent now, as far as is known; one asleep does."""
        row = self._rows.get(vehicle_id)
        if row is None or self._flags[row] & _CLOSED:
            return False
        return now_ns - int(self._heard_at[row]) <= ONLINE_NS

    # ── a restart ────────────────────────────────────────────────────────────────────────────────

    def kept(self, now_ns: int) -> Heard:
        """All of it, to be restored after a restart."""
        count = len(self.vehicles)
        arrays = self._heard_at[:count].copy(), self._flags[:count].copy()
        return Heard(now_ns, tuple(self.vehicles), *arrays)

    def restore(self, heard: Heard, now_ns: int) -> None:
        """Take up what was kept, as if the time since had not been: nobody could be heard in it.

        Cars that were heard since then are left as they are.
        """
        away_ns = max(now_ns - heard.taken_at, 0)
        facts = zip(heard.vehicles, heard.heard_at.tolist(), heard.flags.tolist(), strict=True)
        for vehicle_id, heard_at, flags in facts:
            if vehicle_id not in self._rows:
                row = self._row(vehicle_id, min(heard_at + away_ns, now_ns))
                if row is not None:
                    self._unbroken_from[row] = now_ns
                    self._flags[row] = flags

    def rows_of(self, vehicles: Sequence[str]) -> NDArray[np.intp]:
        """The place of each in `vehicles` of ours; -1 for one that was never heard."""
        return np.array([self._rows.get(name, -1) for name in vehicles], np.intp)

    def _hear(self, vehicle_id: str, now_ns: int) -> int | None:
        row = self._row(vehicle_id, now_ns)
        if row is not None:
            if now_ns - int(self._heard_at[row]) > PAUSE_NS:
                self._unbroken_from[row] = now_ns
            self._heard_at[row] = now_ns
        return row

    def _row(self, vehicle_id: str, heard_at: int) -> int | None:
        """The row of a car, made where it is new and there is room."""
        row = self._rows.get(vehicle_id)
        if row is None and len(self.vehicles) < self._limit:
            row = self._rows[vehicle_id] = len(self.vehicles)
            self.vehicles.append(vehicle_id)
            if row == len(self._flags):
                self._heard_at = np.concatenate([self._heard_at, np.zeros_like(self._heard_at)])
                fresh = np.zeros_like(self._unbroken_from)
                self._unbroken_from = np.concatenate([self._unbroken_from, fresh])
                self._flags = np.concatenate([self._flags, np.zeros_like(self._flags)])
            self._heard_at[row] = self._unbroken_from[row] = heard_at
        return row
