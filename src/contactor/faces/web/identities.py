"""The routes of vehicles' identities: who is enrolled, codes, a factory's batch, revocation.

POST /api/v1/enrolment/codes {"vehicles": ["leaf"], "days": 7}
DELETE /api/v1/identities/leaf
"""

from collections.abc import Sequence

from litestar import delete, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody

from contactor.clock import Clock
from contactor.cloud.identities.desk import IdentityDesk
from contactor.cloud.identities.told import (
    Certificates,
    CertificatesAsked,
    Codes,
    CodesAsked,
    IdentityNow,
    IdentityPage,
    certificates_of,
    code_now,
    identity_now,
    identity_page,
)
from contactor.errors import IdentityError
from contactor.faces.web.needs import of_all
from contactor.faces.web.parameters import Limit
from contactor.faces.web.problems import described
from contactor.signals.rights import Right

MAX_BYTES = 8_000_000
NO_GATE = (
    "this instance is at a broker that is not its own (serve --link), which says itself who comes"
    " in; vehicles are not enrolled here"
)

_GOVERN = of_all(Right.GOVERN)


def identity_routes(desk: IdentityDesk | None, clock: Clock) -> Sequence[BaseRouteHandler]:
    """The handlers over the identities of an instance.

    Args:
        desk: None where the broker is somebody else's.
    """

    def at_desk() -> IdentityDesk:
        if desk is None:
            raise IdentityError(NO_GATE)
        return desk

    @get(
        "/identities",
        summary="Who is enrolled, or has a code",
        responses=described(400, 409),
        needs=_GOVERN,
    )
    async def identities(limit: Limit = 100, cursor: FromQuery[str | None] = None) -> IdentityPage:
        office = at_desk().office
        return identity_page(office.register, clock.now_ns(), limit=limit, cursor=cursor)

    @get(
        "/identities/{vehicle_id:str}",
        summary="Where the identity of a vehicle stands",
        responses=described(400, 404, 409),
        needs=_GOVERN,
    )
    async def identity(vehicle_id: FromPath[str]) -> IdentityNow:
        return identity_now(at_desk().office.find(vehicle_id))

    @post(
        "/enrolment/codes",
        summary="Give each of these vehicles a code to enrol with, said once",
        request_max_body_size=MAX_BYTES,
        responses=described(400, 409, 413),
        needs=_GOVERN,
    )
    async def codes(data: JSONBody[CodesAsked]) -> Codes:
        given = at_desk().office.give_codes(data.vehicles, days=data.days)
        return Codes([code_now(one) for one in given])

    @post(
        "/enrolment/certificates",
        summary="Certify keys of vehicles that a factory makes",
        request_max_body_size=MAX_BYTES,
        responses=described(400, 409, 413),
        needs=_GOVERN,
    )
    async def certificates(data: JSONBody[CertificatesAsked]) -> Certificates:
        return certificates_of(at_desk().office, data)

    @delete(
        "/identities/{vehicle_id:str}",
        summary="Revoke a vehicle: it is put out now, and stays out",
        status_code=200,
        responses=described(400, 404, 409),
        needs=_GOVERN,
    )
    async def revoke(vehicle_id: FromPath[str]) -> IdentityNow:
        await at_desk().revoke(vehicle_id)
        return identity_now(at_desk().office.find(vehicle_id))

    return [identities, identity, codes, certificates, revoke]
