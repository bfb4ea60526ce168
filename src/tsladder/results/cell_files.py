"""Convert the files that the stages left about one cell to CellFacts. Any file may be missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tsladder.artifacts.best_params import BestParams, read_best_params
from tsladder.artifacts.choice import Choice, read_choice
from tsladder.artifacts.coverage import Coverage, ForcedArchitecture, Leader, read_coverage
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.plans import NotPlanned, SearchPlan
from tsladder.artifacts.scores import CellScores, read_scores
from tsladder.artifacts.seeds import SeedRecord, timings_if_there
from tsladder.artifacts.store import if_there
from tsladder.artifacts.trials import TRIALS, TrialRecord, latest, read_trials
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.results.facts import CellFacts, CellState, RetrainingFacts, SearchFacts
from tsladder.vocabulary import Cell, Region


@dataclass(frozen=True, kw_only=True, slots=True)
class CellRecords:
    """Records of a cell on disk that belong to the question; a record that does not, or is missing, is empty."""

    choice: Choice | Ending | None = None
    coverage: Coverage | None = None
    best: BestParams | None = None
    trials: Sequence[TrialRecord] = ()
    seeds: Mapping[int, SeedRecord] = field(default_factory=dict)
    scores: CellScores | Ending | None = None


def read_cell(places: Places, params: AnyParams, cell: Cell, plan: SearchPlan | NotPlanned | None) -> CellFacts:
    """Read everything known about `cell`. Without its plan file, params.yaml says whether it is planned.

    Files of a cell that is not planned belong to another study and are not read.
    """
    planned = params.is_planned(cell) if plan is None else isinstance(plan, SearchPlan)
    if not planned:
        return cell_facts(cell, CellRecords(), planned=False)
    return cell_facts(
        cell,
        CellRecords(
            choice=if_there(read_choice)(places.choice(cell)),
            coverage=if_there(read_coverage)(places.coverage(cell)),
            best=if_there(read_best_params)(places.best_params(cell)),
            trials=read_trials(places.hpo(cell) / TRIALS),
            seeds=timings_if_there(places.timings(cell)).seeds,
            scores=if_there(read_scores)(places.scores_record(cell)),
        ),
    )


def cell_facts(cell: Cell, records: CellRecords, *, planned: bool = True) -> CellFacts:
    """Convert `records` to facts."""
    state, failed_stage, reason = _ending(records.choice, records.scores)
    scores = records.scores if isinstance(records.scores, CellScores) and state is CellState.SCORED else None
    return CellFacts(
        cell=cell,
        state=state if planned else CellState.NOT_PLANNED,
        failed_stage=failed_stage,
        reason=reason,
        winner=records.choice if isinstance(records.choice, Choice) else None,
        search=_search(records.coverage, records.best, records.trials),
        retraining=_retraining(records.seeds),
        regions={} if scores is None else scores.regions,
        symbols={} if scores is None else {name: of.get(Region.TEST) for name, of in (scores.symbols or {}).items()},
    )


def _ending(
    choice: Choice | Ending | None, scores: CellScores | Ending | None
) -> tuple[CellState, str | None, str | None]:
    for stage, record in (("search", choice), ("retraining", scores)):
        if isinstance(record, Ending) and record.failed:
            return CellState.FAILED, stage, record.reason
    return (CellState.SCORED if isinstance(scores, CellScores) else CellState.OPEN), None, None


def _search(coverage: Coverage | None, best: BestParams | None, trials: Sequence[TrialRecord]) -> SearchFacts:
    done = coverage.trials_done if coverage else _ended(trials)
    ended = _count(trial.outcome.stop_reason for trial in trials)
    return SearchFacts(
        best_val_loss=best.best_val_loss if best else None,
        best_score=best.best_score if best else None,
        best_val_auc=best.best_val_auc if best else None,
        best_number=best.number if best else None,
        best_architecture=best.architecture if best else {},
        best_n_params=best.param_count if best else None,
        ended_at=best.timestamp if best else None,
        hyperparameters=best.training if best else {},
        trials_done=best.n_trials if best else done,
        trials_total=coverage.trials_total if coverage else None,
        grid_size=coverage.grid_size if coverage else None,
        members_seen=coverage.members_seen if coverage else None,
        shapes=coverage.shapes if coverage else None,
        shapes_seen=coverage.shapes_seen if coverage else None,
        spread=coverage.spread if coverage else None,
        forced=tuple(_forced(one) for one in coverage.forced) if coverage else (),
        origin=_origin(coverage.winner if coverage else None),
        stop_reasons=(coverage.stop_reasons if coverage else {}) or ended,
        notes=(*(coverage.notes if coverage else ()), *mixed_kinds(trials)),
        seconds=_total(trial.outcome.seconds for trial in trials),
        peak_memory_gib=_highest(trial.outcome.peak_memory_gib for trial in trials),
        devices=devices_of(trials),
        trials=tuple(trials),
    )


def devices_of(trials: Sequence[TrialRecord]) -> tuple[str, ...]:
    """Return where the trials were trained: kinds of places, or the device of this machine."""
    return tuple(sorted({trial.kind or trial.device for trial in trials}))


def mixed_kinds(trials: Sequence[TrialRecord]) -> tuple[str, ...]:
    """Return a note where the trials that count were trained on places of several kinds (hardware.places)."""
    kinds = devices_of(list(latest(trials).values()))
    if len(kinds) < 2:
        return ()
    return (f"its trials ran on places of {len(kinds)} kinds, which may differ in the last digits: {'; '.join(kinds)}",)


def _ended(trials: Sequence[TrialRecord]) -> int | None:
    """Return the number of ended trials of a running search; None before one has begun."""
    return sum(trial.final for trial in latest(trials).values()) if trials else None


def _forced(one: ForcedArchitecture) -> str:
    return one.what + ("" if one.in_grid else " (not in the grid)")


def _origin(winner: Leader | None) -> str | None:
    """Return whether the winner was a forced trial or sampled; None without a winner."""
    if winner is None:
        return None
    return "sampled" if winner.forced is None else f"forced ({winner.forced})"


def _retraining(seeds: Mapping[int, SeedRecord]) -> RetrainingFacts:
    return RetrainingFacts(
        train_losses={str(number): seed.train_loss for number, seed in seeds.items()},
        stop_reasons=_count(seed.stop_reason for seed in seeds.values()),
        seconds=_total(seed.seconds for seed in seeds.values()),
        peak_memory_gib=_highest(seed.peak_memory_gib for seed in seeds.values()),
        predicted_memory_gib=_highest(seed.predicted_memory_gib for seed in seeds.values()),
    )


def _count(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(str(reason) for reason in reasons).items()))


def _total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
