"""A month of the journal as a file: CSV, XLSX or PDF.

file = month_file(sheet, MonthFormat.XLSX)
file.name, file.media_type, file.content
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from contactor.cloud.journal.sheet import Sheet
from contactor.cloud.spreadsheets import harmless


class MonthFormat(StrEnum):
    """How a month is written."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


MEDIA_TYPES: Mapping[MonthFormat, str] = MappingProxyType(
    {
        MonthFormat.CSV: "text/csv; charset=utf-8",
        MonthFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        MonthFormat.PDF: "application/pdf",
    }
)


@dataclass(frozen=True, slots=True)
class MonthFile:
    """A file, whole."""

    media_type: str
    content: bytes


def month_file(sheet: Sheet, form: MonthFormat) -> MonthFile:
    """A sheet in one of the formats; the same sheet makes the same bytes.

    Raises:
        ModuleNotFoundError: the library of the format is not installed.
    """
    return MonthFile(MEDIA_TYPES[form], _WRITERS[form](sheet))


def _csv(sheet: Sheet) -> bytes:
    """The rows alone, with a mark at the start by which spreadsheets know UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(sheet.head)
    writer.writerows([harmless(cell) for cell in row] for row in sheet.rows)
    return text.getvalue().encode("utf-8-sig")


def _xlsx(sheet: Sheet) -> bytes:
    from contactor.faces.report.month_xlsx import xlsx

    return xlsx(sheet)


def _pdf(sheet: Sheet) -> bytes:
    from contactor.faces.report.month_pdf import pdf

    return pdf(sheet)


_WRITERS: Mapping[MonthFormat, Callable[[Sheet], bytes]] = MappingProxyType(
    {MonthFormat.CSV: _csv, MonthFormat.XLSX: _xlsx, MonthFormat.PDF: _pdf}
)
