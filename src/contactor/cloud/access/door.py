"""On whose behalf something is asked, by the secret that comes with it.

    door = Door(people, own_secret=secret, clock=clock)
    await door.principal("cto_tok_8Jc…")        # Principal, or None: nobody who may come in
    door.forget()                               # roles, sessions or tokens were changed

What the database said is believed for a second, so that a page of many requests asks it once; what
is changed through this instance is forgotten at once.
"""

import asyncio
import contextlib
import hmac
from collections import OrderedDict
from typing import Final, Protocol

from contactor.clock import NS_PER_S, Clock
from contactor.cloud.access.credentials import MAX_SECRET_CHARACTERS, fingerprint
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.people import People
from contactor.cloud.access.rights import Role
from contactor.cloud.access.rows import CAR_ID, LOCAL_ID, Held, Person
from contactor.signals.rights import EVERY_VEHICLE

BELIEVED_NS: Final = NS_PER_S
REMEMBERED: Final = 4_096
LOCAL: Final = Principal(
    Person(LOCAL_ID, "local", (Held(EVERY_VEHICLE, Role.OWNER),), has_password=False), "local"
)
"""The commands of this instance, or everybody where there is no login."""
CAR: Final = Principal(Person(CAR_ID, "car", (), has_password=False), "report")
"""A car, of which the log has what it refused."""


class Doorkeeper(Protocol):
    """Knows who may come in."""

    @property
    def has_login(self) -> bool:
        """Whether anybody is asked who he is."""
        ...

    async def principal(self, secret: str | None) -> Principal | None:
        """Who shows that secret; None for nobody who may come in."""
        ...

    def forget(self) -> None:
        """What was known of anybody may have changed."""
        ...

    async def changed(self, timeout_s: float) -> None:
        """Wait until something is forgotten, or that long."""
        ...


class OpenDoor:
    """Lets everybody in, with all rights."""

    has_login = False

    async def principal(self, secret: str | None) -> Principal | None:
        """The owner, whoever asks."""
        return LOCAL

    def forget(self) -> None:
        """Nothing is known."""

    async def changed(self, timeout_s: float) -> None:
        """Nothing changes."""
        await asyncio.sleep(timeout_s)


class Door:
    """Asks people's sessions and tokens; lives on one loop.

    Args:
        own_secret: what the commands of this instance show.
    """

    has_login = True

    def __init__(self, people: People, *, own_secret: str, clock: Clock) -> None:
        self._people = people
        self._own_secret = own_secret.encode()
        self._clock = clock
        self._known: OrderedDict[str, tuple[int, Principal]] = OrderedDict()
        self._forgotten = asyncio.Event()

    async def principal(self, secret: str | None) -> Principal | None:
        """Who shows that secret."""
        if secret is None or len(secret) > MAX_SECRET_CHARACTERS:
            return None
        if hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), self._own_secret):
            return LOCAL
        key, now_ns = fingerprint(secret), self._clock.monotonic_ns()
        known = self._known.get(key)
        if known is not None and now_ns < known[0]:
            return known[1]
        before = self._forgotten
        found = await asyncio.to_thread(self._people.by_secret, secret)
        self._known.pop(key, None)
        if found is not None and before is self._forgotten:  # else it may be of before a change
            self._known[key] = (now_ns + BELIEVED_NS, found)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        """Ask the database anew."""
        self._known.clear()
        self._forgotten.set()
        self._forgotten = asyncio.Event()

    async def changed(self, timeout_s: float) -> None:
        """Wait until something is forgotten, or that long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._forgotten.wait()
