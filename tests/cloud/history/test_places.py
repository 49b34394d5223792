"""Places that are kept as a car's rows come."""

import numpy as np

from contactor.clock import FakeClock
from contactor.cloud.database.database import Database
from contactor.cloud.database.sqlite import MEMORY
from contactor.cloud.history.area import HISTORY
from contactor.cloud.history.keeper import HistoryKeeper
from contactor.cloud.history.store import FactStore
from contactor.cloud.journal.area import JOURNAL
from contactor.cloud.journal.store import Journal
from contactor.cloud.lake.memory import MemoryStore
from tests.cloud.history.stored import store_rows
from tests.history.made import START_NS, live

MINUTE_NS = 60 * 10**9
NAMES = ("speed_kmh", "latitude_deg", "longitude_deg", "odometer_m", "voltage_v", "current_a")
ROWS = live(["park 60", "drive 30", "park 60"]).columns(every_s=5.0, names=NAMES)


def places_as_rows_come(minutes: tuple[int, ...], *, late_minutes: int = 0) -> list[int]:
    """How many places are known when the rows up to each of some minutes are there."""
    lake, journal = MemoryStore(), Journal(Database.open(MEMORY, [JOURNAL]))
    clock, known, before = FakeClock(START_NS), [], START_NS
    store = FactStore(Database.open(MEMORY, [HISTORY]))
    keeper = HistoryKeeper(store=store, reader=lake, clock=clock, journal=journal)
    for minute in minutes:
        end = START_NS + minute * MINUTE_NS
        store_rows(lake, ROWS, kept=np.asarray((ROWS.ts >= before) & (ROWS.ts < end)))  # type: ignore[arg-type]  # a mask
        clock.advance((end + late_minutes * MINUTE_NS - clock.now_ns()) / 10**9)
        keeper.refresh("leaf")
        known.append(len(journal.places()))
        before = end
    return known


def test_a_drive_under_way_makes_no_places() -> None:
    assert places_as_rows_come((50, 65, 70, 75, 80, 85, 104)) == [0, 0, 0, 0, 0, 0, 1]


def test_a_car_not_heard_for_long_has_been_left() -> None:
    assert places_as_rows_come((75,), late_minutes=31) == [1]
    assert places_as_rows_come((75,), late_minutes=29) == [0]
