"""Who was heard of when: online, asleep or lost. Owned by the ingest, changed on its loop only.

    presence = Presence()
    presence.hear("leaf", now_ns)
    presence.of("leaf", now_ns)         # Connectivity.ONLINE

A car that says it closes or sleeps is asleep until it says otherwise. While its live agent is
there, only a hello that names a live stream says so: an import of old drives that ends is not the
car. One that was not heard since this start is taken to sleep: nothing is known that would make it
lost.
"""

from enum import StrEnum

from contactor.clock import NS_PER_S
from contactor.link.messages import Hello

ONLINE_NS = 45 * NS_PER_S
PAUSE_NS = 10 * NS_PER_S
"""A live car that is awake says something more often than that."""
MAX_HEARD = 100_000
BACKLOG = "backlog"
"""The lane of what is sent later; any other is of an agent that is with the car now."""


class Connectivity(StrEnum):
    """Heard of just now; silent on purpose or since before this start; silent without a word."""

    ONLINE = "online"
    ASLEEP = "asleep"
    LOST = "lost"


class Presence:
    """When each car was last heard, and which of them rest; bounded by `MAX_HEARD` cars."""

    def __init__(self) -> None:
        self._heard_at: dict[str, int] = {}
        self._unbroken_from: dict[str, int] = {}
        self._closed: set[str] = set()
        self._asleep: set[str] = set()
        self._with_agent: set[str] = set()

    def hear(self, vehicle_id: str, now_ns: int) -> None:
        """Note that something came from a car."""
        before = self._heard_at.get(vehicle_id)
        if before is None and len(self._heard_at) >= MAX_HEARD:
            return
        if before is None or now_ns - before > PAUSE_NS:
            self._unbroken_from[vehicle_id] = now_ns
        self._heard_at[vehicle_id] = now_ns

    def greet(self, hello: Hello, now_ns: int) -> None:
        """Note what a car says of itself."""
        self.hear(hello.vehicle_id, now_ns)
        is_live = any(stream.lane != BACKLOG for stream in hello.streams)
        if hello.vehicle_id in self._with_agent and not is_live:
            return
        if hello.closing:
            self._with_agent.discard(hello.vehicle_id)
        elif is_live and len(self._with_agent) < MAX_HEARD:
            self._with_agent.add(hello.vehicle_id)
        for resting, says_so in ((self._closed, hello.closing), (self._asleep, hello.asleep)):
            resting.discard(hello.vehicle_id)
            if says_so and len(resting) < MAX_HEARD:
                resting.add(hello.vehicle_id)

    def of(self, vehicle_id: str, now_ns: int) -> Connectivity:
        """Where a car stands at `now_ns`."""
        heard_at = self._heard_at.get(vehicle_id)
        if heard_at is None or vehicle_id in self._closed or vehicle_id in self._asleep:
            return Connectivity.ASLEEP
        return Connectivity.ONLINE if now_ns - heard_at <= ONLINE_NS else Connectivity.LOST

    def awake_since(self, vehicle_id: str, now_ns: int) -> int | None:
        """Since when a car was heard without a pause longer than `PAUSE_NS`; None if it rests."""
        heard_at = self._heard_at.get(vehicle_id)
        is_resting = vehicle_id in self._closed or vehicle_id in self._asleep
        if heard_at is None or is_resting or now_ns - heard_at > PAUSE_NS:
            return None
        return self._unbroken_from[vehicle_id]

    def is_listening(self, vehicle_id: str, now_ns: int) -> bool:
        """Whether a car would hear what is sent now, as far as is known; one asleep does."""
        heard_at = self._heard_at.get(vehicle_id)
        if heard_at is None or vehicle_id in self._closed:
            return False
        return now_ns - heard_at <= ONLINE_NS
