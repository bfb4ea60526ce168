"""Build the live table of a running study: one line per cell, then trainings, DVC's stage and messages. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from tsladder.console.loss_words import LossWords
from tsladder.formatting import number, steady_duration, steady_duration_with_interval
from tsladder.search.objective import VAL_AUC
from tsladder.status.study_state import CellState, StudyState

_ENDINGS = {
    "completed": "done",
    "early_stopping": "early",
    "pruned": "pruned",
    "diverged": "diverged",
    "out_of_memory": "memory",
    "thermal": "heat",
    "interrupted": "stopped",
}
_STYLES = {"running": "cyan", "fresh": "green", "failed": "bold red", "stale": "yellow", "not_planned": "dim"}
_WIDE, _WIDEST = 100, 120
_MOST_RUNNING, _MOST_MESSAGES = 4, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """Facts beside the state: the present activity of DVC, the last messages, a fault, and the keys."""

    current: str | None = None
    messages: Sequence[str] = ()
    note: str | None = None
    keys: str | None = None


def render(state: StudyState | None, activity: Activity, *, width: int, height: int) -> RenderableType:
    """Render at most `height` lines of `width` columns; cells about which there is nothing to say share a line where
    needed."""
    above = [] if state is None else _running_lines(state)
    totals = [] if state is None else [_totals(state), *_laws(state)]
    notes = [Text(f"! {activity.note}", style="bold yellow")] if activity.note else []
    current = [Text(f"now: {activity.current}", style="bold")] if activity.current else []
    keys = [Text(activity.keys, style="dim")] if activity.keys else []
    messages = [Text(f"  {message}", style="dim") for message in activity.messages[-_MOST_MESSAGES:]]
    cells = {} if state is None else state.cells
    fixed = len(totals) + len(notes) + len(current) + len(keys) + 2
    room = height - fixed - len(above) - len(messages)
    while room < len(cells) and len(messages) > 1:
        messages, room = messages[1:], room + 1
    lines = [*above, *totals, *notes, *current, *messages, *keys]
    table = [] if state is None else _table_lines(collapsed(cells, max(1, room)), width, LossWords.of(state))
    gap = [Text("")] if 1 < len(table) <= room else []
    shown = [*table, *gap, *lines]
    for line in shown:
        line.truncate(width, overflow="ellipsis")
    return Group(*shown)


def collapsed(cells: Mapping[str, CellState], room: int) -> list[tuple[str, CellState]]:
    """Return (label, state) of at most `room` lines: the longest runs of neighbours in one quiet state share a line
    first.

    A cell that runs or has failed keeps a line of its own as long as there is room for it.
    """
    runs: list[list[tuple[str, CellState]]] = [[item] for item in cells.items()]
    while len(runs) > room:
        pairs = [
            (len(first) + len(second), index)
            for index, (first, second) in enumerate(itertools.pairwise(runs))
            if _is_quiet(first) and _is_quiet(second) and first[0][1].state == second[0][1].state
        ]
        if not pairs:
            break
        # Extend the longest shared line first, so that few lines are spent on counts.
        _, index = max(pairs)
        runs[index : index + 2] = [[*runs[index], *runs[index + 1]]]
    if len(runs) > room:
        noteworthy = [run for run in runs if not _is_quiet(run)]
        runs = (noteworthy or runs)[:room]
    return [run[0] if len(run) == 1 else _shared_line(run) for run in runs]


def _is_quiet(run: Sequence[tuple[str, CellState]]) -> bool:
    return all(state.state not in ("running", "failed") for _, state in run)


def _shared_line(run: Sequence[tuple[str, CellState]]) -> tuple[str, CellState]:
    states = [state for _, state in run]
    scored = [(state.best_score, state) for state in states if state.best_score is not None]
    leader = max(scored, key=lambda item: item[0])[1] if scored else states[0]
    combined = CellState(
        state=states[0].state,
        trials_done=sum(state.trials_done for state in states),
        trials_total=sum(state.trials_total for state in states),
        objective=states[0].objective,
        best_score=leader.best_score,
        best_val_loss=leader.best_val_loss,
        best_val_auc=leader.best_val_auc,
        stop_reasons=_summed_stop_reasons(states),
    )
    return f"{len(run)} cells", combined


def _summed_stop_reasons(states: Sequence[CellState]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in states:
        for reason, count in state.stop_reasons.items():
            counts[reason] = counts.get(reason, 0) + count
    return counts


def _table_lines(rows: Sequence[tuple[str, CellState]], width: int, words: LossWords) -> list[Text]:
    """Lay out columns as wide as their content. Where that is too wide the end of the last column is cut, never a
    figure."""
    by_auc = any(state.objective == VAL_AUC for _, state in rows)
    best = ("AUC", "loss") if by_auc else (words.heading("best"),)
    more = (words.heading("test"), "skill", "spent") if width >= _WIDEST else ()
    heads = ("cell", "state", "trials", *best, *more, "to go", "GiB", "°C", "ended")
    texts = [heads, *(_columns(label, state, width, words, by_auc=by_auc) for label, state in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = []
    for index, columns in enumerate(texts):
        padded = [
            text.rjust(size) if 2 <= place < len(heads) - 1 else text.ljust(size)
            for place, (text, size) in enumerate(zip(columns, widths, strict=True))
        ]
        lines.append(Text("  ".join(padded).rstrip(), style=_style(rows[index - 1][1]) if index else "bold"))
    return lines


def _columns(label: str, state: CellState, width: int, words: LossWords, *, by_auc: bool) -> tuple[str, ...]:
    more = (words.shown(state.test_loss), number(state.skill, 3), steady_duration(state.seconds_spent))
    if not state.trials_total:
        more = ("", "", "")
    return (
        label,
        _state_word(state),
        f"{state.trials_done}/{state.trials_total}" if state.trials_total else "",
        *([number(state.best_val_auc, 4) if state.trials_total else ""] if by_auc else []),
        words.shown(state.best_val_loss) if state.trials_total else "",
        *(more if width >= _WIDEST else ()),
        _to_go(state),
        number(state.resident_gib, 1 if width < _WIDE else 2) if state.state == "running" else "",
        number(state.celsius, 0) if state.state == "running" else "",
        _ended(state),
    )


def _style(state: CellState) -> str:
    if state.stalled_seconds is not None or state.paused is not None:
        return "bold yellow"
    return _STYLES.get(state.state, "")


def _state_word(state: CellState) -> str:
    """Return the most important fact about a cell, in at most 15 letters."""
    if state.stalled_seconds is not None:
        return f"stalled {steady_duration(state.stalled_seconds)}"
    if state.paused is not None:
        return f"paused: {state.paused}"
    if state.state != "running" or state.phase is None:
        return state.state.replace("_", " ")
    if state.phase != "search" and state.phase_total:
        return f"{state.phase} {state.phase_done or 0}/{state.phase_total}"
    return state.phase


def _to_go(state: CellState) -> str:
    if state.state in ("fresh", "failed", "not_planned"):
        return ""
    return steady_duration_with_interval(state.seconds_to_go, state.seconds_to_go_low, state.seconds_to_go_high)


def _ended(state: CellState) -> str:
    if state.state == "failed" and state.reason:
        return state.reason
    order = [*_ENDINGS, *sorted(set(state.stop_reasons) - set(_ENDINGS))]
    counts = {reason: state.stop_reasons.get(reason, 0) for reason in order}
    return ", ".join(f"{count} {_ENDINGS.get(reason, reason)}" for reason, count in counts.items() if count)


def _running_lines(state: StudyState) -> list[Text]:
    lines, words = [], LossWords.of(state)
    for name, cell in state.cells.items():
        one = "seed" if cell.phase in ("train", "transfer", "pretrain") else "trial"
        for trial in cell.running:
            # Trials are shown to users counted from 1, as seeds are.
            number = trial.number + (0 if one == "seed" else 1)
            facts = [f"{name} {one} {number}", trial.place]
            if trial.val_loss is not None:
                facts.append(f"{words.heading('val')} {words.shown(trial.val_loss)}")
            if trial.resident_gib is not None:
                facts.append(f"{trial.resident_gib:.2f} GiB")
            if trial.silent_seconds is not None and trial.silent_seconds >= 10.0:
                facts.append(f"silent for {steady_duration(trial.silent_seconds)}")
            lines.append(Text("  ".join(facts)))
    if len(lines) > _MOST_RUNNING:
        lines = [*lines[: _MOST_RUNNING - 1], Text(f"and {len(lines) - _MOST_RUNNING + 1} more")]
    return lines


def _totals(state: StudyState) -> Text:
    words = ("fresh", "running", "pending", "stale", "failed", "not_planned")
    counts = {word: sum(cell.state == word for cell in state.cells.values()) for word in words}
    parts = [", ".join(f"{count} {word.replace('_', ' ')}" for word, count in counts.items() if count)]
    parts += [f"spent {steady_duration(state.seconds_spent)}"] if state.seconds_spent is not None else []
    to_go = steady_duration_with_interval(state.seconds_to_go, state.seconds_to_go_low, state.seconds_to_go_high)
    parts += [f"to go {to_go}"] if state.seconds_to_go else []
    return Text("; ".join(parts))


def _laws(state: StudyState) -> list[Text]:
    """Return the verdicts that belong to the current question."""
    laws = [f"h{horizon} {law.verdict}" for horizon, law in state.verdicts.items() if law.current and law.verdict]
    return [Text("verdicts: " + ", ".join(laws))] if laws else []
