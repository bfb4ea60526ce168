"""Open the live record of a search at its start: files that cannot be used are kept under a new name, with a
message."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from tsladder.artifacts.adoption import ADOPTED
from tsladder.artifacts.search_lag import LAG
from tsladder.artifacts.search_question import QUESTION, SearchQuestion, is_question, write_question
from tsladder.artifacts.store import set_aside
from tsladder.artifacts.trials import TRIALS, TrialRecord, TrialState, repair_trials
from tsladder.errors import WorkFailed
from tsladder.search.layout import JOURNAL

Say = Callable[[str], None]


def open_live_record(folder: Path, question: SearchQuestion, say: Say) -> list[TrialRecord]:
    """Return the attempts recorded in `folder` for `question`. The caller holds the folder's lock.

    Files of another question are set aside, whole. Every readable line of trials.jsonl is kept; a trial whose line is
    lost is trained again.
    """
    _check_question(folder, question, say)
    write_question(folder / QUESTION, question)
    return repair_trials(folder / TRIALS, say)


def _check_question(folder: Path, question: SearchQuestion, say: Say) -> None:
    path = folder / QUESTION
    if not path.exists():
        return
    try:
        same = is_question(path, question)
    except WorkFailed as error:
        say(f"{error}; it is kept as {set_aside(path).name} and a new one is written")
        return
    if not same:
        kept = [
            set_aside(folder / name).name
            for name in (QUESTION, TRIALS, JOURNAL, ADOPTED, LAG)
            if (folder / name).exists()
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
