import csv
import io
import zipfile

import openpyxl
import pypdf
import pytest

from contactor.cloud.journal.sheet import HEAD, Sheet
from contactor.faces.report.month import MonthFormat, month_file

ROW = (
    "2024-05-02", "08:00", "08:30", "trip", "Home", "47.2000, 9.5000", 10.0, 1.8, None,
    "business", "Ada <a>", "süd, łódź", "first line\nsecond & last",
)  # fmt: skip
NASTY = ("2024-05-03",) + (None,) * 11 + ('=HYPERLINK("http://x")',)
SHEET = Sheet(
    title="Journal of leaf, 2024-05 (Europe/Vaduz)",
    head=HEAD,
    rows=(ROW, NASTY),
    sums=(("trips", "2"), ("distance", "10.0 km")),
)


def test_csv_is_read_again_as_it_was() -> None:
    file = month_file(SHEET, MonthFormat.CSV)
    head, *rows = csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline=""))
    assert tuple(head) == HEAD
    assert rows[0] == ["" if cell is None else str(cell) for cell in ROW]
    assert rows[1][-1] == "'" + str(NASTY[-1])
    assert file.content.startswith(b"\xef\xbb\xbf")


def test_xlsx_is_read_by_a_stranger_with_numbers_as_numbers_and_no_formula() -> None:
    book = openpyxl.load_workbook(io.BytesIO(month_file(SHEET, MonthFormat.XLSX).content))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[0][0] == SHEET.title
    assert rows[2][: len(HEAD)] == HEAD
    assert rows[3] == ROW
    last = book.active.cell(5, len(HEAD))
    assert (last.value, last.data_type) == (NASTY[-1], "s")
    assert ("distance", None, None, "10.0 km") in [row[:4] for row in rows]


def test_pdf_says_every_cell_and_has_as_many_pages_as_it_needs() -> None:
    many = Sheet(title=SHEET.title, head=HEAD, rows=SHEET.rows * 60, sums=SHEET.sums)
    pages = pypdf.PdfReader(io.BytesIO(month_file(many, MonthFormat.PDF).content)).pages
    assert len(pages) > 2
    texts = [page.extract_text() for page in pages]
    assert all("purpose" in text for text in texts[:-1])
    words = ["Home", "10.0", "1.80", "business", "Ada <a>", "süd", "second & last", "HYPERLINK"]
    joined = "".join(texts).replace("\n", "")
    assert [word for word in words if word.replace(" ", "") not in joined.replace(" ", "")] == []
    assert sum(text.count("2024-05-02") for text in texts) == 60
    assert "10.0 km" in texts[-1]
    assert pages[0].mediabox.width > pages[0].mediabox.height


@pytest.mark.parametrize("form", list(MonthFormat))
def test_an_empty_month_is_a_file_too(form: MonthFormat) -> None:
    empty = Sheet(title="Journal", head=HEAD, rows=(), sums=SHEET.sums)
    assert month_file(empty, form).content


@pytest.mark.parametrize("form", list(MonthFormat))
def test_the_same_sheet_makes_the_same_bytes(form: MonthFormat) -> None:
    one, other = month_file(SHEET, form).content, month_file(SHEET, form).content
    if form is MonthFormat.XLSX:  # the archive around it dates its members
        with zipfile.ZipFile(io.BytesIO(one)) as first, zipfile.ZipFile(io.BytesIO(other)) as then:
            assert {n: first.read(n) for n in first.namelist()} == {
                n: then.read(n) for n in then.namelist()
            }
        return
    assert one == other
