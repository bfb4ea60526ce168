"""What status and why call stale is what DVC runs again: DVC itself, on the study of written.py with stages that train
nothing and leave what follows from their inputs."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import cell_files, warm_python
from tests.small_records import features_manifest, study_law
from tests.status.written import reader, set_leaves, write_study
from tests.studies import ROOT

from tsladder.artifacts.record import text_of
from tsladder.artifacts.store import write_json, write_text
from tsladder.data.manifest import manifest_path
from tsladder.places import Places
from tsladder.status.dvc_yaml import INPUTS, PLAN, read_pipeline
from tsladder.status.freshness import StageState
from tsladder.status.study_state import study_state
from tsladder.status.why import why
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Cell

pytestmark = pytest.mark.slow

CELL = Cell("12k", 1)

WORK = f"""
CHOICE = {cell_files.choice(CELL)!r}
SCORES = {cell_files.scores(CELL, test=cell_files.region())!r}
"""
WORK += '''
import hashlib, json, sys
from pathlib import Path

MANIFEST = json.loads(MANIFEST_TEXT)
LAW = json.loads(LAW_TEXT)

def said(path):
    """What a file says without comments, so that a remark in a source leaves the same outputs."""
    text = Path(path).read_text()
    return "\\n".join(line for line in text.splitlines() if not line.startswith("#"))

def work(stage):
    cell = sys.argv[2] if len(sys.argv) > 2 else None
    name = stage if cell is None else stage + "@" + cell.replace("-h", "-")
    deps = json.loads(Path("deps.json").read_text())[name]
    files = [p for d in deps for p in (sorted(Path(d).rglob("*")) if Path(d).is_dir() else [Path(d)])]
    texts = [said(p) for p in files if p.is_file() and "__pycache__" not in p.parts]
    write(stage, cell, hashlib.md5("".join(texts).encode()).hexdigest())

def put(path, value):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(value))

def write(stage, cell, seen):
    art = Path("artifacts")
    count = {"windows": 1024, "positives": 9, "base_rate": 0.01, "first_day": None, "last_day": None}
    counts = dict.fromkeys(("train", "validation", "test"), count)
    days = dict.fromkeys(counts, {"segments": [], "windows_per_segment": None})
    if stage == "inputs":
        art.mkdir(exist_ok=True)
        (art / "inputs.json").write_text(json.dumps({"beside": {}}, indent=1) + chr(10))
        beside = Path("data/tiny.manifest.json")
        found = hashlib.sha256(beside.read_bytes()).hexdigest() if beside.exists() else None
        (art / "manifests.json").write_text(json.dumps({"manifests": {"tiny": found}}, indent=1) + chr(10))
    elif stage == "features":
        put(art / "features/manifest.json", MANIFEST | {"fingerprint": seen})
        put(art / "features/features.parquet", seen)
    elif stage == "splits":
        for horizon in (1, 3):
            cut = {"horizon": horizon, **days}
            put(art / f"splits/h{horizon}.json", {"counts": counts, "notes": [seen], "splits": cut})
    elif stage == "ingestion":
        put(art / "ingestion.json", {"seen": seen})
    elif stage == "hpo":
        planned = json.loads((art / f"plans/{cell}.json").read_text())["planned"]
        fails = Path("fails").exists() and cell == Path("fails").read_text()
        put(art / f"hpo/{cell}/choice.json", CHOICE if planned else {"status": "not_planned"})
        if fails:
            put(art / f"hpo/{cell}/choice.json", {"status": "failed", "reason": "for the test"})
        said = json.dumps({"without_result": fails}, indent=1) + chr(10)
        (art / f"endings/{cell}.json").write_text(said)
        (art / f"hpo/{cell}/trials.jsonl").write_text("")
        put(art / f"hpo/{cell}/seen.json", seen)
    elif stage == "train":
        put(art / f"models/{cell}/status.json", {"cell": cell, "status": "done", "seeds": [1], "seen": seen})
        put(art / f"timings/{cell}.json", {"seeds": {}})
    elif stage == "evaluate":
        put(art / f"scores/{cell}/scores.json", SCORES | {"seen": seen})
    elif stage == "fit":
        for name in ("scaling.json", "scaling.csv", "scaling.png"):
            put(art / "law" / name, LAW | {"seen": seen})
    else:
        put(art / stage / f"{stage}.json", {"seen": seen})
'''
PLANS = """
import sys
sys.path.insert(0, {source!r})
from pathlib import Path
from tsladder.status.question import read_question
from tsladder.places import Places
from tsladder.planning.fingerprint import Code
from tsladder.artifacts.store import write_text
here = Path.cwd()
Code.in_use = classmethod(lambda cls: Code(here / "stages", here / "src"))
for path, text in read_question(Places(here, here)).texts.items():
    write_text(here / path, text)
"""


class Repository:
    """The study under DVC, everything built: copied from `built`, where the first one leaves a copy."""

    def __init__(self, folder: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.places = write_study(folder, monkeypatch)
        set_leaves(self.places, horizons=[1])
        if built.exists():
            shutil.rmtree(folder)
            shutil.copytree(built, folder)
            return
        (folder / "dvc.lock").unlink()
        for path in (folder / "stages").glob("*.py"):
            path.write_text(path.read_text() + f"\nwork({path.stem!r})\n")
        for path in (folder / "src" / "tsladder").rglob("*.py"):
            if "def work" in path.read_text():
                path.write_text("from tsladder.training.trainer import work, steps\n")
        write_text(
            folder / "src/tsladder/training/trainer.py",
            f"steps = 11\nMANIFEST_TEXT = {text_of(features_manifest())!r}\n"
            f"LAW_TEXT = {text_of(study_law({}))!r}\n{WORK}",
        )
        write_text(folder / "stages/plan.py", PLANS.format(source=str(ROOT / "src")))
        self.dvc("init", "--no-scm", "-q")
        self.repro()
        shutil.copytree(folder, built)

    def dvc(self, *arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "DVC_ROOT"}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        environment["PYTHONPATH"] = str(self.places.root / "src")
        done = warm_python.run(["-m", "dvc", *arguments], self.places.root, environment, stages_too=False)
        assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def repro(self) -> set[str]:
        stages = read_pipeline(self.places.root / "dvc.yaml", read_yaml(self.places.params)).stages
        write_json(self.places.root / "deps.json", {name: list(stage.deps) for name, stage in stages.items()})
        return set(re.findall(r"^Running stage '(.+)':", self.dvc("repro"), re.MULTILINE)) - {PLAN, INPUTS}


def append(path: str, text: str) -> Callable[[Places], None]:
    def change(places: Places) -> None:
        file = places.root / path
        file.write_text(file.read_text() + text)

    return change


CHANGES: dict[str, Callable[[Places], None]] = {
    "a byte of the data": append("data/tiny.parquet", "z"),
    "another symbol's bars": lambda places: write_text(places.bars("other"), "bars"),
    "a record of ingestion": lambda places: write_text(manifest_path(places.bars("tiny")), "{}"),
    "another symbol's record": lambda places: write_text(manifest_path(places.bars("other")), "{}"),
    "a remark in the splits": append("src/tsladder/data/splits.py", "# a remark\n"),
    "the splits": append("src/tsladder/data/splits.py", "more = 1\n"),
    "a parameter of every training": lambda places: set_leaves(places, training__patience=6),
    "a parameter of the search": lambda places: set_leaves(places, search__trials=9),
    "a seed more": lambda places: set_leaves(places, train__seeds=3),
    "a parameter of the scoring": lambda places: set_leaves(places, evaluation__bootstrap_draws=200),
    "a parameter of the law": lambda places: set_leaves(places, law__alpha_of_interest=1.0e-5),
    "the machine": lambda places: set_leaves(places, hardware__workers=1),
    "the executor": lambda places: set_leaves(places, hardware__executor="ray", hardware__places="any"),
    "a preset that is not chosen": lambda places: set_leaves(places, search__presets__mission__patience=11),
    "a remark in the trainer": append("src/tsladder/training/trainer.py", "# a remark\n"),
    "the trainer": append("src/tsladder/training/trainer.py", "more = 1\n"),
    "the report": append("src/tsladder/report/report.py", "more = 1\n"),
    "a score that is gone": lambda places: (places.root / "artifacts/scores/12k-h1/scores.json").unlink(),
    "a choice changed by hand": append("artifacts/hpo/30k-h1/choice.json", " "),
    "the next rung": lambda places: set_leaves(places, budget="80k"),
    "one horizon more": lambda places: set_leaves(places, horizons=[1, 3]),
    "a context of another length": lambda places: set_leaves(places, windows__context_length=60),
    "the former context": lambda places: set_leaves(places, windows__context_length=80),
    "the former horizons": lambda places: set_leaves(places, horizons=[1]),
    "a seed less": lambda places: set_leaves(places, train__seeds=2),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built") / "study"


@pytest.fixture
def repository(tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return Repository(tmp_path, built, monkeypatch)


def test_what_is_called_stale_runs_what_is_called_behind_may_and_nothing_else_does(repository: Repository) -> None:
    """One change after the other, the last ones taken back: what DVC has run before it takes from its cache."""
    places = repository.places
    assert dict(reader(places).freshness().would_run()) == {}
    surprises: dict[str, dict[str, list[str]]] = {}
    restored: set[str] = set()
    for name, change in CHANGES.items():
        change(places)
        stage_state = reader(places).freshness().would_run()
        stale = {stage for stage, found in stage_state.items() if found is StageState.STALE}
        restored |= {stage for stage, found in stage_state.items() if found is StageState.RESTORED}
        ran = repository.repro()
        possible = stale | {stage for stage, found in stage_state.items() if found is StageState.BEHIND}
        if not stale <= ran <= possible:
            surprises[name] = {"not run": sorted(stale - ran), "run": sorted(ran - possible)}
        after = dict(reader(places).freshness().would_run())
        if after:
            surprises[f"after {name}"] = {"still": sorted(after)}
    assert {"hpo@12k-1", "train@12k-1", "evaluate@12k-1"} <= restored, (
        "nothing came back: the test shows less than it says"
    )
    assert surprises == {}, json.dumps(surprises, indent=1)


def test_a_search_without_a_result_runs_again_until_it_has_one_and_is_shown_as_failed(repository: Repository) -> None:
    places, hpo = repository.places, {"hpo@12k-1"}
    behind = {"train@12k-1", "evaluate@12k-1", "supplementary", "transfer", "fit", "report"}

    def stage_state() -> dict[str, StageState]:
        return dict(reader(places).freshness().would_run())

    def state() -> str:
        return study_state(places).cells["12k-h1"].state

    write_text(places.root / "fails", "12k-h1")
    set_leaves(places, search__trials=9)
    repository.repro()
    for _ in range(2):
        assert state() == "failed"
        assert stage_state() == dict.fromkeys(hpo, StageState.STALE) | dict.fromkeys(behind, StageState.BEHIND)
        assert repository.repro() == hpo
    set_leaves(places, search__trials=8)
    assert "hpo@12k-1" not in repository.repro()
    assert stage_state() == {}
    set_leaves(places, search__trials=9)
    assert repository.repro() & {"hpo@12k-1", "hpo@30k-1"} == hpo, "a failure came out of the cache, or too much ran"
    (places.root / "fails").unlink()
    assert "hpo@12k-1" in repository.repro()
    assert stage_state() == {}
    assert state() == "fresh"
    assert repository.repro() == set()


def test_why_is_nothing_exactly_where_dvc_status_says_nothing_of_the_cell(repository: Repository) -> None:
    places = repository.places
    assert "up to date" in repository.dvc("status")
    assert why(places, "12k-h1").stages == ()
    append("data/tiny.parquet", "z")(places)
    assert "features" in repository.dvc("status")
    assert why(places, "12k-h1").stages[0].stage == "features"
