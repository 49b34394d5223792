"""Shapes as SVG inside a page; colours come from the page's own style, by role."""

from collections.abc import Sequence
from html import escape

from contactor.faces.report.drawing import Area, Dot, Line, Point, Shape, Text


def svg(shapes: Sequence[Shape], *, width: float, height: float, title: str) -> str:
    """A picture that is as wide as its place."""
    inner = "".join(map(_shape, shapes))
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">'
        f"{inner}</svg>"
    )


def _shape(shape: Shape) -> str:
    match shape:
        case Line(role, points):
            return f'<polyline class="{role}" points="{_points(points)}"/>'
        case Area(role, points):
            return f'<polygon class="{role}" points="{_points(points)}"/>'
        case Dot(role, (x, y)):
            return f'<circle class="{role}" cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>'
        case Text(role, (x, y), text, anchor):
            return (
                f'<text class="{role}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
                f"{escape(text)}</text>"
            )


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
