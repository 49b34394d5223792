"""A car on a bus that nobody can trust: it stands, sleeps and drives, its frames come and stop.

Our own virtual car, and what it lacks: a window, a child lock, the flap of the charging port. Every
frame, there and back, is shown to the oracle as it is.
"""

import shutil
from collections import Counter
from pathlib import Path
from random import Random

from contactor.can.frames import FrameTable
from contactor.car.agent.road import Road
from contactor.car.agent.sampling import Sampling
from contactor.car.agent.series import Series
from contactor.car.profiles.profile import Profile, load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_MS, NS_PER_S, FakeClock
from contactor.physics.plan import PlanKind
from tests.car.agent.hostile.oracle import BODY_STATE, Oracle
from tests.car.agent.signing import NOW, PROFILE

WINDOW = "Vehicle.Cabin.Door.Row2.DriverSide.Window.Position"
FLAP = "Vehicle.Powertrain.TractionBattery.Charging.ChargingPort.AnyPosition.IsFlapOpen"
CHILD_LOCK = "Vehicle.Cabin.IsWindowChildLockEngaged"
CLIMATE = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
TEMPERATURE = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
MESSAGES = """BO_ 1036 BodyCommand: 4 TEL
 SG_ Checksum : 0|8@1+ (1,0) [0|255] "" BODY
 SG_ Counter : 8|4@1+ (1,0) [0|14] "" BODY
 SG_ Window : 16|8@1+ (1,0) [0|100] "%" BODY
 SG_ Flap : 24|2@1+ (1,0) [0|1] "" BODY

BO_ 1040 BodyState: 3 BODY
 SG_ Window : 0|8@1+ (1,0) [0|100] "%" TEL
 SG_ ChildLock : 8|2@1+ (1,0) [0|1] "" TEL
 SG_ Flap : 10|2@1+ (1,0) [0|1] "" TEL

"""
ROLES = """BA_ "SignalRole" SG_ 1036 Checksum "crc8_j1850";
BA_ "SignalRole" SG_ 1036 Counter "counter";
"""
MAP = f"""
[signals."{WINDOW}"]
from = "BodyState.Window"
group = "events"

[signals."{CHILD_LOCK}"]
from = "BodyState.ChildLock"
values = {{ 0 = false, 1 = true }}
group = "events"

[signals."{FLAP}"]
from = "BodyState.Flap"
values = {{ 0 = false, 1 = true }}
group = "events"

[actuators."{WINDOW}"]
frame = "BodyCommand.Window"

[actuators."{FLAP}"]
frame = "BodyCommand.Flap"
values = {{ 0 = false, 1 = true }}
"""
LIMITS = f"""
[limits."{WINDOW}"]
rate_limit_s = 1
excludes = ["{FLAP}"]

[limits."{FLAP}"]
"""
HOW = ("stands", "drives")
STEP_NS = 100 * NS_PER_MS


def make_profile(folder: Path) -> Profile:
    """The car's profile: that of our own, and more."""
    shutil.copytree(PROFILE.folder, folder)
    dbc, head = (folder / "car.dbc").read_text(encoding="cp1252"), 'CM_ "The car of our own'
    assert head in dbc
    text = dbc.replace(head, MESSAGES + head).rstrip("\n") + "\n" + ROLES
    (folder / "car.dbc").write_text(text, encoding="cp1252")
    (folder / "map.toml").write_text((folder / "map.toml").read_text() + MAP)
    limits, table = (folder / "limits.toml").read_text(), f'[limits."{TEMPERATURE}"]\n'
    assert table in limits
    only = f'{table}only_while = {{ "{CLIMATE}" = true }}\n'
    (folder / "limits.toml").write_text(limits.replace(table, only) + LIMITS)
    return load_profile(folder)


class HostileCar:
    """The source of a desk; its time is a test's clock."""

    def __init__(self, profile: Profile, oracle: Oracle, clock: FakeClock, rng: Random) -> None:
        self._oracle, self._clock, self._rng = oracle, clock, rng
        self._cars = [
            VirtualCar(PROFILE, seed=1, start_ns=NOW, plan=plan, live_from_ns=NOW)
            for plan in (PlanKind.PARKED, PlanKind.DRIVE)
        ]
        self._which = 0
        self._road = Road(profile, sampling=Sampling.PROFILE, origin_ns=0, on_read=self._read)
        self._series: list[Series] = []
        self._has_child_lock = self._is_flap_open = False
        self._window = 0
        self._silent_until_ns = self._asleep_until_ns = 0
        self._now_ns = NOW
        self.seconds: Counter[str] = Counter()

    @property
    def is_asleep(self) -> bool:
        return self._now_ns < self._asleep_until_ns

    @property
    def t_s(self) -> float:
        return (self._clock.now_ns() - NOW) / NS_PER_S

    async def next(self) -> FrameTable:
        return FrameTable.empty()

    async def send(self, frames: FrameTable) -> None:
        self._oracle.is_asleep = self.is_asleep
        for row in range(len(frames)):
            can_id, data = int(frames.can_id[row]), bytes(frames.data[row, : frames.length[row]])
            self._oracle.is_asked(self.t_s, can_id, data)
            if can_id == 0x40C and data[2] <= 100 and self._rng.random() < 0.5:
                self._window = data[2]
        self._cars[self._which].receive(frames)
        self._asleep_until_ns = 0  # whoever is asked for something wakes

    def live(self) -> list[Series]:
        """Live until the clock's time; what the agent reads of it."""
        self._series, tables = [], []
        while self._now_ns < self._clock.now_ns():
            self._now_ns += STEP_NS
            tables += self._step()
        for _ in self._road.feed(FrameTable.concat(tables)):
            pass
        return self._series

    def _step(self) -> list[FrameTable]:
        """The frames of 100 ms; none while the bus is silent."""
        rng = self._rng
        if rng.random() < 0.02:
            self._which = rng.randrange(len(self._cars))
        if rng.random() < 0.05:
            self._has_child_lock = not self._has_child_lock
        if rng.random() < 0.003:
            self._silent_until_ns = self._now_ns + rng.randrange(8 * NS_PER_S)
        if rng.random() < 0.01:
            self._asleep_until_ns = self._now_ns + rng.randrange(30 * NS_PER_S)
        tables = [car.advance(self._now_ns) for car in self._cars]
        is_silent = self._now_ns < self._silent_until_ns
        how = "asleep" if self.is_asleep else "silent" if is_silent else HOW[self._which]
        self.seconds[how] += STEP_NS / NS_PER_S
        if is_silent or self.is_asleep:
            return []
        frames = tables[self._which]
        frames = FrameTable.concat([frames, self._body()])
        for row in range(len(frames)):
            data = bytes(frames.data[row, : frames.length[row]])
            self._oracle.says(self.t_s, int(frames.can_id[row]), data)
        return [frames]

    def _body(self) -> FrameTable:
        states = self._has_child_lock | self._is_flap_open << 2
        data = bytes([self._window, states, 0])
        return FrameTable.of(ts=[self._now_ns], can_id=[BODY_STATE], data=[data])

    def _read(self, series: object) -> None:
        self._series.extend(series)  # type: ignore[call-overload]
