"""The URL of a database on a server: read, and shown without what it keeps secret.

    url = read_url("postgresql://contactor:secret@host/facts")
    shown(url)                          # postgresql://contactor@host/facts

What the URL leaves out the client library finds by its own rules: `PGPASSWORD`, `~/.pgpass`.
"""

from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from contactor.errors import UsageError

FORM: Final = "postgresql://user@host/name"
_KIND: Final = "postgresql"


def read_url(text: str) -> URL:
    """A URL of PostgreSQL; messages never repeat what was given, which may hold a password.

    Raises:
        UsageError: it cannot be read, or is of another kind of database.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(f"the database URL cannot be read; allowed: {FORM}") from None
    if url.drivername != _KIND:
        raise UsageError(f"unknown kind of database {url.drivername!r}; allowed: {FORM}")
    if not url.database:
        raise UsageError(f"the database URL names no database; allowed: {FORM}")
    return url


def shown(url: URL) -> str:
    """The URL as it may be printed: without password and options."""
    return bare(url).set(query={}).render_as_string(hide_password=False)


def bare(url: URL) -> URL:
    """The URL without its password, by which two can be compared."""
    named = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    return named.update_query_dict(
        {name: value for name, value in url.query.items() if "password" not in name}
    )
