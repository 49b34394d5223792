"""Three brokers as one cluster, on this machine: configurations, and who leads.

launches = prepare_cluster(folder)          # by role: broker-1, broker-2, broker-3
asyncio.run(stream_leader(url))             # "broker-2"
"""

import json
from pathlib import Path

import msgspec

from contactor.errors import LinkError
from contactor.link.broker import BrokerLaunch, prepare_broker
from contactor.link.broker_config import MAX_PAYLOAD_BYTES
from contactor.link.nats.address import read_address
from contactor.link.nats.connection import Connection
from contactor.link.nats.jetstream import STREAM
from tests.ports import free_ports

SIZE = 3
PASSWORD = "of-the-cluster"


def prepare_cluster(folder: Path) -> dict[str, BrokerLaunch]:
    """Write what three brokers need; they find each other, in whatever order they start."""
    roles = [f"broker-{number}" for number in range(1, SIZE + 1)]
    ports = free_ports(2 * SIZE)
    routes = [f"nats-route://127.0.0.1:{port}" for port in ports[SIZE:]]
    launches = {}
    for role, port, route_port in zip(roles, ports[:SIZE], ports[SIZE:], strict=True):
        binary = prepare_broker(folder / role, port=port).command[0]
        config = folder / role / "cluster.conf"
        config.write_text(f"""\
listen: "127.0.0.1:{port}"
server_name: {role}
max_payload: {MAX_PAYLOAD_BYTES}
authorization {{ user: "contactor", password: "{PASSWORD}" }}
jetstream {{ store_dir: {json.dumps(str(folder / role / "store"))}, max_file_store: 2GB }}
cluster {{
  name: test
  listen: "127.0.0.1:{route_port}"
  routes: {json.dumps(routes)}
}}
""")
        url = f"nats://contactor:{PASSWORD}@127.0.0.1:{port}"
        launches[role] = BrokerLaunch([binary, "--config", str(config)], url, port)
    return launches


class Cluster(msgspec.Struct):
    """Who leads a stream, and who else holds it."""

    leader: str = ""
    replicas: list[object] = []


class _Stream(msgspec.Struct):
    cluster: Cluster = msgspec.field(default_factory=Cluster)


async def ask_cluster(url: str) -> Cluster | None:
    """How one broker sees the stream; None while it cannot say, or nobody leads."""
    connection = Connection()
    try:
        if not await connection.connect(read_address(url), "test"):
            return None
        answer = await connection.request(f"$JS.API.STREAM.INFO.{STREAM}", b"", timeout_s=2)
        cluster = msgspec.json.decode(answer, type=_Stream).cluster
        return cluster if cluster.leader else None
    except LinkError:
        return None
    finally:
        await connection.end()
