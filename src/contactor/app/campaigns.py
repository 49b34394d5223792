"""Campaigns of a data folder: through the instance that runs on it, else in its file.

    asked = open_campaigns(Path("contactor-data"))
    asked.start(read_request(Path("cells.toml")))       # CampaignNow
    asked.show(campaign_id)                             # (CampaignNow, [VehicleProgress, ...])

What is started or stopped in a folder that is not in use reaches the cars once an instance runs.
"""

import contextlib
import http
import json
import urllib.error
import urllib.parse
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.local_http import ask_json
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
from contactor.errors import ContactorError, InstanceError, UnknownCampaign, UsageError

TIMEOUT_S = 60.0
PAGE = 1000
_ERRORS: Mapping[int, type[ContactorError]] = MappingProxyType(
    {http.HTTPStatus.NOT_FOUND: UnknownCampaign, http.HTTPStatus.BAD_REQUEST: UsageError}
)


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
    folder = DataFolder.existing(data)
    instance = folder.running()
    return _OfFolder(folder) if instance is None else _OfInstance(instance.url)


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

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1/campaigns"

    def all(self) -> list[CampaignNow]:
        found: list[CampaignNow] = []
        cursor: str | None = None
        while True:
            page = msgspec.convert(self._ask("GET", "", limit=PAGE, cursor=cursor), CampaignPage)
            found, cursor = found + page.items, page.next
            if cursor is None:
                return found

    def start(self, request: CampaignRequest) -> CampaignNow:
        body = msgspec.json.encode(request)
        return msgspec.convert(self._ask("POST", "", body), CampaignNow)

    def stop(self, campaign_id: str) -> CampaignNow:
        return msgspec.convert(self._ask("DELETE", f"/{_quoted(campaign_id)}"), CampaignNow)

    def show(self, campaign_id: str) -> tuple[CampaignNow, list[VehicleProgress]]:
        place = f"/{_quoted(campaign_id)}"
        now = msgspec.convert(self._ask("GET", place), CampaignNow)
        found: list[VehicleProgress] = []
        cursor: str | None = None
        while True:
            asked = self._ask("GET", f"{place}/vehicles", limit=PAGE, cursor=cursor)
            page = msgspec.convert(asked, ProgressPage)
            found, cursor = found + page.items, page.next
            if cursor is None:
                return now, found

    def _ask(self, method: str, place: str, body: bytes | None = None, **query: object) -> object:
        given = {key: value for key, value in query.items() if value is not None}
        url = f"{self._url}{place}" + (f"?{urllib.parse.urlencode(given)}" if given else "")
        try:
            return ask_json(url, method=method, body=body, timeout_s=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            raise _ERRORS.get(error.code, InstanceError)(_detail(error)) from error
        except (OSError, ValueError) as error:
            raise InstanceError(f"the running instance at {self._url} failed: {error}") from error


def _quoted(campaign_id: str) -> str:
    return urllib.parse.quote(campaign_id, safe="")


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the running instance answered {error.code} {error.reason}"
