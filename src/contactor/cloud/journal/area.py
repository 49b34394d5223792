"""The tables of the journal, in `contactor.sqlite3`."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from contactor.cloud.database.areas import Area

JOURNAL = Area(
    "journal",
    steps=(
        (
            """create table journal_remark (
                number     {serial},
                vehicle_id text not null,
                subject    text not null,
                start_ns   bigint not null,
                end_ns     bigint not null,
                said_ns    bigint not null,
                purpose    text,
                driver     text,
                tags       text not null,
                note       text,
                unique (vehicle_id, subject, start_ns, end_ns)
            )""",
            """create table journal_place (
                number   {serial},
                id       text not null unique,
                name     text,
                fence    text not null,
                is_drawn bigint not null
            )""",
            """create table journal_stop (
                place_id   text not null references journal_place (id) on delete cascade,
                vehicle_id text not null,
                primary key (place_id, vehicle_id)
            )""",
            """create table journal_tariff (
                number  {serial},
                said_ns bigint not null,
                body    text not null
            )""",
        ),
    ),
)

_metadata = MetaData()
remarks = Table(
    "journal_remark",
    _metadata,
    Column("number", BigInteger, primary_key=True),
    Column("vehicle_id", Text),
    Column("subject", Text),
    Column("start_ns", BigInteger),
    Column("end_ns", BigInteger),
    Column("said_ns", BigInteger),
    Column("purpose", Text),
    Column("driver", Text),
    Column("tags", Text),
    Column("note", Text),
)
places = Table(
    "journal_place",
    _metadata,
    Column("number", BigInteger, primary_key=True),
    Column("id", Text),
    Column("name", Text),
    Column("fence", Text),
    Column("is_drawn", BigInteger),
)
stops = Table(
    "journal_stop",
    _metadata,
    Column("place_id", Text, primary_key=True),
    Column("vehicle_id", Text, primary_key=True),
)
tariffs = Table(
    "journal_tariff",
    _metadata,
    Column("number", BigInteger, primary_key=True),
    Column("said_ns", BigInteger),
    Column("body", Text),
)
