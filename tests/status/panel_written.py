"""A small panel study on disk as a finished `dvc repro` in its folder leaves it, beside the study of a series, with a
dvc.lock and code of its own, and no training.

Every figure is chosen here: trial k of a cell takes 10 (k + 1) seconds and ends with a rank error of 0.99 - 0.01 k,
seed k takes 20 k seconds, the RankIC on the test days is 0.05 and the skill 0.04.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests import cell_files
from tests.lines import seed_outcome
from tests.panel_studies import make_panel_study
from tests.report.panel import made_up
from tests.small_records import horizon_law, power_law, study_law
from tests.status.written import lines, lock, trial
from tests.studies import ROOT, make_study
from tests.yaml_text import yaml_text

from tsladder.artifacts.audit import AuditRecord, write_audit
from tsladder.artifacts.baselines import BaselineScores, write_baselines
from tsladder.artifacts.choice import Choice, write_choice
from tsladder.artifacts.law import write_law
from tsladder.artifacts.panel_features import write_panel_features
from tsladder.artifacts.panel_splits import write_panel_splits
from tsladder.artifacts.plans import write_plan
from tsladder.artifacts.store import write_json, write_text
from tsladder.places import Places
from tsladder.planning import fingerprint
from tsladder.planning.cell_inputs import cell_inputs
from tsladder.planning.duration import Rates
from tsladder.planning.fingerprint import Code
from tsladder.planning.machine import Machine
from tsladder.planning.plans import CellPlans, cell_key, train_key
from tsladder.planning.stage_code import NUMBER_MAKERS
from tsladder.status.question import read_question
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import RANK_ERROR, Cell, CellStatus, Region

TRIALS, SEEDS = 6, 2
TRAIN_DAYS, JUDGED_DAYS = 301, 120
RANK_IC, SKILL = 0.05, 0.04


_COPIES = tempfile.TemporaryDirectory(prefix="tsladder-panel-written-")
"""The study as it was written: to copy it takes a tenth of the time."""


def write_panel_study(folder: Path, monkeypatch: pytest.MonkeyPatch, **asked: Any) -> Places:
    """Everything fresh in `folder`/panel: rungs 12k and 25k of horizon 1, and an unplanned rung 50k. `asked`: leaves of
    params.yaml that are others than in the miniature study."""
    monkeypatch.setattr(fingerprint.Code, "in_use", classmethod(lambda _cls: Code(folder / "stages", folder / "src")))
    machine = Machine(cores=2, memory_gib=8.0, device="cpu", rates=Rates())
    for module in ("status.time_to_go", "status.dry_run", "planning.study_time"):
        monkeypatch.setattr(f"tsladder.{module}.survey", lambda *_, **__: machine)
    copy = Path(_COPIES.name) / "whole"
    if asked:
        return _write_whole(folder, **asked)
    if copy.exists():
        shutil.copytree(copy, folder, dirs_exist_ok=True)
        return Places(folder / "panel", folder)
    places = _write_whole(folder)
    shutil.copytree(folder, copy)
    return places


def _write_whole(folder: Path, **others: Any) -> Places:
    make_study(folder)
    asked: dict[str, Any] = {
        "budget": "25k",
        "ladder": ["12k", "25k", "50k"],
        "search__trials": TRIALS,
        "train__seeds": SEEDS,
        "hardware__device": "cpu",
        "hardware__workers": 2,
        **others,
    }
    places = make_panel_study(folder, **asked)
    write_text(places.root / "dvc.yaml", (ROOT / "panel" / "dvc.yaml").read_text())
    _write_code(folder)
    _write_inputs(places)
    _write_outputs(places)
    lock(places)
    return places


def live_search(places: Places, plans: CellPlans) -> Path:
    """The folder of the search that the question now asks for."""
    return places.study(plans.cell, cell_key(plans.search, *cell_inputs(places, plans.search.question)))


def plans_of(places: Places, name: str) -> CellPlans:
    return next(plans for plans in read_question(places).plans if str(plans.cell) == name)


def ranked_trial(number: int, seconds: float | None = None, **changes: Any) -> dict[str, Any]:
    """A line of trials.jsonl."""
    return trial(number, seconds, best_val_loss=round(0.99 - 0.01 * number, 4), base_rate_loss=1.0, **changes)


def _write_code(project: Path) -> None:
    """A line for each module that a stage depends on, or whose fingerprint a plan holds."""
    stages = read_yaml(ROOT / "panel" / "dvc.yaml")["stages"]
    listed = {dep for stage in stages.values() for dep in stage["deps"] if dep.startswith("../s")}
    for dep in sorted(listed - {"../src/tsladder", "../stages/panel"}):
        path = dep.removeprefix("../")
        write_text(project / path / "__init__.py" if (ROOT / path).is_dir() else project / path, f"name = {path!r}\n")
    package = project / "src" / "tsladder"
    write_text(package / "__init__.py", "")
    for module in {module for stage in NUMBER_MAKERS.values() for module in stage}:
        path = project / "src" / f"{module.replace('.', '/')}.py"
        if not path.exists():
            write_text(path, "from tsladder.training.trainer import steps\n")
    write_text(package / "training" / "trainer.py", "steps = 11\n")
    for room in ("families", "families/panel", "search/strategies", "data/tiers", "tasks", "tasks/panel"):
        for path in (ROOT / "src" / "tsladder" / room).glob("*.py"):
            if not (package / room / path.name).exists():
                write_text(package / room / path.name, f"name = {path.stem!r}\n")


def _write_inputs(places: Places) -> None:
    write_panel_features(places.features_manifest, made_up.features(panel="made_up", universe="point_in_time", bias=()))
    found = made_up.splits()
    count = found.counts[Region.TRAIN]
    counts = {
        region: dataclasses.replace(count, samples=TRAIN_DAYS if region is Region.TRAIN else JUDGED_DAYS)
        for region in found.counts
    }
    write_panel_splits(places.horizon_splits(1), dataclasses.replace(found, counts=counts))
    write_audit(places.audit_record, AuditRecord(passed=True, probes=()))
    levels = {region: made_up.level_of(region) for region in (Region.VALIDATION, Region.TEST)}
    write_baselines(
        places.baseline_scores(1),
        BaselineScores(
            panel="made_up", tier="s9", horizon=1, train_days=TRAIN_DAYS, train_labels=3612, regions=levels
        ),
    )  # fmt: skip


def _write_outputs(places: Places) -> None:
    question = read_question(places)
    for path, text in question.texts.items():
        write_text(places.root / path, text)
    for plans in question.plans:
        _write_cell(places, plans)
    flat = horizon_law("flat")
    power = dataclasses.replace(power_law(0.002), alpha_ci=(-0.001, 0.005), alpha_ci_rungs=None, alpha_ci_days=None)
    law = dataclasses.replace(flat, fits=dataclasses.replace(flat.fits, power=power))
    write_law(places.scaling, study_law({1: law}, study_key=question.study_key, metric=RANK_ERROR))
    write_text(places.law / "scaling.csv", "n_params,loss\n")
    write_text(places.report / "report.md", "a report")


def _write_cell(places: Places, plans: CellPlans) -> None:
    cell = plans.cell
    if not plans.planned:
        for path in (places.choice(cell), places.models_status(cell), places.scores_record(cell)):
            write_json(path, {"status": "not_planned"})
        write_json(places.timings(cell), {"seeds": {}})
        return
    choice = Choice(**{**cell_files.choice(cell), "status": CellStatus.DONE})
    write_choice(places.choice(cell), choice)
    write_text(places.hpo(cell) / "trials.jsonl", lines([ranked_trial(number) for number in range(TRIALS)]))
    write_plan(live_search(places, plans) / "plan.json", plans.search)
    write_json(places.models_status(cell), {"cell": str(cell), "status": "done", "seeds": [1, 2]})
    seeds = {f"seed-{number}": seed_outcome(seconds=20.0 * number) for number in range(1, plans.train.seeds + 1)}
    write_json(places.timings(cell), {"seeds": seeds})
    trained = places.training(cell, train_key(plans.train, choice, *cell_inputs(places, plans.train.question)))
    for name, outcome in seeds.items():
        write_json(trained / name / "outcome.json", outcome)
    scores = {"metric": RANK_ERROR, **cell_files.scores(cell, test=_region())}
    write_json(places.scores_record(cell), scores)


def _region() -> dict[str, Any]:
    mean = {RANK_ERROR: 1.0 - RANK_IC, "rank_ic": RANK_IC}
    own = {"seeds": {"1": mean}, "mean": mean, "stricter": "no_order", "base_rate_loss": 1.0, "own_rate_loss": 1.01}
    return {**cell_files.region(skill=SKILL), **own}


def write_params(places: Places, **leaves: Any) -> None:
    """Change leaves of params.yaml; `__` stands for the dot."""
    record = read_yaml(places.params)
    for dotted, value in leaves.items():
        *sections, last = dotted.split("__")
        section = record
        for key in sections:
            section = section[key]
        section[last] = value
    places.params.write_text(yaml_text(record))


CELL = Cell("12k", 1)
