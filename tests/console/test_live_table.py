"""The picture of a running study: it fits the terminal, and what matters is in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from tsladder.artifacts.progress import RunningTrial
from tsladder.console.live_table import Activity, collapsed, render
from tsladder.status.law_verdicts import HorizonVerdict
from tsladder.status.study_state import CellState, StudyState

RUNGS = ("12k", "50k", "200k", "750k", "2M", "20M", "200M", "1.25B", "2B")
FULL = Activity(
    current="stage hpo@200k-1, for 3 min 4 s; paused, no model is trained",
    messages=["a short message", "a long one " + "that goes on " * 20, "[red]no markup[/red] and an emoji-free end"],
    note="dvc.lock is damaged: " + "restore it from git, " * 10,
    keys="q  stop and keep what is done    p  pause",
)


def trial(number: int, **changes: Any) -> RunningTrial:
    values: dict[str, Any] = {
        "number": number,
        "epoch": 13,
        "epochs": 100,
        "val_loss": 0.51234,
        "silent_seconds": 0.4,
        "resident_gib": 10.25,
        "started": 0.0,
    }
    return RunningTrial(**(values | changes))


def running(**changes: Any) -> CellState:
    values: dict[str, Any] = {
        "state": "running",
        "phase": "search",
        "trials_done": 23,
        "trials_total": 50,
        "best_val_loss": 0.51234,
        "seconds_spent": 7300.0,
        "seconds_to_go": 7300.0,
        "seconds_to_go_low": 3700.0,
        "seconds_to_go_high": 100_000.0,
        "stop_reasons": {"early_stopping": 12, "completed": 8, "pruned": 2, "out_of_memory": 1},
        "running": (trial(23), trial(24)),
        "celsius": 101.0,
        "resident_gib": 20.5,
    }
    return CellState(**(values | changes))


def study(rungs: int, **named: CellState) -> StudyState:
    """Three horizons a rung, of which the first rungs are fresh; `named` cells with _ for the -."""
    cells: dict[str, CellState] = {}
    for index, rung in enumerate(RUNGS[:rungs]):
        for horizon in (1, 3, 5):
            cells[f"{rung}-h{horizon}"] = (
                CellState(
                    state="fresh",
                    trials_done=50,
                    trials_total=50,
                    best_val_loss=0.5,
                    test_loss=0.52,
                    skill=-0.01,
                    seconds_spent=3000.0,
                    stop_reasons={"completed": 50},
                )
                if index < 2
                else CellState(state="pending", trials_total=50)
                if index < rungs - 1
                else CellState(state="not_planned")
            )
    cells |= {name.replace("_", "-"): state for name, state in named.items()}
    laws = {h: HorizonVerdict(verdict="underpowered", alpha=0.02, alpha_ci=(0.0, 0.1), current=True) for h in "135"}
    return StudyState(
        study_key="key",
        cells=cells,
        verdicts=laws,
        seconds_spent=20_000.0,
        seconds_to_go=100_000.0,
        seconds_to_go_low=50_000.0,
        seconds_to_go_high=300_000.0,
    )


def drawn(state: StudyState | None, activity: Activity = FULL, *, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(render(state, activity, width=width, height=height))
    return [line.rstrip() for line in capture.get().rstrip("\n").split("\n")]


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize(("rungs", "height"), [(4, 24), (4, 40), (9, 24), (9, 50)])
def test_it_fits_the_terminal_and_the_running_cell_is_whole(rungs: int, height: int, width: int) -> None:
    lines = drawn(study(rungs, **{"200k_h1": running()}), width=width, height=height)
    assert max(map(len, lines)) <= width
    assert len(lines) < height
    (line,) = [line for line in lines if line.startswith("200k-h1") and "trial" not in line]
    assert "search" in line
    assert "23/50" in line
    assert "0.5123" in line
    assert "2h02m (62m-28h)" in line
    assert "20.5" in line
    assert "101" in line
    assert "8 done" in line
    assert lines[-1].startswith("q  stop")


def test_a_wide_terminal_shows_every_ending() -> None:
    (line,) = [line for line in drawn(study(4, **{"200k_h1": running()}), width=140, height=40) if "23/50" in line]
    assert line.endswith("8 done, 12 early, 2 pruned, 1 memory")


def test_every_cell_has_its_line_where_there_is_room() -> None:
    state = study(9, **{"200k_h1": running()})
    lines = drawn(state, width=100, height=60)
    assert [line.split()[0] for line in lines[1:28]] == list(state.cells)


@pytest.mark.parametrize("room", range(3, 28))
def test_lines_are_shared_by_quiet_neighbours_and_no_trial_gets_lost(room: int) -> None:
    cells: Mapping[str, CellState] = study(
        9, **{"200k_h1": running(), "750k_h3": CellState(state="failed", reason="no", trials_done=3, trials_total=50)}
    ).cells
    rows = collapsed(cells, room)
    assert len(rows) <= room
    labels = [label for label, _ in rows]
    assert {"200k-h1", "750k-h3"} <= set(labels)
    if room >= 7:
        assert sum(state.trials_done for _, state in rows) == sum(state.trials_done for state in cells.values())
        named = [int(label.split()[0]) if label.endswith("cells") else 1 for label in labels]
        assert sum(named) == len(cells)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"paused": "heat"}, "paused: heat"),
        ({"paused": "by hand"}, "paused: by hand"),
        ({"stalled_seconds": 200.0}, "stalled 3m"),
        ({"phase": "train", "phase_done": 1, "phase_total": 3}, "train 1/3"),
        ({"phase": "evaluate"}, "evaluate"),
    ],
)
def test_the_state_is_what_is_most_worth_knowing(changes: dict[str, Any], word: str) -> None:
    lines = drawn(study(4, **{"200k_h1": running(**changes)}), width=80, height=40)
    assert any(line.startswith("200k-h1") and word in line for line in lines)


def test_a_trial_is_numbered_from_one_as_in_the_messages_and_a_seed_by_its_number() -> None:
    assert any("200k-h1 trial 24" in line for line in drawn(study(4, **{"200k_h1": running()}), width=80, height=40))
    seeds = running(phase="train", running=(trial(1, silent_seconds=75.0),))
    lines = drawn(study(4, **{"200k_h1": seeds}), width=80, height=40)
    assert any("200k-h1 seed 1  epoch 13/100" in line and line.endswith("silent for 1m") for line in lines)


def test_before_the_first_look_there_is_at_least_what_dvc_does() -> None:
    lines = drawn(None, Activity(current="DVC checks what has changed", keys="q"), width=80, height=24)
    assert [line for line in lines if line] == ["now: DVC checks what has changed", "q"]


def test_a_law_that_is_not_of_the_present_question_is_not_shown() -> None:
    state = study(4)
    assert any("h1 underpowered" in line for line in drawn(state, width=140, height=40))
    old = {"1": HorizonVerdict(verdict="stale", alpha=None, alpha_ci=None, current=False)}
    stale = StudyState(**{name: getattr(state, name) for name in state.__slots__} | {"verdicts": old})
    assert not any("h1 stale" in line for line in drawn(stale, width=140, height=40))


def test_under_the_auc_cells_that_share_a_line_show_the_leader_of_them_and_its_loss() -> None:
    def fresh(auc: float, loss: float) -> CellState:
        return CellState(
            state="fresh",
            objective="val_auc",
            trials_total=8,
            trials_done=8,
            best_score=auc,
            best_val_auc=auc,
            best_val_loss=loss,
        )

    (row,) = collapsed({"12k-h1": fresh(0.61, 0.50), "12k-h3": fresh(0.64, 0.55), "12k-h5": fresh(0.63, 0.45)}, 1)
    assert (row[1].best_val_auc, row[1].best_val_loss) == (0.64, 0.55)
    state = dataclasses.replace(study(3), cells={"12k-h1": fresh(0.61, 0.50)})
    heads, cell = (line.split() for line in drawn(state, width=100, height=20)[:2])
    assert dict(zip(heads, cell, strict=False)).items() >= {"AUC": "0.6100", "loss": "0.5000"}.items()
