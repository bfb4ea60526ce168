"""Reading of a file into a sheet: Parquet, Feather and workbooks are recognised by their first bytes; all else is
text."""

from __future__ import annotations

import io
from pathlib import Path

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.ingest.delimited import sheet_of_text
from tsladder.ingest.encoding import MOST_BYTES, decode
from tsladder.ingest.sheet import Sheet
from tsladder.ingest.tables import FEATHER, PARQUET, sheet_of_feather, sheet_of_parquet
from tsladder.ingest.workbook import is_workbook, sheet_of_workbook

_KINDS = "a CSV, Parquet, Feather or Excel file"


def read_sheet(path: Path, choices: Choices, *, name: str | None = None) -> Sheet:
    """Read the file at `path` into a sheet. The name of the file (or `name`), not its folder, goes into records.

    Raises BadInput if the file is not a table of daily bars.
    """
    source = name or path.name
    if not path.exists():
        raise BadInput(f"{path} does not exist: name {_KINDS} of daily bars, or yahoo:TICKER")
    if not path.is_file():
        raise BadInput(f"{path} is not a file: {_KINDS} of daily bars is needed")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            more = "give it in several files" if choices.of_stocks else "one symbol's days are needed"
            raise BadInput(f"{source} has {size >> 20} MiB, and at most {MOST_BYTES >> 20} are read: {more}")
        with path.open("rb") as stream:
            start = stream.read(8)
        if start.startswith((PARQUET, FEATHER)) or is_workbook(path, start):
            return _typed(path, source, start, choices)
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    return _of_text(content, source, choices)


def sheet_of_content(content: bytes, source: str, choices: Choices) -> Sheet:
    """Read the content of a file in an archive, as `read_sheet` reads a file."""
    stream, start = io.BytesIO(content), content[:8]
    if start.startswith((PARQUET, FEATHER)) or is_workbook(stream, start):
        return _typed(stream, source, start, choices)
    return _of_text(content, source, choices)


def _of_text(content: bytes, source: str, choices: Choices) -> Sheet:
    if not content:
        raise BadInput(f"{source} is empty (0 bytes): {_KINDS} of daily bars is needed")
    return sheet_of_text(decode(content, source, choices.encoding), source, choices)


def _typed(path: Path | io.BytesIO, source: str, start: bytes, choices: Choices) -> Sheet:
    if choices.encoding is not None:
        raise BadInput(
            f"--encoding {choices.encoding} is for text files; {source} is a binary file with its own encoding"
        )
    if is_workbook(path, start):
        return sheet_of_workbook(path, source, choices)
    if choices.header is not None:
        raise BadInput(f"--header is for files without one; {source} names its columns: use --column")
    return sheet_of_feather(path, source) if start.startswith(FEATHER) else sheet_of_parquet(path, source)
