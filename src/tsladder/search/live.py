"""Open the live record of a search at its start: files that cannot be used are kept under a new name, with a
message."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.adoption import ADOPTED
from tsladder.artifacts.search_lag import LAG
from tsladder.artifacts.store import canonical, read_json, set_aside, write_json
from tsladder.artifacts.trials import TRIALS, TrialRecord, TrialState, repair_trials
from tsladder.errors import WorkFailed
from tsladder.search.layout import JOURNAL, PLAN

Say = Callable[[str], None]


def open_live_record(folder: Path, plan: Mapping[str, Any], say: Say) -> list[TrialRecord]:
    """Return the attempts recorded in `folder` for the question `plan`. The caller holds the folder's lock.

    Files of another question are set aside, whole. Every readable line of trials.jsonl is kept; a trial whose line is
    lost is trained again.
    """
    _check_question(folder, plan, say)
    write_json(folder / PLAN, plan)
    return repair_trials(folder / TRIALS, say)


def _check_question(folder: Path, plan: Mapping[str, Any], say: Say) -> None:
    path = folder / PLAN
    if not path.exists():
        return
    try:
        found = read_json(path)
    except WorkFailed as error:
        say(f"{error}; it is kept as {set_aside(path).name} and a new one is written")
        return
    # Compared as text, since a tuple is written as a list.
    if canonical(found) != canonical(plan):
        kept = [
            set_aside(folder / name).name for name in (PLAN, TRIALS, JOURNAL, ADOPTED, LAG) if (folder / name).exists()
        ]
        say(f"{folder} holds the search of another study: its files are kept as {', '.join(kept)}, and this one starts")


def resumable(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return `records` as the next start resumes from them.

    Where no trial has a loss yet, those that failed because of the machine count as interrupted: a cell must not stay
    without a winner for what happened around its search. Beside trials that have a loss they stay as they ended, so
    that a finished search is never changed.
    """
    if any(record.state is TrialState.COMPLETE for record in records):
        return list(records)
    return [
        dataclasses.replace(record, state=TrialState.INTERRUPTED) if record.outcome.stop_reason.by_machine else record
        for record in records
    ]
