"""Read and compare the results of whole experiments, for `tsladder compare EXP EXP...`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tsladder.errors import BadInput
from tsladder.experiments.comparison import SideBySide, side_by_side
from tsladder.experiments.repository import WORKSPACE, Repository
from tsladder.experiments.results import ASKED, RESULTS, Experiment, leaves, read_experiment
from tsladder.places import Places
from tsladder.status.dvc_lock import read_lock
from tsladder.steps import OnStep, no_progress
from tsladder.typed_yaml import read_yaml

_DECIDING = ("plan", "fit")
_PLANS = "artifacts/plans"


def compare_experiments_here(
    places: Places, names: Sequence[str], region: str | None = None, on_step: OnStep = no_progress
) -> SideBySide:
    """Compare experiments with the first of `names`, which are DVC experiments, git revisions, or `workspace`.

    `region`: None for the one that the law of the first describes. The workspace is only read. Raises BadInput for an
    unknown name, for an experiment without results and where nothing may be compared.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise BadInput(f"an experiment is compared with others: {', '.join(repeated)} is named twice")
    repository = Repository(places.root)
    repository.require(names)
    read: list[Experiment] = []
    with tempfile.TemporaryDirectory(prefix="tsladder-") as folder:
        for number, name in enumerate(names, start=1):
            on_step(f"reading {name}", number, len(names) + 1)
            into = Path(folder) / str(number)
            fetch = partial(_copy, places) if name == WORKSPACE else repository.at(name).fetch
            fetch(ASKED, into)
            _refuse_outdated(name, into)
            fetch(RESULTS, into)
            read.append(read_experiment(Places(into, into), name, region or (read[0].region if read else None)))
    on_step("comparing by day", len(names) + 1, len(names) + 1)
    return side_by_side(read)


def _copy(places: Places, paths: Sequence[str], into: Path) -> None:
    """Copy `paths` from the workspace, as from any revision, so that a concurrent run changes no file between two
    reads."""
    missing = [path for path in paths if not (places.root / path).exists()]
    if missing:
        raise BadInput(f"{WORKSPACE} has no {' and no '.join(missing)}: build it with `tsladder run`")
    for path in paths:
        source, target = places.root / path, into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)


def _refuse_outdated(name: str, folder: Path) -> None:
    """Raise BadInput unless the law belongs to the last plan and the parameters are those that both were made with,
    according to dvc.lock."""
    stages = read_lock(folder / "dvc.lock")
    if any(stage not in stages for stage in _DECIDING):
        raise BadInput(f"{name} has no finished run in its dvc.lock: end it with `tsladder run`")
    current = dict(leaves(read_yaml(folder / "params.yaml")))
    made: dict[str, Any] = {}
    sections: list[str] = []
    for stage in _DECIDING:
        for section, value in stages[stage].get("params", {}).get("params.yaml", {}).items():
            sections.append(section)
            made |= dict(leaves(value, section))
    within = [path for path in current if any(path == s or path.startswith(f"{s}.") for s in sections)]
    outdated = [
        f"{path}: {_word(current, path)} in params.yaml, {_word(made, path)} when its results were made"
        for path in dict.fromkeys([*made, *within])
        if path not in current or path not in made or current[path] != made[path]
    ]
    if outdated:
        raise BadInput(
            f"the parameters of {name} are not those of its results; build it with `tsladder run`:", outdated
        )
    if _md5(stages["plan"], "outs") != _md5(stages["fit"], "deps"):
        raise BadInput(f"the law of {name} is older than its plans: end its run with `tsladder run`")


def _md5(stage: Mapping[str, Any], entries: str) -> str | None:
    """Return the MD5 of the folder of plans, as a stage of dvc.lock records it."""
    return next((entry.get("md5") for entry in stage.get(entries, ()) if entry["path"] == _PLANS), None)


def _word(values: Mapping[str, Any], path: str) -> str:
    return str(values[path]) if path in values else "nothing"
