"""All patterns that the searches of a study show in shape and settings. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.report.facts import CellFacts, Facts
from tsladder.report.patterns.agreement import Agreement, PooledAgreement, agreements
from tsladder.report.patterns.depth import DepthPattern, RungPattern, depth_patterns
from tsladder.report.patterns.trials import Cohort, Shape, cohort_of
from tsladder.report.patterns.winners import OrderCount, WinnersPattern, count_orders, winners_pattern
from tsladder.vocabulary import Cell


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPatterns:
    """Patterns of all searches. `level`: the largest corrected p-value that counts as a finding. `seed`: seed of the
    permutations."""

    level: float
    seed: int
    depth: tuple[DepthPattern, ...]
    rungs: tuple[RungPattern, ...]
    winners: tuple[WinnersPattern, ...]
    orders: tuple[OrderCount, ...]
    agreements: tuple[Agreement, ...]
    together: PooledAgreement


def search_patterns(facts: Facts) -> SearchPatterns:
    """Find the patterns of the cells whose searches left trials."""
    cells = [cell for cell in facts.planned if cell.search.trials]
    cohorts = {cell.cell: cohort_of(cell, facts.params.search.objective) for cell in cells}
    level, seed = 1.0 - facts.confidence, facts.params.study.seed
    depth, rungs = depth_patterns(cohorts, level=level, seed=seed)
    by_rung = [[cell for cell in cells if cell.cell.budget == rung] for rung in facts.params.ladder]
    winners = tuple(found for rung in by_rung if (found := _winners(rung, cohorts)) is not None)
    agreed, together = agreements(cohorts, level=level, seed=seed)
    return SearchPatterns(
        level=level,
        seed=seed,
        depth=depth,
        rungs=rungs,
        winners=winners,
        orders=count_orders(winners),
        agreements=agreed,
        together=together,
    )


def _winners(rung: list[CellFacts], cohorts: dict[Cell, Cohort]) -> WinnersPattern | None:
    shapes = {cell.cell.horizon: shape for cell in rung if (shape := _shape(cell)) is not None}
    tried = {cell.cell.horizon: [trial.shape for trial in cohorts[cell.cell].trials] for cell in rung}
    return winners_pattern(rung[0].cell.budget, shapes, tried) if rung else None


def _shape(cell: CellFacts) -> Shape | None:
    architecture = cell.winner.architecture if cell.winner else {}
    d_model, n_layers = architecture.get("d_model"), architecture.get("n_layers")
    return None if d_model is None or n_layers is None else (d_model, n_layers)
