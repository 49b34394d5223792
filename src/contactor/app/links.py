"""The ways of an agent's cars to the cloud: one for all by the link's user, or one each by its key.

identities = None if names_user(link) else identities_of(folder, vehicles)
links = CarLinks.open(link, identities, outbox=outbox, clock=clock)
links.of("leaf").uplink.carry(stream)
for work in links.work(): ...                       # until cancelled
await links.close()
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contactor.app.folder import DataFolder
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.uplink import Uplink
from contactor.clock import Clock
from contactor.errors import IdentityError
from contactor.link.nats import NatsTransport
from contactor.link.nats.address import read_addresses

if TYPE_CHECKING:  # only a car that is known by its key needs the library of ciphers
    from contactor.car.agent.keyring import CommandVerifier
    from contactor.link.identities.unit import Identity

_log = logging.getLogger(__name__)

Work = Coroutine[object, object, None]
Identities = Mapping[str, "Identity"]


@dataclass(frozen=True, slots=True)
class CarLink:
    """A connection, and what sends over it."""

    transport: NatsTransport
    uplink: Uplink
    verifier: "CommandVerifier | None" = None
    """Whose signed commands are done; None where the link's user is trusted."""


class CarLinks:
    """Owns the connections of an agent."""

    def __init__(
        self,
        links: Mapping[str, CarLink],
        *,
        shared: CarLink | None,
        identities: Identities,
        clock: Clock,
    ) -> None:
        self._links = links
        self._shared = shared
        self._identities = identities
        self._clock = clock

    @classmethod
    def open(
        cls, link: str, identities: Identities | None, *, outbox: Outbox, clock: Clock
    ) -> "CarLinks":
        """Inside a running event loop, which keeps them connected.

        Args:
            identities: by vehicle; None where the link names who comes.
        """

        def made(identity: "Identity | None") -> CarLink:
            transport = NatsTransport(link, name="agent", proof=identity)
            uplink = Uplink(outbox=outbox, transport=transport, clock=clock)
            return CarLink(transport, uplink, None if identity is None else _verifier(identity))

        if identities is None:
            return cls({}, shared=made(None), identities={}, clock=clock)
        links = {vehicle_id: made(identity) for vehicle_id, identity in identities.items()}
        return cls(links, shared=None, identities=identities, clock=clock)

    def of(self, vehicle_id: str) -> CarLink:
        """The way of a vehicle that has one."""
        return self._shared or self._links[vehicle_id]

    def has(self, vehicle_id: str) -> bool:
        """Whether a vehicle has a way."""
        return self._shared is not None or vehicle_id in self._links

    def uplink_of(self, vehicle_id: str) -> Uplink:
        """What sends for a vehicle."""
        return self.of(vehicle_id).uplink

    def wake(self) -> None:
        """There may be something new to send, of any vehicle."""
        for link in self._all():
            link.uplink.wake()

    def work(self) -> list[Work]:
        """What is to be done until cancelled: sending, and having certificates renewed."""
        work: list[Work] = [link.uplink.run() for link in self._all()]
        if self._identities:
            from contactor.car.agent.enrolment import Renewal

            for vehicle_id, identity in self._identities.items():
                transport = self._links[vehicle_id].transport
                work.append(Renewal(identity, transport=transport, clock=self._clock).run())
        return work

    async def close(self) -> None:
        """Tell the cloud that this is a clean end, then end the connections."""
        await asyncio.gather(*(_close(link) for link in self._all()))

    def _all(self) -> Iterator[CarLink]:
        if self._shared is not None:
            yield self._shared
        yield from self._links.values()


def _verifier(identity: "Identity") -> "CommandVerifier":
    from contactor.link.identities.grants import CommandChecker

    return CommandChecker(identity.authority_pem())


async def _close(link: CarLink) -> None:
    await link.uplink.close()
    await link.transport.close()


def names_user(link: str) -> bool:
    """Whether a link says who comes; else each car shows who it is.

    Raises:
        UsageError: it cannot be read.
    """
    return any(one.user or one.token for one in read_addresses(link))


def identities_of(
    folder: DataFolder, vehicles: Sequence[str], *, link: str, is_strict: bool
) -> Identities:
    """All that the unit of a folder is enrolled as.

    Args:
        is_strict: whether each of `vehicles` must be among them.

    Raises:
        MissingPart: the library of ciphers is not installed.
        IdentityError: one that must be is not, or cannot be read.
    """
    from contactor.link.identities.unit import Unit

    unit = Unit(folder.car_identities)
    known = unit.vehicles()
    missing = [vehicle_id for vehicle_id in vehicles if vehicle_id not in known]
    if missing and is_strict:
        raise IdentityError(
            f"vehicle {missing[0]} is not enrolled here, and --link names no user:"
            f" contactor car enrol CODE --link {link} --data {folder.root}"
            f" (the CODE is what contactor car code {missing[0]} says at the cloud)"
        )
    found: dict[str, Identity] = {}
    for vehicle_id in known:
        try:
            identity = unit.identity(vehicle_id)
        except IdentityError as error:
            if is_strict and vehicle_id in vehicles:
                raise
            _log.warning("car does not come in reason=%s", error)
            continue
        if identity is not None:
            found[vehicle_id] = identity
    return found
