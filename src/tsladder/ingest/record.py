"""Account of one ingestion: the rows read, the rows dropped and why, and the anomalies found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.ingest.inspection import Inspection
from tsladder.ingest.repairs import Repair
from tsladder.ingest.sheet import Dropped, FileForm


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Account of one ingestion.

    `columns`: stored column -> heading that it was taken from. `decimal` is None if no number was stored as text;
    `zone` and `days` are None if the written day was taken without a choice of the user.
    """

    source: str
    symbol: str
    form: FileForm
    date_notation: str
    decimal: str | None
    zone: str | None
    days: str | None
    rows_read: int
    rows_kept: int
    first_day: str
    last_day: str
    columns: Mapping[str, str]
    ignored: Mapping[str, str]
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]
    repairs: tuple[Repair, ...]
    inspection: Inspection

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.inspection.warnings

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as JSON. It holds no timestamp, host or folder: the same file gives the same record."""
        return {
            "source": self.source,
            "symbol": self.symbol,
            "format": self.form.kind,
            "encoding": self.form.encoding,
            "delimiter": self.form.delimiter,
            "compressed": self.form.compressed,
            "date_notation": self.date_notation,
            "decimal": self.decimal,
            "zone": self.zone,
            "days": self.days,
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "columns": dict(self.columns),
            "ignored_columns": dict(self.ignored),
            "dropped": [dropped.to_json() for dropped in self.dropped],
            "repairs": [repair.to_json() for repair in self.repairs],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            **self.inspection.to_json(),
        }
