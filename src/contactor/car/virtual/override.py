"""What is asked of the plug in place of the plan's, and the drives that cannot be driven.

    VirtualPlug.Plug            0 by the plan, 1 none, 2 AC, 3 DC
    VirtualPlug.StationPower    what the station offers, kW

A car that is plugged in, or does not get ready, misses the plan's drive: it stays where it stands.
The calendar goes on; as soon as the car may drive, and the plan's car stands, it is there again, as
if towed.

    override = Override()
    override.ask("VirtualPlug.Plug", 2.0)
    override.of(planned, speed_mps=0.0, is_ready_refused=False).plug        # "ac"
"""

from contactor.physics.plan import STATION_POWER_W, Situation
from contactor.physics.state import Plug
from contactor.units import convert

MESSAGE = "VirtualPlug"
PLUG, STATION_POWER = f"{MESSAGE}.Plug", f"{MESSAGE}.StationPower"
BY_PLAN = 0
PLUGS: tuple[Plug | None, ...] = (None, "none", "ac", "dc")
MAX_STATION_KW = 400.0
MOVES_MPS = 0.05
_W = convert(1.0, "kW", "W")


class Override:
    """Owns what was asked of the plug, and where a car stands that cannot drive.

    Args:
        plug: an index of `PLUGS`.
        station_power_kw: None for what the plan's stations of that kind offer.
    """

    def __init__(self, *, plug: int = BY_PLAN, station_power_kw: float | None = None) -> None:
        self.plug = plug
        self.station_power_kw = station_power_kw
        self._held: Situation | None = None
        self._last: Situation | None = None
        self._made: tuple[Situation, Situation] | None = None

    def ask(self, field: str, value: float, *, speed_mps: float) -> bool:
        """Plug in or out, or change the station; False where that cannot be."""
        if field == STATION_POWER:
            if not 0 <= value <= MAX_STATION_KW:
                return False
            self.station_power_kw = value
        elif field == PLUG and value in range(len(PLUGS)):
            if PLUGS[int(value)] in {"ac", "dc"} and abs(speed_mps) > MOVES_MPS:
                return False
            self.plug = int(value)
            if self.plug == BY_PLAN:
                self.station_power_kw = None
        else:
            return False
        self._made = None
        return True

    def of(self, planned: Situation, *, speed_mps: float, is_ready_refused: bool) -> Situation:
        """The situation as it is: the same object as long as nothing changes."""
        asked = PLUGS[self.plug]
        plug = planned.plug if asked is None else asked
        must_stay = plug != "none" or is_ready_refused
        if self._held is None:
            if planned.is_driving and must_stay and abs(speed_mps) <= MOVES_MPS:
                self._held = planned if self._last is None else self._last
                self._made = None
        elif not must_stay and planned.target_speed_mps == 0:
            self._held = self._made = None
        if self._held is None:
            self._last = planned
            if asked is None and self.station_power_kw is None:
                return planned
        if self._made is not None and self._made[0] is planned:
            return self._made[1]
        power_w = planned.station_power_w if asked is None else STATION_POWER_W[plug]
        if self.station_power_kw is not None and plug != "none":
            power_w = self.station_power_kw * _W
        made = (self._held_at(planned) if self._held is not None else planned)._replace(
            plug=plug, station_power_w=power_w
        )
        self._made = (planned, made)
        return made

    def report(self, situation: Situation) -> tuple[float, float]:
        """What is asked of the plug, and the station's power in W."""
        asked_kw = self.station_power_kw
        return self.plug, situation.station_power_w if asked_kw is None else asked_kw * _W

    def _held_at(self, planned: Situation) -> Situation:
        """The plan's day, seen from where the car is."""
        held = self._held or planned
        if not planned.is_driving:
            return planned._replace(
                latitude=held.latitude,
                longitude=held.longitude,
                altitude_m=held.altitude_m,
                heading_deg=held.heading_deg,
            )
        return held._replace(
            target_speed_mps=0.0,
            grade=0.0,
            ambient_degc=planned.ambient_degc,
            is_awake=False,
            is_driving=False,
            gear="P",
            driver_door_open=False,
            are_lights_on=False,
            is_climate_on=False,
            next_change_ns=planned.next_change_ns,
        )
