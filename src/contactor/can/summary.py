"""What is in a recording, as plain values for JSON: unknown is None, nothing is NaN.

A value that is not available enters no count, minimum, maximum or mean.

    signal_facts(column)      # {"unit": "V", "count": 1890, "unavailable": 0, "first": 384.0, ...}
    identifier_facts(frames)  # {"0x1db": {"frames": 1890, "cycle_time_ms": 10.0, ...}, ...}
"""

import math
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.clock import NS_PER_MS, NS_PER_S

STANDARD_DIGITS, EXTENDED_DIGITS = 3, 8
EXTENDED_FLAG = 1 << 29
BUSES = 256


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


class IdentifierFacts(TypedDict):
    """The frames of one id, as they look without a database."""

    frames: int
    cycle_time_ms: float | None
    length: int
    changing_bits: str


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
    several buses is prefixed `bus:`.
    """
    rows = np.flatnonzero(~(frames.is_error | frames.is_remote))
    identifiers = frames.can_id[rows].astype(np.int64) + frames.is_extended[rows] * EXTENDED_FLAG
    keys = identifiers * BUSES + frames.bus[rows]
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    ids, counts = np.unique(found // BUSES, return_counts=True)
    on_several_buses = set(ids[counts > 1].tolist())
    facts = {}
    for key, part in zip(found.tolist(), np.split(rows[order], starts[1:]), strict=False):
        identifier, bus = divmod(key, BUSES)
        digits = EXTENDED_DIGITS if identifier & EXTENDED_FLAG else STANDARD_DIGITS
        prefix = f"{bus}:" if identifier in on_several_buses else ""
        name = f"{prefix}0x{identifier & ~EXTENDED_FLAG:0{digits}x}"
        facts[name] = _facts_of_id(frames, part)
    return facts


def _facts_of_id(frames: FrameTable, rows: NDArray[np.int64]) -> IdentifierFacts:
    steps_ns = np.diff(frames.ts[rows])
    lengths = frames.length[rows]
    length = int(lengths.max())
    data = frames.data[rows, :length]
    # A byte is compared only among the frames that have it; the padding of the others is zero.
    is_there = np.arange(length) < lengths[:, None]
    ever = np.bitwise_or.reduce(data, axis=0)
    always = np.bitwise_and.reduce(data, axis=0, where=is_there)
    return IdentifierFacts(
        frames=len(rows),
        cycle_time_ms=float(np.median(steps_ns)) / NS_PER_MS if len(steps_ns) else None,
        length=length,
        changing_bits=(ever & ~always).astype(np.uint8).tobytes().hex(),
    )
