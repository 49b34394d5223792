"""Early warnings as one HTML file with pictures: nothing is loaded from elsewhere.

page = warnings_page("leaf", warnings)
"""

import html
from collections.abc import Sequence

from contactor.cloud.alerts.warnings_told import WarningNow, evidence_of
from contactor.history.anomalies.plot import evidence_svg

_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;"
    "margin:2rem auto;padding:0 1rem}svg{width:100%;height:auto}"
    "section{break-inside:avoid;margin:2rem 0}"
)


def warnings_page(vehicle_id: str, warnings: Sequence[WarningNow]) -> str:
    """The page."""
    title = html.escape(f"Early warnings: {vehicle_id}")
    body = "".join(map(_section, warnings)) or "<p>Nothing odd.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>{body}</html>\n"
    )


def _section(one: WarningNow) -> str:
    name = html.escape(one.kind.replace("_", " "))
    since = html.escape(one.since.partition("T")[0])
    return (
        f"<section><h2>{name} ({one.severity})</h2>"
        f"<p>{html.escape(one.text)}, since {since}.</p>"
        f"{evidence_svg(evidence_of(one.evidence))}</section>"
    )
