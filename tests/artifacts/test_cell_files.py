"""Records of a cell's files: what is read is written again with the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import cell_files

from tsladder.artifacts.best_params import read_best_params, write_best_params
from tsladder.artifacts.choice import Choice, read_choice, read_winner, write_choice
from tsladder.artifacts.coverage import read_coverage, write_coverage
from tsladder.artifacts.ending import Ending, read_ending
from tsladder.artifacts.models import read_models_status, read_trained_seeds, write_models_status
from tsladder.artifacts.pretraining import read_pretraining, write_pretraining
from tsladder.artifacts.scores import CellScores, read_scores, write_scores
from tsladder.artifacts.store import write_json
from tsladder.artifacts.supplementary import read_selection, read_summary, write_selection, write_summary
from tsladder.artifacts.trained_model import read_trained_model, write_trained_model
from tsladder.artifacts.transfer import read_transfer, write_transfer
from tsladder.errors import WorkFailed
from tsladder.vocabulary import Cell, CellStatus, StopReason

CELL = Cell("12k", 1)
HEAD = cell_files.head(CELL)
FAILED = {**HEAD, "status": "failed", "reason": "too hot", "stop_reason": "thermal", "search_key": "f" * 64}
SIZES = {"d_model": 16, "n_layers": 2, "n_heads": 4, "d_ff": 32}
SETTINGS = {"learning_rate": 0.0014, "epochs": 20}
INTERVAL = {"value": 0.05, "low": 0.01, "high": 0.09, "se": 0.02, "effective_n": 536.6, "dof": 26.2}
OF_CLASSES = {
    **cell_files.region(),
    "log_loss_se": 0.0011,
    "intervals": {"log_loss": INTERVAL, "auc": None},
    "skill_against": {"base_rate": {"skill": None, "low": None, "high": None}},
    "reliability": [{"low": 0.0, "high": 0.2, "windows": 10, "predicted": 0.1, "observed": 0.2}],
    "decision": None,
    "temperature": {"value": 1.13, "log_loss": 0.35, "ece": 0.06},
}
OF_RETURNS = {
    **cell_files.region(),
    "mean": {"huber": 0.3, "ic": None},
    "seeds": {"1": {"huber": 0.3, "ic": None}},
    "intervals": {"huber": INTERVAL, "ic": None},
    "skill_against": {},
    "huber_se": None,
    "scale": 0.01,
    "train_mean": 0.0002,
    "own_mean": -0.0001,
}
OF_A_SYMBOL = {
    "windows": 910,
    "positives": 170,
    "base_rate": 0.187,
    "first_day": "2015-01-05",
    "last_day": "2018-12-28",
    "loss": 0.4567,
    "auc": 0.6789,
    "ic": None,
    "stricter": "own_rate",
    "skill": 0.0752,
    "advantage": INTERVAL,
}
SCORES = {
    **cell_files.scores(CELL, validation=OF_CLASSES, test=OF_RETURNS),
    "key": "e" * 64,
    "metric": "log_loss",
    "architecture": SIZES,
    "n_data": 2740,
    "symbols": {"sp500": {"test": OF_A_SYMBOL, "validation": None}},
}
REGRET = {"budget": "12k", "horizon": 1, "source": 3, "value": 0.1, "relative": 0.01, "low": None, "high": None}
KINDS: dict[str, tuple[Callable[[Path], Any], Callable[[Path, Any], None], dict[str, Any]]] = {
    "choice": (read_choice, write_choice, cell_files.choice(CELL, architecture=SIZES, settings=SETTINGS)),
    "no choice": (read_choice, write_choice, FAILED),
    "unplanned": (read_choice, write_choice, {**HEAD, "status": "not_planned"}),
    "coverage": (
        read_coverage,
        write_coverage,
        {
            "grid_size": 22,
            "shapes": 15,
            "members_seen": 8,
            "shapes_seen": 7,
            "trials_total": 8,
            "trials_done": 8,
            "trials_trained": 8,
            "trials_taken_over": 0,
            "optimizer_steps": 1276,
            "objective": "val_loss",
            "spread": None,
            "winner": {"number": 6, "forced": None, "score": -0.41, "at_edge": ["n_heads 4"]},
            "forced": [{"what": "largest d_model", **SIZES, "n_params": 12_969, "in_grid": True}],
            "forced_left_out": [],
            "stop_reasons": {"early_stopping": 8},
            "notes": [],
        },
    ),
    "best parameters": (
        read_best_params,
        write_best_params,
        {
            "experiment": "6A_12k_h1_threshold_1pct",
            "architecture": SIZES,
            "training": SETTINGS,
            "param_count": 12_000,
            "objective": "val_loss",
            "best_score": -0.41,
            "best_val_loss": 0.41,
            "best_val_auc": None,
            "number": 6,
            "n_trials": 8,
            "timestamp": "2026-01-01T00:00:00.000+00:00",
            "search_key": "f" * 64,
        },
    ),
    "models": (read_models_status, write_models_status, {"cell": "12k-h1", "status": "done", "seeds": [1, 2, 3]}),
    "no models": (read_models_status, write_models_status, {"cell": "12k-h1", "status": "failed", "reason": "no"}),
    "trained model": (
        read_trained_model,
        write_trained_model,
        {
            "architecture": SIZES,
            "settings": SETTINGS,
            "seed": 1147638541,
            "n_params": 11_185,
            "best_val_loss": 0.42,
            "best_epoch": 9,
            "val_auc": None,
            "stop_reason": "early_stopping",
        },
    ),
    "scores": (read_scores, write_scores, SCORES),
    "no scores": (read_scores, write_scores, {**HEAD, "status": "failed", "reason": "too hot"}),
    "transfer": (
        read_transfer,
        write_transfer,
        {
            "status": "done",
            "region": "test",
            "confidence": 0.95,
            "seeds": 3,
            "verdict": "undecided",
            "reason": "Too noisy.",
            "margin": 0.01,
            "regrets": [{**REGRET, "p_above": 0.2, "same": False, "reason": None}],
        },
    ),
    "pretraining": (
        read_pretraining,
        write_pretraining,
        {
            **HEAD,
            "status": "done",
            "key": "f" * 64,
            "region": "test",
            "metric": "rank_error",
            "confidence": 0.95,
            "encoder": {
                "architecture": SIZES,
                "n_params": 9_184,
                "mask": 0.4,
                "epochs": 10,
                "seed": 1147638541,
                "days": 1456,
                "first_day": "1972-02-01",
                "last_day": "1977-12-20",
                "loss": 0.42,
                "seconds": 21.5,
            },
            "comparisons": [
                {
                    "epochs": 6,
                    "share": 1.0,
                    "seeds": [1, 2, 3],
                    "days": 951,
                    "from_encoder": 0.981,
                    "from_scratch": 0.985,
                    "difference": 0.004,
                    "low": -0.001,
                    "high": 0.009,
                    "se": 0.0025,
                    "p": 0.11,
                    "verdict": "undecided",
                    "note": None,
                }
            ],
        },
    ),
    "no pretraining": (read_pretraining, write_pretraining, {**HEAD, "status": "failed", "reason": "it diverged"}),
    "selection": (
        read_selection,
        write_selection,
        {"status": "done", "budgets": ["12k"], "reasons": {"12k": "the best"}},
    ),
    "summary": (
        read_summary,
        write_summary,
        {
            **HEAD,
            "objective": "val_loss",
            "winner_score": "it does not fit",
            "trials_total": 24,
            "trials_done": 24,
            "best_score": -0.4,
            "best_number": 3,
            "best": {"n_heads": 1, "learning_rate": 0.001},
            "standard_error": None,
            "finished": None,
        },
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_read_and_written_again_has_the_same_bytes(kind: str, tmp_path: Path) -> None:
    read, write, content = KINDS[kind]
    path = tmp_path / "a.json"
    write_json(path, content)
    before = path.read_bytes()
    write(path, read(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("no choice", "unplanned", "no models")])
def test_a_file_without_one_of_its_fields_names_file_and_field_and_what_to_run(kind: str, tmp_path: Path) -> None:
    read, _, content = KINDS[kind]
    needed = next(name for name in ("n_params", "grid_size", "experiment", "seeds", "status", "budgets", "objective")
                  if name in content)  # fmt: skip
    path = tmp_path / "a.json"
    write_json(path, {key: value for key, value in content.items() if key != needed})
    with pytest.raises(WorkFailed, match=f"a.json: {needed}: is missing; remove it and run `tsladder run`"):
        read(path)


def test_what_ended_without_a_result_says_how(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", FAILED)
    ending = read_ending(tmp_path / "a.json")
    assert ending == read_choice(tmp_path / "a.json")
    assert ending == Ending.of(CELL, CellStatus.FAILED, "too hot", stop_reason=StopReason.THERMAL, search_key="f" * 64)
    assert ending.failed
    assert ending.by_heat
    with pytest.raises(WorkFailed, match=r"holds no winner .too hot.: run `tsladder run`"):
        read_winner(tmp_path / "a.json")
    with pytest.raises(WorkFailed, match=r"names no trained seed .too hot."):
        read_trained_seeds(tmp_path / "a.json")


def test_how_a_stage_ended_is_read_from_any_of_its_files(tmp_path: Path) -> None:
    for kind, (_, _, content) in KINDS.items():
        if "status" in content:
            write_json(tmp_path / f"{kind}.json", content)
            assert read_ending(tmp_path / f"{kind}.json").status == content["status"]


def test_figures_of_one_task_only_are_read_from_a_region(tmp_path: Path) -> None:
    regions = {}
    for metric in ("log_loss", "huber"):
        write_json(tmp_path / "a.json", {**SCORES, "metric": metric})
        scores = read_scores(tmp_path / "a.json")
        assert isinstance(scores, CellScores)
        regions[metric] = scores.regions
    classes, returns = regions["log_loss"]["validation"], regions["huber"]["test"]
    assert (classes.loss, classes.loss_se, returns.loss, returns.loss_se) == (0.40, 0.0011, 0.3, None)
    assert classes.decision is None
    assert classes.temperature is not None
    assert classes.temperature.value == 1.13
    assert [one.observed for one in classes.reliability] == [0.2]
    assert (returns.reliability, returns.temperature) == ((), None)


def test_scores_of_an_evaluation_before_intervals_are_read(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", cell_files.scores(CELL, test=cell_files.region()))
    scores = read_scores(tmp_path / "a.json")
    assert isinstance(scores, CellScores)
    assert scores.regions["test"].loss_interval is None
    assert scores.key is None


def test_the_winner_is_the_choice(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", cell_files.choice(CELL, architecture=SIZES, settings=SETTINGS))
    winner = read_winner(tmp_path / "a.json")
    assert isinstance(winner, Choice)
    assert winner.architecture == SIZES
