"""Errors of the API: problem documents (RFC 9457)."""

import http

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from contactor.errors import ContactorError, LakeError, UsageError

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """A problem document: what kind of error, its status, and a sentence about this one."""

    type: str
    title: str
    status: int
    detail: str


type_of_request = Request[object, object, State]


def answer(status: int, detail: str) -> Response[Problem]:
    """A problem document as a response."""
    problem = Problem("about:blank", http.HTTPStatus(status).phrase, status, detail)
    return Response(problem, status_code=status, media_type=MEDIA_TYPE)


def of_http_error(_: type_of_request, error: HTTPException) -> Response[Problem]:
    """What the framework refused: an unknown path, a parameter of the wrong form."""
    extra = error.extra if isinstance(error.extra, list) else []
    details = [f"{item.get('key')}: {item.get('message')}" for item in extra]
    return answer(error.status_code, "; ".join(details) or error.detail)


def of_our_error(_: type_of_request, error: ContactorError) -> Response[Problem]:
    """What we refused, in our own words."""
    if isinstance(error, UsageError):
        return answer(400, str(error))
    return answer(404 if isinstance(error, LakeError) else 500, str(error))
