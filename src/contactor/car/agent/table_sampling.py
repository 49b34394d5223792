"""Rows of a table sampled as a live car's readings are: `contactor import --sampling profile`.

sampled(source.read(), {"Vehicle.Speed": Group.DRIVE})     # rows by the groups' rules

A table that tells voltage and current of the battery, and no power, is given the power as well: the
mean of the products, which the product of means is not (1 % off in net energy on real trips).
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from contactor.car.agent.rules import SignalRule
from contactor.car.agent.sampler import ProfileSampler
from contactor.car.agent.series import Series
from contactor.clock import NS_PER_S
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import GROUP_RULES, Group
from contactor.signals.record import Rows, State

VOLTAGE, CURRENT, POWER = (
    f"Vehicle.Powertrain.TractionBattery.Current{what}" for what in ("Voltage", "Current", "Power")
)


def sampled(
    reading: Iterable[tuple[Rows, ...]], groups: Mapping[str, Group]
) -> Iterator[tuple[Rows, ...]]:
    """The rows that the groups' rules make of every instant of a source.

    Args:
        reading: rows of several groups at a time, by time.
        groups: the group of each signal.
    """
    groups = dict(groups)
    has_power = POWER in groups
    if CURRENT in groups and groups.get(VOLTAGE) == groups[CURRENT]:
        groups.setdefault(POWER, groups[CURRENT])
    sampler: ProfileSampler | None = None
    for chunk in reading:
        if sampler is None:
            first_ts = min(int(rows.ts[0]) for rows in chunk)
            sampler = ProfileSampler(_rules(groups), origin_ns=first_ts)
        told = [series for rows in chunk for series in _series(rows)]
        if not has_power:
            told += [series for rows in chunk for series in _power(rows)]
        due = sampler.feed(told)
        if due:
            yield tuple(due)
    last = [] if sampler is None else sampler.finish()
    if last:
        yield tuple(last)


def _rules(groups: Mapping[str, Group]) -> dict[str, SignalRule]:
    return {
        path: SignalRule(
            group=group,
            stale_ns=round(GROUP_RULES[group].stale_s * NS_PER_S),
            is_mean=catalogue()[path].mean,
        )
        for path, group in groups.items()
    }


def _series(rows: Rows) -> Iterator[Series]:
    for column in rows.columns:
        told = column.state != State.UNKNOWN
        if told.any():
            yield Series(column.path, rows.ts[told], column.values[told], column.state[told])


def _power(rows: Rows) -> Iterator[Series]:
    """Voltage times current where both are known."""
    by_path = {column.path: column for column in rows.columns}
    voltage, current = by_path.get(VOLTAGE), by_path.get(CURRENT)
    if voltage is None or current is None:
        return
    both = (voltage.state == State.VALID) & (current.state == State.VALID)
    if both.any():
        watts = voltage.values[both].astype(np.float64) * current.values[both].astype(np.float64)
        state = np.full(len(watts), State.VALID, np.uint8)
        yield Series(POWER, rows.ts[both], watts.astype(np.float32), state)
