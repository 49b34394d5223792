"""Readings as a car's buses give them."""

from collections.abc import Sequence

import numpy as np

from contactor.car.agent.series import Series
from contactor.clock import NS_PER_S
from contactor.signals.catalogue import catalogue
from contactor.signals.record import State, Value, object_array

LOWEST = "Vehicle.Powertrain.TractionBattery.CellVoltage.Min"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
SPEED = "Vehicle.Speed"
GEAR = "Vehicle.Powertrain.Transmission.CurrentGear"
S = NS_PER_S


def read(path: str, readings: Sequence[tuple[float, Value | None]]) -> Series:
    """A series of (second, value); None for "not available"."""
    datatype = catalogue()[path].datatype
    cells = [0 if value is None else value for _, value in readings]
    values = object_array(cells) if datatype.is_array else np.array(cells, datatype.dtype)
    state = [State.UNAVAILABLE if value is None else State.VALID for _, value in readings]
    ts = np.array([round(at_s * S) for at_s, _ in readings], np.int64)
    return Series(path, ts, values, np.array(state, np.uint8))
