"""A family is one file: a toy put into the package's folder is counted, planned, built, trained and studied."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests import warm_python
from tests.building import batch_plan, geometry, job, settings, windows
from tests.families.contract import FamilyContract
from tests.studies import ROOT, environment, make_study, params_of

from tsladder import families
from tsladder.artifacts.store import read_json, read_lines
from tsladder.errors import BadInput
from tsladder.params import load_params
from tsladder.planning.grid import build_grid
from tsladder.planning.memory import plan_batch, predicted_memory_gib
from tsladder.training.trainer import fit
from tsladder.vocabulary import Cell

TOY = "residual_mlp"
TOYS = Path(__file__).parent / "toys"
CELL = Cell("12k", 1)


@pytest.fixture(scope="module")
def family() -> Iterator[str]:
    """The toy's name, while its file lies on the path on which families are found."""
    own = families.__path__
    families.__path__ = [*own, str(TOYS)]
    try:
        yield TOY
    finally:
        families.__path__ = own
        sys.modules.pop(f"tsladder.families.{TOY}", None)


class TestToyFamily(FamilyContract):
    pass


def test_params_take_the_names_of_families_from_the_folder(family: str, tmp_path: Path) -> None:
    assert params_of(make_study(tmp_path, model__family=family)).model.family == family
    with pytest.raises(BadInput, match=r"model\.family: must be one of .*, residual_mlp, got 'residual'"):
        params_of(make_study(tmp_path, model__family="residual"))


def test_params_refuse_what_a_family_refuses_by_the_name_of_the_leaf(family: str, tmp_path: Path) -> None:
    places = make_study(tmp_path, model__family=family, windows__context_length=7)
    with pytest.raises(BadInput, match=r"has 1 fault") as refused:
        load_params(places.params)
    assert refused.value.faults == ("model.family: residual_mlp needs windows.context_length of 8 days, got 7",)
    params_of(make_study(tmp_path, model__family="informer", windows__context_length=7))


def test_a_grid_holds_what_the_family_admits_and_each_member_can_be_planned(family: str) -> None:
    grid = build_grid(geometry(family=family), "30k")
    assert {member.n_heads for member in grid.members} == {2}
    for member in grid.members:
        plan = plan_batch(member, effective_batch=256, precision="fp32", optimizer="adamw", memory_gib=1.0)
        assert plan is not None
        assert predicted_memory_gib(member, plan) < 1.0


def test_a_member_is_trained(family: str) -> None:
    grid = build_grid(geometry(family=family), "12k")
    run = job(spec=grid.members[0], settings=settings(epochs=1), plan=batch_plan(32, 32))
    before = torch.random.get_rng_state()
    fitted = fit(run, windows(32), windows(16, seed=1), lambda _record: True)
    torch.random.set_rng_state(before)
    assert len(fitted.curve) == 1
    assert fitted.curve[0].steps == 1
    assert fitted.n_params == grid.members[0].n_params


@pytest.mark.slow
def test_a_miniature_study_runs_with_one_file_dropped_in(tmp_path: Path) -> None:
    """In a copy of the checkout, through the stages as DVC runs them: searched, retrained and scored in workers."""
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(TOYS / f"{TOY}.py", tmp_path / "src" / "tsladder" / "families")
    places = make_study(tmp_path / "study", model__family=TOY, search__trials=2, train__seeds=1)

    def run(stage: str, *arguments: str) -> None:
        script = str(tmp_path / "stages" / f"{stage}.py")
        done = warm_python.run([script, *arguments], places.root, environment() | {"PYTHONPATH": str(tmp_path / "src")})
        assert done.returncode == 0, f"{stage} ended with {done.returncode}:\n{done.stderr}"

    for stage in ("inputs", "features", "splits", "plan"):
        run(stage)
    for stage in ("hpo", "train", "evaluate"):
        run(stage, "--cell", str(CELL))
    assert read_json(places.choice(CELL))["status"] == "done"
    assert len(list(places.models(CELL).glob("seed-*/model.safetensors"))) == 1
    assert read_json(places.scores(CELL) / "scores.json")["n_params"] > 0
    trials = read_lines(places.hpo(CELL) / "trials.jsonl")
    assert len(trials) == 2
    assert {trial["params"]["n_heads"] for trial in trials} == {2}
