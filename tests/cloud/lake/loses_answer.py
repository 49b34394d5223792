"""A way to the object storage on which the answer to a request never arrives; its own process.

    with lossy_way(port, lost="00000000000000000002.json HTTP") as way:
        way.url                     # as good as the storage's, but for that request

deltalake waits for an answer without letting other threads run: hence the process.
"""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    url: str
    process: subprocess.Popen[str]

    def wait(self) -> None:
        """Return when the answer is lost."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "lost\n"


@contextlib.contextmanager
def lossy_way(port: int, lost: str) -> Iterator[Way]:
    """A way to the storage at `port`; the request that holds the text `lost` is not answered."""
    command = [sys.executable, __file__, str(port), lost]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Way(f"http://127.0.0.1:{process.stdout.readline().strip()}", process)
        finally:
            process.kill()


class Connection:
    """One client's connection, passed on to the storage."""

    def __init__(
        self, client: socket.socket, port: int, lost: bytes, is_lost: threading.Event
    ) -> None:
        self._client = client
        self._server = socket.create_connection(("127.0.0.1", port))
        self._lost, self._is_lost, self._is_silent = lost, is_lost, False
        for carry in (self._carry_requests, self._carry_answers):
            threading.Thread(target=carry, daemon=True).start()

    def _carry_requests(self) -> None:
        while piece := self._client.recv(2**16):
            if self._lost in piece and not self._is_lost.is_set():
                self._is_lost.set()
                self._is_silent = True
            self._server.sendall(piece)

    def _carry_answers(self) -> None:
        while piece := self._server.recv(2**16):
            if self._is_silent:
                print("lost", flush=True)
                for end in (self._client, self._server):
                    end.shutdown(socket.SHUT_RDWR)
                return
            self._client.sendall(piece)


def main(port: int, lost: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    is_lost = threading.Event()
    while True:
        Connection(listener.accept()[0], port, lost, is_lost)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2].encode())
