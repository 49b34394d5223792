"""A factory's file of cars, enrolled at a running instance; all come in by their keys; one goes.

PYTHONPATH=. .venv/bin/python benchmarks/enrol.py --cars 1000

file      `contactor car enrol-batch`: keys made, requests certified, folders written
come in   every car connects by its key, over a connection of its own
codes     as many units enrol by codes instead, of which 50 at a time
revoked   `contactor car revoke` of one: until its connection has ended, the command included
refused   the same car, that comes again
"""

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path

from contactor.car.agent.enrolment import enrol
from contactor.link.broker import read_bare_url
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.unit import Applicant, Identity, Unit
from contactor.link.nats import NatsTransport
from contactor.link.nats.address import read_address
from contactor.link.nats.connection import Connection
from tests.app.processes import contactor, running

AT_ONCE = 50
WAIT_S = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cars", type=int, default=1_000)
    cars = parser.parse_args().cars
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder / "data", command="serve"):
            _measure(folder, [f"car-{number:05d}" for number in range(cars)])


def _measure(folder: Path, vehicles: Sequence[str]) -> None:
    (folder / "cars.csv").write_text("\n".join(["vehicle_id", *vehicles]) + "\n")
    began_s = time.monotonic()
    _done("enrol-batch", folder / "cars.csv", "--output", folder / "units", folder=folder)
    _tell("file", began_s, len(vehicles))
    identities = [Unit(folder / "units").identity(one) for one in vehicles]
    link = read_bare_url(folder / "data" / "broker")
    asyncio.run(_come_in([one for one in identities if one is not None], link, folder))
    others = [f"other-{number:05d}" for number in range(len(vehicles))]
    told = json.loads(_done("code", *others, "--json", folder=folder))
    codes = [EnrolmentCode.read(one["code"]) for one in told["codes"]]
    began_s = time.monotonic()
    asyncio.run(_at_once([_enrol(one, folder / "others", link) for one in codes]))
    _tell("codes", began_s, len(codes))


async def _come_in(identities: Sequence[Identity], link: str, folder: Path) -> None:
    transports: list[NatsTransport] = []

    async def come(identity: Identity) -> None:
        transport = NatsTransport(link, name="car", proof=identity)
        transports.append(transport)
        await transport.wait_connected(WAIT_S)

    began_s = time.monotonic()
    await _at_once([come(identity) for identity in identities])
    _tell("come in", began_s, len(identities))
    gone, address = identities[0], read_address(link)
    connection = Connection()
    assert await connection.connect(address, "car", gone)
    began_s = time.monotonic()
    revoking = asyncio.create_task(
        asyncio.to_thread(_done, "revoke", gone.vehicle_id, folder=folder)
    )
    await connection.closed.wait()
    print(f"revoked   {time.monotonic() - began_s:6.2f} s")
    await revoking
    assert not await Connection().connect(address, "car", gone)
    print("refused   yes")
    assert sum(one.is_connected for one in transports) == len(identities) - 1
    await connection.end()
    await asyncio.gather(*(one.close() for one in transports))


async def _enrol(code: EnrolmentCode, folder: Path, link: str) -> None:
    """As `contactor car enrol` does."""
    unit = Unit(folder)
    applicant = Applicant(code, unit.begin(code.ticket))
    transport = NatsTransport(link, name="applicant", proof=applicant)
    await transport.wait_connected(WAIT_S)
    await enrol(code, unit=unit, transport=transport, timeout_s=WAIT_S)
    await transport.close()


async def _at_once(work: Sequence[Awaitable[None]]) -> None:
    """All of it, so many at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[None]) -> None:
        async with room:
            await each

    await asyncio.gather(*map(one, work))


def _done(*words: str | Path, folder: Path) -> str:
    ended = contactor("car", *words, "--data", folder / "data", timeout_s=600)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _tell(what: str, began_s: float, count: int) -> None:
    took_s = time.monotonic() - began_s
    print(f"{what:<9} {took_s:6.2f} s  {count / took_s:6.0f} a second", flush=True)


if __name__ == "__main__":
    main()
