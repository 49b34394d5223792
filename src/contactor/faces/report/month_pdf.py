"""A month of the journal as a PDF: pages of A4, lying, the head of the table on each."""

import io
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer

from contactor.cloud.journal.sheet import NUMBERS, Cell, Sheet

_MARGIN = 14 * mm
_WIDTHS_MM = (18, 12, 27, 13, 34, 34, 13, 13, 14, 18, 19, 22, 32)
_DECIMALS = {"km": 1, "kWh": 2, "cost": 2}
# A face that has the letters of most of Europe, where the machine has one; else what comes along.
_FACES = (Path("/usr/share/fonts/truetype/dejavu"), "DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
_OWN_FACES = ("Vera.ttf", "VeraBd.ttf")


def pdf(sheet: Sheet) -> bytes:
    """The title, the table, the sums."""
    file = io.BytesIO()
    plain, bold = _faces()
    document = SimpleDocTemplate(
        file,
        pagesize=landscape(A4),
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=sheet.title,
        author="Contactor",
        invariant=True,
    )
    style = ParagraphStyle("cell", fontName=plain, fontSize=7, leading=8.5, wordWrap="CJK")
    heading = ParagraphStyle("title", fontName=bold, fontSize=14, leading=18, spaceAfter=6)
    story = [Paragraph(escape(sheet.title), heading), _table(sheet, style, plain, bold)]
    story += [Spacer(1, 5 * mm), _sums(sheet.sums, plain, bold)]

    def number_page(canvas: Any, page: Any) -> None:
        canvas.setFont(plain, 7)
        canvas.drawRightString(landscape(A4)[0] - _MARGIN, 8 * mm, str(page.page))

    document.build(story, onFirstPage=number_page, onLaterPages=number_page)
    return file.getvalue()


def _table(sheet: Sheet, style: ParagraphStyle, plain: str, bold: str) -> LongTable:
    body = [
        [_shown(name, cell, style) for name, cell in zip(sheet.head, row, strict=True)]
        for row in sheet.rows
    ]
    table = LongTable(
        [list(sheet.head), *body], colWidths=[width * mm for width in _WIDTHS_MM], repeatRows=1
    )
    table.hAlign = "LEFT"
    right = [place for place, name in enumerate(sheet.head) if name in NUMBERS]
    table.setStyle(
        [
            ("FONT", (0, 0), (-1, 0), bold, 7),
            ("FONT", (0, 1), (-1, -1), plain, 7),
            ("LEADING", (0, 0), (-1, -1), 8.5),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.lightgrey),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 5),
            *(("ALIGN", (place, 0), (place, -1), "RIGHT") for place in right),
        ]
    )
    return table


def _sums(sums: Sequence[tuple[str, str]], plain: str, bold: str) -> LongTable:
    table = LongTable([list(line) for line in sums], colWidths=[45 * mm, 35 * mm])
    table.hAlign = "LEFT"
    table.setStyle(
        [
            ("FONT", (0, 0), (0, -1), plain, 8),
            ("FONT", (1, 0), (1, -1), bold, 8),
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ]
    )
    return table


def _shown(name: str, cell: Cell, style: ParagraphStyle) -> Paragraph | str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return Paragraph(escape(cell).replace("\n", "<br/>"), style)
    return f"{cell:.{_DECIMALS[name]}f}"


@cache
def _faces() -> tuple[str, str]:
    """The names of the plain and the bold face, made known to the library once."""
    folder, *files = _FACES
    try:
        for file in files:
            pdfmetrics.registerFont(TTFont(file, str(Path(folder) / file)))
    except (TTFError, OSError):
        files = list(_OWN_FACES)
        for file in files:
            pdfmetrics.registerFont(TTFont(file, file))
    return files[0], files[1]
