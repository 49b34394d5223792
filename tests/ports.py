"""Ports for servers of the tests, out of the range that outgoing connections are never given."""

import random
import socket

from contactor.link.broker import PORTS


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; no connection of anybody takes one of them meanwhile."""
    free: list[int] = []
    for port in random.SystemRandom().sample(PORTS, k=len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        free.append(port)
        if len(free) == count:
            return free
    raise AssertionError("no free ports")
