"""What of pretraining reaches the plan files: nothing where it is not asked for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.panel_studies import make_panel_study

from tsladder.artifacts.plans import NotPlanned, PretrainPlan, read_plan, write_plan
from tsladder.artifacts.record import text_of
from tsladder.families.parts.session_encoder import encoder_module
from tsladder.params import PanelParams, PretrainingParams, load_panel_params
from tsladder.places import Places
from tsladder.planning.endings import panel_ending_files
from tsladder.planning.panel_cells import panel_plan_files
from tsladder.vocabulary import Cell

OF_PRETRAINING = ("pretrain", "session_encoder", "panel.encoders", "held_out")
CELL, ABOVE = Cell("12k", 1), Cell("25k", 1)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, PanelParams]:
    places = make_panel_study(tmp_path_factory.mktemp("plans"), budget="12k", ladder=["12k", "25k"])
    return places, load_panel_params(places.params)


def pretrained(params: PanelParams, **changes: float) -> PanelParams:
    asked = dataclasses.replace(PretrainingParams(), **changes)
    return dataclasses.replace(params, search=dataclasses.replace(params.search, pretraining=asked))


def texts(places: Places, params: PanelParams) -> dict[str, str]:
    files = panel_plan_files(places, params)
    return {path.relative_to(places.plans).as_posix(): text_of(plan) for path, plan in files.items()}


def test_pretraining_changes_no_byte_of_any_other_plan_file(study: tuple[Places, PanelParams]) -> None:
    places, params = study
    without, asked = texts(places, params), texts(places, pretrained(params))
    assert without.keys() == asked.keys()
    assert {name for name in without if without[name] != asked[name]} == {"pretrain/12k-h1.json"}
    assert not any("pretraining" in text for name, text in without.items() if not name.startswith("pretrain/"))


def test_a_cell_is_not_pretrained_where_that_is_not_asked_for_or_it_lies_above_the_top_rung(
    study: tuple[Places, PanelParams],
) -> None:
    places, params = study
    plans = panel_plan_files(places, params)
    assert plans[places.pretrain_plan(CELL)] == NotPlanned(
        cell="12k-h1", budget="12k", horizon=1, reason="search.pretraining is null"
    )
    asked = panel_plan_files(places, pretrained(params))
    assert asked[places.pretrain_plan(ABOVE)] == NotPlanned(cell="25k-h1", budget="25k", horizon=1)


def test_the_plan_holds_what_is_asked_and_the_code_that_makes_it(study: tuple[Places, PanelParams]) -> None:
    places, params = study
    plan = panel_plan_files(places, pretrained(params, mask=0.3))[places.pretrain_plan(CELL)]
    assert isinstance(plan, PretrainPlan)
    assert (plan.epochs, plan.mask) == (10, 0.3)
    makers = {"tsladder.training.pretraining", "tsladder.cells.pretraining_jobs", encoder_module(params.model.family)}
    assert makers <= set(plan.training_code)
    assert plan.training_code.items() <= plan.code.items()
    assert "tsladder.cells.panel_scoring" in set(plan.code) - set(plan.training_code)
    assert encoder_module("atft_gat_fan") not in plan.code


def test_no_code_of_pretraining_makes_a_number_of_another_stage(study: tuple[Places, PanelParams]) -> None:
    places, params = study
    for path, plan in panel_plan_files(places, pretrained(params)).items():
        if path.parent.name != "pretrain" and not isinstance(plan, NotPlanned):
            assert not [module for module in plan.code if any(word in module for word in OF_PRETRAINING)]


def test_the_plan_is_read_as_it_was_written(study: tuple[Places, PanelParams], tmp_path: Path) -> None:
    places, params = study
    plan = panel_plan_files(places, pretrained(params))[places.pretrain_plan(CELL)]
    write_plan(tmp_path / "a.json", plan)
    assert read_plan(PretrainPlan, tmp_path / "a.json") == plan


def test_each_cell_has_an_ending_file_of_its_pretraining(study: tuple[Places, PanelParams]) -> None:
    places, params = study
    found = panel_ending_files(places, params.cells)
    assert {places.ending(places.pretrain_plan(cell)) for cell in params.cells} <= set(found)
    assert len(found) == 3 * len(params.cells)
