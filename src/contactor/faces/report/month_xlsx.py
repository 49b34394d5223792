"""A month of the journal as an Excel workbook."""

import io
from datetime import datetime

import xlsxwriter

from contactor.cloud.journal.sheet import Sheet

_FORMATS = {"km": "0.0", "kWh": "0.00", "cost": "0.00"}
_MAX_WIDTH = 40
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001  # a workbook's own date, fixed: same sheet, same bytes


def xlsx(sheet: Sheet) -> bytes:
    """One worksheet: the title, the table, the sums; every text is a text, never a formula."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.set_properties({"title": sheet.title, "created": _MADE})
    page = book.add_worksheet("Journal")
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    bold = book.add_format({"bold": True, "bottom": 1})
    plain = book.add_format({"valign": "top", "text_wrap": True})
    numbers = [
        book.add_format({"valign": "top", "num_format": _FORMATS[name]})
        if name in _FORMATS
        else plain
        for name in sheet.head
    ]
    page.write_string(0, 0, sheet.title, book.add_format({"bold": True, "font_size": 14}))
    for column, name in enumerate(sheet.head):
        page.write_string(2, column, name, bold)
        page.set_column(column, column, _width(sheet, column))
    for line, row in enumerate(sheet.rows, start=3):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                page.write_string(line, column, cell, plain)
            elif cell is not None:
                page.write_number(line, column, cell, numbers[column])
    page.freeze_panes(3, 0)
    page.repeat_rows(2)
    for line, (name, total) in enumerate(sheet.sums, start=len(sheet.rows) + 4):
        page.write_string(line, 0, name)
        page.write_string(line, 3, total)
    book.close()
    return file.getvalue()


def _width(sheet: Sheet, column: int) -> int:
    """As wide as the longest line of a column."""
    cells = [sheet.head[column], *(row[column] for row in sheet.rows)]
    lines = [line for cell in cells if cell is not None for line in str(cell).splitlines()]
    return min(_MAX_WIDTH, max(map(len, lines)) + 2)
