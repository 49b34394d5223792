"""The routes of consents: what third parties may read of whose vehicles, and what they have read.

    POST   /api/v1/consents {"receiver": "Grid Ltd", "purpose": "charge when power is cheap",
        "kind": "energy", "vehicles": ["leaf"], "signals": [PATH], "until": "2027-06-01T00:00:00Z"}
    GET    /api/v1/consents/{id}/accesses
    DELETE /api/v1/consents/{id}                    refused from now on

    routes = consent_routes(access, records)

Who governs a vehicle sees and withdraws the consents that name it, whoever gave them.
"""

import itertools
from collections.abc import Sequence
from typing import Annotated, Final

from litestar import delete, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from contactor.cloud.access.consents import Consent
from contactor.cloud.access.consents_told import (
    ConsentNow,
    ConsentPage,
    GivenConsent,
    GivenToken,
    NewConsent,
)
from contactor.cloud.access.door import LOCAL
from contactor.cloud.access.people import People
from contactor.cloud.access.records import AuditPage, Record, Records, read_by
from contactor.errors import UnknownConsent, UsageError
from contactor.faces.web.login import Access, SignedIn
from contactor.faces.web.needs import note, of_some, reach, seen_of
from contactor.faces.web.parameters import Limit, decoded
from contactor.faces.web.problems import described
from contactor.signals.rights import Right

MAX_BODY_BYTES: Final = 131_072
_GOVERN: Final = of_some(Right.GOVERN)


def consent_routes(access: Access, records: Records) -> Sequence[BaseRouteHandler]:
    """The handlers over the consents of an instance."""
    return [*_given_routes(access), *_one_routes(access, records)]


def _given_routes(access: Access) -> Sequence[BaseRouteHandler]:
    @get(
        "/consents",
        summary="What third parties may read, and what has ended, newest first",
        responses=described(),
        needs=_GOVERN,
    )
    async def consents(request: SignedIn) -> ConsentPage:
        seen = reach(request, Right.GOVERN, access.clock)
        found = await access.ask(lambda people: people.consents.all())
        return ConsentPage([_told(access, one, seen) for one in found if _is_seen(one, seen)])

    @post(
        "/consents",
        summary="Let a third party read some of some vehicles; its token is told this once",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413),
        needs=_GOVERN,
    )
    async def give(request: SignedIn, data: JSONBody[NewConsent]) -> GivenConsent:
        body = decoded(await request.body(), NewConsent)
        asked, seen = body.asked(), reach(request, Right.GOVERN, access.clock)
        _check_all(asked.vehicles, seen)
        is_local = request.user.by == LOCAL.by
        if body.given_by is not None and not is_local:
            raise UsageError("given_by: who asks gives it; only commands give it for somebody")
        by = body.given_by if is_local else request.user.person.name
        consent, opened = await access.change(lambda people: people.consents.give(asked, by=by))
        note(request, consent=consent.id)
        seen_of(request.scope).about = by
        return GivenConsent(_told(access, consent, seen), GivenToken.of(opened))

    return [consents, give]


def _one_routes(access: Access, records: Records) -> Sequence[BaseRouteHandler]:
    async def found(request: SignedIn, consent_id: str) -> Consent:
        """A consent about a vehicle that who asks governs; noted.

        Raises:
            UnknownConsent: there is none.
        """
        note(request, consent=consent_id[:40])
        consent = await access.ask(lambda people: people.consents.find(consent_id))
        if not _is_seen(consent, reach(request, Right.GOVERN, access.clock)):
            raise UnknownConsent(f"no consent {consent_id[:40]!r}")
        return consent

    @get(
        "/consents/{consent_id:str}",
        summary="A consent, and where it stands",
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def one(request: SignedIn, consent_id: FromPath[str]) -> ConsentNow:
        consent = await found(request, consent_id)
        return _told(access, consent, reach(request, Right.GOVERN, access.clock))

    @delete(
        "/consents/{consent_id:str}",
        summary="Withdraw a consent: its receiver is refused from now on",
        status_code=200,
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def withdraw(request: SignedIn, consent_id: FromPath[str]) -> ConsentNow:
        await found(request, consent_id)
        ended = await access.change(lambda people: people.consents.withdraw(consent_id))
        return _told(access, ended, reach(request, Right.GOVERN, access.clock))

    @post(
        "/consents/{consent_id:str}/tokens",
        summary="Make the receiver of a consent another token",
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def token(request: SignedIn, consent_id: FromPath[str]) -> GivenToken:
        consent = await found(request, consent_id)
        _check_all(consent.vehicles, reach(request, Right.GOVERN, access.clock))
        return GivenToken.of(
            await access.change(lambda people: people.consents.make_token(consent_id))
        )

    @get(
        "/consents/{consent_id:str}/accesses",
        summary="What its receiver has read and was refused, newest first",
        responses=described(400, 404),
        needs=_GOVERN,
    )
    async def accesses(
        request: SignedIn,
        consent_id: FromPath[str],
        limit: Limit = 100,
        cursor: Annotated[FromQuery[int | None], QueryParameter(ge=1, le=2**53)] = None,
    ) -> AuditPage:
        consent = await found(request, consent_id)
        seen = reach(request, Right.GOVERN, access.clock)

        def read(_: People) -> list[Record]:
            every = records.select(read_by(consent_id), before=cursor, since_ns=consent.made_ns)
            mine = (one for one in every if seen is None or one.vehicle_id in (None, *seen))
            return list(itertools.islice(mine, limit + 1))

        return AuditPage.of(await access.ask(read), limit)

    return [one, withdraw, token, accesses]


def _told(access: Access, consent: Consent, seen: frozenset[str] | None) -> ConsentNow:
    return ConsentNow.of(consent, access.clock.now_ns(), seen=seen)


def _is_seen(consent: Consent, seen: frozenset[str] | None) -> bool:
    return seen is None or not seen.isdisjoint(consent.vehicles)


def _check_all(vehicles: Sequence[str], seen: frozenset[str] | None) -> None:
    """See that who asks governs each of them.

    Raises:
        PermissionDeniedException: one is not theirs.
    """
    for vehicle_id in vehicles:
        if seen is not None and vehicle_id not in seen:
            raise PermissionDeniedException(f"needs {Right.GOVERN} of {vehicle_id[:80]}")
