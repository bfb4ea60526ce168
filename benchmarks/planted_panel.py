"""What the panel study makes of made-up panels: an effect that was planted is found, and where none was, none is.

    python benchmarks/planted_panel.py [--models 3] [--rankings 40] [--panels 40]

1. Models on planted panels (`--models`: how many, each with a seed of its own). 200 stocks; the return that is forecast
   goes against the return of the last five sessions so far that the ranking by it has a RankIC of 0.10. A model of the
   12k rung is trained for three epochs on every panel. The table holds its RankIC on the test days, beside that of the
   planted rule itself.
2. Rankings where nothing was planted (`--rankings`): returns are noise, rankings too. How often the interval of the
   advantage over the stricter constant lies above 0; a 95 % interval does so in 2.5 % of all cases.
3. Baselines where nothing was planted (`--panels`): the same for ridge and boosted trees, fitted on the training days
   of panels of noise.

One process, one thread.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from tests.panel.made_up import made_up  # noqa: E402 (the study of the tests, which are no installed package)
from tests.panel_studies import make_panel_study, opened_cell, panel_params_of, prepare_panel  # noqa: E402

from tsladder.panel.panel import Panel  # noqa: E402
from tsladder.params import EvaluationParams  # noqa: E402
from tsladder.ranking.baselines import NO_ORDER, STATIC_ORDER  # noqa: E402
from tsladder.ranking.region import JudgedRanking, RankedRegion, Ranking, judge  # noqa: E402
from tsladder.ranking.scoring import score_baselines, score_ranking_region  # noqa: E402
from tsladder.vocabulary import Cell, Region  # noqa: E402

STOCKS, SESSIONS = 200, 1000
RANK_IC = 0.10
SD = 0.02
"""Standard deviation of a daily return."""

CELL = Cell("12k", 1)
LEAVES: dict[str, Any] = {
    "budget": "12k",
    "ladder": ["12k"],
    "model__patch_len": 5,
    "splits__validation_fraction": 0.15,
    "splits__test_fraction": 0.4,
    "training__effective_batch": 8,
    "training__train_every": 1,
    "hardware__workers": 1,
    "hardware__device": "cpu",
}


def panel_of(close_TS: NDArray[np.float64]) -> Panel:
    """A panel of these prices, every stock traded on every day."""
    days, stocks = close_TS.shape
    like = made_up(days=days, stocks=2, gaps=False)
    return Panel(
        name="made_up",
        dates_T=like.dates_T,
        symbols_S=tuple(f"{stock:03d}" for stock in range(stocks)),
        close_TS=close_TS,
        manifest=like.manifest,
    )


def planted(seed: int, rank_ic: float = RANK_IC, *, stocks: int = STOCKS, sessions: int = SESSIONS) -> Panel:
    """Prices whose return from t+1 to t+2 goes against that from t-5 to t, so that the ranking by it has a mean RankIC
    of `rank_ic`; noise for 0.

    Of jointly normal values with correlation r, Spearman's is 6/pi asin(r/2); of beta times the sum of five independent
    returns against one of them, r is beta times the root of 5.
    """
    rng = np.random.default_rng(seed)
    beta = 2.0 * np.sin(np.pi * rank_ic / 6.0) / np.sqrt(5.0)
    return_TS = rng.normal(0.0, SD, (sessions, stocks))
    for row in range(7, sessions):
        return_TS[row] -= beta * return_TS[row - 6 : row - 1].sum(axis=0)
    return panel_of(50.0 * np.exp(np.cumsum(return_TS, axis=0)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """RankIC on the test days: of a trained model with its interval, and of the planted rule."""

    model: float
    low: float
    high: float
    rule: float
    n_params: int
    seconds: float


def train_on(panel: Panel, folder: Path, seed: int, epochs: int = 3, learning_rate: float = 3e-3) -> Found:
    """Train the model of the 12k rung that is nearest to its budget, and rank the test days by it."""
    import torch

    from tsladder.artifacts.outcome import BatchPlan
    from tsladder.planning.grid import build_grid
    from tsladder.planning.recipe import Settings
    from tsladder.training.day_feed import DayFeed
    from tsladder.training.outcome import Job
    from tsladder.training.trainer import fit, predict_logits

    torch.set_num_threads(1)
    places = make_panel_study(folder, panel, **LEAVES)
    prepare_panel(places)
    work = opened_cell(places, CELL)
    shallow = [spec for spec in build_grid(work.geometry, CELL.budget).members if spec.n_layers <= 4]
    spec = min(shallow, key=lambda one: abs(one.n_params - 12_000))
    plan = BatchPlan(
        micro_batch=work.recipe.effective_batch,
        accumulation_steps=1,
        effective_batch=work.recipe.effective_batch,
        precision="fp32",
        optimizer="adamw",
        activation_checkpointing=False,
    )
    settings = Settings(learning_rate=learning_rate, weight_decay=1e-3, dropout=0.1, warmup_steps=10, epochs=epochs)
    began = time.perf_counter()
    fitted = fit(
        Job(
            spec=spec, settings=settings, recipe=work.recipe, task="rank", seed=seed, plan=plan, device="cpu", threads=1
        ),
        work.panel.train,
        work.panel.region(Region.VALIDATION),
        lambda _record: True,
    )
    test = work.panel.region(Region.TEST)
    feed = DayFeed(test, torch.device("cpu"), work.recipe, seed)
    figures = feed.figures(predict_logits(fitted.model, feed))
    # The rule that was planted: against the return of the last five sessions.
    log_TS = np.log(panel.close_TS)
    rule_NS = (log_TS[test.days.rows_N - 5] - log_TS[test.days.rows_N])[..., None]
    return Found(
        model=figures.rank_ic.value,
        low=figures.rank_ic.low,
        high=figures.rank_ic.high,
        rule=feed.figures(torch.from_numpy(rule_NS)).rank_ic.value,
        n_params=fitted.n_params,
        seconds=time.perf_counter() - began,
    )


def noise_region(rng: np.random.Generator, days: int = 500, stocks: int = 36) -> RankedRegion:
    """Days with returns that nothing foretells."""
    return_DS = rng.normal(0.0, SD, (days, stocks))
    return RankedRegion(
        dates_D=np.datetime64("2001-01-01") + np.arange(days).astype("timedelta64[D]"),
        symbols=tuple(f"{stock:03d}" for stock in range(stocks)),
        return_DS=return_DS,
        entry_return_DS=return_DS,
        member_DS=np.ones(return_DS.shape, dtype=np.bool_),
        horizon=1,
        entry_lag=1,
        fingerprint="0" * 16,
        train_base_rate=0.5,
    )


def advantage_of_noise(seed: int, draws: int = 200) -> float:
    """Lower bound of the advantage of three seeds that rank at random, over the stricter constant."""
    rng = np.random.default_rng(seed)
    region = noise_region(rng)
    shape = region.member_DS.shape
    constants: dict[str, JudgedRanking] = {
        NO_ORDER: judge(region, Ranking(score_DS=np.zeros(shape))),
        STATIC_ORDER: judge(region, Ranking(score_DS=np.broadcast_to(rng.normal(size=shape[1]), shape))),
    }
    rules = EvaluationParams(bootstrap_draws=draws, confidence=0.95)
    level = score_baselines(region, constants, cost_bps=5.0, params=rules, seed=seed)
    # Seeds of one model agree on most of what they learned; here that is noise too.
    common_DS = rng.normal(size=shape)
    seeds = {number: judge(region, Ranking(score_DS=common_DS + 0.3 * rng.normal(size=shape))) for number in (1, 2, 3)}
    return score_ranking_region(level, constants, seeds, params=rules, seed=seed).advantage.low


def advantages_of_baselines(seed: int, folder: Path) -> dict[str, float]:
    """Lower bounds of the advantage of what is fitted, on the test days of a panel of noise."""
    from tsladder.panel.baseline_files import score_panel_baselines

    panel = planted(seed, 0.0, stocks=36, sessions=1000)
    places = make_panel_study(folder, panel, **(LEAVES | {"budget": None}))
    prepare_panel(places)
    test = score_panel_baselines(places, panel_params_of(places))[CELL.horizon].regions[Region.TEST]
    return {name: test.baseline_advantage[name].low for name in ("ridge", "boosted_trees")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--rankings", type=int, default=40)
    parser.add_argument("--panels", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print("planted RankIC 0.10:  seed  parameters  model   interval            rule    seconds")
        for seed in range(asked.models):
            found = train_on(planted(seed), Path(scratch) / f"planted-{seed}", seed)
            print(
                f"{seed:26d}  {found.n_params:10,d}  {found.model:.4f}  {found.low:.4f} to {found.high:.4f}  "
                f"{found.rule:8.4f}  {found.seconds:7.1f}",
                flush=True,
            )
        above = sum(advantage_of_noise(seed) > 0.0 for seed in range(asked.rankings))
        print(f"rankings at random: {above} of {asked.rankings} with an advantage above 0", flush=True)
        lows = [advantages_of_baselines(seed, Path(scratch) / f"noise-{seed}") for seed in range(asked.panels)]
        for name in lows[0] if lows else ():
            above = sum(low[name] > 0.0 for low in lows)
            print(f"{name} on panels of noise: {above} of {asked.panels} with an advantage above 0", flush=True)


if __name__ == "__main__":
    main()
