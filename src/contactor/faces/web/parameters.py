"""Parameters and bodies that many routes take, and what they mean.

async def trips(vehicle_id: FromPath[str], start: Instant = None, end: Instant = None): ...
    since_ns, until_ns = span_of(start, end)

async def log_in(request: SignedIn, data: JSONBody[Login]): ...
    asked = decoded(await request.body(), Login)
"""

from typing import Annotated, TypeVar

import msgspec
from litestar.params import QueryParameter

from contactor.clock import from_iso
from contactor.errors import UsageError

_Asked = TypeVar("_Asked")
Text = Annotated[str, msgspec.Meta(max_length=512)]
"""A word or a sentence in a body."""
Instant = Annotated[str | None, QueryParameter(description="ISO 8601")]
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]


def span_of(start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """[start, end) in ns UTC; None is without a bound.

    Raises:
        UsageError: one is no instant.
    """
    return _instant("start", start), _instant("end", end)


def decoded(body: bytes, form: type[_Asked]) -> _Asked:
    """A body in its own form: what the framework reads leniently is read strictly.

    Raises:
        UsageError: it is of another form.
    """
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(f"body: {error}") from error


def _instant(name: str, text: str | None) -> int | None:
    try:
        return None if text is None else from_iso(text)
    except ValueError:
        raise UsageError(f"{name}={text!r} is no ISO 8601 instant") from None
