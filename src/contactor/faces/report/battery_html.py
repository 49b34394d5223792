"""The battery certificate as one HTML page: no script, nothing fetched, light, dark and on paper.

html(certificate_of("demo", report, made_ns=now_ns))
"""

from html import escape

from contactor.faces.report.drawing import draw
from contactor.faces.report.svg import svg
from contactor.history.battery.certificate import Bars, Certificate, Curve, Headline

WIDE, HEIGHT, HALF_WIDE, HALF_HEIGHT = 720.0, 230.0, 350.0, 190.0

STYLE = """
:root{color-scheme:light dark;--page:#f1f4f5;--card:#fff;--text:#0e171b;--muted:#55646c;
--line:#dfe6e9;--accent:#0b7268;--soft:#bfe3dc;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--page:#0d1417;--card:#152025;--text:#e8eff1;
--muted:#9aabb2;--line:#2a3940;--accent:#4cc7b6;--soft:#1d4c48;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);
font:15px/1.5 Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:800px;margin:0 auto;padding:32px 20px 48px}
header{display:flex;flex-wrap:wrap;gap:8px 32px;align-items:end;justify-content:space-between}
h1{font-size:28px;line-height:1.15;margin:0;letter-spacing:-.02em}
h2{font-size:16px;margin:0 0 8px}
dl.heads{display:flex;flex-wrap:wrap;gap:4px 28px;margin:0}
dl.heads div{display:flex;flex-direction:column}
dt{color:var(--muted);font-size:12px}
dd{margin:0}
.verdict{font-size:18px;line-height:1.45;margin:24px 0}
.heads3{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:14px}
section,.head{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:18px}
section{margin-top:14px}
.head b{display:block;font-size:30px;line-height:1.2;letter-spacing:-.02em;
font-variant-numeric:tabular-nums}
.head span,.note{color:var(--muted);font-size:13px}
.note{margin:8px 0 0}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:14px}
svg{display:block;width:100%;height:auto;font:11px Inter,system-ui,sans-serif}
svg text{fill:var(--text)}svg text.muted{fill:var(--muted)}
.grid{stroke:var(--line);fill:none}.axis{stroke:var(--muted);fill:none}
.band{fill:var(--soft);opacity:.75}.line{stroke:var(--accent);stroke-width:2;fill:none}
.ahead{stroke:var(--accent);stroke-width:2;stroke-dasharray:5 4;fill:none}
.level{stroke:var(--muted);stroke-dasharray:2 3;fill:none}
.dot{fill:var(--accent);opacity:.65}.bar{fill:var(--accent)}.marked{fill:var(--bad)}
table{width:100%;border-collapse:collapse}
td{padding:6px 0;border-top:1px solid var(--line);vertical-align:top}
tr:first-child td{border-top:0}
td+td{text-align:right;font-variant-numeric:tabular-nums;padding-left:16px}
p{margin:0 0 8px}ul{margin:0;padding-left:18px}li{margin:4px 0}
footer{color:var(--muted);font-size:12px;margin-top:18px}
@media (max-width:600px){.pair{grid-template-columns:1fr}section{overflow-x:auto}
section>svg{min-width:520px}.pair section>svg{min-width:0}}
@page{size:A4;margin:14mm}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--text:#0e171b;--muted:#55646c;
--line:#d5dde0;--accent:#0b7268;--soft:#bfe3dc;--bad:#b3261e}
body{font-size:12px}main{padding:0;max-width:none}section,.head{break-inside:avoid;padding:12px}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def html(certificate: Certificate) -> str:
    """The whole page."""
    one = certificate
    heads = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in one.heads
    )
    rows = "".join(
        f"<tr><td>{escape(label)}</td><td>{escape(value)}</td></tr>" for label, value in one.figures
    )
    method = "".join(f"<p>{escape(text)}</p>" for text in one.method)
    limits = "".join(f"<li>{escape(text)}</li>" for text in one.limits)
    return (
        f'<!doctype html><html lang="{escape(one.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(one.title)}: {escape(one.car)}</title><style>{STYLE}</style></head>"
        f'<body><main><header><h1>{escape(one.title)}</h1><dl class="heads">{heads}</dl></header>'
        f'<p class="verdict">{escape(" ".join(one.verdict))}</p>'
        f'<div class="heads3">{"".join(map(_headline, one.headlines))}</div>'
        f"{_charts(one)}"
        f"<section><h2>{escape(one.figures_title)}</h2><table>{rows}</table></section>"
        f"<section><h2>{escape(one.method_title)}</h2>{method}</section>"
        f"<section><h2>{escape(one.limits_title)}</h2><ul>{limits}</ul></section>"
        f"<footer>{escape(one.foot)}</footer></main></body></html>\n"
    )


def _headline(one: Headline) -> str:
    return (
        f'<div class="head"><span>{escape(one.label)}</span><b>{escape(one.value)}</b>'
        f"<span>{escape(one.note)}</span></div>"
    )


def _charts(certificate: Certificate) -> str:
    """Few bars stand two beside each other, the rest alone."""
    parts, pair = [], []
    for chart in certificate.charts:
        if is_small(chart):
            pair.append(_chart(chart, HALF_WIDE, HALF_HEIGHT))
        else:
            parts.append(_chart(chart, WIDE, HEIGHT))
        if len(pair) == 2:
            parts.append(f'<div class="pair">{"".join(pair)}</div>')
            pair = []
    return "".join([*parts, *pair])


def is_small(chart: Curve | Bars) -> bool:
    """Whether half a page is wide enough for it."""
    return isinstance(chart, Bars) and len(chart.values) <= 8


def _chart(chart: Curve | Bars, width: float, height: float) -> str:
    shapes = draw(chart, width=width, height=height)
    picture = svg(shapes, width=width, height=height, title=chart.title)
    return (
        f"<section><h2>{escape(chart.title)}</h2>{picture}"
        f'<p class="note">{escape(chart.note)}</p></section>'
    )
