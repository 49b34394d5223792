"""Rules and channels as people write them, in TOML or JSON; read strictly, errors with their place.

version = 1
[[channels]]
name = "phone"
kind = "ntfy"
url = "https://ntfy.example.org/my-car"
[[rules]]
name = "charged"
on = { kind = "fact", fact = "charge", how = "finished" }

document = read_document(Path("alerts.toml"))
check_document(document, channels={"mail"}, anomalies=KINDS)
"""

import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from contactor.cloud.alerts.channels import MAX_CHANNELS, AnyChannel, check_channel
from contactor.cloud.written import read_written
from contactor.errors import UsageError
from contactor.history.alerts.rules import MAX_RULES, Rule, check_rule

MAX_BYTES = 1_048_576


class Document(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be kept; what has the name of something kept takes its place.

    Args:
        version: of this form.
    """

    version: Literal[1]
    rules: Annotated[tuple[Rule, ...], Meta(max_length=MAX_RULES)] = ()
    channels: Annotated[tuple[AnyChannel, ...], Meta(max_length=MAX_CHANNELS)] = ()


_json = msgspec.json.Decoder(Document)


def decode_document(body: bytes) -> Document:
    """A document in JSON.

    Raises:
        UsageError: it is none; says where, as `$.rules[0].on.when[0].below`.
    """
    _check_size(body)
    try:
        return _json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(f"alerts: {error}") from error


def read_document(path: Path) -> Document:
    """A document in a file: TOML, or JSON where its name ends in .json.

    Raises:
        UsageError: there is no such file, or it holds no document.
    """
    return read_written(
        path, max_bytes=MAX_BYTES, from_json=decode_document, from_toml=_decode_toml
    )


def _decode_toml(body: bytes) -> Document:
    _check_size(body)
    try:
        return msgspec.convert(tomllib.loads(body.decode()), Document)
    except (
        msgspec.ValidationError,
        tomllib.TOMLDecodeError,
        UnicodeDecodeError,
        RecursionError,
    ) as error:
        raise UsageError(f"alerts: {error}") from error


def _check_size(body: bytes) -> None:
    if len(body) > MAX_BYTES:
        raise UsageError(f"alerts: more than {MAX_BYTES} bytes")


def check_document(
    document: Document, *, channels: Collection[str], anomalies: frozenset[str]
) -> None:
    """Whether all of it can be meant.

    Args:
        channels: names of those that are kept already.
        anomalies: the kinds that there are.

    Raises:
        UsageError: something of it cannot; the text says what is allowed.
    """
    _check_once("rules", [rule.name for rule in document.rules])
    _check_once("channels", [channel.name for channel in document.channels])
    if not document.rules and not document.channels:
        raise UsageError("alerts: neither rules nor channels")
    for channel in document.channels:
        check_channel(channel)
    known = sorted({*channels, *(channel.name for channel in document.channels)})
    for rule in document.rules:
        check_rule(rule, anomalies=anomalies)
        for name in rule.send_to:
            if name not in known:
                allowed = ", ".join(known) or "none: there are no channels"
                raise UsageError(f"rule {rule.name}: send_to: {name!r}; allowed: {allowed}")


def _check_once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UsageError(f"{what}: {name} stands twice")
        seen.add(name)
