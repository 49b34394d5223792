"""The rows of some areas, from one database into another, which may be of another kind.

    copy_rows(sqlite, postgresql, [JOURNAL, ALERTS])

Both are opened with these areas, so their tables are the same. All rows of one moment arrive in one
transaction, with the numbers that they had.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Table, func, select, text

from contactor.cloud.database.areas import Area
from contactor.cloud.database.database import Database

_AT_ONCE: Final = 1_000


def count_rows(database: Database, areas: Sequence[Area]) -> int:
    """How many rows the tables of the areas hold."""
    with database.reading() as connection:
        counts = [
            connection.scalar(select(func.count()).select_from(table))
            for table in tables_of(connection, areas)
        ]
    return sum(count or 0 for count in counts)


def is_same(one: Database, other: Database, areas: Sequence[Area]) -> bool:
    """Whether the tables of the areas hold the same rows in both."""
    return _rows(one, areas) == _rows(other, areas)


def _rows(database: Database, areas: Sequence[Area]) -> dict[str, set[tuple[object, ...]]]:
    with database.reading() as connection:
        return {
            table.name: {tuple(row) for row in connection.execute(select(*_by_name(table)))}
            for table in tables_of(connection, areas)
        }


def _by_name(table: Table) -> list[Column[Any]]:
    return [table.c[name] for name in sorted(table.c.keys())]


def copy_rows(source: Database, target: Database, areas: Sequence[Area]) -> int:
    """Add every row of the areas to the target.

    Returns:
        how many.

    Raises:
        FolderError: one of them cannot be read or written, or the target holds one of the rows
            already; nothing was added.
    """
    copied = 0
    with source.reading() as reader, target.writing() as writer:
        for table in tables_of(writer, areas):
            rows = reader.execution_options(yield_per=_AT_ONCE).execute(select(table))
            for some in rows.mappings().partitions(_AT_ONCE):
                writer.execute(text(_insert(writer, table)), [dict(row) for row in some])
                copied += len(some)
            _count_on(writer, table)
    return copied


def tables_of(connection: Connection, areas: Sequence[Area]) -> list[Table]:
    """The tables of the areas, each behind those that it refers to."""
    names = tuple(f"{area.name}_" for area in areas)
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name.startswith(names))
    return found.sorted_tables


def _insert(connection: Connection, table: Table) -> str:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    values = ", ".join(f":{column.name}" for column in table.columns)
    # A number that the database would give itself is written as it was.
    own = "overriding system value " if connection.dialect.name == "postgresql" else ""
    return f"insert into {quote(table.name)} ({columns}) {own}values ({values})"


def _count_on(connection: Connection, table: Table) -> None:
    """Let the numbers that PostgreSQL gives go on behind those that were copied."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.columns:
        greatest = connection.scalar(select(func.max(column))) if column.identity else None
        if greatest is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(select(func.setval(sequence, greatest)))
