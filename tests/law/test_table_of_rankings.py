"""`tsladder fit` of a table with a RankIC per size: the loss is 1 - RankIC, and the words are of RankIC."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsladder.api import fit_law
from tsladder.cli import main
from tsladder.errors import BadInput
from tsladder.law.table import ALPHA_OF_INTEREST, ALPHA_OF_INTEREST_OF_RANKINGS, law_of_table
from tsladder.vocabulary import RANK_ERROR

SIZES = (12e3, 55e3, 308e3, 2e6)
RANK_ICS = (0.0310, 0.0344, 0.0380, 0.0415)


def frame(column: str = "rank_ic", values: tuple[float, ...] = RANK_ICS, **others: object) -> pd.DataFrame:
    return pd.DataFrame({"params": SIZES, column: values, **others})


@pytest.mark.parametrize("name", ["rank_ic", "RankIC", "rank ic", "test_rank_ic", "Rank IC (test)"])
def test_the_loss_of_a_rank_ic_is_one_less_it(name: str) -> None:
    law = law_of_table(frame(name), draws=100)
    assert law.metric == RANK_ERROR
    assert [point.loss for point in law.groups["all"].kept] == pytest.approx([1.0 - value for value in RANK_ICS])
    assert f"loss = 1 - RankIC with RankIC from '{name}'" in law.understood


def test_a_rank_error_is_the_same_table() -> None:
    errors = tuple(1.0 - value for value in RANK_ICS)
    by_rank_ic, by_error = law_of_table(frame(), draws=100), law_of_table(frame("rank_error", errors), draws=100)
    assert by_error.metric == RANK_ERROR
    assert by_error.groups["all"].reason == by_rank_ic.groups["all"].reason


def test_the_slope_is_that_of_the_table_and_is_told_first() -> None:
    found = law_of_table(frame(), draws=100).groups["all"]
    line = np.polyfit(np.log10(SIZES), RANK_ICS, 1)[0]
    assert found.rank_ic_per_tenfold is not None
    assert found.rank_ic_per_tenfold.value == pytest.approx(line, rel=0.02)
    assert found.verdict == "scales"
    assert found.reason.startswith(f"RankIC per tenfold size: +{found.rank_ic_per_tenfold.value:.4f} (")


def test_the_exponent_of_interest_is_that_of_rankings_unless_another_is_asked() -> None:
    assert law_of_table(frame(), draws=100).alpha_of_interest == ALPHA_OF_INTEREST_OF_RANKINGS == 0.0025
    assert law_of_table(frame(), draws=100, alpha_of_interest=0.01).alpha_of_interest == 0.01
    losses = frame("loss", (2.0, 1.9, 1.8, 1.7))
    assert law_of_table(losses, draws=100).alpha_of_interest == ALPHA_OF_INTEREST


def test_a_rank_ic_below_zero_is_a_loss_above_one() -> None:
    law = law_of_table(frame(values=(-0.02, -0.01, 0.0, 0.01)), draws=100)
    assert [point.loss for point in law.groups["all"].kept] == pytest.approx([1.02, 1.01, 1.0, 0.99])


@pytest.mark.parametrize("value", ["1", "1.2", "-1.5", "3%", "x", ""])
def test_what_is_no_rank_ic_is_refused_with_its_row(tmp_path: Path, value: str) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"params,rank_ic\n12k,0.02\n55k,{value}\n308k,0.04\n")
    with pytest.raises(BadInput, match=r"row 3: rank_ic .* must be a RankIC: a number from -1 to below 1"):
        law_of_table(path)


def test_beside_a_loss_a_rank_ic_is_another_figure_of_the_same_runs() -> None:
    law = law_of_table(frame(loss=(2.0, 1.9, 1.8, 1.7)), draws=100)
    assert law.metric == "loss"
    assert [point.loss for point in law.groups["all"].kept] == [2.0, 1.9, 1.8, 1.7]
    chosen = fit_law(frame(loss=(2.0, 1.9, 1.8, 1.7)), columns={"loss": "rank_ic"}, draws=100)
    assert chosen["all"].points["loss"].tolist() == pytest.approx([1.0 - value for value in RANK_ICS])


def test_tables_of_a_loss_and_of_a_rank_ic_are_not_fitted_together(tmp_path: Path) -> None:
    paths = tmp_path / "one.csv", tmp_path / "other.csv"
    frame().to_csv(paths[0], index=False)
    frame("loss", (2.0, 1.9, 1.8, 1.7)).to_csv(paths[1], index=False)
    with pytest.raises(BadInput, match=r"one\.csv a rank error; .*other\.csv a loss"):
        law_of_table(paths)


def test_the_command_prints_rank_ics_and_writes_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "points.csv"
    frame().to_csv(path, index=False)
    assert main(["fit", str(path), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "RankIC per tenfold size  +0.00" in told
    header = next(line.split() for line in told.splitlines() if line.split()[:2] == ["rung", "n_params"])
    assert header[2] == "RankIC"
    rungs = [line.split() for line in told.splitlines() if line.split()[:1] and line.split()[0] in ("12k", "2M")]
    assert [rung[2] for rung in rungs[:2]] == ["0.0310", "0.0415"]
    record = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert record["metric"] == RANK_ERROR
    power, gain = record["groups"]["all"]["fits"]["power"], record["groups"]["all"]["rank_ic_per_tenfold"]
    assert gain["low"] == pytest.approx(math.log(10.0) * power["loss_at_reference"] * power["alpha_ci"][0])
    assert (tmp_path / "out" / "fit.png").read_bytes().startswith(b"\x89PNG")
