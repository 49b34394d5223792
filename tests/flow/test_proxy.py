"""The proxy does to connections what it says."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.flow.proxy import HARMS, Proxy

SOON_S = 60.0


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=echo, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def echo(connection: socket.socket) -> None:
    with connection:
        try:
            while piece := connection.recv(1_000):
                connection.sendall(piece)
        except OSError:
            return


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=SOON_S)


def receive(client: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        got += client.recv(count - len(got))
    return got


def test_proxy_passes_everything_on(echo_port: int) -> None:
    with Proxy(target_port=echo_port, seed=1) as proxy, connect(proxy) as client:
        client.sendall(b"hello")
        assert receive(client, 5) == b"hello"


@pytest.mark.parametrize("kind", ["split", "throttle", "stall"])
def test_proxy_delays_and_loses_nothing(echo_port: int, kind: str) -> None:
    with Proxy(target_port=echo_port, seed=1) as proxy, connect(proxy) as client:
        proxy.harm(kind, 0.1)
        client.sendall(bytes(range(256)) * 4)
        assert receive(client, 1_024) == bytes(range(256)) * 4


def test_proxy_cuts_what_is_open_and_lets_new_ones_in(echo_port: int) -> None:
    with Proxy(target_port=echo_port, seed=1) as proxy, connect(proxy) as client:
        client.sendall(b"hello")
        receive(client, 5)
        proxy.harm("reset", 0)
        with pytest.raises(ConnectionResetError):
            receive(client, 1)
        with connect(proxy) as again:
            again.sendall(b"again")
            assert receive(again, 5) == b"again"


def test_proxy_halves_a_piece_and_cuts(echo_port: int) -> None:
    with Proxy(target_port=echo_port, seed=1) as proxy, connect(proxy) as client:
        client.sendall(b"hello")
        receive(client, 5)
        proxy.harm("halve", 0)
        time.sleep(0.05)
        client.sendall(b"0123456789")
        assert client.recv(100) in {b"", b"01234"}  # the way there is cut, or the way back


def test_proxy_refuses_new_connections_for_a_while(echo_port: int) -> None:
    with Proxy(target_port=echo_port, seed=1) as proxy:
        proxy.harm("refuse", 0.2)
        time.sleep(0.05)
        with pytest.raises(OSError), connect(proxy) as client:  # noqa: PT012  # whichever call finds it
            client.sendall(b"hello")
            assert client.recv(5) == b""
            raise ConnectionResetError


def test_harms_follow_from_the_seed_and_none_is_left_out() -> None:
    def first(seed: int) -> list[tuple[str, float]]:
        harms = Proxy(target_port=1, seed=seed).harms()
        return [next(harms) for _ in HARMS]

    assert first(1) == first(1) != first(2)
    assert sorted(kind for kind, _ in first(1)) == sorted(HARMS)
