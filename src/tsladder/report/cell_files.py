"""What the stages left about one cell, read into CellFacts. Any file may be missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tsladder.params import Params
from tsladder.places import Places
from tsladder.records import read_lines
from tsladder.report.facts import CellFacts, CellState, RetrainingFacts, SearchFacts, TrialFacts, Winner
from tsladder.report.score_files import read_regions, read_symbols
from tsladder.report.stored import Record, read_if_there
from tsladder.vocabulary import Cell, CellStatus, Region

SEED_PREFIX = "seed-"


def read_cell(places: Places, params: Params, cell: Cell, plan: Record) -> CellFacts:
    """Everything known about `cell`. Without its plan file, params.yaml says whether it is planned.

    What lies on disk of a cell that is not planned belongs to another study and is not read.
    """
    if not plan.get("planned", params.is_planned(cell)):
        nothing = _search({}, {}, [])
        return CellFacts(
            cell=cell,
            state=CellState.NOT_PLANNED,
            failed_stage=None,
            reason=None,
            winner=None,
            search=nothing,
            retraining=_retraining({}),
            regions={},
            symbols={},
        )
    choice = read_if_there(places.choice(cell))
    scores = read_if_there(places.scores(cell) / "scores.json")
    state, failed_stage, reason = _ending(choice, scores)
    return CellFacts(
        cell=cell,
        state=state,
        failed_stage=failed_stage,
        reason=reason,
        winner=_winner(choice),
        search=_search(
            read_if_there(places.hpo(cell) / "coverage.json"),
            read_if_there(places.hpo(cell) / "best_params.json"),
            read_lines(places.hpo(cell) / "trials.jsonl"),
        ),
        retraining=_retraining(read_if_there(places.timings(cell))),
        regions=read_regions(scores) if state is CellState.SCORED else {},
        symbols=read_symbols(scores, Region.TEST) if state is CellState.SCORED else {},
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


def _search(coverage: Record, best: Record, trials: list[dict[str, Any]]) -> SearchFacts:
    return SearchFacts(
        best_val_loss=best.get("best_val_loss"),
        ended_at=best.get("timestamp"),
        hyperparameters=best.get("training", {}),
        trials_done=best.get("n_trials", coverage.get("trials_done")),
        trials_total=coverage.get("trials_total"),
        grid_size=coverage.get("grid_size"),
        members_seen=coverage.get("members_seen"),
        shapes=coverage.get("shapes"),
        shapes_seen=coverage.get("shapes_seen"),
        spread=coverage.get("spread"),
        forced=tuple(_forced(item) for item in coverage.get("forced", [])),
        origin=_origin(coverage.get("winner")),
        stop_reasons=coverage.get("stop_reasons") or _count(trial.get("stop_reason") for trial in trials),
        notes=tuple(coverage.get("notes", [])),
        seconds=_total(trial.get("seconds") for trial in trials),
        peak_memory_gib=_highest(trial.get("peak_memory_gib") for trial in trials),
        devices=tuple(sorted({trial["device"] for trial in trials if trial.get("device")})),
        trials=tuple(_trial(trial) for trial in trials),
    )


def _trial(line: Record) -> TrialFacts:
    return TrialFacts(
        number=line["number"],
        state=line["state"],
        stop_reason=line.get("stop_reason"),
        forced=line.get("forced"),
        params=line.get("params") or {},
        n_params=line.get("n_params"),
        val_loss=line.get("best_val_loss") if line["state"] == "complete" else None,
        val_auc=line.get("val_auc"),
        base_rate_loss=line.get("base_rate_loss"),
        epochs_run=line.get("epochs_run"),
        seconds=line.get("seconds"),
        peak_memory_gib=line.get("peak_memory_gib"),
    )


def _forced(item: Record) -> str:
    return str(item["what"]) + ("" if item.get("in_grid", True) else " (not in the grid)")


def _origin(winner: Record | None) -> str | None:
    """Whether the winner was a forced trial or the sampler's."""
    if winner is None:
        return None
    return "sampled" if winner.get("forced") is None else f"forced ({winner['forced']})"


def _retraining(timings: Record) -> RetrainingFacts:
    by_name: dict[str, Record] = timings.get("seeds", {})
    seeds = list(by_name.values())
    return RetrainingFacts(
        train_losses={name.removeprefix(SEED_PREFIX): seed.get("train_loss") for name, seed in by_name.items()},
        stop_reasons=_count(seed.get("stop_reason") for seed in seeds),
        seconds=_total(seed.get("seconds") for seed in seeds),
        peak_memory_gib=_highest(seed.get("peak_memory_gib") for seed in seeds),
    )


def _count(reasons: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(reason for reason in reasons if reason is not None).items()))


def _total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
