"""A raw table from a file or a frame: a header and rows of cells, before their meaning is known."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

Cell = str | int | float
"""Text as it was written, stripped ("" for an empty cell), or a number that came as one (JSON, frame)."""

Line = tuple[int, tuple[Cell, ...]]
"""A row's number in its file and its cells."""

_DELIMITERS = ",;\t|"
_HEADER_ROW = 1
_WANTED = "a table of points is CSV (UTF-8) with a header, or JSON: a list of records, or a record a line"
_MANY = 300
"""Most characters of a header in a message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A raw table. `source` names it in messages, `title` in records, which name no folder. `counting`: how `rows` are
    numbered."""

    source: str
    title: str
    header: tuple[str, ...]
    rows: tuple[Line, ...]
    counting: str = "rows counted as in the file, the header is row 1"

    def column(self, place: int) -> list[Cell]:
        return [cell_at(cells, place) for _, cells in self.rows]

    @property
    def has(self) -> str:
        """The header, shortened for messages."""
        told = ", ".join(name or "(no name)" for name in self.header)
        return told if len(told) <= _MANY else told[:_MANY] + "..."


def cell_at(cells: Sequence[Cell], place: int) -> Cell:
    """Return the cell of a row; "" where the row is too short."""
    return cells[place] if place < len(cells) else ""


def read_sheet(source: Path | str | pd.DataFrame, known: Callable[[Sequence[str]], int]) -> Sheet:
    """Read the table of a file or frame.

    `known`: counts the names of a header that have a meaning, which decides the delimiter. Raises BadInput for anything
    that is no table, has no header, or has a key twice.
    """
    sheet = _of_path(Path(source), known) if isinstance(source, Path | str) else _of_frame(source)
    if not sheet.header:
        raise BadInput(f"{sheet.source} is empty: {_WANTED}")
    return sheet


def _of_path(path: Path, known: Callable[[Sequence[str]], int]) -> Sheet:
    if not path.exists():
        raise BadInput(f"{path} does not exist: give a table of points with the columns n_params and loss")
    if not path.is_file():
        raise BadInput(f"{path} is not a file: give a table of points with the columns n_params and loss")
    text = _text(path)
    if text.lstrip()[:1] in ("{", "["):
        return _of_records(path, text)
    return _of_lines(path, text, known)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not a CSV: it is no UTF-8 text (byte {error.start}); {_WANTED}") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise BadInput(f"{path} is not a CSV: it holds zero bytes, as binary files do; {_WANTED}")
    return text


def _of_lines(path: Path, text: str, known: Callable[[Sequence[str]], int]) -> Sheet:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda mark: (known(_split(first, mark)), first.count(mark)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    lines: list[Line] = []
    try:
        for cells in reader:
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                lines.append((reader.line_num, stripped))
    except csv.Error as error:
        raise BadInput(f"{path} is not a CSV: row {reader.line_num}: {error}") from None
    header = tuple(str(name) for name in lines[0][1]) if lines else ()
    return Sheet(source=str(path), title=path.name, header=header, rows=tuple(lines[1:]))


def _split(line: str, mark: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])
    except csv.Error:
        return []


def _of_records(path: Path, text: str) -> Sheet:
    counting = "rows counted from 1, as in the list"
    try:
        whole = _json(path, text)
    except json.JSONDecodeError as error:
        records, counting = _of_json_lines(path, text, error), "rows counted as the lines of the file"
    else:
        if isinstance(whole, dict) and isinstance(whole.get("rows"), list):
            whole = whole["rows"]
        elif isinstance(whole, dict) and not any(isinstance(value, dict | list) for value in whole.values()):
            whole = [whole]
        if not isinstance(whole, list):
            raise BadInput(f"{path} is JSON without records: a list of them is needed, alone or as 'rows'")
        records = list(enumerate(whole, start=1))
    strange = [f"row {number}: is {_shown(record)}" for number, record in records if not isinstance(record, dict)]
    if strange:
        raise BadInput(f"{path} is JSON and not all of its rows are records, {{name: value}}:", strange)
    header = tuple(dict.fromkeys(str(key) for _, record in records for key in record))
    rows = tuple((number, tuple(_cell(record.get(key)) for key in header)) for number, record in records)
    return Sheet(source=str(path), title=path.name, header=header, rows=rows, counting=counting)


def _of_json_lines(path: Path, text: str, whole: json.JSONDecodeError) -> list[tuple[int, Any]]:
    records = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            records.append((number, _json(path, line)))
        except json.JSONDecodeError as error:
            told = f"row {number}: {error.msg}" if records else f"row {whole.lineno}: {whole.msg}"
            raise BadInput(f"{path} is no sound JSON: {told}") from None
    return records


def _json(path: Path, text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BadInput(f"{path}: a record has {twice[0]!r} twice: which one counts cannot be known")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=unique)


def _cell(value: object) -> Cell:
    """Convert a value of JSON or of a frame to a cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    return json.dumps(value) if isinstance(value, Mapping | list) else str(value).strip()


def _of_frame(frame: pd.DataFrame) -> Sheet:
    import numpy as np
    import pandas as pd

    columns: list[list[Cell]] = []
    for place in range(frame.shape[1]):
        values = frame.iloc[:, place]
        missing = pd.isna(values)
        if values.dtype in (np.float32, np.float16):
            # Their shortest digits, not those of the double that holds the same value.
            plain: list[Any] = [float(str(value)) for value in values.to_numpy()]
        else:
            plain = values.tolist()
        columns.append(["" if lost else _cell(value) for value, lost in zip(plain, missing, strict=True)])
    rows = tuple((number, cells) for number, cells in enumerate(zip(*columns, strict=True), start=_HEADER_ROW + 1))
    header = tuple(str(name).strip() for name in frame.columns)
    return Sheet(source="the frame", title="the frame", header=header, rows=rows)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}..."
