"""By which addresses others reach an instance, and where a phone gets its certificate.

elsewhere = Elsewhere.of(listening, tls)
for line in elsewhere.lines():
    print(line)
print(qr_code(elsewhere.scanned))
"""

import io
from typing import TYPE_CHECKING

import msgspec

from contactor.app.listening import Listening

if TYPE_CHECKING:
    from contactor.app.tls import WebTls


class Elsewhere(msgspec.Struct, frozen=True):
    """What others are told.

    Fields:
        urls: of the instance, the best first.
        certificate_url: the page that offers its own certificate; None where others signed it.
        sha256: the fingerprint of that certificate, to be compared.
    """

    urls: tuple[str, ...]
    certificate_url: str | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, listening: Listening, tls: "WebTls | None") -> "Elsewhere | None":
        """What there is to tell of an instance that listens so; None where nobody reaches it."""
        from contactor.link.nats.address import in_url

        proxy = listening.public_url
        urls: tuple[str, ...] = () if proxy is None else (proxy,)
        if tls is None or listening.beside is None:
            return cls(urls) if urls else None
        urls += tuple(f"https://{in_url(name)}:{listening.port}" for name in tls.elsewhere)
        if tls.authority is None:
            return cls(urls)
        # An address, for not every phone finds names of the own network.
        page = f"http://{in_url(tls.elsewhere[-1])}:{listening.beside.certificate}"
        return cls(urls, page, tls.authority.fingerprint)

    @property
    def scanned(self) -> str:
        """Where a phone is to go first."""
        return self.certificate_url or self.urls[0]

    def lines(self) -> list[str]:
        """For people."""
        told = [f"elsewhere {' '.join(self.urls)}"]
        if self.certificate_url is not None:
            told += [f"certificate {self.certificate_url}", f"sha256 {self.sha256}"]
        return told


def qr_code(text: str) -> str:
    """A text as a QR code of half blocks, for a terminal."""
    import segno

    drawn = io.StringIO()
    segno.make(text, micro=False).terminal(drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n")
