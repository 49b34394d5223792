"""What one virtual car takes of a core in real time: frames made, decoded, mapped and sampled.

    .venv/bin/python -P benchmarks/one_car.py [SECONDS]        # 60

No bus, broker or disk: the loop of a live car up to the rows that go into the outbox. Counted is
the process's own CPU time over the wall's, after the first two seconds, while the car drives.

Predicted: 3 % of a core. Measured on two cores: 7.6 % when it was first run, 2.9 to 3.4 % since a
few frames are decoded in one step, 2.5 to 2.6 % since three batches are read together and what is
due is found for all messages at once.
"""

import asyncio
import sys
import time

from contactor.car.adapters.virtual import VirtualSource
from contactor.car.agent.road import GATHER_NS, Road
from contactor.car.agent.sampling import Sampling
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import SystemClock
from contactor.physics.plan import PlanKind

WARM_S = 2.0


async def measure(seconds: float) -> tuple[float, int, int]:
    """CPU seconds, frames and rows of so many seconds."""
    clock, profile = SystemClock(), load_profile("contactor_ev")
    now_ns = clock.now_ns()
    car = VirtualCar(profile, start_ns=now_ns, plan=PlanKind.DRIVE, live_from_ns=now_ns)
    source = VirtualSource(car, clock=clock)
    road = Road(profile, sampling=Sampling.PROFILE, origin_ns=0, gather_ns=GATHER_NS)
    began_s, cpu_s, frames, rows = time.monotonic(), 0.0, 0, 0
    is_warm = False
    while time.monotonic() < began_s + WARM_S + seconds:
        if not is_warm and time.monotonic() >= began_s + WARM_S:
            is_warm, cpu_s, frames, rows = True, time.process_time(), 0, 0
        some = await source.next()
        frames += len(some)
        for made in road.feed(some) if len(some) else ():
            rows += sum(len(group) for group in made)
    return time.process_time() - cpu_s, frames, rows


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    cpu_s, frames, rows = asyncio.run(measure(seconds))
    print(
        f"{cpu_s:.2f} s of CPU in {seconds:g} s: {cpu_s / seconds:.2%} of a core, "
        f"{frames / seconds:.0f} frames/s, {rows / seconds:.1f} rows/s"
    )


if __name__ == "__main__":
    main()
