"""The scores of a cell of a panel study: files that other readers know, figures that can be computed again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from tests.panel_studies import MODELS, make_panel_study, panel_params_of, prepare_panel

from tsladder.artifacts.baselines import read_baselines
from tsladder.artifacts.choice import Choice
from tsladder.artifacts.models import ModelsStatus, write_models_status
from tsladder.artifacts.plans import EvaluatePlan, read_plan
from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RankingRegionScores
from tsladder.artifacts.record import json_of
from tsladder.artifacts.scores import CellScores, read_scores
from tsladder.artifacts.store import read_json
from tsladder.cells import panel_scoring
from tsladder.cells.work import CellWork, open_cell
from tsladder.errors import WorkFailed
from tsladder.evaluation.predictions import read_predictions, scored_on
from tsladder.places import Places
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell, Region

CELL = Cell("12k", 5)
SEEDS = (1, 2)
ARCHITECTURE = {"d_model": 16, "n_layers": 3, "n_heads": 4, "d_ff": 64, "patch_len": 5, "stride": 5}
CHOICE = Choice(
    cell=str(CELL),
    budget="12k",
    horizon=5,
    architecture=ARCHITECTURE,
    settings={},
    n_params=12_000,
    n_params_blocks=11_000,
    n_params_body=11_500,
    off_budget=False,
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_panel_study(tmp_path_factory.mktemp("scored"), **(MODELS | {"horizons": [5]}))
    prepare_panel(places, baselines=True)
    write_models_status(places.models_status(CELL), ModelsStatus(cell=str(CELL), seeds=SEEDS))
    return places


def opened(places: Places) -> CellWork:
    return open_cell(places, panel_params_of(places), CELL, read_plan(EvaluatePlan, places.evaluate_plan(CELL)))


def outputs_of(work: CellWork) -> dict[Region, dict[int, NDArray[np.float64]]]:
    """Scores that know the returns of their day a little, without any trained network."""
    found: dict[Region, dict[int, NDArray[np.float64]]] = {}
    for region in panel_scoring.SCORED:
        days = work.panel.region(region).days
        return_NS = np.nan_to_num(days.cube.y_TSM[days.rows_N][..., 0])
        found[region] = {}
        for seed in SEEDS:
            noise_NS = np.random.default_rng(seed).normal(0.0, 0.2, return_NS.shape)
            found[region][seed] = (return_NS + noise_NS)[..., None]
    return found


def score(
    work: CellWork, monkeypatch: pytest.MonkeyPatch, outputs: Mapping[Region, Any] | None = None
) -> MemoryTracker:
    given = outputs_of(work) if outputs is None else outputs

    @contextmanager
    def forecasting(*_: object) -> Iterator[Future[Any]]:
        future: Future[Any] = Future()
        future.set_result(given)
        yield future

    monkeypatch.setattr(panel_scoring, "forecasting", forecasting)
    tracker = MemoryTracker()
    panel_scoring.score_panel_cell(work, CHOICE, tracker)
    return tracker


@pytest.fixture
def scored(study: Places, monkeypatch: pytest.MonkeyPatch) -> Places:
    score(opened(study), monkeypatch)
    return study


def scores_of(places: Places) -> CellScores:
    scores = read_scores(places.scores_record(CELL))
    assert isinstance(scores, CellScores)
    return scores


@pytest.mark.slow
def test_scoring_twice_leaves_the_same_bytes(scored: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [scored.scores_record(CELL), scored.predictions(CELL), scored.cell_scores_by_stock(CELL)]
    before = [path.read_bytes() for path in files]
    score(opened(scored), monkeypatch)
    assert [path.read_bytes() for path in files] == before


def test_the_record_is_read_as_scores_of_any_task_and_as_scores_of_a_ranking(scored: Places) -> None:
    scores = scores_of(scored)
    assert (scores.metric, scores.horizon, scores.n_data) == ("rank_error", 5, len(opened(scored).panel.train))
    assert scores.key
    assert set(scores.regions) == {"validation", "test"}
    for region in scores.regions.values():
        ranking = RankingRegionScores.from_json(json_of(region))
        assert region.loss == ranking.mean.rank_error
        assert region.loss == pytest.approx(1.0 - ranking.mean.rank_ic, abs=1e-12)
        assert region.loss_se == ranking.rank_error_se
        interval = region.loss_interval
        assert interval is not None
        assert interval.low <= region.loss <= interval.high  # type: ignore[operator]
        assert set(ranking.seeds) == set(SEEDS)
        assert np.mean([one.rank_error for one in ranking.seeds.values()]) == pytest.approx(ranking.mean.rank_error)
        assert region.skill == pytest.approx(1.0 - ranking.mean.rank_error / min(1.0, region.own_rate_loss))
        assert "icir_h5" in region.mean


def test_constants_and_baselines_are_those_of_the_stage_baselines_on_the_same_days(scored: Places) -> None:
    level = read_baselines(scored.baseline_scores(5))
    predictions = pd.read_parquet(scored.predictions(CELL))
    of_baselines = pd.read_parquet(scored.baseline_predictions(5))
    for region, scores in scores_of(scored).regions.items():
        assert RankingRegionScores.from_json(json_of(scores)).level == level.regions[Region(region)]
        ours, theirs = (table[table["region"] == region] for table in (predictions, of_baselines))
        assert set(ours["model"]) == {"seed-1", "seed-2"} | set(theirs["model"])
        for model, expected in theirs.groupby("model", observed=True):
            found = ours[ours["model"] == model]
            pd.testing.assert_frame_equal(
                found.drop(columns="model").reset_index(drop=True),
                expected.drop(columns="model").reset_index(drop=True),
                check_exact=True,
            )
        assert ours.groupby("date", observed=True)["label"].nunique().eq(1).all()


def test_daily_losses_are_read_as_those_of_any_cell(scored: Places) -> None:
    found = read_predictions(scored.predictions(CELL), Region.TEST)
    scores = scores_of(scored).regions["test"]
    assert found.metric == "rank_error"
    assert found.trained("cell").loss_N.mean() == pytest.approx(scores.loss, abs=1e-12)
    assert set(found.trained("cell").losses) == set(SEEDS)
    assert found.baseline("ridge").loss_N.mean() == pytest.approx(scores.baselines["ridge"]["rank_error"], abs=1e-12)
    assert len(found.dates_N) == scores.windows


def test_every_daily_figure_of_a_seed_can_be_computed_again_from_its_scores_by_stock(scored: Places) -> None:
    by_stock = pd.read_parquet(scored.cell_scores_by_stock(CELL))
    daily = pd.read_parquet(scored.predictions(CELL)).set_index(["model", "date"])
    assert set(by_stock["model"]) == {"seed-1", "seed-2"}
    checked = 0
    for (model, date), day in by_stock.dropna(subset="return").groupby(["model", "date"], observed=True):
        if day["return"].nunique() > 1:
            row = daily.loc[(model, date)]
            assert row["rank_ic"] == pytest.approx(spearmanr(day["score"], day["return"]).statistic, abs=1e-12)
            assert row["ic"] == pytest.approx(day["score"].corr(day["return"]), abs=1e-9)
            checked += 1
    assert checked == len(SEEDS) * sum(region.windows for region in scores_of(scored).regions.values())


def test_the_days_that_are_scored_are_the_samples_of_the_region(scored: Places) -> None:
    work = opened(scored)
    by_stock = pd.read_parquet(scored.cell_scores_by_stock(CELL)).query("model == 'seed-1'")
    dates_R = by_stock["date"].to_numpy().astype("datetime64[D]")
    for region in panel_scoring.SCORED:
        days = work.panel.region(region).days
        for place, date in enumerate(days.dates_N):
            shown = set(by_stock["symbol"][dates_R == date].astype(str))
            members = {days.cube.symbols_S[stock] for stock in np.flatnonzero(days.member_NS[place])}
            assert shown == members


def test_a_run_of_the_evaluation_says_what_was_scored(study: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = score(opened(study), monkeypatch)
    evaluation = next(run for run in tracker.runs() if run.name == f"{CELL}/evaluation")
    scores = scores_of(study).regions["test"]
    assert evaluation.metrics["test_loss"] == scores.loss
    assert evaluation.metrics["test_rank_ic"] == pytest.approx(1.0 - scores.loss)  # type: ignore[operator]
    assert evaluation.metrics["test_skill"] == scores.skill
    found = read_predictions(study.predictions(CELL), Region.TEST)
    parent = next(run for run in tracker.runs() if run.name == str(CELL))
    for run in (evaluation, parent):
        assert run.tags["windows"] == scored_on(found.dates_N, found.y_N)


def test_labels_of_test_days_enter_no_score_of_validation_and_no_ranking(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = opened(study)
    outputs = outputs_of(work)
    score(work, monkeypatch, outputs)
    before, ranked = scores_of(study), pd.read_parquet(study.cell_scores_by_stock(CELL))
    days_to_score = panel_scoring.days_to_score

    def turned(*asked: Any) -> Any:
        """The same days, where the returns of test days have the opposite sign."""
        found = days_to_score(*asked)
        test = found[Region.TEST]
        region = dataclasses.replace(test.region, return_DS=-np.asarray(test.region.return_DS))
        return found | {Region.TEST: dataclasses.replace(test, region=region)}

    monkeypatch.setattr(panel_scoring, "days_to_score", turned)
    score(work, monkeypatch, outputs)
    after = scores_of(study)
    assert after.regions["validation"] == before.regions["validation"]
    assert after.regions["test"].loss != before.regions["test"].loss
    again = pd.read_parquet(study.cell_scores_by_stock(CELL))
    pd.testing.assert_series_equal(again["score"], ranked["score"])


def test_a_perfect_ranking_has_rank_error_0_and_one_without_order_has_1_and_no_skill(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = opened(study)
    perfect = {
        region: dict.fromkeys(SEEDS, np.nan_to_num(days.cube.y_TSM[days.rows_N]).astype(np.float64))
        for region in panel_scoring.SCORED
        for days in (work.panel.region(region).days,)
    }
    score(work, monkeypatch, perfect)
    for region in scores_of(study).regions.values():
        assert region.loss == pytest.approx(0.0, abs=1e-3)
        assert region.advantage.low > 0
        assert region.beaten_by == ()
    flat = {region: {seed: 0.0 * out_NSO for seed, out_NSO in of.items()} for region, of in perfect.items()}
    score(work, monkeypatch, flat)
    for region in scores_of(study).regions.values():
        assert region.loss == 1.0
        assert region.constant_predictor
        assert region.advantage.low <= 0.0
        assert region.skill is not None
        assert region.skill <= 0.0


@pytest.mark.slow
def test_of_quantiles_the_median_ranks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = {"horizons": [5], "training__loss_weights": {"quantile": 1.0}}
    places = make_panel_study(tmp_path, **(MODELS | leaves))
    prepare_panel(places, baselines=True)
    write_models_status(places.models_status(CELL), ModelsStatus(cell=str(CELL), seeds=SEEDS))
    work = opened(places)
    score_of = outputs_of(work)
    spread_Q = np.array([-2.0, -0.7, 0.0, 0.7, 2.0])
    quantiles = {region: {seed: out + spread_Q for seed, out in of.items()} for region, of in score_of.items()}
    score(work, monkeypatch, quantiles)
    table = pd.read_parquet(places.cell_scores_by_stock(CELL)).query("model == 'seed-2'")
    days = work.panel.region(Region.TEST).days
    expected_NS = score_of[Region.TEST][2][..., 0]
    test = table[table["date"].to_numpy().astype("datetime64[D]") >= days.dates_N[0]]
    np.testing.assert_allclose(test["score"].to_numpy(), expected_NS[days.member_NS], rtol=1e-12)
    mean = scores_of(places).regions["test"].mean
    assert mean["pinball"] is not None
    assert 0.0 <= mean["coverage_90"] <= 1.0  # type: ignore[operator]


@pytest.mark.parametrize("damage", ["gone", "a model's days", "all"])
def test_a_table_of_baselines_that_lacks_what_is_compared_is_named(
    study: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    path = study.scores_by_stock(5)
    kept = path.read_bytes()
    table = pd.read_parquet(path)
    if damage == "gone":
        path.unlink()
    elif damage == "all":
        table.iloc[:0].to_parquet(path)
    else:
        table[(table["model"] != "ridge") | (table["date"] != table["date"].max())].to_parquet(path)
    try:
        with pytest.raises(WorkFailed, match="run `dvc repro baselines`"):
            score(opened(study), monkeypatch)
    finally:
        path.write_bytes(kept)


def test_hindsight_is_shown_and_claimed_against_nowhere(scored: Places) -> None:
    for region in read_json(scored.scores_record(CELL))["regions"].values():
        assert OWN_STATIC_ORDER in region["baselines"]
        assert OWN_STATIC_ORDER not in region["skill_against"]
        assert OWN_STATIC_ORDER not in region["beaten_by"]
