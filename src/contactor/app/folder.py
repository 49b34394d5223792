"""The data folder: where everything of one instance lives, and who holds it.

DIR/format.json     what wrote it (`format`)
DIR/lock            held (flock) by the one process that may write
DIR/run.json        how to reach the running instance
DIR/lake/           the columnar history
DIR/twin/           the newest values, for a quick start
DIR/broker/         the embedded broker and its url
DIR/agent/          the cars' outbox, and their keys (`link.identities.unit`)
DIR/identity/       the key that certifies cars, and who is enrolled
DIR/tls/            the keys of its servers, and of who signs that of the page (`tls`)
DIR/log/            one file per role
DIR/audit.jsonl     who did what, in a chain of hashes
DIR/own-secret      what commands on the folder show the instance
DIR/backups/        made before it was brought to a newer format (`migration`)

folder = DataFolder.create(path)
with folder.held():
    ...
"""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from contactor.app.elsewhere import Elsewhere
from contactor.app.format import Format, read_format, write_format
from contactor.errors import FolderError, FolderFull, FolderInUse, UsageError
from contactor.whole_files import FULL, write_whole

UNFINISHED = ".restoring"
"""There while a backup is being restored."""
LOCK_WAIT_S = 0.5
LOCK_RETRY_S = 0.01
_DRAFT = re.compile(r"\.(format|run)\.json\.\d+")


class Process(msgspec.Struct, frozen=True):
    """A role's process, as `run.json` names it."""

    role: str
    pid: int
    vehicles: tuple[str, ...] = ()


class RunningInstance(msgspec.Struct, frozen=True):
    """The content of `run.json`; `elsewhere` is there where others reach it."""

    url: str
    version: str
    started_at: str
    supervisor_pid: int
    processes: tuple[Process, ...]
    first_owner_url: str | None = None
    elsewhere: Elsewhere | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths of one data folder, which exists and is ours."""

    root: Path

    @classmethod
    def create(cls, path: Path) -> "DataFolder":
        """Open `path`, making it first where it is missing or empty, or holds a car's keys only.

        Raises:
            FolderError: it is a file, foreign, newer, unreadable, or there is no room.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (path / "format.json").exists() and (is_empty(path) or _is_flashed(path)):
                write_format(path)
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
            read_format(path)
        except FileNotFoundError as error:
            raise FolderError(_why_none(path)) from error
        except OSError as error:
            raise _folder_error(path, error) from error
        return cls(path)

    @property
    def format(self) -> Format:
        """What it says of itself.

        Raises:
            FolderError: it cannot be read, or a newer Contactor wrote it meanwhile.
        """
        try:
            return read_format(self.root)
        except OSError as error:
            raise _folder_error(self.root, error) from error

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def outbox(self) -> Path:
        return self.root / "agent" / "outbox.db"

    @property
    def car_identities(self) -> Path:
        """The keys and certificates of the cars whose agent runs here."""
        return self.root / "agent" / "identity"

    @property
    def authority(self) -> Path:
        """The folder of the key that certifies cars."""
        return self.root / "identity"

    @property
    def tls(self) -> Path:
        """The keys by which it is served beyond this machine."""
        return self.root / "tls"

    @property
    def register(self) -> Path:
        """Who is enrolled."""
        return self.root / "identity" / "identities.db"

    @property
    def keys(self) -> Path:
        """The digital keys that were given."""
        return self.root / "identity" / "keys.db"

    @property
    def commands(self) -> Path:
        return self.root / "commands.db"

    @property
    def campaigns(self) -> Path:
        return self.root / "campaigns.db"

    @property
    def database(self) -> Path:
        """What people said: rules, names, tags."""
        return self.root / "contactor.sqlite3"

    @property
    def history(self) -> Path:
        """What was found in the lake: trips, charges; it can be found again."""
        return self.root / "history.sqlite3"

    @property
    def audit(self) -> Path:
        return self.root / "audit.jsonl"

    @property
    def own_secret(self) -> Path:
        """What commands on this folder show the instance that runs on it; made at its start."""
        return self.root / "own-secret"

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever recorded or stored in it."""
        return not self.outbox.exists() and not (self.root / "lake").exists()

    @property
    def has_lake(self) -> bool:
        """Whether a lake was ever begun in it."""
        return any((self.root / "lake" / "telemetry" / "_delta_log").glob("*.json"))

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run_json(self) -> Path:
        return self.root / "run.json"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for writing; nobody else can meanwhile.

        One of an older format is brought up to date first.

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
            self._bring_up_to_date()
            yield
        finally:
            os.close(descriptor)

    def _bring_up_to_date(self) -> None:
        if self.format.is_current:
            return
        from contactor.app.migration import bring_up_to_date

        try:
            bring_up_to_date(self)
        except OSError as error:
            raise _folder_error(self.root, error) from error

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

    def shown_secret(self) -> str | None:
        """What to show the instance that runs here; None where none ever had a login.

        Raises:
            FolderError: it is another user's.
        """
        try:
            return self.own_secret.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _folder_error(self.own_secret, error) from error

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


def is_empty(path: Path) -> bool:
    """Whether nobody has put anything there: a draft of ours is what a kill left behind."""
    return all(_DRAFT.fullmatch(entry.name) for entry in path.iterdir())


def _is_flashed(path: Path) -> bool:
    """Whether a factory has put a car's keys there, and nobody anything else."""
    inner = path / "agent"
    return _names(path) == ["agent"] and inner.is_dir() and _names(inner) == ["identity"]


def _names(path: Path) -> list[str]:
    return [entry.name for entry in path.iterdir()]


def _why_none(path: Path) -> str:
    if (path / UNFINISHED).exists():
        return f"a restore into {path} was cut short; delete the folder and restore again"
    held = ", ".join(sorted(entry.name for entry in path.iterdir())[:3]) or "nothing"
    return f"{path} is no Contactor data folder (it holds {held}); choose an empty one"


def _folder_error(path: Path, error: OSError) -> FolderError:
    if error.errno in FULL:
        return FolderFull(f"no space left in {path}")
    return FolderError(f"data folder {path}: {error.strerror or error}")
