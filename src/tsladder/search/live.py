"""The live record of a search as a start finds it: what cannot be used is kept aside under a new name, and said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import canonical, cut_torn_tail, read_json, set_aside, write_json, write_text
from tsladder.errors import WorkFailed
from tsladder.search.layout import ADOPTED, JOURNAL, LAG, PLAN, TRIALS
from tsladder.search.trials import TrialRecord

Say = Callable[[str], None]


def open_live_record(folder: Path, plan: Mapping[str, Any], say: Say) -> list[TrialRecord]:
    """The attempts recorded in `folder` for the question `plan`. The caller holds the folder's lock.

    Files of another question are set aside, whole. Of trials.jsonl every readable line is kept; a trial whose line is
    lost is trained again.
    """
    _check_question(folder, plan, say)
    write_json(folder / PLAN, plan)
    return _read_trials(folder / TRIALS, say)


def _check_question(folder: Path, plan: Mapping[str, Any], say: Say) -> None:
    path = folder / PLAN
    if not path.exists():
        return
    try:
        found = read_json(path)
    except WorkFailed as error:
        say(f"{error}; it is kept as {set_aside(path).name} and written anew")
        return
    # As texts: a tuple is written as a list.
    if canonical(found) != canonical(plan):
        kept = [
            set_aside(folder / name).name for name in (PLAN, TRIALS, JOURNAL, ADOPTED, LAG) if (folder / name).exists()
        ]
        say(f"{folder} holds the search of another study: its files are kept as {', '.join(kept)}, and this one starts")


def _read_trials(path: Path, say: Say) -> list[TrialRecord]:
    if not path.exists():
        return []
    cut_torn_tail(path)
    text = path.read_bytes()
    records, whole, faults = [], [], []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            records.append(TrialRecord.from_record(json.loads(line)))
            whole.append(line.decode() + "\n")
        except (ValueError, TypeError, KeyError) as error:
            faults.append(f"line {number} ({error})")
    if faults:
        kept = set_aside(path)
        write_text(path, "".join(whole))
        say(
            f"{path} is damaged, or was written by another version, in {'; '.join(faults)}: it is kept as {kept.name}, "
            f"{len(records)} trials go on from it, the others are trained again"
        )
    return records
