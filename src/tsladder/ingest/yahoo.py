"""Download of daily bars from Yahoo. The only module that imports yfinance, which is an optional extra."""

from __future__ import annotations

import datetime
import logging
import re
from typing import Any

from tsladder.errors import BadInput, WorkFailed
from tsladder.ingest.sheet import FileForm, Sheet
from tsladder.ingest.tables import sheet_of_frame

PREFIX = "yahoo:"
_TICKER = re.compile(r"[A-Za-z0-9^=][A-Za-z0-9.^=_-]{0,31}")


def download(ticker: str, *, since: datetime.date | None, today: datetime.date) -> Sheet:
    """Download all days of `ticker` from `since` on, up to the day before `today`, since an unfinished day has no bar
    yet.

    Raises BadInput if yfinance is missing or Yahoo has no such days, WorkFailed if Yahoo cannot be reached.
    """
    source = f"{PREFIX}{ticker}"
    if not _TICKER.fullmatch(ticker):
        raise BadInput(f"{source}: a ticker as Yahoo writes it is needed, like yahoo:SPY or yahoo:^GSPC")
    if since is not None and since >= today:
        raise BadInput(f"--from {since} must lie before today, {today}: {source} has no later days")
    try:
        import yfinance
    except ImportError as error:
        raise BadInput(
            f"{source} needs the package yfinance, which cannot be imported ({error}): pip install 'tsladder[yahoo]', "
            "or give a file instead"
        ) from None
    # It logs what it also raises; the one error below is enough.
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    wanted: dict[str, Any] = (
        {"period": "max"} if since is None else {"start": since.isoformat(), "end": today.isoformat()}
    )
    try:
        frame = yfinance.Ticker(ticker).history(
            interval="1d", auto_adjust=False, actions=False, raise_errors=True, **wanted
        )
    except Exception as error:  # it raises errors of its own, of its HTTP library and of its parsers
        kind, words = type(error).__name__, " ".join(str(error).split())[:200]
        if kind in ("YFTzMissingError", "YFPricesMissingError", "YFTickerMissingError", "YFInvalidPeriodError"):
            raise BadInput(f"{source}: Yahoo has no daily bars for it ({words}): check the ticker") from None
        raise WorkFailed(
            f"{source} could not be downloaded ({kind}: {words}): check the network and try again, or give a file"
        ) from None
    frame = frame.loc[[stamp.date() < today for stamp in frame.index]]
    if len(frame) == 0:
        raise BadInput(f"{source}: Yahoo has no daily bars for it before {today}: check the ticker and --from")
    return sheet_of_frame(frame, source, FileForm(kind="yahoo"))
