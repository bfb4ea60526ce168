"""The stage `baselines` of a panel study: rank the stocks of every day by constants and baselines, and score them."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from tsladder.artifacts.baselines import BaselineScores, write_baselines
from tsladder.artifacts.panel_features import read_panel_features
from tsladder.artifacts.panel_splits import PanelSplits, read_panel_splits
from tsladder.artifacts.store import replacing
from tsladder.panel.baseline_runs import log_baselines
from tsladder.panel.file import read_panel
from tsladder.panel.ranked_regions import RankedDays, baseline_table, ranked_days
from tsladder.panel.samples import PanelInputs, build_inputs, build_labels
from tsladder.panel.split_files import check_same_inputs
from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.ranking.baselines import fit_baselines
from tsladder.ranking.frames import rank_predictions_frame, scores_by_stock_frame
from tsladder.ranking.level import level_to_beat
from tsladder.ranking.metrics import judged_stocks
from tsladder.ranking.region import JudgedRanking, Ranking, judge_baselines
from tsladder.ranking.scoring import score_baselines
from tsladder.seeds import derive_seed
from tsladder.tracking import Tracker
from tsladder.vocabulary import Region


def score_panel_baselines(
    places: Places, params: PanelParams, *, tracker: Tracker | None = None
) -> dict[int, BaselineScores]:
    """Fit the baselines of every horizon on its training days, score them on validation and test, and write the files.

    Where there is a `tracker`, the scores are logged there, too. Raises WorkFailed where the features or splits are
    those of another question.
    """
    made = build_inputs(read_panel(places.bars(params.data.panel)), params)
    features = read_panel_features(places.features_manifest)
    check_same_inputs(made, features)
    labels = build_labels(made.panel, params)
    # The columns are those of every horizon.
    known = baseline_table(made, labels.y_TSM[..., 0])
    found = {}
    for place, horizon in enumerate(params.horizons):
        stored = read_panel_splits(places.horizon_splits(horizon))
        days = ranked_days(made, labels, stored, known, place=place)
        found[horizon] = _score(places, params, made, stored, days)
        if tracker is not None:
            files = places.baseline_scores(horizon), places.baseline_predictions(horizon)
            log_baselines(tracker, params, features, found[horizon], files)
        test = found[horizon].regions[Region.TEST]
        name = level_to_beat(test).name
        words = f"a model has to beat {name}, RankIC {test.baselines[name].rank_ic:.4f} on test"
        print(f"baselines: horizon {horizon}: {words}", file=sys.stderr, flush=True)
    return found


def _score(
    places: Places, params: PanelParams, made: PanelInputs, stored: PanelSplits, days: RankedDays
) -> BaselineScores:
    import pandas as pd

    scores_of = fit_baselines(days.table, train_D=days.train_T, history_D=days.history_T)
    seed = derive_seed(params.study.seed, "baselines", str(stored.horizon))
    regions, tables, by_stock = {}, [], []
    for region, ranked in days.regions.items():
        rankings = {name: score_TS[days.rows[region]] for name, score_TS in scores_of.items()}
        judged: Mapping[str, JudgedRanking] = judge_baselines(ranked, rankings)
        regions[region] = score_baselines(
            ranked, judged, cost_bps=params.evaluation.cost_bps, params=params.evaluation, seed=seed
        )
        tables.append(rank_predictions_frame(region.value, ranked, judged))
        forecasts = {name: Ranking(score_DS=np.asarray(score_DS)) for name, score_DS in rankings.items()}
        by_stock.append(scores_by_stock_frame(ranked, forecasts))
    for path, parts in (
        (places.baseline_predictions(stored.horizon), tables),
        (places.scores_by_stock(stored.horizon), by_stock),
    ):
        with replacing(path) as temporary:
            pd.concat(parts, ignore_index=True).to_parquet(temporary, index=False, compression="zstd")
    trained = judged_stocks(days.table.return_DS, days.table.member_DS) & days.train_T[:, None]
    record = BaselineScores(
        panel=made.panel.name,
        tier=params.data.tier,
        horizon=stored.horizon,
        train_days=int(days.train_T.sum()),
        train_labels=int(trained.sum()),
        regions=regions,
    )
    write_baselines(places.baseline_scores(stored.horizon), record)
    return record
