"""The data folder: where everything of one instance lives, and who holds it.

DIR/format.json     what wrote it
DIR/lock            held (flock) by the one process that may write
DIR/run.json        how to reach the running instance
DIR/lake/           the columnar history
DIR/broker/         the embedded broker and its url
DIR/agent/          the cars' outbox
DIR/log/            one file per role

folder = DataFolder.create(path)
with folder.held():
    ...
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from contactor import __version__
from contactor.errors import FolderError, FolderFull, FolderInUse, UsageError

FORMAT = 1
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOCK_WAIT_S = 0.5
LOCK_RETRY_S = 0.01
_DRAFT = re.compile(r"\.(format|run)\.json\.\d+")


class Process(msgspec.Struct, frozen=True):
    """A role's process, as `run.json` names it."""

    role: str
    pid: int
    vehicles: tuple[str, ...] = ()


class RunningInstance(msgspec.Struct, frozen=True):
    """The content of `run.json`."""

    url: str
    version: str
    started_at: str
    supervisor_pid: int
    processes: tuple[Process, ...]
    first_owner_url: str | None = None


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths of one data folder, which exists and is ours."""

    root: Path

    @classmethod
    def create(cls, path: Path) -> "DataFolder":
        """Open `path`, making it first where it is missing or empty.

        Raises:
            FolderError: it is a file, foreign, newer, unreadable, or there is no room.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (path / "format.json").exists() and _is_empty(path):
                text = json.dumps({"format": FORMAT, "contactor": __version__})
                write_whole(path / "format.json", text)
                write_whole(path / ".gitignore", "*\n")
        except FileExistsError as error:
            raise FolderError(f"{path} is a file; --data takes a folder") from error
        except OSError as error:
            raise _folder_error(path, error) from error
        return cls.existing(path)

    @classmethod
    def existing(cls, path: Path) -> "DataFolder":
        """Open `path`.

        Raises:
            UsageError: there is no such folder.
            FolderError: it is a file, foreign, newer, or unreadable.
        """
        try:
            if not path.exists():
                raise UsageError(f"no data folder {path}; run or replay makes one")
            if not path.is_dir():
                raise FolderError(f"{path} is a file; --data takes a folder")
            text = (path / "format.json").read_text(encoding="utf-8")
            written = json.loads(text)["format"]
        except FileNotFoundError as error:
            held = ", ".join(sorted(entry.name for entry in path.iterdir())[:3]) or "nothing"
            raise FolderError(
                f"{path} is no Contactor data folder (it holds {held}); choose an empty one"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise FolderError(f"{path}/format.json cannot be read: {error}") from error
        except OSError as error:
            raise _folder_error(path, error) from error
        if written != FORMAT:
            raise FolderError(
                f"{path} has format {written}; this Contactor {__version__} reads {FORMAT}"
            )
        return cls(path)

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def outbox(self) -> Path:
        return self.root / "agent" / "outbox.db"

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever recorded or stored in it."""
        return not self.outbox.exists() and not (self.root / "lake").exists()

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run_json(self) -> Path:
        return self.root / "run.json"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for writing; nobody else can meanwhile.

        Raises:
            FolderInUse: somebody else holds it; the message names the process.
            FolderError: it cannot be written, or there is no room.
        """
        try:
            descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _folder_error(self.root, error) from error
        try:
            self._lock(descriptor)
            try:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            except OSError as error:
                raise _folder_error(self.root, error) from error
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        """Take the lock; somebody who just looks at it (`holder`) is gone at once."""
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = self.holder()
                if holder is not None or time.monotonic() > deadline:
                    raise FolderInUse(
                        f"{self.root} is in use by process {holder or 'unknown'}"
                    ) from error
                time.sleep(LOCK_RETRY_S)
            else:
                return

    def holder(self) -> int | None:
        """The process that holds the folder, or None."""
        try:
            with (self.root / "lock").open("rb") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = lock.read().strip()
                    return int(text) if text.isdigit() else None
        except FileNotFoundError:
            return None
        return None

    def running(self) -> RunningInstance | None:
        """The instance that runs on this folder now, or None.

        A `run.json` that a killed instance left behind counts for nothing, also while another
        command holds the folder.
        """
        holder = self.holder()
        if holder is None:
            return None
        try:
            found = msgspec.json.decode(self.run_json.read_bytes(), type=RunningInstance)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        return found if found.supervisor_pid == holder else None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all, readable by its owner only.

    When this returns, it survives a power cut.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_empty(path: Path) -> bool:
    """Whether nobody has put anything there: a draft of ours is what a kill left behind."""
    return all(_DRAFT.fullmatch(entry.name) for entry in path.iterdir())


def _folder_error(path: Path, error: OSError) -> FolderError:
    if error.errno in FULL:
        return FolderFull(f"no space left in {path}")
    return FolderError(f"data folder {path}: {error.strerror or error}")
