"""Write the trials of a panel study's search as its users read them: one file for each trial, and one list of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from tsladder.artifacts.trial_metrics import (
    EndedState,
    ListedTrial,
    TrialMetrics,
    write_all_trials,
    write_trial_metrics,
)
from tsladder.artifacts.trials import TrialRecord, TrialState
from tsladder.cells.work import CellWork
from tsladder.planning.recipe import Settings

_STATES = {TrialState.COMPLETE: EndedState.COMPLETE, TrialState.PRUNED: EndedState.PRUNED}


def write_trial_files(work: CellWork, key: str, folder: Path, records: Sequence[TrialRecord]) -> None:
    """Write the metrics of the ended trials `records` into `folder`, and the list of all. `key`: identity of the
    search.

    A file that says the same is left as it is: a trial that the machine had ended, and that was trained again, gets new
    metrics.
    """
    write_trial_metrics(folder, [_metrics(work, key, record) for record in records])
    write_all_trials(folder, [_listed(record) for record in records])


def _rank_error(record: TrialRecord) -> float | None:
    """Return the mean rank error on validation of a trial that was trained to its end; None where it is no number."""
    loss = record.val_loss
    return loss if loss is not None and math.isfinite(loss) else None


def _state(record: TrialRecord) -> EndedState:
    """Return the state of a trial: one without a finite loss has failed, whatever ended it."""
    state = _STATES.get(record.state, EndedState.FAIL)
    return EndedState.FAIL if state is EndedState.COMPLETE and _rank_error(record) is None else state


def _metrics(work: CellWork, key: str, record: TrialRecord) -> TrialMetrics:
    outcome = record.outcome
    spec = work.spec(record.params)
    return TrialMetrics(
        study_key=key,
        cell=str(work.cell),
        trial=record.number,
        state=_state(record),
        stop_reason=outcome.stop_reason,
        architecture=spec.architecture(),
        n_params=outcome.n_params,
        settings=Settings.from_record(record.params).to_record(),
        optimizer=outcome.optimizer,
        optimizer_settings=outcome.optimizer_settings,
        validation=outcome.validation,
        rank_error=_rank_error(record),
        base_rate_loss=record.base_rate_loss,
        seconds=outcome.seconds,
        peak_memory_gib=outcome.peak_memory_gib,
        retries=outcome.retries,
        phases=outcome.phases,
        best_phase=outcome.best_phase,
    )


def _listed(record: TrialRecord) -> ListedTrial:
    rank_error = _rank_error(record)
    return ListedTrial(
        number=record.number,
        state=_state(record),
        value=None if rank_error is None else 1.0 - rank_error,
        params=record.params,
    )
