"""Notes in the audit log who changed something, who was refused, and who looked at what.

    app = Audited(SameSite(api), records, clock)

A change is noted before its answer goes out: who was told that it is done finds it in the log. What
somebody looks at is noted once an hour; of a third party by each route and vehicle. An archive of
everything is noted each time.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from contactor.clock import Clock
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.records import Records
from contactor.cloud.access.throttle import Throttle
from contactor.faces.web.needs import Seen, seen_of
from contactor.faces.web.problems import REASON
from contactor.faces.web.same_site import SAFE_METHODS
from contactor.signals.rights import Right

REFUSED: Final = frozenset({401, 403, 429})
BAD_REQUEST, NOT_FOUND, CONFLICT = 400, 404, 409


class Audited:
    """An application whose changes and refusals are noted."""

    def __init__(self, app: ASGIApp, records: Records, clock: Clock) -> None:
        self._app, self._records, self._clock = app, records, clock
        self._refusals = Throttle(burst=20, per_hour=60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and note what became of it."""
        if scope["type"] not in (ScopeType.HTTP, ScopeType.WEBSOCKET):
            await self._app(scope, receive, send)
            return
        seen = seen_of(scope)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._note(scope, seen, message["status"])
            elif message["type"] == "websocket.accept":
                await self._note(scope, seen, 200)
            await send(message)

        await self._app(scope, receive, noting)

    async def _note(self, scope: Scope, seen: Seen, status: int) -> None:
        if seen.needs is None:
            return  # no route of ours
        is_change = scope["type"] == ScopeType.HTTP and scope["method"] not in SAFE_METHODS
        is_in_vain = status >= BAD_REQUEST and seen.principal is None
        if (status in REFUSED or is_in_vain) and not self._is_worth_a_line(scope, seen):
            return
        if is_change or status in REFUSED or seen.is_noted:
            await asyncio.to_thread(self._note_now, scope, seen, status)
        elif seen.principal is not None and seen.needs.rights and status < BAD_REQUEST:
            await self._note_look(seen.principal, seen.needs.rights[0], seen)

    async def _note_look(self, who: Principal, right: Right, seen: Seen) -> None:
        detail = {"right": right.value}
        vehicles: Sequence[str | None] = [seen.vehicle_id]
        if who.consent is not None:
            detail["route"] = seen.route
            if seen.vehicle_id is None:
                vehicles = sorted(who.consent.reach(right, self._clock.now_ns()))
        for vehicle_id in vehicles:
            if self._records.is_new(who, detail.get("route", right), vehicle_id):
                await asyncio.to_thread(
                    self._records.note,
                    who,
                    "read",
                    "allowed",
                    vehicle_id=vehicle_id,
                    detail=detail,
                )

    def _is_worth_a_line(self, scope: Scope, seen: Seen) -> bool:
        """Whether what changed nothing is: who knocks without end is not to fill the disk."""
        key = _address(scope) if seen.principal is None else seen.principal.by
        now_ns = self._clock.now_ns()
        if self._refusals.wait_ns(key, now_ns):
            return False
        self._refusals.count(key, now_ns)
        return True

    def _note_now(self, scope: Scope, seen: Seen, status: int) -> None:
        is_refused = status in REFUSED or status == CONFLICT
        reason = cast("dict[str, str]", scope).get(REASON)
        why = {} if reason is None else {"reason": reason}
        self._records.note(
            seen.principal,
            seen.route,
            "refused" if is_refused else "done" if status < BAD_REQUEST else "failed",
            vehicle_id=None if status == NOT_FOUND else seen.vehicle_id,
            about=seen.about,
            detail={"status": status, "address": _address(scope), **why, **seen.detail},
        )


def _address(scope: Scope) -> str:
    client = scope["client"]
    return client[0] if client else ""
