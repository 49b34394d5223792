"""The battery certificate as PDF, on A4.

pdf(certificate_of("demo", report, made_ns=now_ns))     # bytes

The same shapes as on the HTML page, in its light colours. Its own fonts are those that every reader
of PDF has, so nothing is embedded and a file has some ten kilobytes.
"""

import io
from typing import Any

from contactor.errors import MissingPart
from contactor.faces.report.battery_html import is_small
from contactor.faces.report.drawing import Area, Dot, Line, Role, Shape, Text, draw
from contactor.history.battery.certificate import Bars, Certificate, Curve

WIDTH, MARGIN = 595.276, 40.0
# A page's frame keeps six points clear at either side.
INNER = WIDTH - 2 * MARGIN - 12
CHART_HEIGHT, HALF_HEIGHT, GAP = 165.0, 140.0, 14.0

COLOURS: dict[Role, str] = {
    "axis": "#55646c",
    "grid": "#dfe6e9",
    "band": "#cfeae5",
    "line": "#0b7268",
    "ahead": "#0b7268",
    "level": "#55646c",
    "dot": "#5b9f98",
    "bar": "#0b7268",
    "marked": "#b3261e",
    "text": "#0e171b",
    "muted": "#55646c",
}
DASHES: dict[Role, list[float]] = {"ahead": [4, 3], "level": [1.5, 2.5]}


def pdf(certificate: Certificate) -> bytes:
    """The whole certificate.

    Raises:
        MissingPart: reportlab is not installed.
    """
    try:
        from reportlab.platypus import SimpleDocTemplate
    except ImportError as error:
        raise MissingPart("a PDF needs reportlab: pip install 'contactor[report]'") from error
    file = io.BytesIO()
    page = SimpleDocTemplate(
        file,
        pagesize=(WIDTH, 841.89),
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=f"{certificate.title}: {certificate.car}",
        author="Contactor",
        lang=certificate.language,
    )
    page.build(_Story(certificate).flowables())
    return file.getvalue()


class _Story:
    """The parts of the certificate, one below the other."""

    def __init__(self, certificate: Certificate) -> None:
        from reportlab.lib.styles import ParagraphStyle

        self._certificate = certificate
        body = ParagraphStyle("body", fontName="Helvetica", fontSize=9.5, leading=13.5)
        self._body = body
        self._right = ParagraphStyle("right", parent=body, alignment=2)
        self._muted = ParagraphStyle(
            "muted", parent=body, fontSize=8.5, leading=11.5, textColor=COLOURS["muted"]
        )
        self._title = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=22, leading=26)
        self._heading = ParagraphStyle(
            "heading", fontName="Helvetica-Bold", fontSize=11, leading=15, spaceBefore=10
        )
        self._verdict = ParagraphStyle(
            "verdict", parent=body, fontSize=12, leading=17, spaceBefore=8, spaceAfter=10
        )
        self._number = ParagraphStyle("number", fontName="Helvetica-Bold", fontSize=19, leading=24)

    def flowables(self) -> list[Any]:
        """All of it."""
        from reportlab.platypus import KeepTogether, Spacer

        one = self._certificate
        heads = "&nbsp;&nbsp;&nbsp; ".join(
            f"{_safe(label)} <b>{_safe(value)}</b>" for label, value in one.heads
        )
        story: list[Any] = [
            self._text(_safe(one.title), self._title),
            self._text(heads, self._muted),
            self._text(_safe(" ".join(one.verdict)), self._verdict),
            self._headlines(),
        ]
        story += self._charts()
        story.append(
            KeepTogether([self._text(_safe(one.figures_title), self._heading), self._figures()])
        )
        for title, texts in ((one.method_title, one.method), (one.limits_title, one.limits)):
            parts = [self._text(_safe(title), self._heading), Spacer(1, 2)]
            for text in texts:
                mark = "• " if len(texts) > 1 else ""
                parts += [self._text(mark + _safe(text), self._body), Spacer(1, 3)]
            story.append(KeepTogether(parts))
        return [*story, Spacer(1, 8), self._text(_safe(one.foot), self._muted)]

    def _text(self, text: str, style: Any) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(text, style)

    def _headlines(self) -> Any:
        from reportlab.platypus import Table

        columns = [
            [
                self._text(_safe(one.label), self._muted),
                self._text(_safe(one.value), self._number),
                self._text(_safe(one.note), self._muted),
            ]
            for one in self._certificate.headlines
        ]
        widths = [INNER / len(columns)] * len(columns)
        table = Table([columns], colWidths=widths, hAlign="LEFT")
        line = COLOURS["grid"]
        table.setStyle(
            [
                ("BOX", (0, 0), (-1, -1), 0.75, line),
                ("INNERGRID", (0, 0), (-1, -1), 0.75, line),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 10),
                ("TOPPADDING", (0, 0), (-1, -1), 7),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
            ]
        )
        return table

    def _charts(self) -> list[Any]:
        from reportlab.platypus import KeepTogether, Table

        story: list[Any] = []
        pair: list[list[Any]] = []
        half = (INNER - GAP) / 2
        for chart in self._certificate.charts:
            if is_small(chart):
                pair.append(self._chart(chart, half, HALF_HEIGHT))
            else:
                story.append(KeepTogether(self._chart(chart, INNER, CHART_HEIGHT)))
            if len(pair) == 2:
                table = Table([[pair[0], "", pair[1]]], colWidths=[half, GAP, half], hAlign="LEFT")
                table.setStyle(
                    [
                        ("LEFTPADDING", (0, 0), (-1, -1), 0),
                        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                        ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ]
                )
                story.append(table)
                pair = []
        return story + [KeepTogether(one) for one in pair]

    def _chart(self, chart: Curve | Bars, width: float, height: float) -> list[Any]:
        shapes = draw(chart, width=width, height=height)
        return [
            self._text(_safe(chart.title), self._heading),
            _picture(shapes, width, height),
            self._text(_safe(chart.note), self._muted),
        ]

    def _figures(self) -> Any:
        from reportlab.platypus import Table

        rows = [
            [self._text(_safe(label), self._body), self._text(_safe(value), self._right)]
            for label, value in self._certificate.figures
        ]
        table = Table(rows, colWidths=[INNER * 0.6, INNER * 0.4], hAlign="LEFT")
        table.setStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -2), 0.5, COLOURS["grid"]),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
        return table


def _picture(shapes: list[Shape], width: float, height: float) -> Any:
    """Shapes as a drawing of reportlab, whose y grows upwards."""
    from reportlab.graphics import shapes as graphics
    from reportlab.lib.colors import HexColor

    drawing = graphics.Drawing(width, height)
    for shape in shapes:
        colour = HexColor(COLOURS[shape.role])
        match shape:
            case Line(role, points):
                flat = [value for x, y in points for value in (x, height - y)]
                thick = 1.4 if role in ("line", "ahead") else 0.6
                line = graphics.PolyLine(flat, strokeColor=colour, strokeWidth=thick)
                line.strokeDashArray = DASHES.get(role)
                drawing.add(line)
            case Area(_, points):
                flat = [value for x, y in points for value in (x, height - y)]
                drawing.add(graphics.Polygon(flat, fillColor=colour, strokeColor=None))
            case Dot(_, (x, y)):
                drawing.add(graphics.Circle(x, height - y, 1.6, fillColor=colour, strokeColor=None))
            case Text(_, (x, y), text, anchor):
                drawing.add(
                    graphics.String(
                        x,
                        height - y,
                        text,
                        fontName="Helvetica",
                        fontSize=8,
                        fillColor=colour,
                        textAnchor=anchor,
                    )
                )
    return drawing


def _safe(text: str) -> str:
    """Without what a paragraph would read as markup; the ohm is of another font than the rest."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("Ω", "<greek>W</greek>")
