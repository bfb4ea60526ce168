"""A small study on disk as a finished `dvc repro` leaves it, with a dvc.lock and code of its own, and no training.

Its code is a handful of one-line modules, so that nothing in a record of it depends on the code under test. Every
figure is chosen here and easy to follow by hand: trial k of a cell takes 10 (k + 1) seconds and ends with a loss of
0.50 - 0.01 k, seed k takes 20 k seconds, the scored loss is 0.40 and the skill 0.10.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import cell_files
from tests.lines import seed_outcome, trial_line
from tests.small_records import features_manifest, horizon_law, horizon_splits, power_law, study_law
from tests.studies import DEFAULT_PARAMS, ROOT
from tests.yaml_text import yaml_text

from tsladder.artifacts.audit import AuditRecord, write_audit
from tsladder.artifacts.choice import Choice, write_choice
from tsladder.artifacts.features import write_manifest
from tsladder.artifacts.inputs import write_inputs, write_manifests
from tsladder.artifacts.law import write_law
from tsladder.artifacts.plans import write_plan
from tsladder.artifacts.splits import HorizonSplits, SplitsSummary, read_splits, write_splits, write_summary
from tsladder.artifacts.store import write_json, write_text
from tsladder.data.inputs import bars_beside
from tsladder.data.manifest import manifest_digests
from tsladder.params import load_params
from tsladder.places import Places
from tsladder.planning import fingerprint
from tsladder.planning.duration import Rates
from tsladder.planning.endings import WITHOUT_RESULT
from tsladder.planning.fingerprint import Code
from tsladder.planning.identity import training_base, training_code, training_identity
from tsladder.planning.machine import Machine
from tsladder.planning.plans import CellPlans, cell_key, train_key
from tsladder.planning.stage_code import NUMBER_MAKERS
from tsladder.search.configuration import IDENTITY
from tsladder.search.streams import trial_seed
from tsladder.status.dvc_yaml import read_pipeline
from tsladder.status.question import read_question
from tsladder.status.study_state import StudyReader
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Cell, CellStatus, Phase

FEATURES = "f" * 64
TRIALS = 8
SEEDS = 2
CODE = {
    "stages/{stage}.py": "from tsladder.{room}.{stage} import work\n",
    "src/tsladder/{room}/{stage}.py": (
        '"""{stage}."""\nfrom tsladder.training.trainer import steps\n\n\ndef work():\n    return steps\n'
    ),
}
ROOMS = {
    "hpo": "search",
    "train": "training",
    "evaluate": "evaluation",
    "audit": "audit",
    "supplementary": "search",
    "transfer": "training",
    "inputs": "data",
    "features": "data",
    "splits": "data",
    "ingestion": "data",
    "plan": "planning",
    "fit": "law",
    "report": "report",
}
NOW = 1_800_000_000.0


_COPIES = tempfile.TemporaryDirectory(prefix="tsladder-written-")
"""Studies as they were written, by their leaves: to copy one takes a tenth of the time."""


def write_study(folder: Path, monkeypatch: pytest.MonkeyPatch, **leaves: Any) -> Places:
    """Everything fresh: rungs 12k and 30k on horizons 1 and 3, and an unplanned rung 80k."""
    monkeypatch.setattr(fingerprint.Code, "in_use", classmethod(lambda _cls: Code(folder / "stages", folder / "src")))
    machine = Machine(cores=2, memory_gib=8.0, device="cpu", rates=Rates())
    monkeypatch.setattr("tsladder.status.time_to_go.survey", lambda *_, **__: machine)
    copy = Path(_COPIES.name) / hashlib.sha256(json.dumps(leaves, sort_keys=True).encode()).hexdigest()
    bare = not folder.exists() or not any(folder.iterdir())
    if bare and copy.exists():
        shutil.copytree(copy, folder, dirs_exist_ok=True)
        return Places(folder, folder)
    places = _write_whole(folder, leaves)
    if bare:
        shutil.copytree(folder, copy)
    return places


def _write_whole(folder: Path, leaves: dict[str, Any]) -> Places:
    places = Places(folder, folder)
    _write_params(folder, leaves)
    _write_code(folder)
    shutil.copy(ROOT / "dvc.yaml", folder / "dvc.yaml")
    shutil.copy(ROOT / ".dvcignore", folder / ".dvcignore")
    write_text(folder / "data" / "tiny.parquet", "bars")
    _write_inputs(places)
    build(places)
    lock(places)
    return places


def build(places: Places) -> None:
    """The outputs of every stage behind the inputs, for the question now asked."""
    question = read_question(places)
    for path, text in question.texts.items():
        write_text(places.root / path, text)
    for plans in question.plans:
        _write_cell(places, plans)
    write_audit(places.audit_record, AuditRecord(passed=True, probes=()))
    write_json(places.supplementary / "selection.json", {"status": "not_planned"})
    write_json(places.transfer / "transfer.json", {"status": "not_planned"})
    power = dataclasses.replace(power_law(0.01), alpha_ci=(0.005, 0.015), alpha_ci_rungs=None, alpha_ci_days=None)
    flat = horizon_law("flat")
    law = dataclasses.replace(flat, fits=dataclasses.replace(flat.fits, power=power))
    laws = dict.fromkeys(question.params.horizons, law)
    write_law(places.scaling, study_law(laws, study_key=question.study_key))
    write_text(places.law / "scaling.csv", "n_params,loss\n")
    write_text(places.law / "scaling.png", "a picture")
    write_text(places.report / "report.md", "a report")


def lock(places: Places, *names: str) -> None:
    """Write dvc.lock for the stages `names` (all of them where none is named) as they now lie on disk."""
    root, raw = places.root, read_yaml(places.params)
    path = root / "dvc.lock"
    stages = yaml.safe_load(path.read_text())["stages"] if path.exists() else {}
    for name, stage in read_pipeline(root / "dvc.yaml", raw).stages.items():
        if names and name not in names:
            continue
        stages[name] = {
            "cmd": stage.cmd,
            "deps": [entry(root, dep) for dep in sorted(stage.deps)],
            "params": {"params.yaml": {dotted: _leaf(raw, dotted) for dotted in stage.params}},
            "outs": [entry(root, out) for out in sorted(stage.outs)],
        }
    write_text(path, yaml_text({"schema": "2.0", "stages": stages}))


def forget(places: Places, *names: str) -> None:
    """Take the stages `names` out of dvc.lock, as if they had never run."""
    path = places.root / "dvc.lock"
    record = yaml.safe_load(path.read_text())
    kept = {name: stage for name, stage in record["stages"].items() if name not in names}
    write_text(path, yaml_text(record | {"stages": kept}))


def never_built(places: Places, cell: Cell) -> None:
    """As if no stage of `cell` had ever run."""
    forget(places, *(f"{stage}@{cell.budget}-{cell.horizon}" for stage in ("hpo", "train", "evaluate")))
    for folder in (places.hpo(cell), places.models(cell), places.scores(cell)):
        shutil.rmtree(folder)


def entry(root: Path, path: str) -> dict[str, Any]:
    """A line of dvc.lock: DVC's MD5 of a file, or of the JSON list of a folder's files."""
    full = root / path
    if full.is_file():
        return {"path": path, "hash": "md5", "md5": _md5(full.read_bytes()), "size": full.stat().st_size}
    files = sorted(file for file in full.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    listed = sorted(
        ({"md5": _md5(file.read_bytes()), "relpath": file.relative_to(full).as_posix()} for file in files),
        key=lambda file: file["relpath"],
    )
    size = sum(file.stat().st_size for file in files)
    md5 = _md5(json.dumps(listed, sort_keys=True).encode()) + ".dir"
    return {"path": path, "hash": "md5", "md5": md5, "size": size, "nfiles": len(files)}


def set_leaves(places: Places, **leaves: Any) -> None:
    """Change params.yaml; `__` stands for the dot."""
    record = read_yaml(places.params)
    for dotted, value in leaves.items():
        *sections, last = dotted.split("__")
        section = record
        for key in sections:
            section = section[key]
        section[last] = value
    places.params.write_text(yaml_text(record))


def reader(places: Places) -> StudyReader:
    return StudyReader(places, clock=lambda: NOW)


def trial(number: int, seconds: float | None = None, **changes: Any) -> dict[str, Any]:
    """A line of trials.jsonl."""
    return trial_line(
        number,
        **{
            "stop_reason": "early_stopping" if number else "completed",
            "best_val_loss": round(0.50 - 0.01 * number, 4),
            "seconds": 10.0 * (number + 1) if seconds is None else seconds,
            **changes,
        },
    )


def whole_trial(places: Places, plans: CellPlans, number: int) -> dict[str, Any]:
    """A line of trials.jsonl of a trial that is the one of this number in any search."""
    configuration = {**dict.fromkeys(IDENTITY, 1), "epochs": 1 + number}
    seed = trial_seed(plans.search.question.seed, plans.cell, Phase.SEARCH, number)
    base = training_base(plans.search, FEATURES, _splits(places, plans.cell), training_code(plans.search))
    return trial(
        number,
        params={**configuration, "seed": seed},
        curve=[[1, 0.5 - 0.01 * number]],
        identity=training_identity(base, configuration, seed),
    )


def live_search(places: Places, plans: CellPlans) -> Path:
    """The folder of the search that the question now asks for."""
    return places.study(plans.cell, cell_key(plans.search, FEATURES, _splits(places, plans.cell)))


def _splits(places: Places, cell: Cell) -> HorizonSplits:
    return read_splits(places.horizon_splits(cell.horizon))


def plans_of(places: Places, name: str) -> CellPlans:
    return next(plans for plans in read_question(places).plans if str(plans.cell) == name)


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def _write_params(folder: Path, leaves: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(DEFAULT_PARAMS, folder / "params.yaml")
    defaults = {
        "study__name": "written",
        "budget": "30k",
        "ladder": ["12k", "30k", "80k"],
        "horizons": [1, 3],
        "data__symbol": "tiny",
        "search__trials": TRIALS,
        "train__seeds": SEEDS,
        "hardware__device": "cpu",
        "hardware__workers": 2,
    }
    set_leaves(Places(folder, folder), **(defaults | leaves))


def _write_code(folder: Path) -> None:
    package = folder / "src" / "tsladder"
    write_text(package / "__init__.py", "")
    stages = read_yaml(ROOT / "dvc.yaml")["stages"]
    listed = {
        dep
        for stage in ("inputs", "features", "splits", "ingestion", "fit", "report")
        for dep in stages[stage]["deps"]
        if "/tsladder/data/" in dep or "/tsladder/artifacts/" in dep
    }
    for path in sorted(listed):
        file = folder / path / "__init__.py" if (ROOT / path).is_dir() else folder / path
        write_text(file, f"name = {path!r}\n")
    for room in ("artifacts", "law", "evaluation", "planning", "tracking", "report", "results"):
        write_text(package / room / "__init__.py", "")
    for stage, room in ROOMS.items():
        for path, text in CODE.items():
            write_text(folder / path.format(stage=stage, room=room), text.format(stage=stage, room=room))
    for module in {module for modules in NUMBER_MAKERS.values() for module in modules}:
        path = folder / "src" / f"{module.replace('.', '/')}.py"
        if not path.exists():
            write_text(path, "from tsladder.training.trainer import steps\n")
    write_text(package / "training" / "trainer.py", '"""Trains."""\n\nsteps = 11\n')
    # Families, strategies, tiers and tasks are loaded by name, so no import leads to them.
    for room in ("families", "search/strategies", "data/tiers", "tasks"):
        for module in (ROOT / "src" / "tsladder" / room).glob("*.py"):
            write_text(package / room / module.name, f"name = {module.stem!r}\n")


def _write_inputs(places: Places) -> None:
    write_inputs(places.inputs, bars_beside(places, load_params(places.params).data))
    write_manifests(places.manifests, manifest_digests(places, load_params(places.params).data))
    write_json(places.ingestion, {"symbols": [], "cautions": {}})
    write_manifest(places.features_manifest, features_manifest(FEATURES))
    write_text(places.features / "features.parquet", "features")
    for horizon in (1, 3):
        write_splits(places.horizon_splits(horizon), horizon_splits(horizon, train=2560, judged=1024))
    write_summary(places.splits_summary, SplitsSummary(kind="dates", horizons={}))


def _write_cell(places: Places, plans: CellPlans) -> None:
    cell = plans.cell
    if not plans.planned:
        for path in (places.choice(cell), places.models(cell) / "status.json", places.scores(cell) / "scores.json"):
            write_json(path, {"status": "not_planned"})
        write_json(places.timings(cell), {"seeds": {}})
        return
    choice = Choice(**{**cell_files.choice(cell), "status": CellStatus.DONE})
    write_choice(places.choice(cell), choice)
    write_text(places.hpo(cell) / "trials.jsonl", lines([trial(number) for number in range(TRIALS)]))
    folder = live_search(places, plans)
    write_plan(folder / "plan.json", plans.search)
    write_text(folder / "trials.jsonl", lines([trial(number) for number in range(TRIALS)]))
    write_json(places.models(cell) / "status.json", {"cell": str(cell), "status": "done", "seeds": [1, 2]})
    seeds = {f"seed-{number}": seed_outcome(seconds=20.0 * number) for number in range(1, plans.train.seeds + 1)}
    write_json(places.timings(cell), {"seeds": seeds})
    trained = places.training(cell, train_key(plans.train, choice, FEATURES, _splits(places, cell)))
    for name, outcome in seeds.items():
        write_json(trained / name / "outcome.json", outcome)
    write_json(places.scores(cell) / "scores.json", cell_files.scores(cell, test=cell_files.region()))


def fail(places: Places, cell: Cell, reason: str, **fields: Any) -> None:
    """The search of `cell` ended as failed, and its later stages handed that on."""
    failure = {"status": "failed", "reason": reason}
    write_json(places.choice(cell), failure | fields)
    write_json(places.models(cell) / "status.json", failure)
    write_json(places.scores(cell) / "scores.json", failure)
    write_text(places.ending(places.search_plan(cell)), WITHOUT_RESULT)
    lock(places)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _leaf(raw: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        raw = raw[key]
    return raw
