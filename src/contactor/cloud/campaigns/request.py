"""A campaign as people write it, in TOML or JSON; read strictly, with the place of every error.

version = 1
name = "cells under 3 V"
vehicles = ["demo"]                 # or: where = "Vehicle.Speed > 100", asked once, at the start
signals = ["Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"]
rate_hz = 10
before_s = 30
after_s = 10
until = 2027-01-01T00:00:00Z
[[when]]
signal = "Vehicle.Powertrain.TractionBattery.CellVoltage.Min"
below = 3.0
rearm = 3.1

request = read_request(Path("cells.toml"))
request.campaign("1f0c", now_ns)        # the Campaign that cars are sent
"""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from contactor.clock import from_datetime, to_iso
from contactor.cloud.written import read_written
from contactor.errors import UsageError
from contactor.signals.campaign import (
    DEFAULT_ROWS_PER_DAY,
    Campaign,
    Claim,
    Upload,
    check_campaign,
)

MAX_BYTES = 1_048_576
MAX_VEHICLES = 10_000

_VehicleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]


class CampaignRequest(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked: which vehicles, what, when, until when.

    Args:
        version: of this form.
        vehicles, where: exactly one of them; `where` is a question to the fleet.
        until: with a time zone.
    """

    version: Literal[1]
    name: str
    signals: tuple[str, ...]
    rate_hz: float
    until: Annotated[datetime, Meta(tz=True)]
    vehicles: Annotated[tuple[_VehicleId, ...], Meta(min_length=1, max_length=MAX_VEHICLES)] = ()
    where: str | None = None
    when: tuple[Claim, ...] = ()
    holds_s: float = 0.0
    before_s: float = 0.0
    after_s: float = 0.0
    upload: Upload = Upload.AT_ONCE
    max_rows_per_day: int = DEFAULT_ROWS_PER_DAY

    def campaign(self, campaign_id: str, now_ns: int) -> Campaign:
        """What the vehicles are sent.

        Raises:
            UsageError: something of it no car could do; the text names it and what is allowed.
        """
        if bool(self.vehicles) is (self.where is not None):
            raise UsageError("a campaign has either vehicles or where, and not both")
        until_ns = from_datetime(self.until)
        if until_ns <= now_ns:
            raise UsageError(f"until {to_iso(until_ns)} is over; now is {to_iso(now_ns)}")
        asked = msgspec.structs.asdict(self)
        for name in ("version", "vehicles", "where"):
            del asked[name]
        try:
            campaign = msgspec.convert(
                {**asked, "id": campaign_id, "until": until_ns}, Campaign, from_attributes=True
            )
        except msgspec.ValidationError as error:
            raise UsageError(str(error)) from error
        check_campaign(campaign)
        return campaign


_json = msgspec.json.Decoder(CampaignRequest)


def decode_request(body: bytes) -> CampaignRequest:
    """The request in JSON.

    Raises:
        UsageError: it is none; says where, as `$.when[0].below`.
    """
    if len(body) > MAX_BYTES:
        raise UsageError(f"campaign of {len(body)} bytes; the limit is {MAX_BYTES}")
    try:
        return _json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(f"campaign: {error}") from error


def read_request(path: Path) -> CampaignRequest:
    """The request in a file: TOML, or JSON where its name ends in .json.

    Raises:
        UsageError: there is no such file, or it holds no campaign.
    """
    return read_written(path, max_bytes=MAX_BYTES, from_json=decode_request, from_toml=_decode_toml)


def _decode_toml(body: bytes) -> CampaignRequest:
    if len(body) > MAX_BYTES:
        raise UsageError(f"campaign of more than {MAX_BYTES} bytes")
    try:
        document = tomllib.loads(body.decode())
        return msgspec.convert(document, CampaignRequest)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"campaign: {error}") from error
