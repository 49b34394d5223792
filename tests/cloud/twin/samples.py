"""Records as cars may send them, and what a twin shows of them."""

from hypothesis import strategies as st

from contactor.clock import FakeClock
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.twin.twin import Twin
from contactor.signals.groups import Group
from contactor.signals.record import Record, Rows, Value
from tests.cloud.lake.samples import CELLS, CODES, GEAR, NA, SPEED, T0, VIN, S, rows

LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
VALUES: dict[str, st.SearchStrategy[Value]] = {
    SPEED: st.sampled_from([0.0, 12.5, 249.0]),
    GEAR: st.integers(-2, 6),
    LOCK: st.booleans(),
    VIN: st.sampled_from(["", "W0L", "VF1é"]),
    CELLS: st.sampled_from([(), (3.5,), (3.25, 4.0)]),
    CODES: st.sampled_from([("P0A80",), ()]),
}
PATHS = tuple(VALUES)


def made() -> tuple[Twin, Presence, FakeClock]:
    presence, clock = Presence(), FakeClock(T0)
    return Twin(presence=presence, clock=clock), presence, clock


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Records of two vehicles and all groups, in any order of time, no instant twice."""
    count = draw(st.integers(1, 12))
    stamps = draw(st.permutations(range(4 * count)))
    made = []
    for number in range(count):
        ts = sorted(stamps[4 * number : 4 * number + draw(st.integers(1, 4))])
        paths = draw(st.lists(st.sampled_from(PATHS), unique=True, min_size=1))
        columns = {
            path: [draw(st.one_of(st.none(), st.just(NA), VALUES[path])) for _ in ts]
            for path in paths
        }
        group = draw(st.sampled_from(list(Group)))
        told: Rows = rows(group, [T0 + n * S for n in ts], columns)
        vehicle_id = draw(st.sampled_from(["leaf", "elm"]))
        made.append(Record(vehicle_id, len(vehicle_id), number + 1, (told,)))
    return made


def shown(twin: Twin) -> dict[str, dict[str, tuple[object, str | None]]]:
    return {
        vehicle_id: {path: (now.value, now.ts) for path, now in signals.items()}
        for vehicle_id in twin.vehicles
        if (signals := twin.signals(vehicle_id))
    }


def record(
    sequence: int,
    columns: dict[str, list[object]],
    *,
    ts: int = T0,
    vehicle: str = "leaf",
    group: Group = Group.DRIVE,
) -> Record:
    return Record(vehicle, 1, sequence, (rows(group, [ts], columns),))  # type: ignore[arg-type]
