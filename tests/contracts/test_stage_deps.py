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


@pytest.mark.parametrize("stage", PANEL_STAGES)
def test_no_module_is_listed_for_a_panel_stage_that_is_not_there_or_not_loaded(stage: str) -> None:
    closure = set(import_closure(ROOT / "stages" / "panel" / f"{stage}.py", ROOT / "src").values())
    code = [dep for dep in listed_of_panel(stage) if (ROOT / "src") in dep.parents]
    idle = [dep for dep in code if not any(dep in (path, *path.parents) for path in closure)]
    assert [dep.as_posix() for dep in idle] == []


def test_features_of_a_panel_know_neither_horizon_nor_target() -> None:
    stage = read_yaml(ROOT / "panel" / "dvc.yaml")["stages"]["features"]
    assert stage["params"] == ["data", "universe", "windows.normalisation"]
