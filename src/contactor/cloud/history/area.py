"""The tables of kept facts, in `history.sqlite3`."""

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text

from contactor.cloud.database.areas import Area

FINDING: Final = 1
"""Number of the way in which facts are found; those of another way are found anew."""

HISTORY = Area(
    "history",
    steps=(
        (
            """create table history_vehicle (
                vehicle_id text primary key,
                finding    bigint not null,
                flush      bigint not null,
                parts      {bytes} not null,
                dirty_ns   bigint
            )""",
            """create table history_fact (
                vehicle_id text not null,
                kind       text not null,
                start_ns   bigint not null,
                end_ns     bigint not null,
                body       {bytes} not null,
                primary key (vehicle_id, kind, start_ns)
            )""",
            "create index history_fact_end on history_fact (vehicle_id, kind, end_ns)",
        ),
    ),
)

_metadata = MetaData()
vehicles = Table(
    "history_vehicle",
    _metadata,
    Column("vehicle_id", Text, primary_key=True),
    Column("finding", BigInteger),
    Column("flush", BigInteger),
    Column("parts", LargeBinary),
    Column("dirty_ns", BigInteger),
)
facts = Table(
    "history_fact",
    _metadata,
    Column("vehicle_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("start_ns", BigInteger, primary_key=True),
    Column("end_ns", BigInteger),
    Column("body", LargeBinary),
)
