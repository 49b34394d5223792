"""The tables of people, in `contactor.sqlite3`."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from contactor.cloud.access.consent_tables import MAKE_CONSENTS
from contactor.cloud.database.areas import Area

ACCESS = Area(
    "access",
    steps=(
        (
            """create table access_person (
                id       text primary key,
                name     text not null,
                key_name text not null unique,
                password text,
                made_ns  bigint not null
            )""",
            """create table access_role (
                person_id  text not null references access_person (id) on delete cascade,
                vehicle_id text not null,
                role       text not null,
                until_ns   bigint,
                primary key (person_id, vehicle_id, role)
            )""",
            """create table access_session (
                id          text primary key,
                fingerprint text not null unique,
                person_id   text not null references access_person (id) on delete cascade,
                made_ns     bigint not null,
                seen_ns     bigint not null,
                until_ns    bigint not null,
                address     text not null,
                device      text not null
            )""",
            """create table access_token (
                id          text primary key,
                fingerprint text not null unique,
                person_id   text not null references access_person (id) on delete cascade,
                name        text not null,
                scope       text not null,
                vehicle_id  text not null,
                made_ns     bigint not null,
                until_ns    bigint
            )""",
            """create table access_code (
                fingerprint text primary key,
                purpose     text not null,
                person_id   text references access_person (id) on delete cascade,
                vehicle_id  text,
                role        text,
                until_ns    bigint not null,
                id            text unique,
                name          text,
                role_until_ns bigint,
                made_by       text,
                made_ns       bigint
            )""",
            """create table access_alias (
                vehicle_id text primary key,
                alias      text not null unique
            )""",
            """create table access_second_factor (
                person_id    text primary key references access_person (id) on delete cascade,
                secret       text not null,
                last_step    bigint not null,
                confirmed_ns bigint
            )""",
            """create table access_recovery_code (
                fingerprint text primary key,
                person_id   text not null references access_person (id) on delete cascade
            )""",
            """create table access_passkey (
                id         text primary key,
                credential text not null unique,
                person_id  text not null references access_person (id) on delete cascade,
                name       text not null,
                host       text not null,
                public_key text not null,
                counter    bigint not null,
                made_ns    bigint not null,
                used_ns    bigint
            )""",
            *MAKE_CONSENTS,
        ),
    ),
)

_metadata = MetaData()
people = Table(
    "access_person",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("key_name", Text),
    Column("password", Text),
    Column("made_ns", BigInteger),
)
roles = Table(
    "access_role",
    _metadata,
    Column("person_id", Text, primary_key=True),
    Column("vehicle_id", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("until_ns", BigInteger),
)
sessions = Table(
    "access_session",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("fingerprint", Text),
    Column("person_id", Text),
    Column("made_ns", BigInteger),
    Column("seen_ns", BigInteger),
    Column("until_ns", BigInteger),
    Column("address", Text),
    Column("device", Text),
)
tokens = Table(
    "access_token",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("fingerprint", Text),
    Column("person_id", Text),
    Column("name", Text),
    Column("scope", Text),
    Column("vehicle_id", Text),
    Column("made_ns", BigInteger),
    Column("until_ns", BigInteger),
)
codes = Table(
    "access_code",
    _metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("purpose", Text),
    Column("person_id", Text),
    Column("vehicle_id", Text),
    Column("role", Text),
    Column("until_ns", BigInteger),
    Column("id", Text),
    Column("name", Text),
    Column("role_until_ns", BigInteger),
    Column("made_by", Text),
    Column("made_ns", BigInteger),
)
aliases = Table(
    "access_alias",
    _metadata,
    Column("vehicle_id", Text, primary_key=True),
    Column("alias", Text),
)
second_factors = Table(
    "access_second_factor",
    _metadata,
    Column("person_id", Text, primary_key=True),
    Column("secret", Text),
    Column("last_step", BigInteger),
    Column("confirmed_ns", BigInteger),
)
recovery_codes = Table(
    "access_recovery_code",
    _metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("person_id", Text),
)
passkeys = Table(
    "access_passkey",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("credential", Text),
    Column("person_id", Text),
    Column("name", Text),
    Column("host", Text),
    Column("public_key", Text),
    Column("counter", BigInteger),
    Column("made_ns", BigInteger),
    Column("used_ns", BigInteger),
)
