"""Alerts over a database, rows for them, and what to wait for."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from contactor.clock import NS_PER_S, FakeClock
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.alerts.document import Document
from contactor.cloud.ingest.presence import Presence
from contactor.history.alerts.rules import OnSignal, Rule
from contactor.signals.batch import RowsBatch
from contactor.signals.campaign import Claim
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State

START = 1_700_000_000 * NS_PER_S
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
LOW = Rule("low", OnSignal((Claim(CHARGE, below=15.0, rearm=20.0),)))
LIMIT_S = 60.0


def batch(
    vehicle_id: str,
    stamps: list[int],
    values: Mapping[str, list[float]],
    group: Group = Group.DRIVE,
) -> RowsBatch:
    """Rows of one car."""
    columns = tuple(
        Column(
            path,
            catalogue()[path].datatype,
            np.array(told),
            np.full(len(told), State.VALID, np.uint8),
        )
        for path, told in values.items()
    )
    return RowsBatch.of(vehicle_id, Rows(group, np.array(stamps, np.int64), columns))


def charges(vehicle_id: str, first_s: float, values: list[float]) -> RowsBatch:
    """Rows of the state of charge, one a second."""
    stamps = [START + round((first_s + n) * NS_PER_S) for n in range(len(values))]
    return batch(vehicle_id, stamps, {CHARGE: values})


def opened(path: Path, clock: FakeClock, presence: Presence | None = None) -> Alerts:
    return Alerts.open(path, presence=presence or Presence(), clock=clock)


def document(*rules: Rule, channels: tuple[object, ...] = ()) -> Document:
    return Document(1, rules, channels)  # type: ignore[arg-type]  # channels of any kind


async def until(is_so: Callable[[], object], why: str) -> None:
    """Wait until something is so."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not is_so():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {LIMIT_S} s: {why}") from None
