"""Stages with plain deps on code list all of it: an edit of a module that they load must make them stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsladder.planning.fingerprint import import_closure, made_by
from tsladder.planning.stage_code import is_outside
from tsladder.typed_yaml import read_yaml

ROOT = Path(__file__).parents[2]
STAGES = ("inputs", "features", "splits", "ingestion")


def listed(stage: str) -> list[Path]:
    deps = read_yaml(ROOT / "dvc.yaml")["stages"][stage]["deps"]
    return [ROOT / dep for dep in deps]


@pytest.mark.parametrize("stage", STAGES)
def test_the_deps_of_a_cheap_stage_cover_what_its_script_imports(stage: str) -> None:
    deps = listed(stage)
    assert ROOT / "stages" / f"{stage}.py" in deps
    closure = made_by(ROOT / "stages" / f"{stage}.py", ROOT / "src")
    modules = {path for name, path in closure.items() if not is_outside(name) and path.stat().st_size > 0}
    assert modules
    missing = [path for path in modules if not any(path == dep or dep in path.parents for dep in deps)]
    assert [path.relative_to(ROOT).as_posix() for path in sorted(missing)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_no_module_is_listed_that_is_not_there_or_not_loaded(stage: str) -> None:
    closure = set(import_closure(ROOT / "stages" / f"{stage}.py", ROOT / "src").values())
    code = [dep for dep in listed(stage) if (ROOT / "src") in dep.parents]
    idle = [dep for dep in code if not any(dep in (path, *path.parents) for path in closure)]
    assert [dep.as_posix() for dep in idle] == []


def test_the_features_depend_on_every_tier_which_is_loaded_by_name_and_on_all_its_columns() -> None:
    deps, source = listed("features"), ROOT / "src"
    for tier in (source / "tsladder" / "data" / "tiers").glob("*.py"):
        closure = import_closure(tier, source)
        modules = {tier} | {path for name, path in closure.items() if not is_outside(name) and path.stat().st_size > 0}
        missing = [path for path in modules if not any(path == dep or dep in path.parents for dep in deps)]
        assert [path.relative_to(ROOT).as_posix() for path in sorted(missing)] == []


@pytest.mark.parametrize("stage", ["fit", "report"])
def test_who_tells_of_ingestion_depends_on_its_record_and_its_reader_and_not_on_the_bars(stage: str) -> None:
    deps = listed(stage)
    assert ROOT / "artifacts" / "ingestion.json" in deps
    assert ROOT / "src" / "tsladder" / "artifacts" in deps
    assert not [dep for dep in deps if ROOT / "data" in (dep, *dep.parents)]


@pytest.mark.parametrize(
    "stage", ["features", "splits", "audit", "hpo", "train", "evaluate", "supplementary", "transfer"]
)
def test_nothing_that_makes_numbers_depends_on_what_ingestion_recorded(stage: str) -> None:
    artifacts = {ROOT / "artifacts" / name for name in ("manifests.json", "ingestion.json")}
    assert not artifacts & set(listed(stage))


PANEL_STAGES = ("features", "splits", "audit", "baselines", "report")


def listed_of_panel(stage: str) -> list[Path]:
    deps = read_yaml(ROOT / "panel" / "dvc.yaml")["stages"][stage]["deps"]
    return [(ROOT / "panel" / dep).resolve() for dep in deps]


@pytest.mark.parametrize("stage", PANEL_STAGES)
def test_the_deps_of_a_panel_stage_cover_what_its_script_imports(stage: str) -> None:
    script, deps = ROOT / "stages" / "panel" / f"{stage}.py", listed_of_panel(stage)
    assert script in deps
    closure = made_by(script, ROOT / "src")
    modules = {path for name, path in closure.items() if not is_outside(name) and path.stat().st_size > 0}
    missing = [path for path in modules if not any(path == dep or dep in path.parents for dep in deps)]
    assert [path.relative_to(ROOT).as_posix() for path in sorted(missing)] == []


@pytest.mark.parametrize("stage", [*PANEL_STAGES, "fit"])
def test_no_module_is_listed_for_a_panel_stage_that_is_not_there_or_not_loaded(stage: str) -> None:
    closure = set(import_closure(ROOT / "stages" / "panel" / f"{stage}.py", ROOT / "src").values())
    code = [dep for dep in listed_of_panel(stage) if (ROOT / "src") in dep.parents]
    idle = [dep for dep in code if not any(dep in (path, *path.parents) for path in closure)]
    assert [dep.as_posix() for dep in idle] == []


def test_features_of_a_panel_know_neither_horizon_nor_target() -> None:
    stage = read_yaml(ROOT / "panel" / "dvc.yaml")["stages"]["features"]
    assert stage["params"] == ["data", "universe", "windows.normalisation"]


@pytest.mark.parametrize("file", ["dvc.yaml", "panel/dvc.yaml"])
@pytest.mark.parametrize("stage", ["hpo", "train", "evaluate"])
def test_a_cell_hangs_on_its_plan_which_holds_the_code_and_not_on_folders_of_code(file: str, stage: str) -> None:
    pipeline = ROOT / file
    entry = read_yaml(pipeline)["stages"][stage]
    deps = [(pipeline.parent / dep).resolve() for dep in entry["deps"]]
    assert "params" not in entry
    assert [dep for dep in deps if dep.is_relative_to(ROOT / "src") or dep.is_relative_to(ROOT / "stages")] == []
    assert any("plans" in dep.parts for dep in deps)


@pytest.mark.parametrize("file", ["dvc.yaml", "panel/dvc.yaml"])
def test_the_plans_are_made_again_with_any_code_and_from_every_leaf_of_the_question(file: str) -> None:
    """What makes no cell stale is law, hardware, and where the data are cut, which is a file of its own."""
    pipeline = ROOT / file
    entry = read_yaml(pipeline)["stages"]["plan"]
    deps = {(pipeline.parent / dep).resolve() for dep in entry["deps"]}
    assert ROOT / "src" / "tsladder" in deps
    sections = {leaf.partition(".")[0] for leaf in entry["params"]}
    asked = set(read_yaml(pipeline.parent / "params.yaml")) - {"law", "hardware", "splits"}
    assert sections == asked


@pytest.mark.parametrize("file", ["dvc.yaml", "panel/dvc.yaml"])
def test_no_stage_depends_on_the_section_hardware(file: str) -> None:
    stages = read_yaml(ROOT / file)["stages"]
    named = {name: stage.get("params", []) for name, stage in stages.items()}
    assert [name for name, leaves in named.items() if any(leaf.startswith("hardware") for leaf in leaves)] == []
