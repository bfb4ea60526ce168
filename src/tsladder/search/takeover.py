"""Reuse of trials that other searches of the same cell have ended: an equal trial takes over their result instead of
being trained.

Two trials are equal when their identities are (`tsladder.planning.identity`): then training would repeat every digit.
How a training ended may still differ, since each search prunes by its own bar. A whole learning curve is compared with
that bar epoch by epoch and cut where it would have ended; a curve that another search cut is long enough only where
this one's bar ends it no later. A trial that ran out of memory, was killed or stalled may succeed another time: it is
trained.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tsladder.artifacts.trials import TRIALS, TakenFrom, TrialRecord, TrialState, latest, readable_trials
from tsladder.errors import WorkFailed
from tsladder.locks import exclusive_lock
from tsladder.search.configuration import Value
from tsladder.training.checkpoint_plan import CHECKPOINTS
from tsladder.training.pruning import Bar
from tsladder.vocabulary import StopReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """Earlier results known before a search begins. `base`: the digest that all identities of the cell share;
    `folders`: the live records of the cell's searches; `trials`: those of other searches by identity; `adopted`: draws,
    by trial number, that trials take instead of the sampler's."""

    base: str
    folders: Sequence[Path] = ()
    trials: Mapping[str, Sequence[TrialRecord]] = field(default_factory=dict)
    adopted: Mapping[int, Mapping[str, Value]] = field(default_factory=dict)

    def find(self, identity: str, bar: Bar | None) -> TrialRecord | None:
        """Return the trial of this `identity` as it ends under `bar`, which its loss must not stay above; None: it has
        to be trained."""
        found = (ended_under(record, bar) for record in self.trials.get(identity, ()))
        return next((record for record in found if record is not None), None)


def ended_under(record: TrialRecord, bar: Bar | None) -> TrialRecord | None:
    """Return `record` as it would have ended under `bar`; None where the record cannot tell that, or may not be
    repeated."""
    outcome, curve = record.outcome, record.outcome.curve
    if record.state not in (TrialState.COMPLETE, TrialState.PRUNED) and outcome.stop_reason is not StopReason.DIVERGED:
        return None
    epochs = range(1, len(curve) + 1)
    pruned_after = None if bar is None else next((n for n in epochs if bar.is_hopeless(curve[:n])), None)
    if pruned_after is None:
        return None if record.state is TrialState.PRUNED else record
    cut = dataclasses.replace(
        outcome.first_epochs(pruned_after),
        stop_reason=StopReason.PRUNED,
        best_val_loss=None,
        val_loss_se=None,
        best_epoch=None,
        val_auc=None,
        message="",
    )
    return dataclasses.replace(record, state=TrialState.PRUNED, outcome=cut)


def trials_of_others(folders: Sequence[Path], own: Path) -> dict[str, list[TrialRecord]]:
    """Return the final trials of the live records `folders` but `own`, by identity: whole curves first, then those
    cut."""
    found: dict[str, list[TrialRecord]] = {}
    for folder in folders:
        if folder != own:
            for record in final_trials(folder):
                if record.identity:
                    found.setdefault(record.identity, []).append(record)
    for records in found.values():
        records.sort(key=lambda record: record.state is TrialState.PRUNED)
    return found


def final_trials(folder: Path) -> list[TrialRecord]:
    """Return the trials that ended in the live record `folder`, which may be in use, each with where it was trained.

    What cannot be read is left out: reporting that is left to the search it belongs to.
    """
    final = latest(record for record in readable_trials(folder / TRIALS) if record.final)
    return [_with_origin(final[number], folder.name) for number in sorted(final)]


def _with_origin(record: TrialRecord, folder: str) -> TrialRecord:
    return dataclasses.replace(record, taken_from=record.taken_from or TakenFrom(folder, record.number))


def fetch_checkpoint(folders: Sequence[Path], own: Path, name: str) -> Path | None:
    """Move the checkpoint `name`, which another search left of an equal trial, into `own`; return where it was, if
    anywhere.

    A search that is at work keeps its own checkpoints. The caller holds the lock of `own`.
    """
    target = own / CHECKPOINTS / name
    for folder in folders:
        source = folder / CHECKPOINTS / name
        if folder == own or target.exists() or not source.exists():
            continue
        try:
            with exclusive_lock(folder, "a search"):
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
        except WorkFailed:
            # That search is running, and may be training this trial at the moment.
            continue
        return folder
    return None
