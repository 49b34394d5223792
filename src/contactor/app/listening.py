"""Where an instance listens: on this machine in the clear, beyond it over TLS.

add_listening_options(parser)
check_listening(args)
listening = listening_of(args)
listening.local_url                     # 'http://localhost:8080'

Beyond this machine the port given speaks TLS alone, and what is of this machine has another.
"""

import argparse
import errno
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from contactor.app.settings import LOOPBACK, add_option, host, port, public_url
from contactor.errors import InstanceError, UsageError


@dataclass(frozen=True, slots=True)
class GivenFiles:
    """A certificate that somebody else signed, with what leads to its root, and its key; PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Ports:
    """Where it listens beside its own port, while that is beyond this machine."""

    local: int
    certificate: int


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the API is answered.

    Fields:
        beside: where else; None where the host is this machine alone.
        given: a certificate that somebody else signed.
        public_url: how a proxy on this machine serves it, too.
    """

    host: str
    port: int
    beside: Ports | None = None
    given: GivenFiles | None = None
    public_url: str | None = None

    @property
    def local_url(self) -> str:
        """How this machine's own commands and people reach it."""
        return f"http://localhost:{self.port if self.beside is None else self.beside.local}"

    def options(self) -> list[str]:
        """The same on a command line."""
        said = ["--host", self.host, "--port", str(self.port)]
        if self.beside is not None:
            said += ["--local-port", str(self.beside.local)]
            said += ["--certificate-port", str(self.beside.certificate)]
        if self.given is not None:
            said += ["--tls-certificate", str(self.given.certificate)]
            said += ["--tls-key", str(self.given.key)]
        return said + ([] if self.public_url is None else ["--public-url", self.public_url])


def add_listening_options(parser: argparse.ArgumentParser) -> None:
    """--host, --port, --public-url, --no-auth, and those of TLS."""
    add_option(
        parser,
        "--host",
        type=host,
        default="localhost",
        help="address to listen on, default localhost; any other speaks TLS: 0.0.0.0 is all",
    )
    add_option(parser, "--port", type=port, default=8080, help="port, 0 takes a free one")
    add_option(
        parser,
        "--local-port",
        type=port,
        default=0,
        metavar="PORT",
        help="where this machine is answered while --host is beyond it; default a free one",
    )
    add_option(
        parser,
        "--certificate-port",
        type=port,
        default=0,
        metavar="PORT",
        help="where a phone gets the instance's own certificate; default a free one",
    )
    add_option(
        parser,
        "--tls-certificate",
        type=Path,
        metavar="FILE",
        help="serve --host with this certificate and its chain (PEM); default one of its own",
    )
    add_option(parser, "--tls-key", type=Path, metavar="FILE", help="the key of it (PEM)")
    add_option(
        parser,
        "--public-url",
        type=public_url,
        metavar="URL",
        help="how a reverse proxy on this machine serves it: https://car.example.org",
    )
    add_option(parser, "--no-auth", action="store_true", help="no login: on loopback only")


def check_listening(args: argparse.Namespace) -> None:
    """See that those options go together.

    Raises:
        UsageError: nobody would be asked who he is beyond this machine, or the certificate given
            cannot be served.
    """
    given = _given(args.tls_certificate, args.tls_key)
    if args.host in LOOPBACK:
        if given is not None:
            raise UsageError(
                f"--tls-certificate with --host {args.host}: nothing is encrypted on this machine;"
                " allowed: --host beyond it, as 0.0.0.0"
            )
        return
    if args.no_auth:
        raise UsageError(
            f"--host {args.host} with --no-auth is refused: who is elsewhere has to log in;"
            f" allowed: {', '.join(LOOPBACK)}"
        )
    if given is not None:
        from contactor.link.identities.servers import GivenCertificate

        GivenCertificate.read(given.certificate, given.key, time.time_ns())


def chosen_listening(args: argparse.Namespace) -> Listening:
    """What those options say to a process whose starter has chosen ports that are free."""
    given = _given(args.tls_certificate, args.tls_key)
    is_here = args.host in LOOPBACK
    beside = None if is_here else Ports(args.local_port, args.certificate_port)
    return Listening(args.host, args.port, beside, given, args.public_url)


def listening_of(args: argparse.Namespace) -> Listening:
    """What those options say, with free ports.

    Raises:
        InstanceError: a port is taken, or cannot be listened on.
        UsageError: a port stands twice.
    """
    given = _given(args.tls_certificate, args.tls_key)
    if args.host in LOOPBACK:
        return Listening(args.host, free_port(args.host, args.port), public_url=args.public_url)
    chosen = free_port(args.host, args.port)
    local = _another(LOOPBACK[0], args.local_port, {chosen})
    certificate = _another(args.host, args.certificate_port, {chosen, local})
    return Listening(args.host, chosen, Ports(local, certificate), given, args.public_url)


def free_port(host: str, port: int) -> int:
    """The port, if it is free; a free one for 0.

    Raises:
        InstanceError: it is taken, or cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as server:
            taken: int = server.getsockname()[1]
            return taken
    except OSError as error:
        is_taken = error.errno == errno.EADDRINUSE
        reason = "is taken; --port 0 takes a free one" if is_taken else f"fails: {error.strerror}"
        raise InstanceError(f"port {port} on {host} {reason}") from error


def _another(host: str, wanted: int, taken: Collection[int]) -> int:
    """As `free_port`, and none of those."""
    if wanted and wanted in taken:
        raise UsageError(f"port {wanted} stands twice; allowed: another for each")
    while (found := free_port(host, wanted)) in taken:
        pass
    return found


def _given(certificate: Path | None, key: Path | None) -> GivenFiles | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("--tls-certificate and --tls-key belong together; allowed: both or none")
    return GivenFiles(certificate.absolute(), key.absolute())
