from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.studies import DEFAULT_PARAMS, ROOT
from tsladder.errors import BadInput
from tsladder.params import load_params, parse_params
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Cell


def raw() -> dict[str, Any]:
    return copy.deepcopy(read_yaml(DEFAULT_PARAMS))


def change(dotted: str, value: object) -> dict[str, Any]:
    record = raw()
    *path, last = dotted.split(".")
    section = record
    for key in path:
        section = section[key]
    section[last] = value
    return record


def faults_of(record: object) -> tuple[str, ...]:
    with pytest.raises(BadInput) as caught:
        parse_params(record, source="params.yaml")
    return caught.value.faults


def test_the_params_of_the_checkout_ask_by_the_same_names_as_those_of_the_tests() -> None:
    """Whatever they ask: `load_params` is not tried, since a user may be in the midst of an edit."""

    def names(record: dict[str, Any]) -> set[str]:
        sections = {name: value for name, value in record.items() if isinstance(value, dict)}
        return set(record) | {f"{section}.{name}" for section, value in sections.items() for name in value}

    assert names(read_yaml(ROOT / "params.yaml")) == names(raw())


def test_the_default_params_are_sound_and_plan_the_default_study() -> None:
    params = load_params(DEFAULT_PARAMS)
    planned = [str(cell) for cell in params.cells if params.is_planned(cell)]
    assert planned == [f"{rung}-h{h}" for rung in ("12k", "30k", "80k", "200k", "750k") for h in (1, 3, 5)]
    assert len(params.cells) == 27
    assert params.search.trials_total >= 8
    assert params.train.seeds == 3


def test_every_fault_is_named_at_once_by_its_dotted_path() -> None:
    record = raw()
    record["study"]["seed"] = "forty-two"
    record["windows"]["context_lenght"] = 80
    del record["windows"]["context_length"]
    record["search"]["preset"] = 7
    record["horizons"] = [1, 0]
    record["training"]["patience"] = -1
    found = faults_of(record)
    for path in (
        "study.seed",
        "windows.context_lenght",
        "windows.context_length",
        "search.preset",
        "horizons[1]",
        "training.patience",
    ):
        assert sum(fault.startswith(f"{path}:") for fault in found) == 1, path
    assert len(found) == 6


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("budget", "7Q"),
        ("budget", "5M"),
        ("ladder", ["2M", "750k"]),
        ("ladder", []),
        ("ladder", ["12k", "twelve"]),
        ("horizons", [1, 1]),
        ("horizons", [True]),
        ("data.tier", "a21"),
        ("data.symbol", "../../etc/passwd"),
        ("data.symbols", []),
        ("data.symbols", ["nasdaq"]),
        ("data.symbols", ["sp500", "nasdaq", "nasdaq"]),
        ("target.task", "threshold_7pct"),
        ("splits.validation_start", None),
        ("splits.validation_start", "2016-01-01"),
        ("splits.test_start", "soon"),
        ("splits.validation_fraction", 0.9),
        ("splits.windows_per_block", 2),
        ("splits.kind", "walk"),
        ("splits.folds", 1),
        ("splits.purge_days", 0),
        ("splits.embargo_days", -1),
        ("model.patch_len", 81),
        ("model.stride", 0),
        ("model.family", "autoformer"),
        ("search.preset", "slow"),
        ("search.trials", 0),
        ("search.trials", True),
        ("search.presets.quick.space.learning_rate", {"low": 1e-2, "high": 1e-3, "log": True}),
        ("search.presets.quick.space.learning_rate", {"low": 0.0, "high": 1e-3, "log": True}),
        ("search.presets.quick.space.dropout", {"low": 0.1, "high": 1.5, "log": False}),
        ("search.presets.quick.space.epochs", {"choices": [2.5]}),
        ("search.presets.quick.space.epochs", {"choices": []}),
        ("search.presets.quick.space.warmup_steps", {"choices": [100]}),
        ("search.presets.mission.space.warmup_steps", None),
        ("search.strategy", "grid_search"),
        ("search.stop", {"min_trials": 4, "top": 5, "spread": 0.02}),
        ("search.pruning", {"min_cohort": 4, "min_steps": 1, "goal": 1.5, "reach": 0.8}),
        ("search.supplementary", {"budgets": ["5M"], "trials": 24}),
        ("search.supplementary", {"budgets": ["2M", "2M"], "trials": 24}),
        ("search.transfer", "yes"),
        ("training.precision", "fp8"),
        ("training.min_delta", float("nan")),
        ("training.optimizer", "sgd"),
        ("training.optimizer_settings", {"rectify": "yes"}),
        ("training.optimizer_settings", {"eps": 1e-8}),
        ("training.loss", "hinge"),
        ("training.loss", "huber"),
        ("training.monitor", "val_accuracy"),
        ("train.seeds", 2.0),
        ("law.alpha_of_interest", 0.0),
        ("hardware.memory_gib", -1),
        ("hardware.workers", "many"),
        ("hardware.lag", 0),
        ("study", None),
    ],
)
def test_a_faulty_value_is_named_by_its_path(dotted: str, value: object) -> None:
    found = faults_of(change(dotted, value))
    root = dotted.split(".")[0]
    assert any(fault.startswith(root) for fault in found), found
    # What came is quoted, so that the user finds it.
    assert len(found) >= 1


@pytest.mark.parametrize(("family", "faults"), [("patchtst", 1), ("itransformer", 0), ("informer", 0)])
def test_a_patch_must_fit_into_the_window_only_where_there_are_patches(family: str, faults: int) -> None:
    record = change("windows.context_length", 10)
    record["model"]["family"] = family
    if faults:
        (fault,) = faults_of(record)
        assert fault.startswith("model.patch_len")
    else:
        assert parse_params(record, source="params.yaml").model.family == family


@pytest.mark.parametrize(("leaf", "value"), [("search.objective", "val_auc"), ("splits.kind", "walk_forward")])
def test_pruning_by_one_curve_of_losses_does_not_go_with_another_objective_or_with_folds(leaf: str, value: str) -> None:
    record = change(leaf, value)
    parse_params(record, source="params.yaml")
    record["search"]["preset"] = "mission"
    (fault,) = faults_of(record)
    assert fault.startswith("search.pruning")
    record["search"]["pruning"] = None
    parse_params(record, source="params.yaml")


def test_adabelief_needs_weights_in_fp32_and_its_settings_are_no_other_optimizers() -> None:
    record = change("training.optimizer", "adabelief")
    for precision in ("auto", "fp32", "bf16-mixed"):
        record["training"]["precision"] = precision
        assert parse_params(record, source="params.yaml").training.optimizer_settings is None
    record["training"]["precision"] = "bf16"
    (fault,) = faults_of(record)
    assert fault.startswith("training.precision")
    assert "adabelief" in fault
    record["training"] |= {"precision": "fp32", "optimizer_settings": {"rectify": True}}
    settings = parse_params(record, source="params.yaml").training.optimizer_settings
    assert settings is not None
    assert settings.rectify
    for other in ("auto", "adamw", "lean"):
        record["training"]["optimizer"] = other
        (fault,) = faults_of(record)
        assert fault.startswith("training.optimizer_settings")


def test_a_loss_must_fit_the_task() -> None:
    for loss in ("auto", "bce", "focal", "weighted_bce", "soft_auc", "label_smoothing"):
        parse_params(change("training.loss", loss), source="params.yaml")
    (fault,) = faults_of(change("training.loss", "huber"))
    assert fault.startswith("training.loss: target.task threshold_1pct is trained with bce, focal")


def test_stopping_by_auc_needs_both_classes_in_validation_and_no_pruning_by_loss() -> None:
    record = change("training.monitor", "val_auc")
    parse_params(record, source="params.yaml")
    record["splits"]["min_positives"] = 0
    record["search"]["preset"] = "mission"
    classes, pruning = faults_of(record)
    assert classes.startswith("training.monitor: val_auc needs both classes in validation")
    assert pruning.startswith("search.pruning: compares validation losses")
    record["splits"]["min_positives"] = 1
    record["search"]["pruning"] = None
    parse_params(record, source="params.yaml")


def test_a_purge_below_the_largest_horizon_is_refused_in_words_and_only_where_it_is_used() -> None:
    record = change("splits.purge_days", 3)
    parse_params(record, source="params.yaml")
    record["splits"]["kind"] = "walk_forward"
    (fault,) = faults_of(record)
    assert fault.startswith(
        "splits.purge_days: must be at least the largest horizon (5), got 3: training labels would reach"
    )
    for enough in (5, None):
        record["splits"]["purge_days"] = enough
        assert parse_params(record, source="params.yaml").splits.purge_days == enough


def test_several_symbols_need_common_dates() -> None:
    record = change("data.symbols", ["nasdaq", "sp500"])
    assert parse_params(record, source="params.yaml").data.markets == ("sp500", "nasdaq")
    record["splits"]["kind"] = "chunks"
    (fault,) = faults_of(record)
    assert fault.startswith("data.symbols: several symbols need splits.kind dates, got chunks")
    record["data"]["symbols"] = ["sp500"]
    parse_params(record, source="params.yaml")


def test_a_stop_rule_in_units_of_another_objective_is_refused_with_both_leaves_and_the_ways_out() -> None:
    record = raw()
    record["search"]["preset"] = "two_phase"
    (fault,) = faults_of(record)
    assert fault.startswith("search.presets.two_phase.stop.metric: ")
    assert "search.objective (val_loss)" in fault
    assert "-S search.objective=val_auc or -S search.stop=null" in fault
    record["target"]["task"] = "regression"
    (fault,) = faults_of(record)
    assert fault.endswith("set -S search.stop=null"), "returns have no AUC to search by"


@pytest.mark.parametrize(
    "leaves",
    [
        {"objective": "val_auc"},
        {"stop": None},
        {"stop": {"min_trials": 20, "top": 5, "spread": 0.002}},
        {"stop": {"min_trials": 20, "top": 5, "spread": 0.002, "metric": "val_loss"}},
    ],
)
def test_the_search_of_the_later_study_runs_with_a_stop_rule_of_its_own_objective_or_none(
    leaves: dict[str, Any],
) -> None:
    record = raw()
    record["search"]["preset"] = "two_phase"
    record["search"].update(leaves)
    assert parse_params(record, source="params.yaml").search.preset == "two_phase"


def test_a_stop_rule_of_a_preset_that_is_not_chosen_may_be_for_another_objective() -> None:
    params = parse_params(raw(), source="params.yaml")
    assert params.search.presets["two_phase"].stop is not None
    assert params.search.stop_rule is None


def test_returns_have_no_auc_to_search_or_stop_by() -> None:
    record = change("target.task", "regression")
    assert parse_params(record, source="params.yaml").target.task == "regression"
    record["search"]["objective"] = "val_auc"
    (fault,) = faults_of(record)
    assert fault.startswith("search.objective: val_auc needs classes")
    assert "target.task is regression" in fault


def test_a_budget_off_the_ladder_lists_the_rungs() -> None:
    (fault,) = faults_of(change("budget", "7Q"))
    assert "12k, 30k, 80k, 200k, 750k, 2M, 20M, 200M, 2B" in fault


def test_floats_are_read_as_dvc_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("a: 1e-05\nb: 1.0e-4\nc: 2E3\nd: 1e5\n")
    assert read_yaml(path) == {"a": 1e-5, "b": 1e-4, "c": 2000.0, "d": 1e5}
    assert yaml.safe_load("a: 1e-05") == {"a": "1e-05"}, "the reason for a loader of our own is gone"


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [1\n", "? [1]\n: 2\n"])
def test_text_that_is_no_sound_yaml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match="is not YAML"):
        read_yaml(path)


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load_params(tmp_path / "params.yaml")


def test_cells_are_written_and_read_back() -> None:
    assert Cell.parse(str(Cell("2M", 3))) == Cell("2M", 3)
    for name in ("2M", "2M-hx", "Q-h1", "-h1", "2M-h"):
        with pytest.raises(ValueError, match=r"a cell is|a budget is"):
            Cell.parse(name)
