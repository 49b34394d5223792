"""The vehicles of a running cloud, as campaigns ask for them.

fleet = LiveFleet(ingest, twin)
fleet.select("Vehicle.Speed > 100", limit=10)
"""

from collections.abc import Collection

from contactor.cloud.ingest.follower import Follower
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.twin.query import parse
from contactor.cloud.twin.twin import Twin


class LiveFleet:
    """The vehicles of a running cloud."""

    def __init__(self, ingest: Ingest | Follower, twin: Twin) -> None:
        self._ingest = ingest
        self._twin = twin

    def unknown(self, vehicles: Collection[str]) -> list[str]:
        """Those of which nothing is stored."""
        known = self._ingest.intake.ledger.of_vehicle
        return sorted(name for name in vehicles if not any(one.paths for one in known(name)))

    def select(self, where: str, *, limit: int) -> list[str]:
        """At most `limit` vehicles of which a question is true now."""
        return sorted(self._twin.select(parse(where), limit=limit))
