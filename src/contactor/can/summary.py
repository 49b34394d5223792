"""What is in a recording, as plain values for JSON: unknown is None, nothing is NaN.

A value that is not available enters no count, minimum, maximum or mean.

    signal_facts(column)      # {"unit": "V", "count": 1890, "unavailable": 0, "first": 384.0, ...}
    identifier_facts(frames)  # {"0x1db": {"frames": 1890, "cycle_time_ms": 10.0, ...}, ...}
"""

import math
from typing import NotRequired, TypedDict

import numpy as np

from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.can.identify import BusFacts, IdentifierFacts, IdentifierFactsBuilder
from contactor.clock import NS_PER_S


class LogFacts(TypedDict):
    """A log: its name, its format, where its stamps come from."""

    file: str
    format: str
    time: str


class RefusalFacts(TypedDict):
    """Lines refused for one reason."""

    reason: str
    count: int
    first_line: int
    first_text: str


class SignalFacts(TypedDict):
    """The readings of one signal; all but `unavailable` of those that are available."""

    unit: str
    count: int
    unavailable: int
    first: float | None
    last: float | None
    min: float | None
    max: float | None
    mean: float | None


class Summary(TypedDict):
    """A recording: frames = decoded + unknown + other (error, remote) + refused."""

    logs: list[LogFacts]
    frames: int
    frames_decoded: int
    frames_unknown: int
    frames_other: int
    frames_refused: int
    refused: list[RefusalFacts]
    duration_s: float | None
    messages: dict[str, int]
    signals: dict[str, SignalFacts]
    ids: NotRequired[dict[str, IdentifierFacts]]
    buses: NotRequired[dict[str, BusFacts]]


def duration_s(frames: FrameTable) -> float | None:
    """From the earliest stamp to the latest; None of no frames."""
    if not len(frames):
        return None
    return (int(frames.ts.max()) - int(frames.ts.min())) / NS_PER_S


def signal_facts(column: SignalColumn) -> SignalFacts:
    """Count, first, last, least, greatest and mean of the values that are available."""
    values = column.values[~column.is_unavailable]
    is_there = len(values) > 0
    with np.errstate(over="ignore"):
        mean = float(values.mean()) if is_there else math.inf
    return SignalFacts(
        unit=column.unit,
        count=len(values),
        unavailable=int(column.is_unavailable.sum()),
        first=float(values[0]) if is_there else None,
        last=float(values[-1]) if is_there else None,
        min=float(values.min()) if is_there else None,
        max=float(values.max()) if is_there else None,
        mean=mean if math.isfinite(mean) else None,
    )


def identifier_facts(frames: FrameTable) -> dict[str, IdentifierFacts]:
    """For each id of data frames: what can be seen without a database, in the order of ids.

    `cycle_time_ms` is the median step between its frames, `length` the longest payload,
    `changing_bits` a hex mask of the payload's bits that were not always the same. An id seen on
    several buses is prefixed `bus:`. The rest: contactor.can.identify.
    """
    builder = IdentifierFactsBuilder()
    builder.add(frames)
    return builder.facts()
