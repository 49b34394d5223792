"""The code by which somebody becomes the first owner of an instance: made, told, and closed.

first_owner = FirstOwner(folder, "http://localhost:8080")
first_owner.code()          # 'cto_cod_…'; None: there is an owner
await first_owner.follow(run_file)
"""

import asyncio
import logging
from typing import Final, Protocol

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.local_http import ask_json, get_json

ANSWER_S: Final = 10.0
LOOK_S: Final = 2.0
ANEW_S: Final = 12 * 3600.0
"""A code is good for a day; that in `run.json` always is."""

_log = logging.getLogger(__name__)


class RunFile(Protocol):
    """Where the code is told."""

    def tell_first_owner(self, code: str | None) -> None:
        """By which code; None where there is an owner."""
        ...


class FirstOwner:
    """Asks the instance on a folder."""

    def __init__(self, folder: DataFolder, url: str) -> None:
        self._folder = folder
        self._root = f"{url}/api/v1/first-owner"

    def code(self) -> str | None:
        """A new code, which ends the one before; None where there is an owner, or no login.

        Raises:
            OSError: the instance did not answer.
        """
        answer = ask_json(
            f"{self._root}/code",
            method="POST",
            timeout_s=ANSWER_S,
            secret=self._folder.shown_secret(),
        )
        return msgspec.convert(answer, _Code).code

    async def follow(self, told: RunFile) -> None:
        """Until there is an owner, see to it that what is told is a code that is good."""
        waited_s = 0.0
        while True:
            await asyncio.sleep(LOOK_S)
            waited_s += LOOK_S
            try:
                if not await asyncio.to_thread(self._is_open):
                    told.tell_first_owner(None)
                    return
                if waited_s >= ANEW_S:
                    waited_s = 0.0
                    told.tell_first_owner(await asyncio.to_thread(self.code))
            except (OSError, ValueError) as error:
                _log.info("first owner not known reason=%s", error)

    def _is_open(self) -> bool:
        return msgspec.convert(get_json(self._root, timeout_s=ANSWER_S), _Now).is_open


class _Code(msgspec.Struct):
    code: str | None


class _Now(msgspec.Struct):
    is_open: bool
