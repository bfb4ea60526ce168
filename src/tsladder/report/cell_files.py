"""What the stages left about one cell, read into CellFacts. Any file may be missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tsladder.params import Params
from tsladder.places import Places
from tsladder.records import read_json, read_lines
from tsladder.report.facts import (
    CellFacts,
    CellState,
    Interval,
    Metrics,
    RegionFacts,
    RetrainingFacts,
    SearchFacts,
    Winner,
)
from tsladder.vocabulary import Cell, CellStatus

Record = Mapping[str, Any]


def read_if_there(path: Path) -> Record:
    """The object stored at `path`; {} when there is no file. Raises WorkFailed when it is damaged."""
    try:
        return read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}


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
        regions=_regions(scores) if state is CellState.SCORED else {},
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
    )


def _forced(item: Record) -> str:
    return str(item["what"]) + ("" if item.get("in_grid", True) else " (not in the grid)")


def _origin(winner: Record | None) -> str | None:
    """Whether the winner was a forced trial or the sampler's."""
    if winner is None:
        return None
    return "sampled" if winner.get("forced") is None else f"forced ({winner['forced']})"


def _retraining(timings: Record) -> RetrainingFacts:
    seeds: list[Record] = list(timings.get("seeds", {}).values())
    return RetrainingFacts(
        stop_reasons=_count(seed.get("stop_reason") for seed in seeds),
        seconds=_total(seed.get("seconds") for seed in seeds),
        peak_memory_gib=_highest(seed.get("peak_memory_gib") for seed in seeds),
    )


def _regions(scores: Record) -> dict[str, RegionFacts]:
    return {name: _region(record) for name, record in scores.get("regions", {}).items()}


def _region(record: Record) -> RegionFacts:
    advantage: Record = record.get("advantage") or {}
    return RegionFacts(
        windows=record.get("windows"),
        positives=record.get("positives"),
        base_rate=record.get("base_rate"),
        train_base_rate=record.get("train_base_rate"),
        mean=_metrics(record.get("mean", {})),
        log_loss_se=record.get("log_loss_se"),
        base_rate_loss=record.get("base_rate_loss"),
        own_rate_loss=record.get("own_rate_loss"),
        stricter=record.get("stricter"),
        skill=record.get("skill"),
        advantage=advantage.get("value"),
        advantage_ci=interval_of(advantage.get("low"), advantage.get("high")),
        baselines={name: _metrics(scores) for name, scores in record.get("baselines", {}).items()},
        beaten_by=tuple(record.get("beaten_by", [])),
        constant_predictor=record.get("constant_predictor"),
        windows_fingerprint=record.get("windows_fingerprint"),
        seeds=len(record.get("seeds", {})),
    )


def _metrics(record: Record) -> Metrics:
    return Metrics(
        log_loss=record.get("log_loss"),
        brier=record.get("brier"),
        auc=record.get("auc"),
        average_precision=record.get("average_precision"),
    )


def interval_of(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else (low, high)


def _count(reasons: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(reason for reason in reasons if reason is not None).items()))


def _total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
