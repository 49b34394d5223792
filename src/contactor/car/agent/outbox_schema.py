"""The tables of the outbox, and how an older file becomes one of today."""

SCHEMA_VERSION = 2

_CODEBOOK = """
create table codebook (
    stream text not null,
    id     integer not null,                 -- CRC-32 of the content
    first  integer not null,                 -- sequence of the first message written with it
    body   blob not null,
    unique (stream, id)
);
"""
SCHEMA = f"""
create table stream (
    stream       text primary key,           -- sixteen hexadecimal digits
    vehicle_id   text not null,
    lane         text not null,
    profile      text not null,
    random       integer not null,           -- made with this file: never a source's own number
    renewed      text,                       -- the stream that goes on in this one's place
    made         integer not null default 0, -- sequence of the last message made
    acknowledged integer not null default 0, -- the cloud's watermark
    sent_upto    integer not null default 0  -- above it nothing was ever sent
);
create table message (
    stream   text not null,
    sequence integer not null,
    last     integer not null,               -- of a gap: the last sequence it stands for
    is_gap   integer not null,
    payload  blob not null,
    rows     integer not null,
    first_ts integer not null,
    last_ts  integer not null,
    primary key (stream, sequence)
);
create index message_last on message (stream, last);
create table note (key text primary key, value text not null) without rowid;
{_CODEBOOK}
pragma user_version = {SCHEMA_VERSION}
"""
MIGRATIONS = {1: f"{_CODEBOOK} pragma user_version = 2"}
"""What makes a file of that version one of the next."""
