"""From a path to a sheet: Parquet by its first bytes, everything else as text."""

from __future__ import annotations

from pathlib import Path

from tsladder.errors import BadInput
from tsladder.ingest.delimited import sheet_of_text
from tsladder.ingest.encoding import MOST_BYTES, decode
from tsladder.ingest.sheet import Sheet
from tsladder.ingest.tables import MAGIC, sheet_of_parquet


def read_sheet(path: Path) -> Sheet:
    """Raises BadInput for what is no table of daily bars; the name of the file, not its folder, goes into records."""
    source = path.name
    if not path.exists():
        raise BadInput(f"{path} does not exist: name a CSV or Parquet file of daily bars, or yahoo:TICKER")
    if not path.is_file():
        raise BadInput(f"{path} is not a file: a CSV or Parquet file of daily bars is needed")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise BadInput(
                f"{source} has {size >> 20} MiB, and at most {MOST_BYTES >> 20} are read: one symbol's days are needed"
            )
        with path.open("rb") as stream:
            start = stream.read(len(MAGIC))
        if start == MAGIC:
            return sheet_of_parquet(path, source)
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    if not content:
        raise BadInput(f"{source} is empty (0 bytes): a CSV or Parquet file of daily bars is needed")
    return sheet_of_text(decode(content, source), source)
