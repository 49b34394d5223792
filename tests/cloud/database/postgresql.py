"""A PostgreSQL of our own on this machine, whose databases ask for a password."""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.ports import free_ports

PASSWORD = "do-not-tell-7"
_ROLE = "contactor"


class Server:
    """A running server; each test gets a database of its own."""

    def __init__(self, home: Path, programs: Path, port: int) -> None:
        self._home, self._programs, self._port = home, programs, port
        self._numbers = itertools.count()
        secret = home / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        asks = ("--auth=scram-sha-256", f"--username={_ROLE}", f"--pwfile={secret}")
        self._call("initdb", "-D", str(home / "db"), "--no-sync", *asks)

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -c port={self._port} -c fsync=off"
        options += f" -c unix_socket_directories={self._home}"
        log = str(self._home / "log")
        self._call("pg_ctl", "-D", str(self._home / "db"), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._call("pg_ctl", "-D", str(self._home / "db"), "-m", "immediate", "stop")

    def new_url(self) -> str:
        """The URL of an empty database, with its password."""
        name = f"facts{next(self._numbers)}"
        root = f"postgresql://{_ROLE}:{PASSWORD}@127.0.0.1:{self._port}"
        with psycopg.connect(f"{root}/postgres", autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return f"{root}/{name}"

    def _call(self, program: str, *arguments: str) -> None:
        as_other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*as_other, str(self._programs / program), *arguments],
            check=True,
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """A server, from ready to its end; the test is skipped where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    known = shutil.which("initdb")
    if known is None and not found:
        pytest.skip("PostgreSQL is not installed")
    programs = found[-1].parent if found else Path(str(known)).parent
    home = Path(tempfile.mkdtemp(prefix="contactor-postgresql-"))
    try:
        if os.geteuid() == 0:  # it refuses to run as root
            os.chown(home, pwd.getpwnam("postgres").pw_uid, -1)
        made = Server(home, programs, free_ports(1)[0])
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(home)
