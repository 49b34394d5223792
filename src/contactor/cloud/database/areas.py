"""Areas of a database: each a name, and the steps that made its tables, oldest first.

    JOURNAL = Area("journal", steps=(
        ("create table journal_tag (id text primary key, at_ns bigint not null)",),
        ("alter table journal_tag add column driver text",),
    ))

A step is never changed once it was released: what it made lies in somebody's file. What differs
between databases is a word in braces (`WORDS`): `number {serial}`, `body {bytes}`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, insert, select, update

from contactor.errors import FolderError

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "sqlite": MappingProxyType(
            {"serial": "integer primary key autoincrement", "bytes": "blob"}
        ),
        "postgresql": MappingProxyType(
            {"serial": "bigint generated always as identity primary key", "bytes": "bytea"}
        ),
    }
)
"""Kind of database → what a word of ours is there."""

_LOCK_KEY = 0x436F6E74  # any number that is ours: who writes holds it
_versions = Table(
    "contactor_area",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Area:
    """The tables of one part of Contactor.

    Fields:
        name: begins the names of its tables.
        steps: each a sequence of statements; the version is how many were done.
    """

    name: str
    steps: Sequence[Sequence[str]]


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction of ours writes this PostgreSQL; as SQLite does by itself."""
    connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK_KEY})")


def migrate(connection: Connection, areas: Sequence[Area]) -> None:
    """Bring the areas up to date, inside the transaction of `connection`, which writes.

    Raises:
        FolderError: a newer Contactor wrote one of them.
    """
    _versions.create(connection, checkfirst=True)
    for area in areas:
        _migrate(connection, area)


def _migrate(connection: Connection, area: Area) -> None:
    mine = _versions.c.name == area.name
    found = connection.scalar(select(_versions.c.version).where(mine))
    latest = len(area.steps)
    if found == latest:
        return
    if found is not None and found > latest:
        raise FolderError(
            f"format {found} of {area.name} is newer than this Contactor, which knows {latest}"
        )
    words = WORDS[connection.dialect.name]
    for step in area.steps[found or 0 :]:
        for statement in step:
            connection.exec_driver_sql(statement.format_map(words))
    if found is None:
        connection.execute(insert(_versions).values(name=area.name, version=latest))
    else:
        connection.execute(update(_versions).where(mine).values(version=latest))
