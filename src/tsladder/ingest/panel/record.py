"""Account of the ingestion of a panel: what was read, what was left out and why, and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.ingest.panel.data_warnings import StockJump
from tsladder.ingest.panel.membership import MemberAccount

JUMPS_RECORDED = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelAccount:
    """Account of the ingestion of a panel. The order of files and rows changes nothing in it: it has no row numbers.

    `columns`: role -> heading of its column. `left_out`: stocks without a price. `stocks_a_day`: fewest, median and
    most stocks with a price. `thin_days`: number of days with fewer than ten. `left_early`: number of stocks without a
    price on the last day. `dropped` and `repairs`: reason or kind, and number of rows. `membership`: None without a
    source of it.
    """

    sources: tuple[str, ...]
    shapes: tuple[str, ...]
    kinds: tuple[str, ...]
    date_notations: tuple[str, ...]
    decimals: tuple[str, ...]
    rows_read: int
    rows_kept: int
    symbols: int
    first_day: str
    last_day: str
    sessions: int
    columns: Mapping[str, str]
    ignored: Mapping[str, str]
    not_read: tuple[str, ...]
    left_out: tuple[str, ...]
    not_traded: int
    zero_volume: int | None
    stocks_a_day: tuple[int, int, int]
    thin_days: int
    left_early: int
    jumps: tuple[StockJump, ...]
    delisting_returns: Mapping[str, float]
    dropped: tuple[tuple[str, int], ...]
    repairs: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    membership: MemberAccount | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record for the manifest. It names no time, host or folder: the same files give the same record."""
        fewest, median, most = self.stocks_a_day
        return {
            "sources": list(self.sources),
            "shapes": list(self.shapes),
            "formats": list(self.kinds),
            "date_notations": list(self.date_notations),
            "decimals": list(self.decimals),
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "stocks": self.symbols,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "days": self.sessions,
            "columns_from": dict(self.columns),
            "ignored_columns": dict(self.ignored),
            "files_not_read": list(self.not_read),
            "stocks_without_a_price": list(self.left_out),
            "rows_not_traded": self.not_traded,
            "rows_without_volume_traded": self.zero_volume,
            "stocks_a_day": {"fewest": fewest, "median": median, "most": most},
            "days_with_few_stocks": self.thin_days,
            "stocks_gone_before_the_last_day": self.left_early,
            "jump_count": len(self.jumps),
            "jumps": [jump.to_json() for jump in self.jumps[:JUMPS_RECORDED]],
            "delisting_returns": dict(sorted(self.delisting_returns.items())),
            "rows_left_out": [{"why": why, "count": count} for why, count in self.dropped],
            "repairs": [{"kind": kind, "count": count} for kind, count in self.repairs],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            **({} if self.membership is None else {"membership": self.membership.to_json()}),
        }
