"""A made-up panel study whose every stage has run: three rungs of two seeds on a made-up market, scored by the code of
the study itself, so that records, daily figures and scores of the stocks agree to the last digit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tests.law_json import scaling_json
from tests.lines import PLAN, seed_outcome, trial_line
from tests.report.panel import made_up

from tsladder.artifacts.baselines import BaselineScores, write_baselines
from tsladder.artifacts.best_params import BestParams, write_best_params
from tsladder.artifacts.choice import Choice, read_winner, write_choice
from tsladder.artifacts.coverage import Coverage, ForcedArchitecture, Leader, write_coverage
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.law import law_of_plain, write_law
from tsladder.artifacts.plans import (
    EvaluatePlan,
    PanelQuestion,
    PanelRecipe,
    SearchPlan,
    SearchTask,
    TrainPlan,
    write_plan,
)
from tsladder.artifacts.record import record_of
from tsladder.artifacts.scores import CellScores, ScoredRegion, write_scores
from tsladder.artifacts.seeds import SeedRecord, Timings, write_timings
from tsladder.artifacts.trials import TRIALS, TrialRecord, write_trials
from tsladder.families.parts.geometry import PanelGeometry
from tsladder.law.points import RungPoint
from tsladder.params import EvaluationParams, PanelParams
from tsladder.places import Places
from tsladder.planning.plans import CellPlans, PlanFiles, cell_key, retraining_key, scoring_key, study_key
from tsladder.ranking.frames import rank_predictions_frame, scores_by_stock_frame, seed_names
from tsladder.ranking.region import JudgedRanking, RankedRegion, Ranking, judge, judge_baselines
from tsladder.ranking.scoring import score_baselines, score_ranking_region
from tsladder.vocabulary import RANK_ERROR, Cell, CellStatus, Region

PNG = b"\x89PNG\r\n\x1a\n not a real picture"
SIZES = {"12k": 11_745, "25k": 24_881, "50k": 51_009}
"""Planned rung -> parameters of its winner; 100k is above the top rung."""

LADDER = (*SIZES, "100k")
SKILL = {"12k": 0.10, "25k": 0.25, "50k": 0.18}
"""Rung -> share of what its scores know of the returns that can be known at all."""

BASELINES = {"ridge": 0.30, "reversal_5": 0.12, "momentum_252_21": 0.0}
SEEDS, STOCKS, HORIZON = (1, 2), 15, 5
DAYS = {Region.VALIDATION: 50, Region.TEST: 90}


def params(horizon: int = HORIZON, **changes: Any) -> PanelParams:
    """The question of the finished study."""
    asked = made_up.panel_params(budget="50k", ladder=LADDER, horizons=(horizon,))
    evaluation = dataclasses.replace(asked.evaluation, bootstrap_draws=100)
    train = dataclasses.replace(asked.train, seeds=len(SEEDS))
    return dataclasses.replace(asked, evaluation=evaluation, train=train, **changes)


@dataclasses.dataclass(frozen=True)
class Market:
    """One region: what can be known of its returns, and the baselines as they were judged."""

    ranked: RankedRegion
    known_DS: np.ndarray
    rankings: Mapping[str, np.ndarray]
    judged: Mapping[str, JudgedRanking]


def market(region: Region, horizon: int) -> Market:
    rng = np.random.default_rng([horizon, DAYS[region]])
    shape = DAYS[region], STOCKS
    known_DS = rng.standard_normal(shape)
    return_DS = 0.01 * (0.4 * known_DS + rng.standard_normal(shape))
    # A stock without a label, and a member that comes late.
    return_DS[7, 3] = np.nan
    member_DS = np.ones(shape, dtype=bool)
    member_DS[:5, 0] = False
    ranked = RankedRegion(
        dates_D=made_up.days_of(region, DAYS[region]),
        symbols=tuple(f"S{k:02d}" for k in range(STOCKS)),
        return_DS=return_DS,
        entry_return_DS=np.nan_to_num(return_DS) / horizon,
        member_DS=member_DS,
        horizon=horizon,
        entry_lag=1,
        fingerprint=f"{region.value}-{horizon}",
        train_base_rate=0.5,
    )
    scores = {name: _mixed(known_DS, share, rng) for name, share in BASELINES.items()}
    scores["no_order"] = np.zeros(shape)
    scores["static_order"] = np.tile(rng.standard_normal(STOCKS), (shape[0], 1))
    return Market(ranked=ranked, known_DS=known_DS, rankings=scores, judged=judge_baselines(ranked, scores))


def _mixed(known_DS: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    return share * known_DS + np.sqrt(1.0 - share**2) * rng.standard_normal(known_DS.shape)


def write_finished(root: Path, *, horizon: int = HORIZON, law: bool = True) -> Places:
    """The whole study; without its law where `law` is False."""
    places, asked = Places(root, root), params(horizon)
    made_up.write_panel_features(places.features_manifest, made_up.features())
    made_up.write_panel_splits(places.horizon_splits(horizon), made_up.splits(horizon))
    made_up.write_audited(places, made_up.ProbeOutcome.PASSED)
    markets = {region: market(region, horizon) for region in DAYS}
    levels = {
        region: score_baselines(one.ranked, one.judged, cost_bps=5.0, params=asked.evaluation, seed=1)
        for region, one in markets.items()
    }
    baselines = BaselineScores(
        panel="nyse36", tier="s9", horizon=horizon, train_days=100, train_labels=1500, regions=levels
    )  # fmt: skip
    write_baselines(places.baseline_scores(horizon), baselines)
    daily = [rank_predictions_frame(r.value, m.ranked, m.judged) for r, m in markets.items()]
    _parquet(places.baseline_predictions(horizon), daily)
    every = {r: {name: Ranking(score_DS=s) for name, s in m.rankings.items()} for r, m in markets.items()}
    by_stock = [scores_by_stock_frame(markets[r].ranked, rankings) for r, rankings in every.items()]
    _parquet(places.scores_by_stock(horizon), by_stock)
    for cell in asked.cells:
        for path, plan in plans_of(cell).by_path(places).items():
            write_plan(path, plan)
    points = []
    for cell in asked.cells:
        if cell.budget in SIZES:
            write_searched(places, cell)
            points.append(_write_scored(places, cell, asked, markets, levels))
    if law:
        write_fitted(places, asked, points)
    return places


def write_fitted(places: Places, asked: PanelParams, points: list[RungPoint]) -> None:
    """The law of the rungs, and a picture of it."""
    key = study_key({str(cell): plans_of(cell).search for cell in asked.cells if cell.budget in SIZES})
    horizon = asked.horizons[0]
    record = scaling_json({horizon: points}, [], asked.law, asked.evaluation, key, 1, metric=RANK_ERROR)
    write_law(places.scaling, law_of_plain(record, "made up"))
    (places.law / "scaling.png").write_bytes(PNG)


def write_failed(places: Places, cell: Cell, reason: str) -> None:
    """A cell whose search ended without a winner."""
    ending = Ending.of(cell, CellStatus.FAILED, reason)
    write_choice(places.choice(cell), ending)
    write_scores(places.scores_record(cell), ending)


def write_searched(places: Places, cell: Cell) -> None:
    """Search and retraining of a cell. Its third trial leads; the fourth was pruned."""
    architecture = {"d_model": 16, "n_layers": 3, "n_heads": 2, "d_ff": 64, "patch_len": 12, "stride": 12}
    settings = {"learning_rate": 0.0011, "weight_decay": 0.002, "dropout": 0.2, "warmup_steps": 14, "epochs": 6}
    size = SIZES[cell.budget]
    counts = {"n_params": size, "n_params_blocks": size - 3_000, "n_params_body": size - 2_000}
    choice = Choice(
        cell=str(cell), budget=cell.budget, horizon=cell.horizon, architecture=architecture, settings=settings,
        off_budget=False, **counts,
    )  # fmt: skip
    write_choice(places.choice(cell), choice)
    searched, trained, _ = keys_of(cell, choice)
    trials = [
        _trial(cell, number, loss, architecture | {"d_model": 16 + 8 * number}, settings)
        for number, loss in enumerate((0.975, 0.981, 0.962, 0.99))
    ]
    write_trials(places.hpo(cell) / TRIALS, trials)
    write_best_params(
        places.best_params(cell),
        BestParams(
            experiment=f"P1_{cell.budget}_h{cell.horizon}_rank", architecture=architecture,
            training={**settings, "batch_size": 32}, param_count=size, objective="val_loss", best_score=-0.962,
            best_val_loss=0.962, number=2, n_trials=4, timestamp="2026-01-02T03:04:05+00:00",
            search_key=searched,
        ),
    )  # fmt: skip
    forced = ForcedArchitecture(
        what="largest d_model", d_model=24, n_layers=2, n_heads=2, d_ff=48, n_params=size, in_grid=True
    )
    write_coverage(
        places.coverage(cell),
        Coverage(
            grid_size=12, shapes=9, members_seen=4, shapes_seen=4, trials_total=6, trials_done=4, trials_trained=4,
            objective="val_loss", spread=0.019, winner=Leader(number=2, forced=None, score=-0.962, at_edge=()),
            forced=(forced,), stop_reasons={"completed": 3, "pruned": 1}, notes=("the sampler hardly acts",),
        ),
    )  # fmt: skip
    seeds = {
        seed: SeedRecord.from_json(
            seed_outcome(
                seconds=4.0, peak_memory_gib=0.21, predicted_memory_gib=0.28, train_loss=0.94 + 0.001 * seed,
                stop_reason="completed",
            )
        )
        for seed in SEEDS
    }  # fmt: skip
    write_timings(places.timings(cell), Timings(cell=str(cell), key=trained, seeds=seeds))


def _trial(
    cell: Cell, number: int, loss: float, architecture: Mapping[str, int], settings: Mapping[str, float]
) -> TrialRecord:
    pruned = number == 3
    return TrialRecord.from_json(
        trial_line(
            number, state="pruned" if pruned else "complete", stop_reason="pruned" if pruned else "completed",
            n_params=SIZES[cell.budget], best_val_loss=loss, val_loss_se=0.008, base_rate_loss=1.0, seconds=3.0,
            params={**architecture, **settings, **PLAN}, forced="largest d_model" if number == 0 else None,
            peak_memory_gib=0.2 + 0.01 * number, predicted_memory_gib=0.3,
        )
    )  # fmt: skip


def _write_scored(
    places: Places, cell: Cell, asked: PanelParams, markets: Mapping[Region, Market], levels: Mapping[Region, Any]
) -> RungPoint:
    regions, daily, by_stock = {}, [], []
    for region, one in markets.items():
        rng = np.random.default_rng([SIZES[cell.budget], DAYS[region]])
        rankings = {seed: Ranking(score_DS=_mixed(one.known_DS, SKILL[cell.budget], rng)) for seed in SEEDS}
        judged = {seed: judge(one.ranked, ranking) for seed, ranking in rankings.items()}
        regions[region] = score_ranking_region(
            levels[region], one.judged, judged, params=asked.evaluation, seed=1
        )  # fmt: skip
        daily.append(rank_predictions_frame(region.value, one.ranked, {**seed_names(judged), **one.judged}))
        by_stock.append(scores_by_stock_frame(one.ranked, {f"seed-{seed}": r for seed, r in rankings.items()}))
    _parquet(places.predictions(cell), daily)
    _parquet(places.cell_scores_by_stock(cell), by_stock)
    size, test = SIZES[cell.budget], regions[Region.TEST]
    write_scores(
        places.scores_record(cell),
        CellScores(
            cell=str(cell), budget=cell.budget, horizon=cell.horizon,
            key=keys_of(cell, read_winner(places.choice(cell)))[2], precision="fp32", metric=RANK_ERROR,
            n_params=size, n_params_blocks=size - 3_000, n_params_body=size - 2_000, off_budget=False, n_data=100,
            regions={r: record_of(ScoredRegion, s.to_json(), source="made up") for r, s in regions.items()},
        ),
    )  # fmt: skip
    return RungPoint(
        cell=str(cell), n_params=float(size), n_params_blocks=size - 3e3, n_params_body=size - 2e3,
        loss=test.mean.rank_error, se=test.rank_error_se, horizon=cell.horizon, budget=cell.budget,
        seeds=tuple((seed, own.rank_error) for seed, own in test.seeds.items()),
        has_skill=test.advantage.low > 0.0, beaten_by=test.beaten_by,
        base_rate_loss=test.base_rate_loss, own_rate_loss=test.own_rate_loss,
        baselines={name: own.rank_error for name, own in test.level.baselines.items()},
    )  # fmt: skip


def _parquet(path: Path, parts: list[pd.DataFrame]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.concat(parts, ignore_index=True).to_parquet(path, index=False)


def plans_of(cell: Cell) -> CellPlans:
    """The three plan files of a cell."""
    if cell.budget not in SIZES:
        return CellPlans(cell=cell, files=None)
    asked, code = params(cell.horizon), {"stages.panel.hpo": "abc"}
    question = PanelQuestion(
        cell=str(cell), budget=cell.budget, horizon=cell.horizon, seed=42, data=asked.data, universe=asked.universe,
        target=asked.target, windows=asked.windows, horizons=(cell.horizon,),
        model=PanelGeometry(
            family="panel_transformer", context_length=60, n_features=9, patch_len=12, stride=12, revin=False,
            stocks=STOCKS,
        ),
        training=PanelRecipe(
            effective_batch=32, precision="fp32", optimizer="adamw", schedule="cosine", max_gradient_norm=1.0,
            patience=3, min_delta=0.0, loss="ic", monitor="val_loss", loss_weights={"ic": 1.0},
        ),
    )  # fmt: skip
    task = SearchTask(
        strategy="architectural", preset="panel_quick", trials=6, objective="val_loss", stop=None, pruning=None,
        space=asked.search.chosen.space, grid_size=12, shapes=9,
    )  # fmt: skip
    evaluation = EvaluationParams(bootstrap_draws=100, confidence=asked.evaluation.confidence)
    return CellPlans(
        cell=cell,
        files=PlanFiles(
            search=SearchPlan(question=question, search=task, code=code),
            train=TrainPlan(question=question, seeds=len(SEEDS), code=code),
            evaluate=EvaluatePlan(question=question, evaluation=evaluation, code=code, cost_bps=5.0),
        ),
    )


def keys_of(cell: Cell, choice: Choice) -> tuple[str, str, str]:
    """The keys that tie search, retraining and scores of a cell to their question."""
    plans, inputs = plans_of(cell), (made_up.INPUTS, made_up.splits(cell.horizon))
    trained = retraining_key(plans.train, choice, *inputs)
    return cell_key(plans.search, *inputs), trained, scoring_key(plans.evaluate, trained)
