"""A table by the groups' rules: a row a second, means, and power of each instant."""

import numpy as np
import pytest

from contactor.car.agent.table_sampling import CURRENT, POWER, VOLTAGE, sampled
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State

COUNT = 20 * 30


def table() -> tuple[Rows, np.ndarray, np.ndarray]:
    ts = np.arange(COUNT, dtype=np.int64) * 50_000_000
    amperes = np.float32(40) * np.sin(np.arange(COUNT, dtype=np.float32))
    volts = np.float32(380) - amperes / 4
    state = np.full(COUNT, State.VALID, np.uint8)
    columns = tuple(
        Column(path, Datatype.FLOAT, values, state)
        for path, values in ((VOLTAGE, volts), (CURRENT, amperes))
    )
    return Rows(Group.DRIVE, ts, columns), volts, amperes


def test_power_is_the_mean_of_products_not_the_product_of_means() -> None:
    rows, volts, amperes = table()
    groups = dict.fromkeys((VOLTAGE, CURRENT), Group.DRIVE)
    parts = [part for chunk in sampled([(rows,)], groups) for part in chunk]
    power = np.concatenate(
        [one.values for part in parts for one in part.columns if one.path == POWER]
    )
    assert len(power) == pytest.approx(30, abs=1)
    assert power.mean() == pytest.approx(float((volts * amperes).mean()), rel=0.05)


def test_table_is_cut_as_it_comes() -> None:
    rows, _, _ = table()
    groups = dict.fromkeys((VOLTAGE, CURRENT), Group.DRIVE)
    whole = [part for chunk in sampled([(rows,)], groups) for part in chunk]
    halves = [(rows.take(slice(0, 333)),), (rows.take(slice(333, COUNT)),)]
    cut = [part for chunk in sampled(halves, groups) for part in chunk]
    assert (
        np.concatenate([part.ts for part in cut]).tolist()
        == np.concatenate([part.ts for part in whole]).tolist()
    )
