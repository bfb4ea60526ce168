"""Code that makes the same numbers as earlier code leaves plans and identities what they were."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tsladder.artifacts.plans import write_plan
from tsladder.params import load_params
from tsladder.places import Places
from tsladder.planning import same_numbers as module
from tsladder.planning.across_cells import plan_files
from tsladder.planning.cells import plan_cells
from tsladder.planning.fingerprint import Code, module_fingerprints
from tsladder.planning.same_numbers import SameNumbers, same_numbers
from tsladder.planning.stage_code import NUMBER_MAKERS, TRAINING

ROOT = Path(__file__).parents[2]
TREE, RANDOM = "tsladder.search.strategies.tree", "tsladder.search.strategies.random"
MADE_UP = SameNumbers(
    before={"hpo": {"old.trainer": "a", "old.words": "b"}, "train": {"old.trainer": "a"}},
    strategies={TREE: "t"},
    after={"new.trainer": "A", TREE: "T", RANDOM: "R"},
)


def test_equal_code_is_written_as_the_earlier_code_with_the_strategy_that_is_chosen() -> None:
    written = MADE_UP.as_before("hpo", {"new.trainer": "A", TREE: "T"})
    assert written == {"old.trainer": "a", "old.words": "b", TREE: "t"}
    assert MADE_UP.as_before("train", {"new.trainer": "A"}) == {"old.trainer": "a"}


@pytest.mark.parametrize(
    ("stage", "now"),
    [
        ("hpo", {"new.trainer": "edited", TREE: "T"}),
        ("hpo", {"new.trainer": "A", TREE: "edited"}),
        ("hpo", {"new.trainer": "A", "new.loss": "L", TREE: "T"}),
        ("hpo", {"new.trainer": "A", RANDOM: "R"}),
        ("audit", {"new.trainer": "A"}),
    ],
)
def test_other_code_is_written_as_it_is(stage: str, now: dict[str, str]) -> None:
    assert MADE_UP.as_before(stage, now) == now


def test_an_edit_is_shown_under_the_present_module_names() -> None:
    now = {"new.trainer": "edited", TREE: "T"}
    written = MADE_UP.as_before("hpo", {"new.trainer": "A", TREE: "T"})
    assert MADE_UP.as_now(written, now) == {"new.trainer": "A", TREE: "T"}
    assert MADE_UP.as_now({"of another version": "z"}, now) == {"of another version": "z"}


def test_the_code_in_use_is_the_one_that_was_shown_to_make_the_same_numbers() -> None:
    table, source = same_numbers(), Code.in_use().source
    if not table.before:
        return
    roots = {name for stage in table.before for name in NUMBER_MAKERS.get(stage, TRAINING)}
    rooms = ("tsladder.families", "tsladder.tasks")
    by_name = [name for name in table.after if name.rpartition(".")[0] in rooms]
    now = module_fingerprints((*roots, *table.strategies, *by_name), source)
    changed = sorted(name for name, digest in now.items() if table.after.get(name) != digest)
    assert changed == [], (
        "modules that make numbers were edited, which makes every cell of every user stale. Where the numbers are the "
        "same, train the default study from nothing and run benchmarks/same_numbers.py; where they are not, empty "
        "src/tsladder/planning/same_numbers.json"
    )


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("same_numbers_script", ROOT / "benchmarks" / "same_numbers.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def study(folder: Path, loss: float, key: str) -> Path:
    for name, text in {
        "hpo/12k-h1/choice.json": "{}",
        "models/12k-h1/seed-1/model.safetensors": "weights",
        "scores/12k-h1/predictions.parquet": "forecasts",
        "scores/12k-h1/scores.json": json.dumps({"key": key, "loss": loss}),
    }.items():
        path = folder / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_the_table_is_written_where_all_outputs_are_equal_and_only_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found, table = script(), tmp_path / "table.json"
    table.write_text(json.dumps({"proof": "none", "before": {"modules": {}, "stages": {}}, "after": {}}))
    monkeypatch.setattr(found, "TABLE", table)
    one, two, other = (study(tmp_path / name, loss, name) for name, loss in (("a", 0.4), ("b", 0.4), ("c", 0.5)))

    def ends(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["same_numbers.py", *arguments, "--proof", "a test"])
        return int(found.main())

    untouched = table.read_text()
    assert ends(str(one), str(other)) == 1
    assert "scores/12k-h1/scores.json" in capsys.readouterr().err
    assert ends(str(tmp_path), str(one)) == 2
    assert table.read_text() == untouched
    assert ends(str(one), str(two / "artifacts")) == 0
    record = json.loads(table.read_text())
    counted = "1 choice.json, 1 model.safetensors, 1 predictions.parquet, 1 scores.json"
    assert record["proof"] == f"a test: {counted}, all equal"
    assert (
        record["after"]["tsladder.training.trainer"]
        == module_fingerprints(TRAINING, Code.in_use().source)["tsladder.training.trainer"]
    )


def test_the_table_is_read_from_beside_its_module() -> None:
    assert module.TABLE.name == "same_numbers.json"
    assert module.TABLE.exists()


def test_cells_of_the_default_study_stay_fresh(tmp_path: Path) -> None:
    """The plans of the study in dvc.lock, of which DVC decides whether a trained cell is stale."""
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))
    trained = {
        entry["path"]: entry["md5"]
        for stage, record in lock["stages"].items()
        if stage.partition("@")[0] in {"hpo", "train", "evaluate"}
        for entry in record["deps"]
        if entry["path"].startswith("artifacts/plans/")
    }
    assert len(trained) == 81
    places, params = Places(tmp_path, tmp_path), load_params(ROOT / "params.yaml")
    for path, plan in plan_files(places, params, plan_cells(params), supplement_offered=False).items():
        write_plan(path, plan)
    now = {name: hashlib.md5((tmp_path / name).read_bytes(), usedforsecurity=False).hexdigest() for name in trained}
    stale = sorted(name for name in trained if now[name] != trained[name])
    assert stale == [], (
        "the plans of these cells are not those that they were trained with, so every user trains them again; `before` "
        "in src/tsladder/planning/same_numbers.json says what stood in plans then, and stays as it was when modules "
        "are renamed. Where it is meant: dvc repro the default study and commit dvc.lock"
    )
