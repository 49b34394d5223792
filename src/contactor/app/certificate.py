"""The battery certificate as a file; its ending says whether it is a page or a PDF.

write_certificate(Path("battery.pdf"), told)
"""

from collections.abc import Mapping
from pathlib import Path

from contactor.clock import SystemClock
from contactor.errors import UsageError
from contactor.whole_files import write_whole

ENDINGS = (".html", ".pdf")


def check_ending(path: Path) -> None:
    """Raise where a certificate cannot be of this kind.

    Raises:
        UsageError: it ends with neither .html nor .pdf.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"a certificate ends with .html or .pdf, not as {path.name!r} does")


def write_certificate(path: Path, told: Mapping[str, object]) -> None:
    """Write the certificate of what `contactor battery --json` tells.

    Raises:
        UsageError: it ends with neither .html nor .pdf.
        MissingPart: a PDF, and what makes one is not installed.
    """
    from contactor.history.battery.certificate import certificate_of
    from contactor.history.battery.from_json import from_json

    check_ending(path)
    vehicle_id = str(told["vehicle_id"])
    certificate = certificate_of(vehicle_id, from_json(told), made_ns=SystemClock().now_ns())
    if path.suffix.lower() == ".pdf":
        from contactor.faces.report.battery_pdf import pdf

        content = pdf(certificate)
    else:
        from contactor.faces.report.battery_html import html

        content = html(certificate).encode()
    write_whole(path, content)
