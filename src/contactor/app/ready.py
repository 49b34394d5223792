"""What is said when an instance is ready: how it is reached from here, from elsewhere, by a phone.

ready http://localhost:41234
elsewhere https://garage.local:8443 https://192.0.2.2:8443
certificate http://192.0.2.2:41235
sha256 5E:0C:...
first owner http://localhost:41234/first-owner#...

On a terminal a QR code comes after them, which leads a phone to its first page.
"""

import sys

from contactor.app.elsewhere import Elsewhere, qr_code
from contactor.app.listening import Listening


def tell_ready(
    listening: Listening, elsewhere: Elsewhere | None, *, code: str | None = None
) -> None:
    """Print it.

    Args:
        elsewhere: what others are told; None where they do not reach it.
        code: by which somebody becomes the first owner; None where there is one.
    """
    lines = [f"ready {listening.local_url}", *(() if elsewhere is None else elsewhere.lines())]
    if code is not None:
        lines += [f"first owner {link}" for link in owner_links(listening, elsewhere, code)]
    if elsewhere is not None and sys.stdout.isatty():
        lines.append(qr_code(elsewhere.scanned))
    print("\n".join(lines), flush=True)


def owner_links(listening: Listening, elsewhere: Elsewhere | None, code: str) -> list[str]:
    """The links with that code, each good; the first where a proxy serves it, or on this machine.

    The code stands behind the `#`, which a browser tells no server and no log.
    """
    roots = [listening.public_url or listening.local_url]
    roots += [] if elsewhere is None else elsewhere.urls[:1]
    return [f"{root}/first-owner#{code}" for root in dict.fromkeys(roots)]
