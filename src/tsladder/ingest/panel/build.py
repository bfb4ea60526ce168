"""Build the long table of a panel, and the account of how it was made, from the rows of all files. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, Field
from tsladder.ingest.dates import MOST_DAYS_APART
from tsladder.ingest.names import Role
from tsladder.ingest.panel.adjusted import CLOSE_RAW, Adjusted, adjusted
from tsladder.ingest.panel.codes import uneven_codes
from tsladder.ingest.panel.data_warnings import find_jumps, warnings_of
from tsladder.ingest.panel.joined import Joined, each_day_once, joined
from tsladder.ingest.panel.membership import MemberSource, with_members
from tsladder.ingest.panel.record import PanelAccount
from tsladder.ingest.panel.returns import close_of_returns
from tsladder.ingest.panel.rows import StockRows
from tsladder.ingest.panel.sources import sources_in_words
from tsladder.panel.panel import Returns

if TYPE_CHECKING:
    import pandas as pd

LEAST_STOCKS = 10
"""Default of `universe.min_stocks`: a day with fewer stocks is not a sample of a study."""

_AMOUNTS = ("Volume", "Turnover")
_NO_PRICE_AT_ALL = "a day on which no stock has a price"
_BEFORE_OR_AFTER = "before the first or after the last price of its stock"


@dataclass(frozen=True, kw_only=True, slots=True)
class StockPanel:
    """Panel that was made from files: its long table, with the account of how it was made.

    `frame`: Date, Symbol, Close and the other columns of a panel. `returns`: the kind of return that changes of Close
    measure, None if the files do not say.
    """

    frame: pd.DataFrame
    account: PanelAccount
    returns: Returns | None


def stock_panel(
    parts: Sequence[StockRows], choices: Choices, *, aside: Sequence[str] = (), members: MemberSource | None = None
) -> StockPanel:
    """Build the panel. `parts`: rows of each file. `aside`: names of files that were not read. `members`: source of the
    membership of each day, None where only the files may have it.

    Raises BadInput for rows that contradict each other, and for anything but daily rows of many stocks.
    """
    table, repeated = each_day_once(joined(parts), choices)
    titles = {role: part.titles[role] for part in reversed(parts) for role in part.titles}
    delisting = _delisting_returns(table)
    if choices.field is Field.RETURN:
        grown = close_of_returns(table.values[Role.CLOSE], table.starts_R)
        table = replace(table, values={**table.values, Role.CLOSE: grown})
    prices = _with_turnover(adjusted(table, titles), table)
    named = table.symbols_S
    table, prices, rows_left_out = _traded_spans(table, prices, is_long=any(part.shape.is_long for part in parts))
    close_R = prices.columns["Close"]
    _refuse_one_stock(table, parts)
    sessions_T, counts_T = np.unique(table.days_R[~np.isnan(close_R)], return_counts=True)
    _refuse_other_frequencies(sessions_T, parts)
    _refuse_few_stocks(sessions_T, counts_T, len(table.symbols_S))
    jumps = find_jumps(table, close_R)
    membership = None
    if members is not None:
        table, membership = with_members(table, ~np.isnan(close_R), sessions_T, members)
    left_out = tuple(sorted(set(named) - set(table.symbols_S)))
    dropped = _sum_counts(
        [
            *((item.reason, len(item.rows)) for part in parts for item in part.dropped),
            *(
                (repair.kind, len(repair.details))
                for part in parts
                for repair in part.repairs
                if _leaves_out_rows(repair.kind)
            ),
            *repeated,
            *rows_left_out,
        ]
    )
    account = PanelAccount(
        sources=tuple(part.source for part in parts),
        shapes=tuple(sorted({str(part.shape) for part in parts})),
        kinds=tuple(sorted({part.form.kind for part in parts})),
        date_notations=tuple(sorted({part.notation for part in parts})),
        decimals=tuple(sorted({part.decimal for part in parts if part.decimal is not None})),
        rows_read=sum(part.rows_read for part in parts),
        rows_kept=len(table.days_R),
        symbols=len(table.symbols_S),
        first_day=str(sessions_T[0]),
        last_day=str(sessions_T[-1]),
        sessions=len(sessions_T),
        columns={
            str(role): title for role, title in sorted(titles.items(), key=lambda item: list(Role).index(item[0]))
        },
        ignored=_ignored(parts),
        not_read=tuple(aside),
        left_out=left_out,
        not_traded=int(np.isnan(close_R).sum()),
        zero_volume=int((prices.columns["Volume"] == 0).sum()) if "Volume" in prices.columns else None,
        stocks_a_day=(int(counts_T.min()), int(np.median(counts_T)), int(counts_T.max())),
        thin_days=int((counts_T < LEAST_STOCKS).sum()),
        left_early=len(table.symbols_S) - int(counts_T[-1]),
        jumps=jumps,
        delisting_returns=delisting,
        dropped=dropped,
        repairs=_sum_counts((repair.kind, len(repair.details)) for part in parts for repair in part.repairs),
        notes=_notes(parts, prices, table, choices),
        warnings=warnings_of(
            jumps,
            sessions_T,
            counts_T,
            LEAST_STOCKS,
            has_adjusted=prices.how is not None or choices.field is Field.RETURN,
        ),
        membership=membership,
    )
    return StockPanel(frame=_frame(table, prices.columns), account=account, returns=prices.returns)


def _leaves_out_rows(kind: str) -> bool:
    return kind == "drop-faulty-rows"


def _sum_counts(items: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    counts: Counter[str] = Counter()
    for words, count in items:
        counts[words] += count
    return tuple(sorted(counts.items()))


def _delisting_returns(table: Joined) -> dict[str, float]:
    """Return symbol -> its last delisting return."""
    column_R = table.values.get(Role.DELISTING)
    if column_R is None:
        return {}
    rows = np.flatnonzero(~np.isnan(column_R))
    return {table.symbols_S[int(table.stocks_R[row])]: float(column_R[row]) for row in rows.tolist()}


def _with_turnover(prices: Adjusted, table: Joined) -> Adjusted:
    """Add Turnover, the raw close times the raw volume, if Close is adjusted and the files have no Turnover.

    The product with the adjusted Close is not the turnover of its day: it depends on later splits and dividends.
    """
    if CLOSE_RAW not in prices.columns or "Turnover" in prices.columns or Role.VOLUME not in table.values:
        return prices
    turnover_R = table.values[Role.CLOSE] * table.values[Role.VOLUME]
    how = f"{prices.how}, Turnover is CloseRaw times the volume as it was"
    return replace(prices, columns={**prices.columns, "Turnover": turnover_R}, how=how)


def _traded_spans(
    table: Joined, prices: Adjusted, *, is_long: bool
) -> tuple[Joined, Adjusted, tuple[tuple[str, int], ...]]:
    """Keep the rows from the first to the last price of each stock, on days on which any stock has a price.

    Returns the table, its prices, and the reasons and numbers of rows of the files that were left out.
    """
    traded_R = ~np.isnan(prices.columns["Close"])
    rows = np.arange(len(traded_R))
    count = len(table.symbols_S)
    first_S, last_S = np.full(count, len(rows)), np.full(count, -1)
    np.minimum.at(first_S, table.stocks_R[traded_R], rows[traded_R])
    np.maximum.at(last_S, table.stocks_R[traded_R], rows[traded_R])
    within_R = (rows >= first_S[table.stocks_R]) & (rows <= last_S[table.stocks_R])
    session_R = np.isin(table.days_R, np.unique(table.days_R[traded_R]))
    kept_R = within_R & session_R
    counts = ((_BEFORE_OR_AFTER, int((~within_R).sum())), (_NO_PRICE_AT_ALL, int((within_R & ~session_R).sum())))
    left_out = tuple((words, number) for words, number in counts if number and (is_long or words == _NO_PRICE_AT_ALL))
    columns = {
        name: (column if name in _AMOUNTS else np.where(traded_R, column, np.nan))[kept_R]
        for name, column in prices.columns.items()
    }
    return table.keep(kept_R), replace(prices, columns=columns), left_out


def _refuse_one_stock(table: Joined, parts: Sequence[StockRows]) -> None:
    where = sources_in_words([part.source for part in parts])
    if len(table.symbols_S) == 0:
        raise BadInput(f"{where}: no row has a price; a panel needs daily rows of many stocks")
    if len(table.symbols_S) == 1:
        raise BadInput(
            f"{where}: a panel needs several stocks, and all rows are of {table.symbols_S[0]}: ingest a single series "
            "with --symbol"
        )


def _refuse_other_frequencies(sessions_T: NDArray[np.datetime64], parts: Sequence[StockRows]) -> None:
    steps = np.diff(sessions_T).astype(np.int64)
    if len(steps) > 1 and (median := float(np.median(steps))) > MOST_DAYS_APART:
        words = {7.0: "weekly rows?"}.get(median, "monthly rows?" if 28 <= median <= 31 else "not daily")
        raise BadInput(
            f"{sources_in_words([part.source for part in parts])}: a panel needs daily rows, and the median distance "
            f"of two days is {median:g} ({words}); the first are {sessions_T[0]} and {sessions_T[1]}: bring daily rows"
        )


def _refuse_few_stocks(sessions_T: NDArray[np.datetime64], counts_T: NDArray[np.int64], stocks: int) -> None:
    thin_T = counts_T < LEAST_STOCKS
    if 2 * int(thin_T.sum()) <= len(sessions_T):
        return
    first = int(thin_T.argmax())
    raise BadInput(
        f"{int(thin_T.sum())} of {len(sessions_T)} days have fewer than {LEAST_STOCKS} stocks with a price (the first "
        f"is {sessions_T[first]} with {counts_T[first]}; {stocks} stocks in all), and a ranking of so few is mostly "
        "chance: bring more stocks, or choose the days that have enough with --from and --to"
    )


def _ignored(parts: Sequence[StockRows]) -> dict[str, str]:
    return dict(sorted({title: why for part in parts for title, why in part.ignored.items()}.items()))


def _notes(parts: Sequence[StockRows], prices: Adjusted, table: Joined, choices: Choices) -> tuple[str, ...]:
    """Collect the notes on what was decided; a note that several files share appears once, with their number."""
    counts = Counter(note for part in parts for note in dict.fromkeys(part.notes))
    notes = [note if count == 1 else f"{note} (in {count} files)" for note, count in counts.items()]
    if choices.field is Field.RETURN:
        notes.append("Close is the growth of 1 by the returns; the first return of each stock has no day before it")
    midpoints = sum(part.midpoints for part in parts)
    if midpoints:
        notes.append(
            f"the price of {midpoints} rows is the middle of bid and ask, marked by a minus sign: taken without it"
        )
    if prices.how is not None:
        notes.append(prices.how)
    unknown = ~np.isnan(prices.columns["Close"]) & np.isnan(prices.columns.get("Volume", np.zeros(len(table.days_R))))
    if unknown.any():
        notes.append(f"{int(unknown.sum())} rows have a price and no volume, and get none")
    if (uneven := uneven_codes(table.symbols_S)) is not None:
        notes.append(uneven)
    return tuple(sorted(notes))


def _frame(table: Joined, columns: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    import pandas as pd

    symbols_S = np.array(table.symbols_S, dtype=object)
    cells: dict[str, NDArray[np.generic]] = {
        "Date": table.days_R.astype("datetime64[s]"),
        "Symbol": symbols_S[table.stocks_R],
        **columns,
    }
    if table.sectors_R is not None:
        cells["Sector"] = table.sectors_R
    if table.members_R is not None:
        cells["Member"] = table.members_R
    return pd.DataFrame(cells)
