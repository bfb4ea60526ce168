"""What the stages left about one cell -> CellFacts. Any file may be missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tsladder.artifacts.seeds import SeedRecord
from tsladder.artifacts.trials import TRIALS, TrialRecord, latest, read_trials
from tsladder.params import Params
from tsladder.places import Places
from tsladder.results.facts import CellFacts, CellState, RetrainingFacts, SearchFacts, Winner
from tsladder.results.score_files import read_regions, read_symbols
from tsladder.results.stored import Record, read_if_there, timings_if_there
from tsladder.vocabulary import Cell, CellStatus, Region


@dataclass(frozen=True, kw_only=True, slots=True)
class CellRecords:
    """What lies there of a cell and belongs to the question; what does not, or is missing, is empty."""

    choice: Record = field(default_factory=dict)
    coverage: Record = field(default_factory=dict)
    best: Record = field(default_factory=dict)
    trials: Sequence[TrialRecord] = ()
    seeds: Mapping[int, SeedRecord] = field(default_factory=dict)
    scores: Record = field(default_factory=dict)


def read_cell(places: Places, params: Params, cell: Cell, plan: Record) -> CellFacts:
    """Everything known about `cell`. Without its plan file, params.yaml says whether it is planned.

    What lies on disk of a cell that is not planned belongs to another study and is not read.
    """
    if not plan.get("planned", params.is_planned(cell)):
        return cell_facts(cell, CellRecords(), planned=False)
    return cell_facts(
        cell,
        CellRecords(
            choice=read_if_there(places.choice(cell)),
            coverage=read_if_there(places.hpo(cell) / "coverage.json"),
            best=read_if_there(places.hpo(cell) / "best_params.json"),
            trials=read_trials(places.hpo(cell) / TRIALS),
            seeds=timings_if_there(places.timings(cell)).seeds,
            scores=read_if_there(places.scores(cell) / "scores.json"),
        ),
    )


def cell_facts(cell: Cell, records: CellRecords, *, planned: bool = True) -> CellFacts:
    """The values in `records`."""
    state, failed_stage, reason = _ending(records.choice, records.scores)
    scored = state is CellState.SCORED
    return CellFacts(
        cell=cell,
        state=state if planned else CellState.NOT_PLANNED,
        failed_stage=failed_stage,
        reason=reason,
        winner=_winner(records.choice),
        search=_search(records.coverage, records.best, records.trials),
        retraining=_retraining(records.seeds),
        regions=read_regions(records.scores) if scored else {},
        symbols=read_symbols(records.scores, Region.TEST) if scored else {},
    )


def _ending(choice: Record, scores: Record) -> tuple[CellState, str | None, str | None]:
    for stage, record in (("search", choice), ("retraining", scores)):
        if record.get("status") == CellStatus.FAILED:
            return CellState.FAILED, stage, record.get("reason")
    scored = scores.get("status") == CellStatus.DONE
    return (CellState.SCORED if scored else CellState.OPEN), None, None


def _winner(choice: Record) -> Winner | None:
    if choice.get("status") != CellStatus.DONE:
        return None
    return Winner(
        architecture=choice.get("architecture", {}),
        settings=choice.get("settings", {}),
        n_params=choice.get("n_params"),
        n_params_blocks=choice.get("n_params_blocks"),
        n_params_body=choice.get("n_params_body"),
        off_budget=choice.get("off_budget"),
    )


def _search(coverage: Record, best: Record, trials: Sequence[TrialRecord]) -> SearchFacts:
    return SearchFacts(
        best_val_loss=best.get("best_val_loss"),
        best_score=best.get("best_score"),
        best_val_auc=best.get("best_val_auc"),
        best_number=best.get("number"),
        best_architecture=best.get("architecture", {}),
        best_n_params=best.get("param_count"),
        ended_at=best.get("timestamp"),
        hyperparameters=best.get("training", {}),
        trials_done=best.get("n_trials", coverage.get("trials_done", _ended(trials))),
        trials_total=coverage.get("trials_total"),
        grid_size=coverage.get("grid_size"),
        members_seen=coverage.get("members_seen"),
        shapes=coverage.get("shapes"),
        shapes_seen=coverage.get("shapes_seen"),
        spread=coverage.get("spread"),
        forced=tuple(_forced(item) for item in coverage.get("forced", [])),
        origin=_origin(coverage.get("winner")),
        stop_reasons=coverage.get("stop_reasons") or _count(trial.outcome.stop_reason for trial in trials),
        notes=tuple(coverage.get("notes", [])),
        seconds=_total(trial.outcome.seconds for trial in trials),
        peak_memory_gib=_highest(trial.outcome.peak_memory_gib for trial in trials),
        devices=tuple(sorted({trial.device for trial in trials})),
        trials=tuple(trials),
    )


def _ended(trials: Sequence[TrialRecord]) -> int | None:
    """How many trials of a search that goes on have ended; None before one has begun."""
    return sum(trial.final for trial in latest(trials).values()) if trials else None


def _forced(item: Record) -> str:
    return str(item["what"]) + ("" if item.get("in_grid", True) else " (not in the grid)")


def _origin(winner: Record | None) -> str | None:
    """Whether the winner was a forced trial or the sampler's."""
    if winner is None:
        return None
    return "sampled" if winner.get("forced") is None else f"forced ({winner['forced']})"


def _retraining(seeds: Mapping[int, SeedRecord]) -> RetrainingFacts:
    return RetrainingFacts(
        train_losses={str(number): seed.train_loss for number, seed in seeds.items()},
        stop_reasons=_count(seed.stop_reason for seed in seeds.values()),
        seconds=_total(seed.seconds for seed in seeds.values()),
        peak_memory_gib=_highest(seed.peak_memory_gib for seed in seeds.values()),
    )


def _count(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(str(reason) for reason in reasons).items()))


def _total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
