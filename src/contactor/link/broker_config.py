"""What stands in the file of the embedded broker.

    text = broker_config(port=24030, access=open_access(password), store=store)

Source: https://docs.nats.io/running-a-nats-service/configuration.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.link import topics
from contactor.signals.wire.limits import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from contactor.link.identities.keys import KeyPair

HOST = "127.0.0.1"
ANYWHERE = {"0.0.0.0": HOST, "::": "::1"}
"""Every address of the machine, and the one by which the machine itself speaks to it."""
USER = "contactor"
MAX_PAYLOAD_BYTES = MAX_MESSAGE_BYTES + 100_000
STORE_BYTES = 2 * 2**30
STORE_MEMORY_BYTES = 64 * 2**20
CLOUD, CARS, SYSTEM = "CLOUD", "CARS", "SYSTEM"
NOWHERE = "nowhere"
GATE_S = 1.5
"""So long a car waits at the door, which is less than it would wait by itself."""
HANDSHAKE_S = 3


@dataclass(frozen=True, slots=True)
class BrokerTls:
    """How a broker is served beyond this machine: over TLS, to everybody.

    Fields:
        host: where it listens.
        names: by which cars elsewhere reach it, the best first.
        server: the file of its key and certificate.
        authority: the certificate of who signed that, as PEM.
    """

    host: str
    names: tuple[str, ...]
    server: Path
    authority: bytes

    @property
    def near_host(self) -> str:
        """How the machine itself reaches it."""
        return ANYWHERE.get(self.host, self.host)


def broker_config(*, port: int, access: str, store: Path, tls: BrokerTls | None = None) -> str:
    """The whole file.

    Args:
        access: who comes in: `open_access` or `gated_access`.
        tls: None where it listens on this machine only.
    """
    return f"""\
# Written at every start; changes are lost.
host: {_quoted(HOST if tls is None else tls.host)}
port: {port}
{"" if tls is None else _encrypted(tls)}\
server_name: {_quoted(f"contactor-{secrets.token_hex(4)}")}
max_payload: {MAX_PAYLOAD_BYTES}
{access}
jetstream {{
  store_dir: {_quoted(str(store.absolute()))}
  max_memory_store: {STORE_MEMORY_BYTES}
  max_file_store: {STORE_BYTES}
}}
"""


def open_access(password: str) -> str:
    """Whoever has the password, with all rights."""
    return f'authorization {{ user: "{USER}", password: {_quoted(password)} }}'


def gated_access(password: str, keys: "tuple[KeyPair, KeyPair]") -> str:
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


def _encrypted(tls: BrokerTls) -> str:
    server = _quoted(str(tls.server.absolute()))
    return f"""\
tls {{
  cert_file: {server}
  key_file: {server}
  min_version: "1.2"
  timeout: {HANDSHAKE_S}
}}
"""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
