"""The body domain of the virtual car: locks, doors, lights, climate, and what was asked of it.

A lock takes 300 ms to move. The doors lock 20 s after the driver has closed his in park, and above
15 km/h; they unlock when his opens. The climate does what was asked until the plan changes its own
mind; a stop of charging holds until a start, or until the plug is pulled.

    body = Body()
    body.ask("DoorCommand.TrunkLock", 0.0, now_ns=now_ns)
    body.live(situation, speed_mps=0.0, now_ns=now_ns)
    body.report()
"""

from dataclasses import dataclass

from contactor.clock import NS_PER_MS, NS_PER_S
from contactor.physics.plan import Situation
from contactor.units import convert

DOORS = ("FrontLeft", "FrontRight", "RearLeft", "RearRight", "Trunk")
LOCK_TAKES_NS = 300 * NS_PER_MS
LOCKS_ITSELF_AFTER_NS = 20 * NS_PER_S
LOCKS_ITSELF_ABOVE_MPS = convert(15.0, "km/h", "m/s")
STAYS_AWAKE_NS = 120 * NS_PER_S
BODY_FIELDS = (
    *(f"is_locked_{door}" for door in DOORS),
    "charge_limit_pct",
    "is_charge_allowed",
    "is_climate_on",
    "cabin_target_degc",
)
"""What `Body.report` tells, in its order; true and false as 1 and 0."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a command frame: what it may hold."""

    low: float
    high: float


FIELDS = {
    **{f"DoorCommand.{door}Lock": _Field(0, 1) for door in DOORS},
    "ChargeCommand.StartStop": _Field(0, 1),
    "ChargeCommand.Limit": _Field(50, 100),
    "ClimateCommand.Climate": _Field(0, 1),
    "ClimateCommand.Target": _Field(16, 28),
}
"""What can be asked, as "Message.Signal" of the command frames, in their units."""


class Body:
    """Owns the state of the body domain.

    Args:
        is_locked: of each of `DOORS`.
        charge_limit_pct: how full the car lets itself be charged.
        is_charge_allowed: whether it charges when plugged in.
        cabin_target_degc: what the driver wants the cabin to be.
    """

    def __init__(
        self,
        *,
        is_locked: tuple[bool, ...] = (True,) * len(DOORS),
        charge_limit_pct: float = 80.0,
        is_charge_allowed: bool = True,
        cabin_target_degc: float = 21.0,
    ) -> None:
        self.is_locked = list(is_locked)
        self.charge_limit_pct = charge_limit_pct
        self.is_charge_allowed = is_charge_allowed
        self.cabin_target_degc = cabin_target_degc
        self.is_climate_on = False
        self.awake_until_ns = 0
        self._asked_climate: bool | None = None
        self._moving_locks: dict[int, tuple[int, bool]] = {}
        self._locks_at_ns: int | None = None
        self._last: Situation | None = None

    def ask(self, field: str, value: float, *, now_ns: int) -> bool:
        """Do what a field of a command frame asks; False where it is beyond what can be."""
        known = FIELDS.get(field)
        if known is None or not known.low <= value <= known.high:
            return False
        self.stay_awake(now_ns)
        name = field.partition(".")[2]
        if name.endswith("Lock"):
            door = DOORS.index(name.removesuffix("Lock"))
            self._moving_locks[door] = (now_ns + LOCK_TAKES_NS, value == 1)
            self._locks_at_ns = None
        elif field == "ChargeCommand.StartStop":
            self.is_charge_allowed = value == 1
        elif field == "ChargeCommand.Limit":
            self.charge_limit_pct = value
        elif field == "ClimateCommand.Climate":
            self._asked_climate = value == 1
        else:
            self.cabin_target_degc = value
        return True

    def stay_awake(self, now_ns: int) -> None:
        """Be awake for two minutes from now on at least."""
        self.awake_until_ns = max(self.awake_until_ns, now_ns + STAYS_AWAKE_NS)

    def live(self, situation: Situation, *, speed_mps: float, now_ns: int) -> None:
        """Take in the situation at `now_ns`, and move what is due."""
        last = self._last
        if last is not situation:
            self._notice(last, situation, now_ns)
            self._last = situation
        if speed_mps > LOCKS_ITSELF_ABOVE_MPS and not all(self.is_locked):
            self._lock_all(now_ns)
        if self._locks_at_ns is not None and now_ns >= self._locks_at_ns:
            self._locks_at_ns = None
            if situation.gear == "P":
                self._lock_all(now_ns)
        if self._moving_locks:
            for door, (due_ns, is_locked) in list(self._moving_locks.items()):
                if now_ns >= due_ns:
                    self.is_locked[door] = is_locked
                    del self._moving_locks[door]
        self.is_climate_on = (
            situation.is_climate_on if self._asked_climate is None else self._asked_climate
        )

    def _notice(self, last: Situation | None, now: Situation, now_ns: int) -> None:
        """What a change of the situation does."""
        if last is None:
            return
        if now.driver_door_open and not last.driver_door_open:
            self._locks_at_ns = None
            self._moving_locks.clear()
            self.is_locked = [False] * len(DOORS)
        if last.driver_door_open and not now.driver_door_open:
            self._locks_at_ns = now_ns + LOCKS_ITSELF_AFTER_NS
        if now.plug == "none" and last.plug != "none":
            self.is_charge_allowed = True
        if now.is_climate_on != last.is_climate_on:
            self._asked_climate = None

    def _lock_all(self, now_ns: int) -> None:
        for door in range(len(DOORS)):
            self._moving_locks.setdefault(door, (now_ns + LOCK_TAKES_NS, True))

    def report(self) -> tuple[float, ...]:
        """What it says of itself, in the order of `BODY_FIELDS`."""
        return (
            *self.is_locked,
            self.charge_limit_pct,
            self.is_charge_allowed,
            self.is_climate_on,
            self.cabin_target_degc,
        )
