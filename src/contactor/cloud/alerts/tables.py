"""The tables of alerts in the instance's database (`contactor.cloud.database`).

Names of columns are plain words; instants are ns UTC; a body is JSON.
"""

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text

from contactor.cloud.database.areas import Area

ALERTS = Area(
    "alerts",
    steps=(
        (
            "create table alerts_rule (name text primary key, body {bytes} not null,"
            " changed_at bigint not null)",
            "create table alerts_channel (name text primary key, body {bytes} not null)",
            "create table alerts_key (name text primary key, value text not null)",
            "create table alerts_state (rule text not null, vehicle_id text not null,"
            " body {bytes} not null, primary key (rule, vehicle_id))",
            "create table alerts_fired (number {serial}, id text not null unique,"
            " rule text not null, vehicle_id text not null, key text not null,"
            " severity text not null, at_ns bigint not null, text text not null,"
            " reminder bigint not null, withheld bigint not null, is_sent bigint not null,"
            " acknowledged_at bigint)",
            "create index alerts_fired_vehicle on alerts_fired (vehicle_id)",
            "create table alerts_message (alert text not null, channel text not null,"
            " send_at bigint not null, due_at bigint not null, attempts bigint not null,"
            " state text not null, reason text, ended_at bigint, primary key (alert, channel))",
            "create index alerts_message_due on alerts_message (state, due_at)",
        ),
    ),
)

_all = MetaData()
rules = Table(
    "alerts_rule",
    _all,
    Column("name", Text, primary_key=True),
    Column("body", LargeBinary),
    Column("changed_at", BigInteger),
)
channels = Table(
    "alerts_channel", _all, Column("name", Text, primary_key=True), Column("body", LargeBinary)
)
keys = Table("alerts_key", _all, Column("name", Text, primary_key=True), Column("value", Text))
states = Table(
    "alerts_state",
    _all,
    Column("rule", Text, primary_key=True),
    Column("vehicle_id", Text, primary_key=True),
    Column("body", LargeBinary),
)
fired = Table(
    "alerts_fired",
    _all,
    Column("number", BigInteger, primary_key=True),
    Column("id", Text, unique=True),
    Column("rule", Text),
    Column("vehicle_id", Text),
    Column("key", Text),
    Column("severity", Text),
    Column("at_ns", BigInteger),
    Column("text", Text),
    Column("reminder", BigInteger),
    Column("withheld", BigInteger),
    Column("is_sent", BigInteger),
    Column("acknowledged_at", BigInteger),
)
messages = Table(
    "alerts_message",
    _all,
    Column("alert", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("send_at", BigInteger),
    Column("due_at", BigInteger),
    Column("attempts", BigInteger),
    Column("state", Text),
    Column("reason", Text),
    Column("ended_at", BigInteger),
)
