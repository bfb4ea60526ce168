"""Membership by day from the person's own file and from the package pitindex."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
from tests.ingest.panel.conftest import PanelIngest, Refusal, csv, market

from tsladder.panel.panel import Panel

Stored = Callable[[], Panel]
CODES = tuple(f"{number:04d}" for number in range(50, 62))
FRAME = market(codes=CODES)
DAYS = sorted(set(FRAME["Date"]))
GONE = FRAME[~((FRAME["Symbol"] == "0050") & (FRAME["Date"] > DAYS[19]))]
"""The first stock is delisted after 20 days."""
LISTED = (
    "symbol,first_day,last_day\n"
    f"0050,2010-01-04,{DAYS[15]}\n"
    f"0051,{DAYS[3]},\n"
    f"0051,2017-01-02,{DAYS[0]}\n" + "".join(f"{code},,\n" for code in CODES[2:11])
)


def expected() -> dict[str, list[bool]]:
    member = {code: [True] * 30 for code in CODES[2:11]} | {"0061": [False] * 30}
    return member | {
        "0050": [place <= 15 for place in range(30)],
        "0051": [place == 0 or place >= 3 for place in range(30)],
    }


def members(panel: Panel) -> dict[str, list[bool]]:
    assert panel.member_TS is not None
    return {symbol: panel.member_TS[:, place].tolist() for place, symbol in enumerate(panel.symbols_S)}


def test_spells_are_laid_on_the_days(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest({"long.csv": csv(GONE), "who.csv": LISTED}, "--members", "who.csv", paths=("long.csv",))
    assert members(stored()) == expected()
    told = record["membership"]
    assert told["members"] == 11
    assert told["stocks_never_a_member"] == ["0061"]
    assert told["members_without_a_price"] == []
    assert (told["members_that_left"], told["members_that_left_with_a_price"]) == (1, 1)
    assert told["member_days"] == told["member_days_with_a_price"] == sum(map(sum, expected().values()))
    assert stored().manifest.origin.ingestion["membership"] == told


def test_a_row_a_day_and_symbol_says_the_same(ingest: PanelIngest, stored: Stored) -> None:
    rows = [f"{DAYS[place]};{code}" for code, days in expected().items() for place in range(30) if days[place]]
    ingest({"long.csv": csv(GONE), "who.csv": "\n".join(["Date;Ticker", *rows])}, "--members", "who.csv",
           paths=("long.csv",))  # fmt: skip
    assert members(stored()) == expected()


def test_a_list_holds_until_the_next_one(ingest: PanelIngest, stored: Stored) -> None:
    lists = {"2017-12-29": CODES, DAYS[10]: CODES[1:]}
    rows = [f"{day},{code}" for day, codes in lists.items() for code in codes]
    ingest({"long.csv": csv(GONE), "who.csv": "\n".join(["date,symbol", *rows])}, "--members", "who.csv",
           paths=("long.csv",))  # fmt: skip
    assert members(stored())["0050"] == [place < 10 for place in range(30)]
    assert all(members(stored())["0061"])


def test_a_panel_with_its_delisted_stocks_is_point_in_time(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest(
        {"long.csv": csv(GONE), "who.csv": LISTED}, "--members", "who.csv", "--returns", "total", paths=("long.csv",)
    )
    assert (record["manifest"]["universe"], record["manifest"]["bias"]) == ("point_in_time", [])
    assert not any("survivors" in words for words in record["assumed"])


@pytest.mark.parametrize(
    ("frame", "who", "words"),
    [
        (FRAME, LISTED, "no stock has its last price before the last day"),
        (GONE, LISTED + "9999,2010-01-04,2018-01-31\n", "1 of 2 members that left who.csv in these days have no price"),
        (GONE, "symbol,from,to\n" + "".join(f"{code},,\n" for code in CODES), "a list of one day is not that of each"),
    ],
)
def test_a_panel_without_them_is_not_and_says_why(
    ingest: PanelIngest, refusal: Refusal, frame: pd.DataFrame, who: str, words: str
) -> None:
    files = {"long.csv": csv(frame), "who.csv": who}
    said = refusal(files, "--members", "who.csv", "--universe", "point_in_time", paths=("long.csv",))
    assert words in said
    record = ingest(files, "--members", "who.csv", paths=("long.csv",))
    assert record["manifest"]["universe"] == "survivors"
    assert any(words in sentence for sentence in record["manifest"]["bias"])


def test_symbols_that_differ_in_their_marks_alone_are_the_same(ingest: PanelIngest, stored: Stored) -> None:
    who = "symbol,first,last\nBRK-B,2010-01-04,\nAAPL,2010-01-04,\n"
    record = ingest({"long.csv": csv(market()), "who.csv": who}, "--members", "who.csv", paths=("long.csv",))
    assert all(members(stored())["BRK.B"])
    assert record["membership"]["stocks_never_a_member_count"] == 10


def test_sectors_of_the_file_are_taken_where_there_are_none(ingest: PanelIngest, stored: Stored) -> None:
    who = "symbol,first,last,sector\n" + "".join(f"{code},2010-01-04,,S{code[-1]}\n" for code in CODES[:11])
    record = ingest({"long.csv": csv(FRAME), "who.csv": who}, "--members", "who.csv", paths=("long.csv",))
    panel = stored()
    assert panel.sector_TS is not None
    assert panel.sector_TS[0].tolist() == [f"S{code[-1]}" for code in CODES[:11]] + [""]
    assert record["membership"]["stocks_with_its_sector"] == 11
    assert any("sectors are one a stock" in words for words in record["manifest"]["bias"])
    own = ingest({"own.csv": csv(FRAME.assign(sector="mine"))}, "--members", "who.csv", "--force")
    assert own["membership"]["stocks_with_its_sector"] is None
    assert set(stored().sector_TS.ravel()) == {"mine"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("", "who.csv holds no rows below a header: columns symbol, first_day and last_day"),
        ("symbol,first,last\n", "who.csv holds no rows below a header"),
        ("symbol,weight\n0050,1\n", "it has the columns symbol, weight; columns symbol, first_day and last_day"),
        ("first,last\n2010-01-04,\n", "it has the columns first, last; columns symbol"),
        ("symbol,first,last\n0050,2018-02-30,\n", "row 2: Date is '2018-02-30', and there is no such day"),
        (
            "symbol,first,last\n0050,2018-02-02,2018-02-01\n",
            "the last day 2018-02-01 lies before the first",
        ),
        ("symbol,first,last\n,2018-02-02,\n", "row 2: Symbol is missing"),
        ("date,symbol\n,0050\n", "row 2: date is missing"),
        ("symbol,first,last\n0050,2018-02-02,,x\n", "row 2: 4 cells under 3 headings"),
        ("symbol,first,last\n50.0,2018-02-02,\n", "codes such as 0050 lose their leading zeros"),
        ("symbol,first,last\nABC,2010-01-04,\n", "none of 0050, 0051, 0052, 0053, 0054 and 7 more is a member"),
        ("symbol,first,last\n0050,01/02/2010,\n", "--date-order"),
    ],
)
def test_what_is_no_list_of_members(refusal: Refusal, who: str, words: str) -> None:
    assert words in refusal({"long.csv": csv(FRAME), "who.csv": who}, "--members", "who.csv", paths=("long.csv",))


def test_a_source_that_is_not_there(refusal: Refusal) -> None:
    assert "--members nothing.csv: neither pitindex nor a CSV file" in refusal(csv(FRAME), "--members", "nothing.csv")


def test_files_that_say_it_themselves(refusal: Refusal) -> None:
    files = {"long.csv": csv(FRAME.assign(member=1)), "who.csv": LISTED}
    said = refusal(files, "--members", "who.csv", paths=("long.csv",))
    assert "the files have a column of members themselves; leave it out with --column Member=" in said


def test_membership_is_for_panels(refusal: Refusal, capsys: pytest.CaptureFixture[str]) -> None:
    from tsladder.cli import main

    assert main(["ingest", "x.csv", "--symbol", "x", "--members", "pitindex"]) == 2
    assert "--members is for the files of a panel" in capsys.readouterr().err


@pytest.fixture
def pitindex(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package pitindex that knows 2018-01-10 on: 0050 leaves on 2018-01-31, 0061 joins then."""
    made = types.ModuleType("pitindex")
    lists: Mapping[str, tuple[str, ...]] = {"2018-01-10": CODES[:11], "2018-01-31": CODES[1:]}

    def history(start: str, end: str) -> pd.DataFrame:
        assert start == "2018-01-10"
        rows = [
            {"as_of": day, "ticker": code, "gics_sector": None if code == "0050" else "Energy"}
            for day, codes in lists.items()
            if day <= end
            for code in codes
        ]
        return pd.DataFrame(rows)

    made.info = lambda: {"start_date": "2018-01-10", "end_date": "2018-02-05"}  # type: ignore[attr-defined]
    made.get_constituents_history = history  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pitindex", made)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.2.1" if name == "pitindex" else "0")


@pytest.mark.usefixtures("pitindex")
def test_pitindex_gives_members_and_sectors(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest(csv(GONE), "--members", "pitindex")
    told = members(stored())
    assert told["0050"] == ["2018-01-10" <= day < "2018-01-31" for day in DAYS][:20] + [False] * 10
    assert told["0061"] == [day >= "2018-01-31" for day in DAYS]
    assert told["0055"] == [day >= "2018-01-10" for day in DAYS]
    assert record["membership"]["source"] == "pitindex 0.2.1"
    assert record["membership"]["days_before_the_first_known"] == 6
    assert record["membership"]["notes"] == ["pitindex ends with 2018-02-05: later days have its last members"]
    sectors = stored().sector_TS
    assert sectors is not None
    assert sectors[0].tolist() == ["", *["Energy"] * 11]
    assert any("who left has none" in words for words in record["manifest"]["bias"])


@pytest.mark.usefixtures("pitindex")
def test_days_before_pitindex(refusal: Refusal) -> None:
    said = refusal(csv(FRAME), "--members", "pitindex", "--to", "2018-01-05")
    assert "it knows the members from 2018-01-10 on, and the last day of the files is 2018-01-05" in said


@pytest.mark.usefixtures("pitindex")
def test_a_package_that_fails_is_one_message(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, str]:
        raise RuntimeError("seed roster is empty")

    monkeypatch.setattr(sys.modules["pitindex"], "info", broken)
    said = refusal(csv(FRAME), "--members", "pitindex")
    assert "the package fails (RuntimeError: seed roster is empty): pip install -U pitindex" in said


def test_the_real_package_knows_who_was_a_member(ingest: PanelIngest, stored: Stored) -> None:
    pytest.importorskip("pitindex")
    codes = ("AAPL", "BRK-B", "LEH", "META", "TSLA", "KO", "GE", "JPM", "XOM", "PFE", "ZZZZ")
    frame = market(codes=codes).assign(Date=np.repeat(pd.bdate_range("2008-09-01", periods=30), len(codes)))
    ingest(csv(frame), "--members", "pitindex")
    told = members(stored())
    assert all(told["AAPL"])
    assert all(told["BRK-B"]) is False, "Berkshire joined in 2010"
    assert told["LEH"][0]
    assert not told["LEH"][-1]
    assert not any(told["TSLA"])
    assert not any(told["ZZZZ"])


def test_without_pitindex_the_message_says_how_to_install_it(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pitindex", None)
    said = refusal(csv(FRAME), "--members", "pitindex")
    assert said.count("\n") == 1
    assert "pip install 'tsladder[panels]'" in said


def test_the_order_of_rows_changes_nothing(ingest: PanelIngest, stored: Stored) -> None:
    first, *rows = LISTED.splitlines()
    ingest({"long.csv": csv(GONE), "who.csv": LISTED}, "--members", "who.csv", paths=("long.csv",))
    before = members(stored())
    again = "\n".join([first, *reversed(rows)])
    record = ingest({"who.csv": again}, "--members", "who.csv", paths=("long.csv",))
    assert record["outcome"] == "unchanged"
    assert members(stored()) == before
    assert np.array_equal(stored().member_TS.sum(axis=0) > 0, [True] * 11 + [False])  # type: ignore[union-attr]
