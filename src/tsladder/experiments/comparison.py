"""Compare experiments: parameters, laws, and losses paired on the same days and labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.law_fits import RankIcPerTenfold
from tsladder.errors import BadInput
from tsladder.evaluation.difference import holm
from tsladder.evaluation.paired import Comparison, compare_models
from tsladder.experiments.fairness import differing, reasons_not_comparable, training_days_note
from tsladder.experiments.results import Experiment, ScoredCell
from tsladder.ranking.words import is_rank_error
from tsladder.seeds import derive_seed

_TOLD = {
    "family": "model.family",
    "tier": "data.tier",
    "task": "target.task",
    "normalisation": "windows.normalisation",
    "strategy": "search.strategy",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonSummary:
    """The law of one horizon on the law's region (`alpha_ci` None where it is open, else of rungs and days together,
    with its two parts), and the cell of the lowest validation loss with its loss and skill on the compared region.
    `rank_ic_per_tenfold`: that of a law of rankings."""

    horizon: int
    rungs: int
    verdict: str | None
    alpha: float | None
    alpha_ci: tuple[float, float] | None
    alpha_ci_rungs: tuple[float, float] | None
    alpha_ci_days: tuple[float, float] | None
    best_cell: str
    best_loss: float
    best_skill: float | None
    rank_ic_per_tenfold: RankIcPerTenfold | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """Summary of one experiment; a parameter that its params.yaml does not have is None. `symbols`: or the panel."""

    name: str
    family: str | None
    tier: str | None
    task: str | None
    normalisation: str | None
    strategy: str | None
    symbols: str | None
    rungs: tuple[str, ...]
    metric: str
    law_region: str
    horizons: tuple[HorizonSummary, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One comparison of another experiment with the first. `budget`: the rung of both cells, or None where they are of
    different rungs. `best_of_each`: each cell is the best of its experiment at the horizon. `p_holm`: p-value of the
    comparison, Holm-corrected over all comparisons."""

    experiment: str
    horizon: int
    budget: str | None
    best_of_each: bool
    cells: tuple[str, str]
    found: Comparison
    p_holm: float


@dataclass(frozen=True, kw_only=True, slots=True)
class NotCompared:
    experiment: str
    horizon: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterDifference:
    """Parameter whose value in `experiment` differs from that in the first one; None: missing, or null."""

    experiment: str
    path: str
    first: Any
    second: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class SideBySide:
    """Comparison of experiments. `pairs` hold the first experiment's loss as `first`: a difference above 0 is in its
    favour."""

    region: str
    metric: str
    confidence: float
    summaries: tuple[Summary, ...]
    differing: tuple[ParameterDifference, ...]
    pairs: tuple[Pair, ...]
    refused: tuple[NotCompared, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data; the RankIC per tenfold size stands only in laws of rankings."""
        plain = dataclasses.asdict(self)
        for law in (law for one in plain["summaries"] for law in one["horizons"]):
            if law["rank_ic_per_tenfold"] is None:
                del law["rank_ic_per_tenfold"]
        return plain


def side_by_side(experiments: Sequence[Experiment]) -> SideBySide:
    """Compare each of `experiments` (two or more, read for one region) with the first, horizon by horizon: cells of one
    rung, and the best cell of each. Intervals are drawn with the first one's `evaluation` and seed.

    A horizon whose days, labels or metric differ is refused with the reasons. Raises BadInput with all reasons where
    nothing is left to compare.
    """
    first, *others = experiments
    refused: list[NotCompared] = []
    matched: list[_MatchedCells] = []
    apart: dict[str, list[str]] = {}
    for other in others:
        for horizon in sorted({*first.horizons, *other.horizons}):
            if reasons := reasons_not_comparable(first, other, horizon):
                refused.append(NotCompared(experiment=other.name, horizon=horizon, reasons=reasons))
                continue
            matched += _matched(first, other, horizon)
            if (note := training_days_note(first, other, horizon)) is not None:
                apart.setdefault(note, []).append(f"h{horizon}")
    if not matched:
        raise BadInput(
            "no horizon can be compared: that takes the same days, labels and metric",
            [f"{item.experiment} h{item.horizon}: {'; '.join(item.reasons)}" for item in refused],
        )
    return SideBySide(
        region=first.region,
        metric=first.metric,
        confidence=first.evaluation.confidence,
        summaries=tuple(summary(one) for one in experiments),
        differing=tuple(
            ParameterDifference(experiment=other.name, path=path, first=one, second=two)
            for other in others
            for path, (one, two) in differing(first, other).items()
        ),
        pairs=_paired(first, matched),
        refused=tuple(refused),
        notes=(
            *(f"{', '.join(horizons)}: {note}" for note, horizons in apart.items()),
            *_notes_on_regions(experiments),
        ),
    )


def summary(experiment: Experiment) -> Summary:
    known = {field: _text(experiment.params.get(path)) for field, path in _TOLD.items()}
    if experiment.params.get("data.volume") is False:
        known["tier"] = f"{known['tier']} without volume"
    several = experiment.params.get("data.symbols")
    symbols = experiment.params.get("data.symbol") if several is None else several
    symbols = experiment.params.get("data.panel") if symbols is None else symbols
    return Summary(
        name=experiment.name,
        **known,
        symbols=_text(symbols),
        rungs=tuple(dict.fromkeys(cell.budget for cell in experiment.cells)),
        metric=experiment.metric,
        law_region=experiment.law_region,
        horizons=tuple(_of_horizon(experiment, horizon) for horizon in experiment.horizons),
    )


def _of_horizon(experiment: Experiment, horizon: int) -> HorizonSummary:
    law = experiment.laws.get(horizon)
    best = experiment.best(horizon)
    return HorizonSummary(
        horizon=horizon,
        rungs=len(experiment.of_horizon(horizon)),
        verdict=None if law is None else law.verdict,
        alpha=None if law is None else law.alpha,
        alpha_ci=None if law is None else law.alpha_ci,
        alpha_ci_rungs=None if law is None else law.alpha_ci_rungs,
        alpha_ci_days=None if law is None else law.alpha_ci_days,
        best_cell=str(best.cell),
        best_loss=best.loss,
        best_skill=best.skill,
        rank_ic_per_tenfold=None if law is None else law.rank_ic_per_tenfold,
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _MatchedCells:
    """Two comparable cells. `best_of_each`: as in Pair."""

    other: str
    best_of_each: bool
    one: ScoredCell
    two: ScoredCell


def _matched(first: Experiment, other: Experiment, horizon: int) -> list[_MatchedCells]:
    """Match the cells of every rung that both experiments have, and the best cells of each, without
    repeating a pair."""
    theirs = other.of_horizon(horizon)
    best = first.best(horizon).cell, other.best(horizon).cell
    cells = [(cell, cell) for cell in first.of_horizon(horizon) if cell in theirs]
    return [
        _MatchedCells(other=other.name, best_of_each=pair == best, one=first.cells[pair[0]], two=other.cells[pair[1]])
        for pair in dict.fromkeys([*cells, best])
    ]


def _paired(first: Experiment, matched: Sequence[_MatchedCells]) -> tuple[Pair, ...]:
    seed = derive_seed(first.seed, "compare", first.region)
    found = [
        compare_models(
            match.one.losses(first.name),
            match.two.losses(match.other),
            params=first.evaluation,
            seed=seed,
            # Labels of a ranking overlap over its horizon.
            least_block=match.one.cell.horizon if is_rank_error(first.metric) else 1,
        )
        for match in matched
    ]
    return tuple(
        Pair(
            experiment=match.other,
            horizon=match.one.cell.horizon,
            budget=match.one.cell.budget if match.one.cell == match.two.cell else None,
            best_of_each=match.best_of_each,
            cells=(str(match.one.cell), str(match.two.cell)),
            found=comparison,
            p_holm=p,
        )
        for match, comparison, p in zip(matched, found, holm([comparison.p for comparison in found]), strict=True)
        if p is not None
    )


def _notes_on_regions(experiments: Sequence[Experiment]) -> list[str]:
    return [
        f"the law of {one.name} was fitted to its {one.law_region} losses; compared are those of {one.region}"
        for one in experiments
        if one.law_region != one.region
    ]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
