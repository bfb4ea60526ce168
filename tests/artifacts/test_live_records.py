"""Files of a live record: what earlier versions wrote is read, and written again with the same bytes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from tests import cell_files
from tests.small_records import search_plan

from tsladder.artifacts.checkpoints import FOLDS, read_folds, training_state_json, training_state_of, write_folds
from tsladder.artifacts.choice import read_choice
from tsladder.artifacts.environment import ENVIRONMENT, environment_text, read_environment
from tsladder.artifacts.record import json_of
from tsladder.artifacts.search_question import (
    QUESTION,
    SupplementaryQuestion,
    is_question,
    searched_task,
    write_question,
)
from tsladder.artifacts.store import json_text, write_json
from tsladder.errors import WorkFailed
from tsladder.vocabulary import Cell, StopReason

CELL = Cell("12k", 1)
EPOCH = {
    "epoch": 1,
    "seconds": 0.04,
    "steps": 3,
    "train_loss": 0.7276307787214007,
    "train_seconds": 0.03,
    "val_auc": None,
    "val_loss": 0.6928294715163181,
}
FOLD = {
    "best_epoch": 1,
    "best_val_loss": 0.6928294715163181,
    "epochs_run": 1,
    "seconds": 0.12,
    "stop_reason": "completed",
    "val_auc": 0.6190476190476191,
    "val_loss_se": 0.033,
}
ENDED_FOLDS = {"curve": [EPOCH], "folds": [FOLD], "identity": "this", "seconds": 0.13, "steps": 3}
STATE: dict[str, Any] = {
    "identity": "this",
    "epoch": 1,
    "steps": 4,
    "steps_done": 4,
    "seconds": 61.5,
    "train_seconds": 60.25,
    "epoch_seconds": 61,
    "patience": {
        "limit": None,
        "min_delta": 0.0,
        "best": None,
        "best_step": 0,
        "reference": None,
        "since_improvement": 0,
    },
    "curve": [EPOCH],
    "ended": "early_stopping",
    "optimizer": {"steps": 7, "bits": {"bit_generator": "SFC64", "state": {"state": [2082295092283583890, 1413]}}},
}
PACKED = {
    "python": "3.12.3",
    "packages": [["tsladder", "0.9"], ["numpy", "2.3"]],
    "fingerprints": [["study", "e" * 64], ["features", "f" * 64]],
    "machine": {"system": "Linux", "architecture": "x86_64", "processor": "a processor"},
}


def supplementary_question(folder: Path) -> tuple[SupplementaryQuestion, dict[str, Any]]:
    """Return the question, and the JSON that versions before its record wrote."""
    winner = cell_files.choice(CELL, architecture={"d_model": 16}, settings={"learning_rate": 0.01})
    write_json(folder / "choice.json", winner)
    supplement = {"n_heads": (1, 2), "effective_batches": (32,), "settings": {"learning_rate": (0.001, 0.01)}}
    plain = {"search": "f" * 64, "winner": winner, "supplement": supplement, "trials": 7, "code": {"a": "b"}}
    choice = read_choice(folder / "choice.json")
    return SupplementaryQuestion(**{**plain, "winner": choice}), plain


def test_the_folds_that_ended_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / FOLDS
    write_json(path, ENDED_FOLDS)
    before = path.read_bytes()
    folds = read_folds(path)
    write_folds(path, folds)
    assert path.read_bytes() == before
    assert folds.folds[0].stop_reason is StopReason.COMPLETED


def test_the_state_of_a_training_keeps_its_values(tmp_path: Path) -> None:
    state = training_state_of(STATE, tmp_path)
    assert state.ended is StopReason.EARLY_STOPPING
    assert json_text(training_state_json(state)) == json_text(STATE)


@pytest.mark.parametrize("lost", ["curve", "patience", "steps"])
def test_the_state_of_another_version_is_refused(lost: str, tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match=lost):
        training_state_of({name: value for name, value in STATE.items() if name != lost}, tmp_path)


def test_the_environment_of_a_capsule_keeps_its_bytes_and_its_order(tmp_path: Path) -> None:
    path = tmp_path / ENVIRONMENT
    write_json(path, PACKED)
    environment = read_environment(path)
    assert environment_text(environment) == path.read_text()
    assert dict(environment.packages) == {"tsladder": "0.9", "numpy": "2.3"}


def test_a_search_goes_on_where_an_earlier_version_wrote_the_same_question(tmp_path: Path) -> None:
    plan = search_plan(CELL)
    supplementary, plain = supplementary_question(tmp_path)
    for question, written in ((plan, json_of(plan)), (supplementary, plain)):
        path = tmp_path / QUESTION
        write_json(path, written)
        before = path.read_bytes()
        assert is_question(path, question)
        write_question(path, question)
        assert path.read_bytes() == before


def test_what_another_version_asked_is_another_question(tmp_path: Path) -> None:
    path, plan = tmp_path / QUESTION, search_plan(CELL)
    write_json(path, {**json_of(plan), "of_a_later_version": 1})
    assert not is_question(path, plan)
    write_question(path, dataclasses.replace(plan, code={"another": "module"}))
    assert not is_question(path, plan)


def test_the_space_of_a_search_is_read_whatever_else_its_question_holds(tmp_path: Path) -> None:
    path, plan = tmp_path / QUESTION, search_plan(CELL)
    write_json(path, {"search": json.loads(json_text(json_of(plan)))["search"]})
    found = searched_task(path)
    assert found is not None
    assert (found.strategy, found.space) == (plan.search.strategy, plan.search.space)
    write_question(path, supplementary_question(tmp_path)[0])
    assert searched_task(path) is None
