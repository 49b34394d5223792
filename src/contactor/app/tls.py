"""How a folder's instance is served beyond this machine: by its own certificate, or one given.

DIR/tls/                the authority that phones are told to trust, and the certificate of
                        the server (`link.identities.web_authority`)
DIR/tls/broker.pem      the broker's, signed by the authority of cars

tls = WebTls.open(folder, listening, clock=SystemClock())
tls.names           # answered by these, and by no other
tls.renew(context)  # where it is due, or another one is given
"""

import ssl
from contextlib import closing
from typing import Self

from contactor.app.folder import DataFolder
from contactor.app.listening import GivenFiles, Listening
from contactor.app.office import open_office
from contactor.app.own_names import HERE, OwnNames
from contactor.clock import Clock
from contactor.link.broker_config import BrokerTls
from contactor.link.identities.servers import GivenCertificate
from contactor.link.identities.web_authority import WebAuthority
from contactor.whole_files import make_private_folder

BROKER_SERVER = "broker.pem"


class WebTls:
    """What the API is served with, and by which names.

    Fields:
        files: what the server reads.
        names: those in its certificate.
        elsewhere: by which others reach it, the best first.
        authority: who signed it; None where it was given.
    """

    def __init__(
        self,
        files: GivenFiles,
        names: tuple[str, ...],
        elsewhere: tuple[str, ...],
        authority: WebAuthority | None,
        clock: Clock,
    ) -> None:
        self.files, self.names, self.elsewhere = files, names, elsewhere
        self.authority = authority
        self._clock = clock
        self._seen = self._stamp()

    @classmethod
    def open(cls, folder: DataFolder, listening: Listening, *, clock: Clock) -> Self:
        """Make what is needed, or look at what is given.

        Raises:
            UsageError: what is given cannot be served.
            IdentityError: the folder's own cannot be read or written.
        """
        own, given, now_ns = OwnNames.of(listening.host), listening.given, clock.now_ns()
        if given is not None:
            names = GivenCertificate.read(given.certificate, given.key, now_ns).names
            return cls(given, names, _told(names, own), None, clock)
        authority = WebAuthority.kept(folder.tls, now_ns)
        file = authority.keep_server(own.served, now_ns)
        return cls(GivenFiles(file, file), own.served, own.elsewhere, authority, clock)

    @property
    def public_names(self) -> frozenset[str]:
        """Names that everybody's browser believes, who so may be told to never ask without TLS."""
        return frozenset() if self.authority is not None else frozenset(self.names).difference(HERE)

    def renew(self, context: ssl.SSLContext) -> bool:
        """Renew our own where it is due, and serve what is in the files; whether that is new.

        Raises:
            IdentityError: our own cannot be written.
            OSError: the files cannot be served; what was served before still is.
        """
        if self.authority is not None:
            self.authority.keep_server(self.names, self._clock.now_ns())
        now = self._stamp()
        if now == self._seen:
            return False
        # A context that is given what does not belong together serves nothing any more.
        for one in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), context):
            one.load_cert_chain(self.files.certificate, self.files.key)
        self._seen = now
        return True

    def _stamp(self) -> tuple[int, ...]:
        files = (self.files.certificate, self.files.key)
        return tuple(file.stat().st_mtime_ns for file in files if file.exists())


def open_broker_tls(folder: DataFolder, host: str, *, clock: Clock) -> BrokerTls:
    """What the broker is served with to cars: they know it by the authority that certifies them.

    Raises:
        IdentityError: a key cannot be read or written.
        FolderError: the register cannot be opened.
    """
    own, file = OwnNames.of(host), folder.tls / BROKER_SERVER
    make_private_folder(folder.tls)
    with closing(open_office(folder, clock)) as office:
        office.authority.keep_server(file, own.served, clock.now_ns())
        return BrokerTls(host, own.elsewhere, file, office.authority_pem)


def _told(names: tuple[str, ...], own: OwnNames) -> tuple[str, ...]:
    """Of a given certificate's names those that a person can ask for."""
    asked = [name for name in own.elsewhere if name in names]
    whole = [name for name in names if name not in HERE and "*" not in name]
    return tuple(asked or whole or own.elsewhere)
