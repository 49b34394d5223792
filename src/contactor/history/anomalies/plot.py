"""The evidence of an anomaly as a picture: SVG, in the colours of whoever shows it. Pure.

svg = evidence_svg(anomaly.evidence)

     title (unit)
   ┌──────────────────────────┐
   │░░░░░░░░░░░░░░░░░░░░░░░░░░│  the band in which it was expected
   │──────╲___________________│  what it was
   └──────────────────────────┘
"""

import html
import math
from datetime import UTC, datetime

import numpy as np

from contactor.clock import NS_PER_S
from contactor.history.anomalies.anomaly import Evidence, Floats

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 28, 28
MARGIN = 0.08
"""Of the range, free above and below."""
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:currentColor}"
    ".band{fill:currentColor;opacity:.12}.edge{stroke:currentColor;opacity:.4;fill:none}"
    ".value{stroke:#d9480f;stroke-width:1.8;fill:none}.axis{stroke:currentColor;opacity:.5}"
)


def evidence_svg(evidence: Evidence) -> str:
    """The picture; of a series without points only its title."""
    title = html.escape(f"{evidence.title} ({evidence.unit})")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{title}"><style>{_STYLE}</style>'
        f'<text x="{LEFT}" y="16">{title}</text>'
    )
    if not len(evidence.ts):
        return f"{head}</svg>"
    low, high = _range(evidence)
    x = _scaled(evidence.ts.astype(np.float64), LEFT, WIDTH - RIGHT)
    parts = [_band(evidence, x, low, high), _axes(evidence, low, high)]
    parts.append(f'<polyline class="value" points="{_points(x, _y(evidence.value, low, high))}"/>')
    return f"{head}{''.join(parts)}</svg>"


def _range(evidence: Evidence) -> tuple[float, float]:
    known = np.concatenate([evidence.value, evidence.low, evidence.high])
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    free = (high - low) * MARGIN or max(abs(high), 1.0) * MARGIN
    return low - free, high + free


def _scaled(values: Floats, start: float, end: float) -> Floats:
    low, high = values.min(), values.max()
    if high == low:
        return np.full(len(values), (start + end) / 2)
    scaled: Floats = start + (values - low) / (high - low) * (end - start)
    return scaled


def _y(values: Floats, low: float, high: float) -> Floats:
    found: Floats = HEIGHT - BOTTOM - (values - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
    return found


def _points(x: Floats, y: Floats) -> str:
    known = np.isfinite(y)
    pairs = zip(x[known].tolist(), y[known].tolist(), strict=True)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in pairs)


def _band(evidence: Evidence, x: Floats, low: float, high: float) -> str:
    """Between the edges that are known; to the end of the picture where one is not."""
    known = [bool(np.isfinite(side).any()) for side in (evidence.low, evidence.high)]
    if not any(known):
        return ""
    under = _y(np.where(np.isfinite(evidence.low), evidence.low, low), low, high)
    over = _y(np.where(np.isfinite(evidence.high), evidence.high, high), low, high)
    area = f"{_points(x, over)} {_points(x[::-1], under[::-1])}"
    edges = "".join(
        f'<polyline class="edge" points="{_points(x, edge)}"/>'
        for edge, is_known in ((under, known[0]), (over, known[1]))
        if is_known
    )
    return f'<polygon class="band" points="{area}"/>{edges}'


def _axes(evidence: Evidence, low: float, high: float) -> str:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    lines = (
        f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right}"/>'
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{_day(int(evidence.ts[0]))}</text>'
        f'<text x="{right}" y="{HEIGHT - 8}" text-anchor="end">{_day(int(evidence.ts[-1]))}</text>'
    )
    labels = [
        f'<text x="{LEFT - 6}" y="{_y(np.array([value]), low, high)[0] + 4:.1f}"'
        f' text-anchor="end">{value:g}</text>'
        for value in _ticks(low, high)
    ]
    return lines + "".join(labels)


def _ticks(low: float, high: float) -> list[float]:
    """A few round numbers in the range."""
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    step *= next(one for one in (5, 2, 1) if (high - low) / (step * one) >= 2)
    first = math.ceil(low / step)
    return [round(n * step, 10) for n in range(first, math.floor(high / step) + 1)]


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts // NS_PER_S, UTC).strftime("%Y-%m-%d")
