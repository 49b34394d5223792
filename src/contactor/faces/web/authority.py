"""Where a phone gets the certificate of the instance's own authority, before it trusts it.

    GET /                           what it is, its fingerprint, how it is installed
    GET /authority.crt              the certificate, DER
    GET /authority.mobileconfig     the same as a profile of Apple's
    GET /page.css                   how it looks

    app = authority_page(Offered(der=der, sha256="AB:CD:…", urls=(url,)), names=names)

These are served without TLS, on a port of their own, and nothing else is: no login, no cookie, no
value of a car. What a certificate says is no secret; that it is ours, its fingerprint shows.

Source: RFC 5280 (DER), RFC 2585 (its media type), Apple's Configuration Profile Reference.
"""

import html
import plistlib
import uuid
from dataclasses import dataclass, field
from typing import Final

from litestar import Litestar, MediaType, Response, get
from litestar.types import ASGIApp

from contactor.faces.web.headers import Headers
from contactor.faces.web.needs import ANYBODY
from contactor.faces.web.same_site import SameSite

CRT: Final = "application/x-x509-ca-cert"
MOBILECONFIG: Final = "application/x-apple-aspen-config"
NAME: Final = "Contactor"
PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Contactor: certificate</title>
<link rel="stylesheet" href="/page.css">
<h1>Let this device trust your Contactor</h1>
<p>Your instance has a certificate authority of its own, which signs for nobody else. Once this
device has it, what it sends there cannot be read or altered on its way.</p>
<p>Before you install it, compare this with what the instance itself shows
(<code>contactor elsewhere</code>); where they differ, somebody stands between:</p>
<p>SHA-256</p>
<pre>{sha256}</pre>
<h2>Android, and computers</h2>
<p><a href="/authority.crt">authority.crt</a>; then Settings, search for
&ldquo;CA certificate&rdquo;, and choose the file. A computer's browser takes it under Certificates,
Authorities.</p>
<h2>iPhone and iPad</h2>
<p><a href="/authority.mobileconfig">authority.mobileconfig</a>; then Settings, Profile Downloaded,
Install; then General, About, Certificate Trust Settings, and switch it on there.</p>
<h2>Then</h2>
<ul>{links}</ul>
</html>
"""
STYLE: Final = """\
:root { color-scheme: light dark; --accent: light-dark(#0b7264, #5ad1bd); }
body { max-width: 36rem; margin: 0 auto; padding: 1.25rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.25rem; }
pre { padding: 0.75rem; border-left: 4px solid var(--accent); font-size: 1rem; }
a { color: var(--accent); font-weight: 600; }
"""
POLICY: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
}
BYTES_A_LINE: Final = 8
"""Of the fingerprint: so many pairs of digits are compared at a glance, and fit a phone."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What is offered: the certificate, its fingerprint, and where the instance is reached with it.

    Fields:
        der: the certificate.
        sha256: as devices show it.
    """

    der: bytes = field(repr=False)
    sha256: str
    urls: tuple[str, ...]


def authority_page(offered: Offered, *, names: tuple[str, ...]) -> ASGIApp:
    """The application.

    Args:
        names: those that it is answered by.
    """
    links = "".join(
        f'<li><a href="{html.escape(url)}">{html.escape(url)}</a>' for url in offered.urls
    )
    pairs = offered.sha256.split(":")
    lines = (
        ":".join(pairs[place : place + BYTES_A_LINE])
        for place in range(0, len(pairs), BYTES_A_LINE)
    )
    shown = PAGE.format(sha256=html.escape("\n".join(lines)), links=links)

    @get("/", needs=ANYBODY, sync_to_thread=False)
    def page() -> Response[str]:
        return Response(shown, media_type=MediaType.HTML, headers=POLICY)

    @get("/page.css", media_type="text/css", needs=ANYBODY, sync_to_thread=False)
    def style() -> str:
        return STYLE

    @get("/authority.crt", needs=ANYBODY, sync_to_thread=False)
    def certificate() -> Response[bytes]:
        return Response(offered.der, media_type=CRT)

    @get("/authority.mobileconfig", needs=ANYBODY, sync_to_thread=False)
    def profile() -> Response[bytes]:
        return Response(mobileconfig(offered.der), media_type=MOBILECONFIG)

    app = Litestar([page, style, certificate, profile], openapi_config=None, logging_config=None)
    return Headers(SameSite(app, names=names))


def mobileconfig(der: bytes) -> bytes:
    """A certificate as a profile; the same one for the same certificate."""
    own = uuid.uuid5(uuid.NAMESPACE_OID, der.hex())
    root = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"contactor.authority.{own}.root",
        "PayloadUUID": str(uuid.uuid5(own, "root")),
        "PayloadDisplayName": f"{NAME} authority",
        "PayloadContent": der,
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"contactor.authority.{own}",
        "PayloadUUID": str(own),
        "PayloadDisplayName": NAME,
        "PayloadDescription": "Lets this device trust your own Contactor instance.",
        "PayloadContent": [root],
    }
    return plistlib.dumps(profile)
