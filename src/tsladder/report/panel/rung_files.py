"""Read the scores of the rungs of a panel study, with their daily figures and their returns by fifths of the scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tsladder.artifacts.baselines import BaselineScores
from tsladder.artifacts.ranking_scores import RankingRegionScores, RankingScores
from tsladder.artifacts.record import json_of
from tsladder.artifacts.store import if_there
from tsladder.errors import WorkFailed
from tsladder.evaluation.predictions import SEED_PREFIX
from tsladder.places import Places
from tsladder.ranking.daily_figures import DailyFigures, read_daily_figures
from tsladder.ranking.level import level_to_beat
from tsladder.report.panel.facts import PanelFacts, ScoredRung, mean_of_seeds
from tsladder.report.panel.fifths import FifthReturns, fifth_returns, read_fifths
from tsladder.results.facts import CellFacts
from tsladder.seeds import derive_seed
from tsladder.vocabulary import Cell, Region

_SAME = 1e-9
"""Largest difference between a mean of daily figures and the mean on record: rounding."""


def read_rungs(
    places: Places, cells: Sequence[CellFacts], baselines: Mapping[int, BaselineScores]
) -> dict[Cell, ScoredRung]:
    """Return the scored ones of `cells`, in their order.

    Raises WorkFailed where a cell has the scores of another task, was scored on other days than the baselines, or has
    daily figures that are not those of its scores.
    """
    found = {}
    for cell in cells:
        if not cell.regions:
            continue
        path = places.scores_record(cell.cell)
        regions = {Region(name): _ranking_scores(path, json_of(scored)) for name, scored in cell.regions.items()}
        _check_days(path, regions, baselines.get(cell.cell.horizon))
        found[cell.cell] = ScoredRung(
            cell=cell.cell,
            regions=regions,
            daily=_daily(places.predictions(cell.cell), regions.get(Region.TEST)),
        )
    return found


def read_test_days(path: Path) -> dict[str, DailyFigures]:
    """Read the daily figures of the test days, as `read_daily_figures` does."""
    return read_daily_figures(path, Region.TEST.value)


def check_daily(
    path: Path, scores: Mapping[str, RankingScores], days: int, daily: Mapping[str, DailyFigures], *, again: str
) -> None:
    """Raise WorkFailed where the daily figures are not those that the scores are the means of. `again`: command that
    makes both anew."""
    for name, own in scores.items():
        figures = daily.get(name)
        if figures is None:
            raise WorkFailed(f"{path} has no days of {name}, which scores.json has: run `{again}`")
        mean = float(np.mean(figures.rank_ic_N))
        if figures.dates_N.size != days or not math.isclose(mean, own.rank_ic, rel_tol=0.0, abs_tol=_SAME):
            raise WorkFailed(
                f"{path}: {name} has a mean RankIC of {mean:.6f} on {figures.dates_N.size} days, scores.json has "
                f"{own.rank_ic:.6f} on {days}; remove both and run `{again}`"
            )


def read_fifth_returns(places: Places, facts: PanelFacts) -> dict[int, dict[str, FifthReturns]]:
    """Return horizon -> ranking -> its mean returns by fifths of the scores on the test days, of the best rung and the
    best baseline; a horizon without a scored rung, or without the tables of scores, is left out."""
    found = {}
    for horizon, level in facts.scored().items():
        rung, best = facts.best_rung(horizon), level_to_beat(level).best
        if rung is None or rung.daily is None:
            continue
        seeds = tuple(f"{SEED_PREFIX}{seed}" for seed in rung.regions[Region.TEST].seeds)
        sources = [(places.cell_scores_by_stock(rung.cell), str(rung.cell), seeds)]
        if best is not None:
            sources.append((places.scores_by_stock(horizon), best, (best,)))
        of_horizon = {}
        for path, name, models in sources:
            if path.exists():
                dates_N = rung.daily.dates_N
                of_horizon[name] = fifth_returns(
                    read_fifths(path, models, dates_N, horizon),
                    dates_N,
                    block=level.block,
                    params=facts.params.evaluation,
                    seed=derive_seed(facts.params.study.seed, "report", "fifths", str(horizon), name),
                )
        if of_horizon:
            found[horizon] = of_horizon
    return found


def _ranking_scores(path: Path, plain: Mapping[str, object]) -> RankingRegionScores:
    try:
        return RankingRegionScores.from_json(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WorkFailed(
            f"{path} has no scores of a ranking ({type(error).__name__}: {error}); remove it and run `dvc repro`"
        ) from None


def _check_days(path: Path, regions: Mapping[Region, RankingRegionScores], baselines: BaselineScores | None) -> None:
    """Raise WorkFailed where the cell was scored on other days or labels than the baselines."""
    for region, scores in regions.items():
        level = None if baselines is None else baselines.regions.get(region)
        if level is not None and level.windows_fingerprint != scores.level.windows_fingerprint:
            raise WorkFailed(f"{path} was scored on other {region.value} days than the baselines: run `dvc repro`")


def _daily(path: Path, test: RankingRegionScores | None) -> DailyFigures | None:
    """Return the daily figures of a cell on the test days, means over its seeds."""
    every = None if test is None else if_there(read_test_days)(path)
    if test is None or every is None:
        return None
    scores = {f"{SEED_PREFIX}{seed}": own for seed, own in test.seeds.items()}
    check_daily(path, scores, test.windows, every, again="dvc repro")
    return mean_of_seeds({name: every[name] for name in scores})
