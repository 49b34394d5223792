"""A real object storage of our own on this machine: SeaweedFS, out of its package."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from contactor.cloud.lake.delta_objects import Objects
from tests.ports import free_ports

BINARY = Path(sys.executable).with_name("weed")
KEY, SECRET, BUCKET = "contactor", "not-so-secret", "lake"
READY_S = 60


class Storage:
    """A running storage; it can be killed and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "volumes").mkdir()
        who = {"name": "test", "credentials": [{"accessKey": KEY, "secretKey": SECRET}]}
        identities = {"identities": [{**who, "actions": ["Admin", "Read", "Write", "List"]}]}
        (folder / "s3.json").write_text(json.dumps(identities))
        self._ports = free_ports(8)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a client of it must find in its environment."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._ports[0]}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        names = ("s3", "master", "volume", "filer")
        ports = [f"-{name}.port={self._ports[place]}" for place, name in enumerate(names)]
        ports += [f"-{name}.port.grpc={self._ports[place + 4]}" for place, name in enumerate(names)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(BINARY), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"),
                    *(f"-dir={self._folder / 'volumes'}", f"-s3.config={self._folder / 's3.json'}"),
                    *("-master.volumeSizeLimitMB=64", "-volume.max=50", "-master.telemetry=false"),
                    *(*ports, "-s3.port.iceberg=0", "-s3.port.lance=0"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )
        self._wait()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _wait(self) -> None:
        assert self._process is not None
        probe = self._folder / "probe"
        probe.write_bytes(b"probe")
        deadline = time.monotonic() + READY_S
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self._ports[0]), timeout=1):
                    pass
                Objects(f"s3://{BUCKET}/probe").put("probe", probe)
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)
            else:
                return


@contextlib.contextmanager
def storage(folder: Path) -> Iterator[Storage]:
    """A storage, from ready to its end; this process's environment tells where it is."""
    made = Storage(folder)
    before = {name: os.environ.get(name) for name in made.environment}
    os.environ.update(made.environment)
    try:
        made.start()
        yield made
    finally:
        made.kill()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
