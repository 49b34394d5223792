"""A collection campaign: what a car is to record beyond its usual rows, when, and until when. Pure.

    cell voltages at 10 Hz when the lowest cell is under 3.0 V, with 30 s before and 10 s after:

                   trigger                          armed again
      under 3.0 ──────┐                                  │
    ──────────────────┴──────────┬───────────────────────┴─────────► time
      │◄──── before_s ────►│◄ after_s ►│
      └────────── recorded, a row each 1 / rate_hz ──────┘

All claims of `when` together make the condition; it triggers where it becomes true, and again only
once one of them has been false by its `rearm`. Without claims the campaign records always.

    check_campaign(campaign)        # raises UsageError naming what is wrong and what is allowed
"""

import math
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from contactor.errors import InvalidValue, UsageError
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.record import Scalar
from contactor.signals.validation import check_value

MAX_SIGNALS = 32
MAX_CLAIMS = 8
MAX_BEFORE_S = 300.0
MAX_AFTER_S = 3600.0
RATE_HZ = (0.01, 50.0)
MAX_ROWS_PER_DAY = 5_000_000
DEFAULT_ROWS_PER_DAY = 100_000
MAX_PER_VEHICLE = 16
MAX_REASON_CHARACTERS = 400

CampaignId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Path = Annotated[str, Meta(max_length=256)]
Seconds = Annotated[float, Meta(ge=0)]


class Upload(StrEnum):
    """When the rows are sent: as the car's live rows are, or after everything else."""

    AT_ONCE = "at once"
    BACKLOG = "backlog"


class Claim(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must be so of one signal: exactly one of `below`, `above` and `equals`.

    Args:
        rearm: of a number: at this value or beyond, on the other side, it counts as false; by
            default the limit itself. Between the two nothing changes.
    """

    signal: Path
    below: float | None = None
    above: float | None = None
    equals: Scalar | None = None
    rearm: float | None = None


class Campaign(Struct, frozen=True, forbid_unknown_fields=True):
    """What one car is asked to record.

    Args:
        signals: paths of the catalogue.
        rate_hz: rows a second; a cell holds the last reading.
        holds_s: how long the condition must hold before it triggers.
        before_s, after_s: what is recorded around a trigger.
        until: ns UTC; nothing is recorded from then on.
        max_rows_per_day: of rows with stamps of one UTC day; what is more is dropped and counted.
    """

    id: CampaignId
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    signals: Annotated[tuple[Path, ...], Meta(min_length=1, max_length=MAX_SIGNALS)]
    rate_hz: Annotated[float, Meta(ge=RATE_HZ[0], le=RATE_HZ[1])]
    until: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    when: Annotated[tuple[Claim, ...], Meta(max_length=MAX_CLAIMS)] = ()
    holds_s: Annotated[Seconds, Meta(le=MAX_AFTER_S)] = 0.0
    before_s: Annotated[Seconds, Meta(le=MAX_BEFORE_S)] = 0.0
    after_s: Annotated[Seconds, Meta(le=MAX_AFTER_S)] = 0.0
    upload: Upload = Upload.AT_ONCE
    max_rows_per_day: Annotated[int, Meta(ge=1, le=MAX_ROWS_PER_DAY)] = DEFAULT_ROWS_PER_DAY


class CampaignState(StrEnum):
    """Where a campaign stands in one car."""

    WAITING = "waiting"
    """The car has not answered yet."""
    ACCEPTED = "accepted"
    """It watches for its condition."""
    ACTIVE = "active"
    """It records now."""
    REFUSED = "refused"
    """The car cannot do it; with the reason."""
    ENDED = "ended"
    """Its time is over."""
    STOPPED = "stopped"
    """It was stopped, and the car knows."""


class Progress(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a car says of one campaign.

    Args:
        triggered: how often its condition has become true.
        rows: how many rows it has recorded.
        dropped: how many it has not, as they were beyond the day's allowance.
        last_trigger: ns UTC, None before the first.
    """

    id: CampaignId
    state: CampaignState
    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)] | None = None
    triggered: Annotated[int, Meta(ge=0, le=2**62)] = 0
    rows: Annotated[int, Meta(ge=0, le=2**62)] = 0
    dropped: Annotated[int, Meta(ge=0, le=2**62)] = 0
    last_trigger: int | None = None


def check_campaign(campaign: Campaign) -> None:
    """Whether the campaign can be meant for any car.

    Raises:
        UnknownSignal: a path is not in the catalogue.
        UsageError: a claim that its signal cannot meet, or that contradicts itself.
    """
    numbers = (campaign.rate_hz, campaign.holds_s, campaign.before_s, campaign.after_s)
    if not all(map(math.isfinite, numbers)):
        raise UsageError("rate_hz, holds_s, before_s, after_s: allowed are finite numbers")
    if len(set(campaign.signals)) != len(campaign.signals):
        raise UsageError("signals: a path stands twice")
    for path in campaign.signals:
        catalogue()[path]
    for place, claim in enumerate(campaign.when):
        check_claim(f"when[{place}]", claim)
    if not campaign.when and (campaign.before_s or campaign.after_s or campaign.holds_s):
        raise UsageError("before_s, after_s and holds_s need a condition: when")


def check_claim(place: str, claim: Claim) -> None:
    """Whether its signal can meet the claim.

    Args:
        place: where the claim stands, for the text of the error.

    Raises:
        UnknownSignal: its path is not in the catalogue.
        UsageError: no value can meet it, or it contradicts itself.
    """
    signal = catalogue()[claim.signal]
    if signal.datatype.is_array:
        raise UsageError(f"{place}: {signal.path} is {signal.datatype}; allowed: no arrays")
    given = [name for name in ("below", "above", "equals") if getattr(claim, name) is not None]
    limits = (claim.below, claim.above, claim.rearm)
    if not all(math.isfinite(limit) for limit in limits if limit is not None):
        raise UsageError(f"{place}: below, above and rearm are finite numbers")
    if len(given) != 1:
        said = " and ".join(given) or "nothing"
        raise UsageError(f"{place}: {said} given; allowed: one of below, above, equals")
    if claim.equals is not None:
        _check_equals(place, signal, claim.equals)
    elif signal.datatype.is_text or signal.datatype is Datatype.BOOLEAN:
        raise UsageError(f"{place}: {given[0]} of a {signal.datatype}; allowed: equals")
    if claim.rearm is None:
        return
    if claim.below is not None and claim.rearm >= claim.below:
        return
    if claim.above is not None and claim.rearm <= claim.above:
        return
    allowed = {"below": "at least below", "above": "at most above", "equals": "none with equals"}
    raise UsageError(f"{place}: rearm {claim.rearm:g}; allowed: {allowed[given[0]]}")


def _check_equals(place: str, signal: Signal, value: Scalar) -> None:
    try:
        check_value(signal, value)
    except InvalidValue as error:
        raise UsageError(f"{place}: equals: {error}") from error
