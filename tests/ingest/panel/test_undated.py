"""Tables without dates, and the sessions of an exchange that date them."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from tests.ingest.panel.conftest import FRAME_WIDE, PanelIngest, Refusal, csv

from tsladder.panel.panel import Panel

UNDATED = FRAME_WIDE.drop(columns="Date")
TOLD = ("--field", "close", "--sessions", "XNYS", "--last-day", "2018-02-12")


class _Calendar:
    """Mondays to Fridays, from 2015 on."""

    def __init__(self, start: str | None = None, end: str | None = None) -> None:
        if start is not None and start < "2015-01-01":
            raise ValueError(f"the earliest date is 2015-01-01, received {start}")
        self.sessions = pd.bdate_range(start or "2015-01-01", end or "2020-01-01")

    def bound_min(self) -> pd.Timestamp:
        return pd.Timestamp("2015-01-01")


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package exchange_calendars that knows one exchange."""
    made = types.ModuleType("exchange_calendars")
    errors = types.ModuleType("exchange_calendars.errors")

    class InvalidCalendarName(Exception):
        pass

    def get_calendar(name: str, start: str | None = None, end: str | None = None) -> _Calendar:
        if name != "XNYS":
            raise InvalidCalendarName(name)
        return _Calendar(start, end)

    errors.InvalidCalendarName = InvalidCalendarName  # type: ignore[attr-defined]
    made.errors = errors  # type: ignore[attr-defined]
    made.get_calendar = get_calendar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "exchange_calendars", made)
    monkeypatch.setitem(sys.modules, "exchange_calendars.errors", errors)


@pytest.mark.usefixtures("exchange")
def test_the_last_row_is_of_the_last_day_and_each_before_of_the_session_before(
    ingest: PanelIngest, stored: Callable[[], Panel]
) -> None:
    record = ingest(csv(UNDATED), *TOLD)
    panel = stored()
    assert panel.dates_T.astype(str).tolist() == FRAME_WIDE["Date"].tolist()
    np.testing.assert_allclose(panel.close_TS, FRAME_WIDE[list(panel.symbols_S)].to_numpy())
    assert any("the days are not told" in words for words in record["manifest"]["bias"])


@pytest.mark.usefixtures("exchange")
@pytest.mark.parametrize("names", [[f"A{number}" for number in range(12)], [f"{number:04d}" for number in range(12)]])
@pytest.mark.parametrize("mark", [",", ";"])
def test_names_that_no_vendor_uses_are_a_header_too(
    ingest: PanelIngest, stored: Callable[[], Panel], names: list[str], mark: str
) -> None:
    ingest(csv(UNDATED.set_axis(names, axis=1), sep=mark), *TOLD)
    assert stored().symbols_S == tuple(sorted(names))
    assert len(stored().dates_T) == 30


def test_a_table_of_unknown_names_is_told_the_way_out(refusal: Refusal) -> None:
    names = [f"A{number}" for number in range(12)]
    for options in ((), ("--field", "close")):
        said = refusal(csv(UNDATED.set_axis(names, axis=1)), *options)
        assert "rows without dates cannot be split by date" in said
        assert "--sessions XNYS --last-day 1984-12-31" in said


@pytest.mark.usefixtures("exchange")
def test_days_are_cut_after_all_rows_are_dated(ingest: PanelIngest, stored: Callable[[], Panel]) -> None:
    ingest(csv(UNDATED), *TOLD, "--from", "2018-02-01")
    assert str(stored().dates_T[0]) == "2018-02-01"
    assert len(stored().dates_T) == 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "it has no column of dates either: rows without dates cannot be split by date (--sessions XNYS"),
        (("--field", "close"), "rows without dates cannot be split by date (--sessions XNYS --last-day 1984-12-31"),
        (TOLD[2:], "say what long.csv holds with --field close or --field return"),
        (TOLD[:4], "--sessions EXCHANGE and --last-day DATE go together"),
        ((*TOLD[:2], *TOLD[4:]), "--sessions EXCHANGE and --last-day DATE go together"),
        ((*TOLD[:5], "2018-02-11"), "--last-day 2018-02-11 is no session of XNYS; the one before it is 2018-02-09"),
        ((*TOLD[:5], "2015-01-15"), "30 rows have to be dated, and 11 sessions are known from 2015-01-01"),
        ((*TOLD[:5], "2014-01-15"), "--last-day 2014-01-15 lies before the first day known of XNYS, 2015-01-01"),
        ((*TOLD[:3], "NYSE", *TOLD[4:]), "exchange_calendars has no exchange of that code"),
    ],
)
@pytest.mark.usefixtures("exchange")
def test_rows_that_cannot_be_dated(refusal: Refusal, options: tuple[str, ...], words: str) -> None:
    assert words in refusal(csv(UNDATED), *options)


@pytest.mark.usefixtures("exchange")
def test_a_table_that_has_dates_needs_no_sessions(refusal: Refusal) -> None:
    assert "has days of its own in 'Date'; leave the option out" in refusal(csv(FRAME_WIDE), *TOLD)


def test_without_the_package_the_message_says_how_to_install_it(
    refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    assert "pip install 'tsladder[panels]'" in refusal(csv(UNDATED), *TOLD)


def test_the_real_package_knows_the_sessions_of_new_york(ingest: PanelIngest, stored: Callable[[], Panel]) -> None:
    pytest.importorskip("exchange_calendars")
    ingest(csv(UNDATED), *TOLD[:5], "1984-12-31")
    days = stored().dates_T.astype(str).tolist()
    assert len(days) == 30
    assert "1984-11-22" not in days, "Thanksgiving"
    assert days[-3:] == ["1984-12-27", "1984-12-28", "1984-12-31"]
