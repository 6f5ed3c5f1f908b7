"""Tables as files: CSV for computers, XLSX where a messenger takes no CSV."""

import csv
import io
from collections.abc import Sequence

CSV_MIME = "text/csv"
XLSX_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


def csv_bytes(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """UTF-8 with its mark, semicolons and CRLF: what a double click opens rightly in Excel with
    Kazakh or Russian settings. No cell is taken for a formula (OWASP, CSV injection)."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";")
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def xlsx_bytes(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook of one sheet: cells are texts, the header is bold and stays in view."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise RuntimeError("a new workbook has a sheet")
    sheet.append(list(header))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append([_harmless(cell) for cell in row])
    sheet.freeze_panes = "A2"
    for number, name in enumerate(header):
        longest = max([len(name), *(len(row[number]) for row in rows)], default=8)
        sheet.column_dimensions[chr(ord("A") + number)].width = min(longest + 2, 60)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
