"""A live car of the tests: what it says cannot be read again, and its streams are random.

    python device.py OUTBOX LINK LIFE COUNT PAUSE_S

Each lane makes COUNT messages, whose content follows from life, lane and number. After a kill it
goes on behind what the outbox holds, as a live car does: what was not appended was never said.
"""

import asyncio
import sys
from pathlib import Path

import numpy as np

from contactor.car.agent.outbox import Lane, Outbox
from contactor.car.agent.uplink import Uplink
from contactor.clock import SystemClock
from contactor.link.nats import NatsTransport
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows

VEHICLE = "live"
DISTANCE = "Vehicle.TraveledDistance"
LANES = tuple(Lane)
ROWS = 5
FIRST_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000
PER_LANE = 1_000_000


def values_of(life: int, lane: int, number: int) -> list[tuple[int, int]]:
    """What one message says: instant and value of each row."""
    first = (life * len(LANES) + lane) * PER_LANE + number * ROWS
    return [(FIRST_NS + place * STEP_NS, place) for place in range(first, first + ROWS)]


async def live(outbox: Outbox, link: str, *, life: int, count: int, pause_s: float) -> None:
    """Say what is left to be said, and carry it without end."""
    transport = NatsTransport(link, name="live")
    uplink = Uplink(outbox=outbox, transport=transport, clock=SystemClock())
    streams = [outbox.open_stream(VEHICLE, lane, profile="live") for lane in LANES]
    for stream in outbox.streams():
        uplink.carry(stream)
    carrying = asyncio.create_task(uplink.run())
    for number in range(1, count + 1):
        for lane, stream in enumerate(streams):
            if number <= outbox.position(stream).last:
                continue
            ts, said = map(list, zip(*values_of(life, lane, number), strict=True))
            rows = Rows(Group.DRIVE, np.array(ts, np.int64), (Column.of(DISTANCE, said),))
            await uplink.append(stream, [(rows,)])
            await asyncio.sleep(pause_s)
    await carrying


if __name__ == "__main__":
    path, link, life, count, pause_s = sys.argv[1:]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    work = live(Outbox(Path(path)), link, life=int(life), count=int(count), pause_s=float(pause_s))
    asyncio.run(work)
