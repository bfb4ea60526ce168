"""Phases of a training in params.yaml and in plans: what `classic` means, and which questions are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.panel_studies import SMALL, make_panel_study, panel_record

from tsladder.artifacts.plans import PanelRecipe
from tsladder.artifacts.record import json_of, record_of
from tsladder.errors import BadInput
from tsladder.params import PanelParams, load_panel_params, parse_panel_params
from tsladder.planning.panel_cells import panel_geometry
from tsladder.planning.panel_recipe import forecast_horizons, panel_recipe_of
from tsladder.planning.run_length import run_lengths

EPOCHS = "search__presets__panel_quick__space__epochs"
FAMILY: dict[str, Any] = {"model__family": "atft_gat_fan", "graph": {}}
CLASSIC: dict[str, Any] = {**FAMILY, "training__phases": "classic", EPOCHS: {"choices": [29]}}
ONE: dict[str, Any] = {"name": "one", "epochs": 4}
TWO: dict[str, Any] = {"name": "two", "epochs": 2, "learning_rate": 0.1}


def asked(**leaves: Any) -> PanelParams:
    return parse_panel_params(panel_record(**leaves), source="panel/params.yaml")


def in_phases(*phases: dict[str, Any], epochs: int = 6, **leaves: Any) -> PanelParams:
    return asked(**{"training__phases": list(phases), EPOCHS: {"choices": [epochs]}} | leaves)


def faults_of(*phases: dict[str, Any], **leaves: Any) -> list[str]:
    with pytest.raises(BadInput) as caught:
        in_phases(*phases, **leaves)
    return list(caught.value.faults)


def test_classic_is_the_table_of_the_earlier_study() -> None:
    recipe = panel_recipe_of(asked(**CLASSIC, horizons=[1, 5, 10, 20]), "200k", 1)
    assert recipe.phases is not None
    assert [(one.name, one.epochs, 5e-4 * one.learning_rate, one.max_gradient_norm) for one in recipe.phases] == [
        ("baseline", 5, pytest.approx(5e-4), 1.0),
        ("adaptive_norm", 10, pytest.approx(5e-4), 1.0),
        ("graph", 8, pytest.approx(1e-4), 1.0),
        ("fine_tune", 6, pytest.approx(5e-5), 0.5),
    ]
    assert [one.active for one in recipe.phases] == [
        (),
        ("fan", "san"),
        ("fan", "san", "gat"),
        ("fan", "san", "gat"),
    ]
    assert [dict(one.loss_weights) for one in recipe.phases] == [
        {"quantile": 1.0},
        {"quantile": 1.0, "sharpe": 0.1},
        {"quantile": 1.0, "sharpe": 0.1, "ic": 0.05},
        {"quantile": 1.0, "sharpe": 0.15, "ic": 0.05},
    ]
    assert [one.horizon_weights for one in recipe.phases] == [
        (1.0, 0.0, 0.0, 0.0),
        (1.0, 0.45, 0.25, 0.1),
        (1.0, 0.8, 0.6, 0.4),
        (1.0, 0.8, 0.6, 0.4),
    ]


def test_the_own_horizon_always_weighs_one_and_horizons_that_a_study_lacks_are_left_out() -> None:
    params = asked(**CLASSIC, horizons=[1, 5])
    assert forecast_horizons(params, 5) == (5, 1)
    phases = panel_recipe_of(params, "200k", 5).phases
    assert phases is not None
    assert [one.horizon_weights for one in phases] == [(1.0, 1.0)] * 4
    alone = panel_recipe_of(asked(**CLASSIC), "200k", 1).phases
    assert alone is not None
    assert {one.horizon_weights for one in alone} == {(1.0,)}


def test_a_phase_takes_from_the_section_training_what_it_does_not_say() -> None:
    params = in_phases(ONE, TWO | {"max_gradient_norm": None, "loss_weights": {"quantile": 1.0, "ic": 0.0}})
    recipe = panel_recipe_of(params, "12k", 1)
    assert recipe.phases is not None
    first, second = recipe.phases
    assert (first.learning_rate, first.loss_weights, first.max_gradient_norm) == (1.0, {"ic": 1.0}, 1.0)
    assert (second.learning_rate, second.loss_weights, second.max_gradient_norm) == (0.1, {"quantile": 1.0}, None)
    assert recipe.loss == "ic, then quantile"


def test_models_forecast_quantiles_where_any_phase_trains_them() -> None:
    phases = (ONE, TWO | {"loss_weights": {"quantile": 1.0}})
    assert panel_geometry(in_phases(*phases), 1, 36).n_outputs == 5
    assert panel_geometry(in_phases(ONE, TWO), 1, 36).n_outputs == 1


def test_parts_are_named_in_the_order_of_the_family_whatever_the_order_in_which_they_are_asked_for() -> None:
    phases = panel_recipe_of(in_phases(ONE | {"active": ["gat", "fan"]}, TWO, **FAMILY), "200k", 1).phases
    assert phases is not None
    assert [one.active for one in phases] == [("fan", "gat"), ("fan", "san", "gat")]


def test_all_means_what_models_have_without_a_graph() -> None:
    phases = panel_recipe_of(in_phases(ONE, TWO | {"active": "none"}, model__family="atft_gat_fan"), "200k", 1).phases
    assert phases is not None
    assert [one.active for one in phases] == [("fan", "san"), ()]


def test_plans_without_phases_do_not_name_them_and_those_with_phases_are_read_back() -> None:
    assert "phases" not in json_of(panel_recipe_of(asked(), "12k", 1))
    recipe = panel_recipe_of(asked(**CLASSIC), "12k", 1)
    assert record_of(PanelRecipe, json_of(recipe), source="a plan") == recipe


def test_the_epochs_of_the_space_must_be_those_of_the_phases() -> None:
    for choices in ([6], [5, 29], [29, 30]):
        with pytest.raises(BadInput) as caught:
            asked(**CLASSIC | {EPOCHS: {"choices": choices}})
        (fault,) = caught.value.faults
        assert fault.startswith("search.presets.panel_quick.space.epochs")
        assert "{choices: [29]}" in fault


def test_a_trial_in_phases_is_never_given_up() -> None:
    (fault,) = faults_of(ONE, TWO, search__pruning={"min_cohort": 4, "min_steps": 1, "goal": 0.1, "reach": 0.8})
    assert fault.startswith("search.pruning: with training.phases it must be null")


@pytest.mark.parametrize(
    ("phase", "leaves", "words"),
    [
        ({"active": ["fan"]}, {}, "training.phases[1].active: must name parts of model.family panel_transformer"),
        ({"active": ["fna"]}, FAMILY, "training.phases[1].active: must name parts of model.family atft_gat_fan, which"),
        ({"active": ["gat"]}, {"model__family": "atft_gat_fan"}, "training.phases[1].active: gat needs neighbours"),
        ({"active": []}, FAMILY, "training.phases[1].active: must be"),
        ({"active": "some"}, FAMILY, "training.phases[1].active: must be"),
        ({"name": "one"}, {}, "training.phases: each name must appear only once, got one"),
        ({"horizon_weights": {7: 0.5}}, {}, "training.phases[1].horizon_weights: must name horizons of the study (1)"),
        ({"horizon_weights": {"five": 0.5}}, {}, "training.phases[1].horizon_weights.five: its name must be a whole"),
        ({"loss_weights": {"hinge": 1.0}}, {}, "training.phases[1].loss_weights: a loss is one of ic"),
        ({"loss_weights": {"ic": 0.0}}, {}, "training.phases[1].loss_weights: must hold a loss with a weight above 0"),
        ({"loss_weights": {"regime": 1.0}}, {}, "training.day_weights: regime weighs days"),
        ({"loss_weights": {"ic": -1.0}}, {}, "training.phases[1].loss_weights.ic: must be at least 0"),
        ({"learning_rate": 0.0}, {}, "training.phases[1].learning_rate: must be above 0"),
        ({"epochs": 0}, {}, "training.phases[1].epochs: must be at least 1"),
        ({"patience": 3}, {}, "training.phases[1].patience: is unknown"),
    ],
)
def test_a_faulty_phase_is_named_by_its_leaf(phase: dict[str, Any], leaves: dict[str, Any], words: str) -> None:
    found = faults_of(ONE, TWO | phase, **leaves)
    assert any(fault.startswith(words) for fault in found), found


def test_classic_is_refused_for_a_family_without_its_parts_and_without_a_graph() -> None:
    for leaves in ({"model__family": "panel_transformer"}, {"graph": None}):
        with pytest.raises(BadInput) as caught:
            asked(**CLASSIC | leaves)
        assert all(fault.startswith("training.phases.active: ") for fault in caught.value.faults)
    with pytest.raises(BadInput, match=r"training\.phases"):
        asked(**CLASSIC | {"training__phases": "modern"})


def test_weights_of_horizons_are_read_from_whole_numbers_and_from_text() -> None:
    for key in (5, "5"):
        params = in_phases(ONE, TWO | {"horizon_weights": {key: 0.5}}, horizons=[1, 5])
        assert params.training.phase_list[1].horizon_weights == {5: 0.5}
        phases = panel_recipe_of(params, "12k", 1).phases
        assert phases is not None
        assert [one.horizon_weights for one in phases] == [(1.0, 0.0), (1.0, 0.5)]


def test_the_length_of_a_training_knows_its_phases_and_a_loss_over_the_whole_batch_of_any_of_them(
    tmp_path: Path,
) -> None:
    places = make_panel_study(tmp_path)
    plain = run_lengths(places, load_panel_params(places.params))[1]
    assert (plain.phases, plain.extra_forward_pass) == ((), False)
    phases = (ONE, TWO | {"loss_weights": {"ic": 1.0, "sharpe": 0.1}})
    own: dict[str, Any] = {**SMALL, "training__phases": list(phases), EPOCHS: {"choices": [6]}}
    length = run_lengths(places, parse_panel_params(panel_record(**own), source="p"))[1]
    assert (length.phases, length.extra_forward_pass, length.epochs) == ((4, 2), True, 6)
    assert length.train_windows == plain.train_windows
