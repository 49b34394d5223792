"""The tables of consents; they are part of the area `access`."""

from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

MAKE_CONSENTS: Final = (
    """create table access_consent (
        id           text primary key,
        person_id    text references access_person (id) on delete cascade,
        receiver     text not null,
        purpose      text not null,
        kind         text not null,
        signals      text not null,
        history      text not null,
        made_ns      bigint not null,
        begin_ns     bigint not null,
        until_ns     bigint not null,
        withdrawn_ns bigint
    )""",
    """create table access_consent_vehicle (
        consent_id text not null references access_consent (id) on delete cascade,
        vehicle_id text not null,
        primary key (consent_id, vehicle_id)
    )""",
    """create table access_consent_token (
        id          text primary key,
        fingerprint text not null unique,
        consent_id  text not null references access_consent (id) on delete cascade,
        made_ns     bigint not null
    )""",
)
"""`person_id` is null where commands on the data folder gave it; lists are JSON."""

_metadata = MetaData()
consents = Table(
    "access_consent",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text),
    Column("receiver", Text),
    Column("purpose", Text),
    Column("kind", Text),
    Column("signals", Text),
    Column("history", Text),
    Column("made_ns", BigInteger),
    Column("begin_ns", BigInteger),
    Column("until_ns", BigInteger),
    Column("withdrawn_ns", BigInteger),
)
consent_vehicles = Table(
    "access_consent_vehicle",
    _metadata,
    Column("consent_id", Text, primary_key=True),
    Column("vehicle_id", Text, primary_key=True),
)
consent_tokens = Table(
    "access_consent_token",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("fingerprint", Text),
    Column("consent_id", Text),
    Column("made_ns", BigInteger),
)
