"""The routes of the second factor: codes of an authenticator app behind the password.

POST /api/v1/second-factor                      a secret, and the URI that an app reads
POST /api/v1/second-factor/confirm {"code": "287082"}       on from now: recovery codes
POST /api/v1/second-factor/end {"code": ...}    or {"password": ...}
POST /api/v1/session/code {"step": ..., "code": ...}        a cookie, after the password

routes = second_factor_routes(access)
"""

from collections.abc import Sequence

import msgspec
from litestar import Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody

from contactor.cloud.access.ceremonies import ISSUER
from contactor.cloud.access.people import People
from contactor.errors import UsageError
from contactor.faces.web.login import (
    MAX_BODY_BYTES,
    Access,
    SessionOpened,
    SignedIn,
    address_of,
    come_in,
    fresh_name,
    name_of,
    way_of,
)
from contactor.faces.web.needs import ANYBODY, SOMEBODY, note
from contactor.faces.web.parameters import Text, decoded
from contactor.faces.web.problems import described


class SecondFactorNow(msgspec.Struct, frozen=True):
    """Whether a code is asked for at log in, and how many recovery codes are left."""

    is_on: bool
    recovery_codes: int


class SecondFactorBegun(msgspec.Struct, frozen=True):
    """What an authenticator app takes in: the secret, or the URI from a QR code; shown once."""

    secret: str
    uri: str


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the app shows now."""

    code: Text


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Each is good once in the place of a code; they are not told again."""

    recovery_codes: list[str]


class EndSecondFactor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two."""

    password: Text | None = None
    code: Text | None = None


class SecondStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /session` answered, and a code of the app or a recovery code."""

    step: Text
    code: Text


def second_factor_routes(access: Access) -> Sequence[BaseRouteHandler]:
    """The handlers over the second factors of an instance's people."""

    @get("/second-factor", summary="One's second factor", responses=described(404), needs=SOMEBODY)
    async def state(request: SignedIn) -> SecondFactorNow:
        name = name_of(request)
        found = await access.ask(lambda people: people.logins.second_factors.state(name))
        return SecondFactorNow(found.is_on, found.recovery_codes)

    @post(
        "/second-factor",
        summary="Begin with a second factor; it is on once a code was confirmed",
        responses=described(400, 404),
        needs=SOMEBODY,
    )
    async def begin(request: SignedIn) -> SecondFactorBegun:
        name = await fresh_name(access, request)
        begun = await access.change(
            lambda people: people.logins.second_factors.begin(name, issuer=ISSUER)
        )
        return SecondFactorBegun(begun.secret, begun.uri)

    @post(
        "/second-factor/confirm",
        summary="Turn the second factor on, by a first code",
        status_code=200,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413, 429),
        needs=SOMEBODY,
    )
    async def confirm(request: SignedIn, data: JSONBody[Code]) -> RecoveryCodes:
        asked, name = decoded(await request.body(), Code), name_of(request)
        return RecoveryCodes(
            await access.change(
                lambda people: people.logins.second_factors.confirm(name, asked.code)
            )
        )

    @post(
        "/second-factor/end",
        summary="Turn the second factor off, by the password or a code",
        status_code=204,
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 404, 413, 429),
        needs=SOMEBODY,
    )
    async def end(request: SignedIn, data: JSONBody[EndSecondFactor]) -> None:
        asked = decoded(await request.body(), EndSecondFactor)
        name = await fresh_name(access, request)
        if (asked.password is None) == (asked.code is None):
            raise UsageError("the password, or a code: one of the two")
        person_id, address = request.user.person.id, address_of(request)

        def change(people: People) -> None:
            if asked.password is not None:
                people.logins.check_password(name, asked.password, address=address)
            else:
                people.logins.second_factors.check(person_id, asked.code or "", address=address)
            people.logins.second_factors.end(name)

        await access.hash(change)

    @post(
        "/session/code",
        summary="Log in with a code, after the password",
        request_max_body_size=MAX_BODY_BYTES,
        responses=described(400, 413, 429),
        needs=ANYBODY,
    )
    async def log_in(request: SignedIn, data: JSONBody[SecondStep]) -> Response[SessionOpened]:
        asked, way = decoded(await request.body(), SecondStep), way_of(request)
        note(request, half_in=await access.ask(lambda people: people.logins.half_in(asked.step)))
        opened = await access.ask(
            lambda people: people.logins.log_in_by_code(
                asked.step, asked.code, address=way.address, device=way.device
            )
        )
        return await come_in(access, request, opened)

    return [state, begin, confirm, end, log_in]
