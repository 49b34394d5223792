"""Serves the built web app beside the API: one page at `/`, its parts at `/assets`.

The parts carry a hash in their names and never change; the page itself is asked for anew each time.
What the browser may do stands in the policy: load from this origin and from nowhere else.

    Litestar([..., *web_app_routes()])
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from litestar import HttpMethod, Response, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from contactor.faces.web.needs import ANYBODY
from contactor.faces.web.problems import AnyRequest

STATIC = Path(__file__).parent / "static"
PAGE = "index.html"
NOT_BUILT = """The web app is not part of this installation; the API at /api/v1 works without it.
In a clone, `make web` builds it.
"""

# A browser refuses a script of the wrong type, so the types are ours, not the system's.
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".css": "text/css",
        ".html": "text/html",
        ".js": "text/javascript",
        ".md": "text/plain",
        ".svg": "image/svg+xml",
        ".woff2": "font/woff2",
    }
)
_FOR_A_YEAR = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": _POLICY,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
)


def web_app_routes(static: Path = STATIC) -> list[HTTPRouteHandler]:
    """The routes of the web app.

    Args:
        static: the folder that the build wrote; where it is missing, the page says so with 503.
    """

    @route(
        ["/", "/{path:path}"],
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        include_in_schema=False,
        needs=ANYBODY,
        sync_to_thread=False,
    )
    def page(request: AnyRequest) -> Response[bytes]:
        return _answer(static, request.scope["path"].strip("/"))

    return [page]


def _answer(static: Path, name: str) -> Response[bytes]:
    """A file of the app; the page for a path without suffix; else 404."""
    if name.startswith("api/") or name == "api":
        raise NotFoundException(f"no such path: /{name}")
    try:
        file = (static / name).resolve()
        is_ours = file.is_relative_to(static.resolve()) and file.suffix in _TYPES
        is_there = bool(name) and is_ours and file.is_file()
    except (OSError, ValueError) as error:  # too long a name, or one with a NUL
        raise NotFoundException(f"no such path: /{name[:120]}") from error
    if is_there:
        is_hashed = name.startswith("assets/")
        return _file(file, _FOR_A_YEAR if is_hashed else _ASK_AGAIN)
    if name.startswith("assets/") or "." in name:
        raise NotFoundException(f"no such path: /{name}")
    if not (static / PAGE).is_file():
        return _response(NOT_BUILT.encode(), "text/plain", _ASK_AGAIN, status=503)
    return _file(static / PAGE, _ASK_AGAIN)


def _file(file: Path, caching: str) -> Response[bytes]:
    return _response(file.read_bytes(), _TYPES[file.suffix], caching)


def _response(body: bytes, media_type: str, caching: str, status: int = 200) -> Response[bytes]:
    headers = {**_HEADERS, "cache-control": caching}
    return Response(body, media_type=media_type, headers=headers, status_code=status)
