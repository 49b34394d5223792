"""The broker's question who somebody is, and our answer. No I/O.

    question = read_question(payload)
    admission(question, name="leaf:5f0c", rights=rights_of_vehicle("leaf"), until_s=..., ...)
    refusal(question, ...)

Source: https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout
"""

from dataclasses import dataclass

import msgspec

from contactor.errors import MalformedRecord
from contactor.link.broker_config import CARS
from contactor.link.identities.keys import KeyPair
from contactor.link.nats.tokens import claims_of, signed
from contactor.link.rights import Rights

ASKED_ON = "$SYS.REQ.USER.AUTH"
MAX_BYTES = 65_536
MAX_SUBSCRIPTIONS = 64
STANDARD = ("STANDARD",)


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody who wants in, and what he presents; of what he did not, empty."""

    host: str
    user: str = ""
    password: str = ""
    token: str = ""
    nonce: str = ""
    signature: str = ""

    def __repr__(self) -> str:
        return f"Knock({self.host!r})"


@dataclass(frozen=True, slots=True)
class Question:
    """Who knocks at which server, and what the server calls him."""

    server_id: str
    user_key: str
    knock: Knock


class _Server(msgspec.Struct):
    id: str


class _Client(msgspec.Struct):
    host: str = ""
    nonce: str = ""


class _Options(msgspec.Struct):
    user: str = ""
    password: str = msgspec.field(default="", name="pass")
    auth_token: str = ""
    sig: str = ""


class _Asked(msgspec.Struct):
    server_id: _Server
    user_nkey: str
    client_info: _Client
    connect_opts: _Options


class _Claims(msgspec.Struct):
    nats: _Asked


_claims = msgspec.json.Decoder(_Claims)


def read_question(payload: bytes) -> Question:
    """The question in a payload, which only the broker can send.

    Raises:
        MalformedRecord: it is none.
    """
    if len(payload) > MAX_BYTES:
        raise MalformedRecord(f"question of {len(payload)} bytes; the limit is {MAX_BYTES}")
    try:
        asked = _claims.decode(claims_of(payload)).nats
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(f"no question of the broker: {error}") from error
    shown = asked.connect_opts
    knock = Knock(
        host=asked.client_info.host,
        user=shown.user,
        password=shown.password,
        token=shown.auth_token,
        nonce=asked.client_info.nonce,
        signature=shown.sig,
    )
    return Question(asked.server_id.id, asked.user_nkey, knock)


def admission(
    question: Question, *, name: str, rights: Rights, until_s: int, issuer: KeyPair, now_s: int
) -> bytes:
    """Let him in with these rights, for so long.

    Args:
        name: what the broker is to call the connection.
        until_s: s UTC; the broker ends the connection then.
    """
    user = {
        "sub": question.user_key,
        "aud": CARS,
        "name": name,
        "exp": until_s,
        "nats": {
            "type": "user",
            "version": 2,
            "pub": {"allow": rights.publish},
            "sub": {"allow": rights.hear},
            "subs": MAX_SUBSCRIPTIONS,
            "data": -1,
            "payload": -1,
            "allowed_connection_types": STANDARD,
        },
    }
    return _answer(question, {"jwt": signed(user, issuer, now_s=now_s)}, issuer, now_s)


def refusal(question: Question, reason: str, *, issuer: KeyPair, now_s: int) -> bytes:
    """Let him not in; the reason stands in the broker's log, he does not hear it."""
    return _answer(question, {"error": reason[:200]}, issuer, now_s)


def _answer(question: Question, said: dict[str, str], issuer: KeyPair, now_s: int) -> bytes:
    claims = {
        "sub": question.user_key,
        "aud": question.server_id,
        "nats": {"type": "authorization_response", "version": 2, **said},
    }
    return signed(claims, issuer, now_s=now_s).encode()
