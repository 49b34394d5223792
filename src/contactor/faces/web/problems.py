"""Errors of the API: problem documents (RFC 9457)."""

import http
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias, cast

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import ResponseSpec

from contactor.errors import (
    AccessRefused,
    CommandRefused,
    ContactorError,
    IdentityError,
    TooManyTries,
    UnknownAlert,
    UnknownCampaign,
    UnknownCommand,
    UnknownConsent,
    UnknownIdentity,
    UnknownPerson,
    UnknownPlace,
    UnknownTrip,
    UnknownVehicle,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"
REASON: Final = "contactor.reason"
"""Where in an ASGI scope stands why a command was refused."""

_UNKNOWN = (
    UnknownAlert,
    UnknownCampaign,
    UnknownCommand,
    UnknownConsent,
    UnknownIdentity,
    UnknownPerson,
    UnknownPlace,
    UnknownTrip,
    UnknownVehicle,
)

_STATUS: Mapping[type[ContactorError] | tuple[type[ContactorError], ...], int] = MappingProxyType(
    {_UNKNOWN: 404, TooManyTries: 429, AccessRefused: 401}
)

_log = logging.getLogger(__name__)


class Problem(msgspec.Struct, frozen=True):
    """A problem document: what kind of error, its status, and a sentence about this one."""

    type: str
    title: str
    status: int
    detail: str


class Refusal(Problem, frozen=True):
    """A problem document that also says, in a form for programs, why a command was refused."""

    reason: str


AnyRequest: TypeAlias = Request[object, object, State]


def answer(status: int, detail: str) -> Response[Problem]:
    """A problem document as a response."""
    problem = Problem("about:blank", http.HTTPStatus(status).phrase, status, detail)
    return Response(problem, status_code=status, media_type=MEDIA_TYPE)


def described(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem documents that a route may answer, for the API's own description.

    Any route may answer 401 and 403: who asks is nobody we know, or may not.
    """
    return {
        status: ResponseSpec(
            Refusal if status == http.HTTPStatus.CONFLICT else Problem,
            generate_examples=False,
            description=http.HTTPStatus(status).phrase,
            media_type=MEDIA_TYPE,
        )
        for status in sorted({401, 403, *statuses})
    }


def of_http_error(request: AnyRequest, error: HTTPException) -> Response[Problem]:
    """What the framework refused: an unknown path, a parameter of the wrong form."""
    if error.status_code == http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return of_unexpected(request, error)
    extra = error.extra if isinstance(error.extra, list) else []
    details = [f"{item.get('key')}: {item.get('message')}" for item in extra]
    refused = answer(error.status_code, "; ".join(details) or error.detail)
    refused.headers.update(error.headers or {})
    return refused


def of_our_error(request: AnyRequest, error: ContactorError) -> Response[Problem]:
    """What we refused, in our own words; nobody who is not in is told what failed inside."""
    if isinstance(error, CommandRefused | IdentityError):
        cast("dict[str, str]", request.scope)[REASON] = str(error)
        return _refusal(str(error))
    if isinstance(error, UsageError):
        return answer(400, str(error))
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    if status == http.HTTPStatus.INTERNAL_SERVER_ERROR and request.scope.get("user") is None:
        return of_unexpected(request, error)
    return answer(status, str(error))


def _refusal(reason: str) -> Response[Problem]:
    status = http.HTTPStatus.CONFLICT
    problem = Refusal("about:blank", status.phrase, status, f"refused: {reason}", reason)
    return Response(problem, status_code=status, media_type=MEDIA_TYPE)


def of_unexpected(request: AnyRequest, error: Exception) -> Response[Problem]:
    """What should not have happened: the log says what, the answer only that."""
    _log.error("request failed path=%s", request.url.path, exc_info=error)
    return answer(500, "the server failed; its log says why")
