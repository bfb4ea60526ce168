"""Score the trained seeds of one cell of a panel study on validation and test, beside the constants and baselines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.baselines import read_baselines
from tsladder.artifacts.choice import Choice
from tsladder.artifacts.models import read_trained_seeds
from tsladder.artifacts.ranking_scores import RankingRegionScores
from tsladder.cells.forecasting import TrainedSeeds, forecasting
from tsladder.cells.panel_score_records import log_panel_scores, record_panel_scores
from tsladder.cells.work import CellWork
from tsladder.panel.file import read_panel
from tsladder.panel.panel import Panel
from tsladder.panel.ranked_regions import RankedSessions, region_days
from tsladder.panel.stored_rankings import read_rankings
from tsladder.panel.targets import forward_returns, transform_labels
from tsladder.ranking.region import JudgedRanking, Ranking, judge
from tsladder.ranking.scoring import score_ranking_region
from tsladder.seeds import derive_seed
from tsladder.tracking import MlflowTracker, Tracker, open_cell_run
from tsladder.vocabulary import Phase, Region

SCORED = (Region.VALIDATION, Region.TEST)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScoredDays:
    """Scores of one region, and the rankings that they are of: training seed -> ranking."""

    days: RankedSessions
    rankings: Mapping[int, Ranking]
    judged: Mapping[int, JudgedRanking]
    baselines: Mapping[str, JudgedRanking]
    scores: RankingRegionScores


def score_panel_cell(work: CellWork, choice: Choice, tracker: Tracker | None = None) -> None:
    """Score the cell and write artifacts/scores/<cell>/{scores.json, predictions.parquet, scores_by_stock.parquet}.

    Every choice has been made when this runs: the test region is scored once per trained model.
    """
    data = work.panel
    folder = work.places.models(work.cell)
    seeds = read_trained_seeds(work.places.models_status(work.cell))
    folders = {number: folder / f"seed-{number}" for number in seeds}
    spec = work.spec(choice.architecture)
    plan = work.batch_plan(spec, work.machine.memory_gib)
    trained = TrainedSeeds(
        spec=spec,
        folders=folders,
        recipe=work.recipe,
        device=work.machine.device,
        threads=work.execution(spec).threads,
        # A machine with too little memory to train the model may still score it, one day at a time.
        micro_batch=1 if plan is None else plan.micro_batch,
    )
    with forecasting(trained, {region: data.region(region) for region in SCORED}) as future:
        # Meanwhile do here what takes seconds to load and needs no model.
        tracker = tracker or MlflowTracker(work.places.mlruns, work.params.study.name)
        regions = days_to_score(work, read_panel(work.places.bars(data.features.panel)), SCORED)
        with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, work.search_key)) as parent:
            forecasts = future.result()
            scored = {region: _score(work, region, days, forecasts[region]) for region, days in regions.items()}
            record_panel_scores(work, choice, scored)
            log_panel_scores(work, scored, tracker, parent)


def days_to_score(work: CellWork, panel: Panel, regions: Sequence[Region]) -> dict[Region, RankedSessions]:
    """Return the days of `regions` with their returns, from the prices themselves: those of the cube are rounded."""
    data, question = work.panel, work.panel_question
    labels = forward_returns(panel, question.target, (question.horizon,))
    found = {}
    for name in regions:
        days = region_days(data.axis, panel, labels.y_TSM[..., 0], data.splits_record, data.splits, name)
        return_DS = np.asarray(days.region.return_DS, dtype=np.float64)
        label_DS = transform_labels(return_DS, days.region.member_DS, question.training.transform)
        found[name] = dataclasses.replace(days, region=dataclasses.replace(days.region, label_DS=label_DS))
    return found


def _score(
    work: CellWork, region: Region, days: RankedSessions, out_by_seed: Mapping[int, NDArray[np.float64]]
) -> ScoredDays:
    places = work.places
    level = read_baselines(places.baseline_scores(work.cell.horizon)).regions[region]
    stored = read_rankings(places.scores_by_stock(work.cell.horizon), region, days.region)
    baselines = {name: judge(days.region, ranking) for name, ranking in stored.items()}
    rankings = {seed: ranking_by(work, days, out_NSO) for seed, out_NSO in out_by_seed.items()}
    judged = {seed: judge(days.region, ranking) for seed, ranking in rankings.items()}
    scores = score_ranking_region(
        level,
        baselines,
        judged,
        params=work.evaluate_plan.evaluation,
        seed=derive_seed(work.seed, str(work.cell), "bootstrap", region),
    )
    return ScoredDays(days=days, rankings=rankings, judged=judged, baselines=baselines, scores=scores)


def ranking_by(work: CellWork, days: RankedSessions, out_NSO: NDArray[np.float64]) -> Ranking:
    """Return the ranking by a model's outputs: by its score, or by the median of the quantiles that it forecasts."""
    quantiles = work.panel_question.model.quantiles
    out_DSO = days.placed(out_NSO)
    if quantiles == 1:
        return Ranking(score_DS=out_DSO[..., 0])
    # The first horizon is that of the cell.
    return Ranking(score_DS=out_DSO[..., quantiles // 2], quantile_DSQ=out_DSO[..., :quantiles])
