"""`tsladder compare EXP EXP...`: the results of whole experiments, each read as it was, side by side."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.console.lock_file import read_lock
from tsladder.errors import BadInput
from tsladder.experiments.comparison import SideBySide, side_by_side
from tsladder.experiments.repository import WORKSPACE, Repository
from tsladder.experiments.results import FILES, Experiment, leaves, read_experiment
from tsladder.places import Places
from tsladder.steps import OnStep, untold
from tsladder.typed_yaml import read_yaml


def compare_experiments_here(
    places: Places, names: Sequence[str], region: str | None = None, on_step: OnStep = untold
) -> SideBySide:
    """`names`: experiments of DVC, git revisions, or `workspace`; the others are compared with the first of them.

    `region`: None for the one that the law of the first describes. The workspace is only read. Raises BadInput for a
    name that is none, for one without results and where nothing may be compared.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise BadInput(f"an experiment is compared with others: {', '.join(repeated)} stands twice")
    repository = Repository(places.root)
    repository.require(names)
    read: list[Experiment] = []
    with tempfile.TemporaryDirectory(prefix="tsladder-") as folder:
        for number, name in enumerate(names, start=1):
            on_step(f"reading {name}", number, len(names) + 1)
            into = Path(folder) / str(number)
            if name == WORKSPACE:
                _copy_workspace(places, into)
            else:
                repository.fetch(name, FILES, into)
            _refuse_outdated(name, into)
            read.append(read_experiment(Places(into, into), name, region or (read[0].region if read else None)))
    on_step("comparing by day", len(names) + 1, len(names) + 1)
    return side_by_side(read)


def _copy_workspace(places: Places, into: Path) -> None:
    """As for any revision, so that a run beside it cannot change a file between two looks."""
    missing = [path for path in FILES if not (places.root / path).exists()]
    if missing:
        raise BadInput(f"{WORKSPACE} has no {' and no '.join(missing)}: build it with `tsladder run`")
    for path in FILES:
        source, target = places.root / path, into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)


def _refuse_outdated(name: str, folder: Path) -> None:
    """Its parameters must be those that its results were made with: dvc.lock has both."""
    raw = read_yaml(folder / "params.yaml")
    stages = read_lock(folder / "dvc.lock")
    if "fit" not in stages or "plan" not in stages:
        raise BadInput(f"{name} has no finished run in its dvc.lock: end it with `tsladder run`")
    asked = dict(leaves(raw))
    made: dict[str, Any] = {}
    for stage in ("plan", "fit"):
        for section, value in _locked(stages[stage]).items():
            made |= dict(leaves(value, section))
    sections = tuple(made)
    outdated = [
        f"{path}: {_word(asked, path)} in params.yaml, {_word(made, path)} when its results were made"
        for path in dict.fromkeys([*sections, *(path for path in asked if _inside(path, stages))])
        if path not in asked or path not in made or asked[path] != made[path]
    ]
    if outdated:
        raise BadInput(
            f"{name} asks for something else than its results answer; build it with `tsladder run`:", outdated
        )


def _locked(stage: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = stage.get("params", {}).get("params.yaml", {})
    return found


def _inside(path: str, stages: Mapping[str, Any]) -> bool:
    """Does a leaf of params.yaml lie in what the stages plan and fit were given?"""
    given = [section for stage in ("plan", "fit") for section in _locked(stages[stage])]
    return any(path == section or path.startswith(f"{section}.") for section in given)


def _word(values: Mapping[str, Any], path: str) -> str:
    return str(values[path]) if path in values else "nothing"
