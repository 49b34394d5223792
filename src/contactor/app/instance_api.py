"""The API of the instance that runs on a folder; what it refuses becomes an error of ours.

root = "http://localhost:8080/api/v1/campaigns"
api = InstanceApi(root, secret=secret, timeout_s=60.0, unknown=UnknownCampaign)
campaigns = api.items("", CampaignPage)
api.ask("DELETE", f"/{quoted(campaign_id)}")
"""

import http
import json
import urllib.error
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Protocol, TypeVar

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.local_http import ask_json, get_bytes, save
from contactor.clock import to_iso
from contactor.errors import ContactorError, InstanceError, UsageError

NOTHING: Mapping[str, object] = MappingProxyType({})
PAGE = 1_000
"""What the API gives at once, at most."""
_Answer = TypeVar("_Answer")
_Item = TypeVar("_Item")
_OfFolder = TypeVar("_OfFolder")
_OfInstance = TypeVar("_OfInstance")


class Page(Protocol[_Item]):
    """A page of a list, and the cursor of the next one."""

    @property
    def items(self) -> list[_Item]: ...

    @property
    def next(self) -> str | None: ...


class InstanceApi:
    """Asks below one address.

    Args:
        root: the address; places are written behind it.
        secret: what to show there.
        unknown: what a 404 is, where a question says nothing else.
        otherwise: what any other refusal is; a 400 is always a UsageError.
    """

    def __init__(
        self,
        root: str,
        *,
        secret: str | None,
        timeout_s: float,
        unknown: type[ContactorError],
        otherwise: type[ContactorError] = InstanceError,
    ) -> None:
        self._root, self._timeout_s, self._secret = root, timeout_s, secret
        self._unknown, self._otherwise = unknown, otherwise

    def ask(
        self,
        method: str,
        place: str = "",
        body: bytes | None = None,
        *,
        query: Mapping[str, object] = NOTHING,
        unknown: type[ContactorError] | None = None,
    ) -> object:
        """The document that answers.

        Args:
            query: what is None is left out.

        Raises:
            ContactorError: it refused, in its own words.
            InstanceError: it did not answer.
        """
        url = self._url(place, query)
        return self._answer(
            unknown,
            lambda: ask_json(
                url, method=method, body=body, timeout_s=self._timeout_s, secret=self._secret
            ),
        )

    def items(
        self,
        place: str,
        page: type[Page[_Item]],
        *,
        query: Mapping[str, object] = NOTHING,
    ) -> list[_Item]:
        """All of a list, page by page; raises as `ask`."""
        found: list[_Item] = []
        cursor: str | None = None
        while True:
            answer = self.ask("GET", place, query={**query, "limit": PAGE, "cursor": cursor})
            one = msgspec.convert(answer, page)
            found, cursor = found + one.items, one.next
            if cursor is None:
                return found

    def bytes(self, place: str, *, query: Mapping[str, object]) -> bytes:
        """What is there, whole; raises as `ask`."""
        url = self._url(place, query)
        return self._answer(
            None, lambda: get_bytes(url, timeout_s=self._timeout_s, secret=self._secret)
        )

    def save(self, place: str, file: BinaryIO) -> None:
        """Write what is there into a file as it comes; raises as `ask`."""
        url = self._url(place, NOTHING)
        self._answer(None, lambda: save(url, file, timeout_s=self._timeout_s, secret=self._secret))

    def _url(self, place: str, query: Mapping[str, object]) -> str:
        given = {key: value for key, value in query.items() if value is not None}
        asked = f"?{urllib.parse.urlencode(given, doseq=True)}" if given else ""
        return f"{self._root}{place}{asked}"

    def _answer(self, unknown: type[ContactorError] | None, ask: Callable[[], _Answer]) -> _Answer:
        kinds: Mapping[int, type[ContactorError]] = {
            http.HTTPStatus.NOT_FOUND: unknown or self._unknown,
            http.HTTPStatus.BAD_REQUEST: UsageError,
        }
        try:
            return ask()
        except urllib.error.HTTPError as error:
            raise kinds.get(error.code, self._otherwise)(_detail(error)) from error
        except (OSError, ValueError) as error:
            raise InstanceError(f"the running instance at {self._root} failed: {error}") from error


def way_to(
    data: Path,
    of_folder: Callable[[DataFolder], _OfFolder],
    of_instance: Callable[[str, str | None], _OfInstance],
) -> _OfFolder | _OfInstance:
    """How to ask a data folder: by HTTP where an instance runs on it, else the folder itself.

    Args:
        of_instance: takes the instance's url, and what to show there.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    folder = DataFolder.existing(data)
    instance = folder.running()
    return (
        of_folder(folder) if instance is None else of_instance(instance.url, folder.shown_secret())
    )


def span_query(since_ns: int | None, until_ns: int | None) -> dict[str, str | None]:
    """An interval as the API takes it."""
    return {
        "start": None if since_ns is None else to_iso(since_ns),
        "end": None if until_ns is None else to_iso(until_ns),
    }


def quoted(name: str) -> str:
    """A name as a part of a place."""
    return urllib.parse.quote(name, safe="")


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the running instance answered {error.code} {error.reason}"
