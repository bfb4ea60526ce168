"""Write the scores of one cell of a panel study, and copy them to MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.record import record_of
from tsladder.artifacts.scores import CellScores, ScoredRegion, write_scores
from tsladder.artifacts.store import replacing
from tsladder.cells.evaluation_runs import log_evaluation, loss_metrics, scores_key
from tsladder.cells.work import CellWork
from tsladder.evaluation.predictions import scored_on
from tsladder.ranking.frames import day_labels, rank_predictions_frame, scores_by_stock_frame, seed_names
from tsladder.ranking.metrics import judged_stocks, scored_days
from tsladder.tracking import CellRun, Tracker
from tsladder.vocabulary import RANK_ERROR, Region

if TYPE_CHECKING:
    from tsladder.cells.panel_scoring import ScoredDays


def record_panel_scores(work: CellWork, choice: Choice, scored: Mapping[Region, ScoredDays]) -> None:
    """Write scores.json, predictions.parquet (daily metrics of the seeds and baselines) and scores_by_stock.parquet
    (scores of the seeds for every stock and day) of the cell."""
    import pandas as pd

    daily, by_stock = [], []
    for region, found in scored.items():
        ranked = found.days.region
        daily.append(rank_predictions_frame(region.value, ranked, {**seed_names(found.judged), **found.baselines}))
        names = dict(zip(found.rankings, seed_names(found.judged), strict=True))
        by_stock.append(
            scores_by_stock_frame(ranked, {names[seed]: ranking for seed, ranking in found.rankings.items()})
        )
    places = work.places
    for path, parts in (
        (places.predictions(work.cell), daily),
        (places.cell_scores_by_stock(work.cell), by_stock),
    ):
        with replacing(path) as temporary:
            pd.concat(parts, ignore_index=True).to_parquet(temporary, index=False, compression="zstd")
    write_scores(
        places.scores_record(work.cell),
        CellScores(
            cell=str(work.cell),
            budget=work.cell.budget,
            horizon=work.cell.horizon,
            key=scores_key(work, choice),
            precision=work.recipe.precision,
            metric=RANK_ERROR,
            architecture=choice.architecture,
            n_params=choice.n_params,
            n_params_blocks=choice.n_params_blocks,
            n_params_body=choice.n_params_body,
            off_budget=choice.off_budget,
            n_data=len(work.dataset.train),
            regions={
                region: record_of(ScoredRegion, found.scores.to_json(), source="the scores of a region")
                for region, found in scored.items()
            },
        ),
    )


def log_panel_scores(work: CellWork, scored: Mapping[Region, ScoredDays], tracker: Tracker, parent: CellRun) -> None:
    """Log a run of the evaluation below `parent`, and the test loss on `parent` itself."""
    metrics: dict[str, float | None] = {}
    for region, found in scored.items():
        scores = found.scores
        metrics |= loss_metrics(region, scores.mean.rank_error, scores.intervals[RANK_ERROR])
        metrics |= {f"{region}_{name}": value for name, value in scores.mean.to_json(work.cell.horizon).items()}
        metrics[f"{region}_skill"] = scores.skill
        metrics[f"{region}_base_rate_loss"] = scores.base_rate_loss
        metrics[f"{region}_own_rate_loss"] = scores.own_rate_loss
    test = scored[Region.TEST].days.region
    kept_D = scored_days(test.return_DS, test.member_DS)
    labels_N = day_labels(test.symbols, test.return_DS[kept_D], judged_stocks(test.return_DS, test.member_DS)[kept_D])
    log_evaluation(work, metrics, scored_on(test.dates_D[kept_D], labels_N), tracker, parent)
