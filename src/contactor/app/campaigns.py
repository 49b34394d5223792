"""Campaigns of a data folder: through the instance that runs on it, else in its file.

    asked = open_campaigns(Path("contactor-data"))
    asked.start(read_request(Path("cells.toml")))       # CampaignNow
    asked.show(campaign_id)                             # (CampaignNow, [VehicleProgress, ...])

What is started or stopped in a folder that is not in use reaches the cars once an instance runs.
"""

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.instance_api import InstanceApi, quoted, way_to
from contactor.app.query import open_query
from contactor.clock import SystemClock
from contactor.cloud.campaigns.request import CampaignRequest
from contactor.cloud.campaigns.sender import start_campaign
from contactor.cloud.campaigns.store import CampaignStore
from contactor.cloud.campaigns.told import (
    CampaignNow,
    CampaignPage,
    ProgressPage,
    VehicleProgress,
    campaign_now,
    campaign_page,
    progress_page,
)
from contactor.errors import UnknownCampaign

TIMEOUT_S = 60.0


class Campaigns(Protocol):
    """What can be done with the campaigns of a data folder."""

    def all(self) -> list[CampaignNow]:
        """Every campaign, newest first."""
        ...

    def start(self, request: CampaignRequest) -> CampaignNow:
        """Start one.

        Raises:
            UsageError: something of it no car could do.
        """
        ...

    def stop(self, campaign_id: str) -> CampaignNow:
        """Stop one.

        Raises:
            UnknownCampaign: there is none of that id.
        """
        ...

    def show(self, campaign_id: str) -> tuple[CampaignNow, list[VehicleProgress]]:
        """One, and where it stands in each of its vehicles.

        Raises:
            UnknownCampaign: there is none of that id.
        """
        ...


def open_campaigns(data: Path) -> Campaigns:
    """The way to the campaigns of a folder.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    return way_to(data, _OfFolder, _OfInstance)


class _StoredFleet:
    """The vehicles of a folder that is not in use."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def unknown(self, vehicles: Collection[str]) -> list[str]:
        known = {item["vehicle_id"] for item in open_query(self._data).vehicles()}
        return sorted(set(vehicles) - known)

    def select(self, where: str, *, limit: int) -> list[str]:
        return [str(item["vehicle_id"]) for item in open_query(self._data).vehicles(where)][:limit]


class _OfFolder:
    """In the file; the folder is held while it is written."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._clock = SystemClock()

    def all(self) -> list[CampaignNow]:
        with self._store() as store:
            return campaign_page(store, self._clock.now_ns(), limit=2**31, cursor=None).items

    def start(self, request: CampaignRequest) -> CampaignNow:
        now_ns = self._clock.now_ns()
        with self._folder.held(), contextlib.closing(self._written()) as store:
            fleet = _StoredFleet(self._folder.root)
            started, _ = start_campaign(store, fleet, request, now_ns)
            return campaign_now(store, started, now_ns)

    def stop(self, campaign_id: str) -> CampaignNow:
        now_ns = self._clock.now_ns()
        with self._folder.held(), self._store() as store:
            store.stop(campaign_id, now_ns)
            return campaign_now(store, store.find(campaign_id), now_ns)

    def show(self, campaign_id: str) -> tuple[CampaignNow, list[VehicleProgress]]:
        with self._store() as store:
            now = campaign_now(store, store.find(campaign_id), self._clock.now_ns())
            return now, progress_page(store, campaign_id, limit=2**31, cursor=None).items

    def _written(self) -> CampaignStore:
        return CampaignStore(self._folder.campaigns)

    @contextlib.contextmanager
    def _store(self) -> Iterator[CampaignStore]:
        """What is kept; a folder without campaigns does not get a file by being asked."""
        path = self._folder.campaigns
        with contextlib.closing(CampaignStore(path if path.exists() else ":memory:")) as store:
            yield store


class _OfInstance:
    """Through the running instance."""

    def __init__(self, url: str, secret: str | None) -> None:
        root = f"{url}/api/v1/campaigns"
        self._api = InstanceApi(root, secret=secret, timeout_s=TIMEOUT_S, unknown=UnknownCampaign)

    def all(self) -> list[CampaignNow]:
        return self._api.items("", CampaignPage)

    def start(self, request: CampaignRequest) -> CampaignNow:
        body = msgspec.json.encode(request)
        return msgspec.convert(self._api.ask("POST", "", body), CampaignNow)

    def stop(self, campaign_id: str) -> CampaignNow:
        return msgspec.convert(self._api.ask("DELETE", f"/{quoted(campaign_id)}"), CampaignNow)

    def show(self, campaign_id: str) -> tuple[CampaignNow, list[VehicleProgress]]:
        place = f"/{quoted(campaign_id)}"
        now = msgspec.convert(self._api.ask("GET", place), CampaignNow)
        return now, self._api.items(f"{place}/vehicles", ProgressPage)
