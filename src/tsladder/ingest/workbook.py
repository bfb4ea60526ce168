"""Reading of an Excel workbook into a sheet by pandas' own readers: openpyxl (or what pandas takes for .xls), an
extra."""

from __future__ import annotations

import datetime
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.ingest.delimited import sheet_of_rows
from tsladder.ingest.header import HEADER_WITHIN, LEAST_KNOWN, header_place, wide_header_place
from tsladder.ingest.sheet import FileForm, Sheet

if TYPE_CHECKING:
    import pandas as pd

_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def is_workbook(path: Path | io.BytesIO, start: bytes) -> bool:
    """Check by the first bytes whether the file is a workbook; a zip archive is one if it contains a workbook."""
    if start.startswith(_OLD):
        return True
    if not start.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(("workbook.xml", "workbook.bin", "content.xml")) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def sheet_of_workbook(path: Path | io.BytesIO, source: str, choices: Choices) -> Sheet:
    """Read the one worksheet with a header of daily bars.

    Raises BadInput if there is none or several, or if the package that reads workbooks is missing.
    """
    import pandas as pd

    try:
        tables = pd.read_excel(path, sheet_name=None, header=None, dtype=object, na_filter=False)
    except ImportError as error:
        raise BadInput(
            f"{source} is an Excel workbook, and the package that reads it cannot be imported ({error}): "
            "pip install 'tsladder[excel]', or save the sheet as CSV"
        ) from None
    except Exception as error:  # the readers raise errors of their own, of zip and of XML
        words = " ".join(str(error).split())[:200]
        raise BadInput(f"{source} is no readable Excel workbook ({words}): save the sheet as CSV") from None
    rows = {
        str(name): [[_text(cell) for cell in row] for row in table.itertuples(index=False, name=None)]
        for name, table in tables.items()
    }
    fitting = [
        name for name, found in rows.items()
        if found and (choices.header is not None or _has_header(found, choices))
    ]  # fmt: skip
    filled = [name for name, found in rows.items() if found]
    chosen = fitting if len(fitting) == 1 else filled if len(filled) == 1 else []
    if not chosen:
        which = ", ".join(map(repr, (fitting or filled)[:10]))
        found = f"several worksheets of daily bars ({which})" if fitting else f"no worksheet of daily bars ({which})"
        raise BadInput(f"{source} has {found}: save the one as a file of its own")
    table_rows = rows[chosen[0]]
    sheet = sheet_of_rows(table_rows, range(1, len(table_rows) + 1), source, FileForm(kind="excel"), choices)
    return _with_numbers_named(sheet, tables[chosen[0]]) if choices.of_stocks else sheet


def _has_header(rows: list[list[str]], choices: Choices) -> bool:
    if header_place(rows[:HEADER_WITHIN], choices)[0] >= LEAST_KNOWN:
        return True
    return choices.of_stocks and wide_header_place(rows) is not None


def _with_numbers_named(sheet: Sheet, table: pd.DataFrame) -> Sheet:
    """With the headings that were numbers in `table`, and those of columns with numbers in them."""
    columns = (place for place in range(table.shape[1]) if table.iloc[:, place].map(_is_number).any())
    names = {sheet.headings[place].name for place in columns if place < len(sheet.headings)}
    top = (cell for row in table.iloc[:HEADER_WITHIN].itertuples(index=False, name=None) for cell in row)
    numbers = {_text(cell) for cell in top if _is_number(cell)}
    headings = {heading.name for heading in sheet.headings if heading.name in numbers}
    return replace(sheet, number_columns=frozenset(names), number_headings=frozenset(headings))


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and cell == cell


def _text(cell: object) -> str:
    """Format a cell as in a CSV file: days as ISO text, whole numbers without a point."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.replace(microsecond=0).isoformat(sep=" ")
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()
