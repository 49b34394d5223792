"""The tables of the outbox."""

SCHEMA_VERSION = 1

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
pragma user_version = {SCHEMA_VERSION}
"""
