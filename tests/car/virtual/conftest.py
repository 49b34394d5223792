"""Virtual cars of our own profile, and what is read in their frames."""

from collections.abc import Callable, Iterator

import pytest
import udsoncan
from udsoncan.client import Client

from contactor.can.decode import SignalColumn, decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.car.profiles.actuate import encode_actuator
from contactor.car.profiles.profile import Profile, load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.car.virtual.diagnostics.security import default_key
from contactor.clock import NS_PER_S, from_iso
from contactor.physics.plan import PlanKind
from contactor.signals.record import Scalar
from tests.car.virtual.wire import Hex, Wire

NOON_NS = from_iso("2026-03-03T11:00:00Z") + 123_456_789


@pytest.fixture(scope="session")
def profile() -> Profile:
    return load_profile("contactor_ev")


@pytest.fixture
def make_car(profile: Profile) -> Callable[..., VirtualCar]:
    """A car that is watched from its start on; `**more` as `VirtualCar` takes it."""

    def make(plan: PlanKind = PlanKind.DRIVE, **more: object) -> VirtualCar:
        settings = {"seed": 1, "start_ns": NOON_NS, "plan": plan, "live_from_ns": NOON_NS}
        return VirtualCar(profile, **{**settings, **more})

    return make


@pytest.fixture
def columns_of(profile: Profile) -> Callable[[FrameTable], dict[str, SignalColumn]]:
    """Everything decoded, by "Message.Signal"."""
    plan = compile_plan(profile.database, unavailable=profile.map.unavailable)
    return lambda frames: {one.name: one for one in decode_columns(frames, plan)}


@pytest.fixture
def ask(profile: Profile) -> Callable[..., FrameTable]:
    """The frame that asks for a value of an actuator."""

    def frames(path: str, value: Scalar, *, counter: int = 0) -> FrameTable:
        entry = next(one for one in profile.map.actuators if one.path == path)
        return encode_actuator(profile.database, entry, value, counter=counter)

    return frames


@pytest.fixture
def tester() -> Iterator[Callable[..., Client]]:
    """A tester of one control unit; closed at the end."""
    clients: list[Client] = []

    def open_client(car: VirtualCar, can_id: int = 0x7E0, **transport: int) -> Client:
        config = {
            **udsoncan.configs.default_client_config,
            "data_identifiers": {"default": Hex},
            "security_algo": lambda level, seed, params: default_key(seed),
        }
        client = Client(Wire(car, can_id=can_id, **transport), config=config)
        clients.append(client)
        client.open()
        return client

    yield open_client
    for client in clients:
        client.close()


def drive(car: VirtualCar, seconds: float, *, step_s: float = 1.0) -> FrameTable:
    """The frames of the next seconds."""
    end_ns = car.now_ns + round(seconds * NS_PER_S)
    tables = []
    while car.now_ns < end_ns:
        tables.append(car.advance(min(car.now_ns + round(step_s * NS_PER_S), end_ns)))
    return FrameTable.concat(tables)
