"""Which rows of a live car go by which lane, and the streams of its lanes.

urgent    changes of signals that `signals.urgent` names: ahead of everything else
live      all other rows, and what campaigns record "at once"
backlog   the days behind a virtual car, and what campaigns record for later

lanes = Lanes(live, outbox=outbox, uplink=uplink)
urgent, rest = UrgentRows().split(rows)
await uplink.append(lanes.stream(Lane.URGENT), cut_batches(urgent, origin_ns=0))
"""

from collections.abc import Sequence

import numpy as np

from contactor.car.agent.outbox import Lane, Outbox, Stream
from contactor.car.agent.series import Series
from contactor.car.agent.uplink import Uplink
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State
from contactor.signals.urgent import PARKED_KMH, SPEED, Urgency, urgency_of


class Lanes:
    """Owns the streams of one vehicle; each but the live one is opened when it is first needed."""

    def __init__(self, live: Stream, *, outbox: Outbox, uplink: Uplink) -> None:
        self.live = live
        self._outbox = outbox
        self._uplink = uplink
        self._streams = {live.lane: live}

    def stream(self, lane: Lane) -> Stream:
        """The stream of a lane, on its way to the cloud.

        Raises:
            OutboxError: it is new and cannot be written.
        """
        if lane not in self._streams:
            live = self.live
            stream = self._outbox.open_stream(live.vehicle_id, lane, profile=live.profile)
            self._uplink.carry(stream)
            self._streams[lane] = stream
        return self._streams[lane]


class UrgentRows:
    """Splits what is urgent from what is not; owns whether the car is parked."""

    def __init__(self) -> None:
        self._is_parked = True

    def read(self, series: Sequence[Series]) -> None:
        """Take in what the bus says now: how fast the car is."""
        for one in series:
            if one.path == SPEED:
                is_known = one.state[-1] == State.VALID
                self._is_parked = not is_known or abs(float(one.values[-1])) < PARKED_KMH

    def split(self, rows: Sequence[Rows]) -> tuple[list[Rows], list[Rows]]:
        """What is urgent of these rows, and the rest; both hold what they did, each cell once."""
        urgent, rest = [], []
        for one in rows:
            if one.group is not Group.EVENTS:
                rest.append(one)
                continue
            chosen = [column for column in one.columns if self._is_urgent(column.path)]
            others = [column for column in one.columns if not self._is_urgent(column.path)]
            urgent += _told(one, chosen)
            rest += _told(one, others)
        return urgent, rest

    def _is_urgent(self, path: str) -> bool:
        urgency = urgency_of(path)
        return urgency is Urgency.ALWAYS or (urgency is Urgency.PARKED and self._is_parked)


def _told(rows: Rows, columns: Sequence[Column]) -> list[Rows]:
    """The rows in which these columns say anything; none where there is no such row."""
    told = np.zeros(len(rows), np.bool_)
    for column in columns:
        told |= column.state != State.UNKNOWN
    if not told.any():
        return []
    return [Rows(rows.group, rows.ts, tuple(columns)).take(told)]
