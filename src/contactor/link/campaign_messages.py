"""What a car is to record, and how far it is, on the link; MessagePack, versioned and bounded.

    list    = ["campaigns/1", vehicle_id, revision, [campaign, ...]]        cloud to car
    report  = ["campaign-report/1", vehicle_id, revision, [progress, ...]]  car to cloud

A list names all campaigns of a vehicle: what is not in it is stopped. The cloud sends it again
until the car reports its revision; a car takes no list below the revision that it has. Either
may be lost.

    decode_campaigns(encode_campaigns(campaigns)) == campaigns
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contactor.link.messages import decode_bounded
from contactor.signals.campaign import MAX_PER_VEHICLE, Campaign, Progress

MAX_BYTES = 262_144

_VehicleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
_Revision = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class CampaignList(
    Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="campaigns/1"
):
    """All that one vehicle is to record.

    Args:
        revision: grows with each change; ns UTC of the change, so that it also grows where the
            cloud has lost what it had.
    """

    vehicle_id: _VehicleId
    revision: _Revision
    campaigns: Annotated[tuple[Campaign, ...], Meta(max_length=MAX_PER_VEHICLE)]


class CampaignReport(
    Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag="campaign-report/1"
):
    """Where a vehicle is with each; `revision` of the list that it goes by, 0 for none."""

    vehicle_id: _VehicleId
    revision: _Revision
    campaigns: Annotated[tuple[Progress, ...], Meta(max_length=MAX_PER_VEHICLE)]


_encoder = msgspec.msgpack.Encoder()
_list = msgspec.msgpack.Decoder(CampaignList)
_report = msgspec.msgpack.Decoder(CampaignReport)


def encode_campaigns(campaigns: CampaignList) -> bytes:
    """The wire form of a list."""
    return _encoder.encode(campaigns)


def encode_campaign_report(report: CampaignReport) -> bytes:
    """The wire form of a report."""
    return _encoder.encode(report)


def decode_campaigns(payload: bytes) -> CampaignList:
    """The list in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _list, "list of campaigns", limit_bytes=MAX_BYTES)


def decode_campaign_report(payload: bytes) -> CampaignReport:
    """The report in `payload`.

    Raises:
        MalformedRecord: too large, or not our form.
    """
    return decode_bounded(payload, _report, "report of campaigns", limit_bytes=MAX_BYTES)
