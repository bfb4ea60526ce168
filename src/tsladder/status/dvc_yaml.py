"""Resolve the stages of dvc.yaml as DVC does: a matrix becomes one stage per combination, `${...}` its value.

Only what this project's file uses is understood; anything else is refused, not guessed at.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.errors import WorkFailed
from tsladder.typed_yaml import read_yaml

PLAN = "plan"
"""Stage that takes a second and whose outputs are known without running it: they follow from params.yaml and the
present code. It is not counted among the stages that would run again."""

INPUTS = "inputs"
"""Stage that hashes the additional bars that a tier reads; its output is known without running it, by hashing them,
too."""

_UNDERSTOOD = {"cmd", "deps", "params", "outs", "metrics", "matrix"}
_VALUE = re.compile(r"\$\{([\w.]+)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Stage of dvc.yaml. Paths are relative to the root of the study, names of parameters are dotted."""

    name: str
    cmd: str
    deps: tuple[str, ...]
    params: tuple[str, ...]
    outs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages in topological order; `upstream` names, for each stage, all stages that it depends on."""

    stages: Mapping[str, Stage]
    upstream: Mapping[str, tuple[str, ...]]


def read_pipeline(path: Path, params: Mapping[str, Any]) -> Pipeline:
    """Read the pipeline in `path` with the values of `params`; without the file there are no stages. Raises
    WorkFailed."""
    if not path.exists():
        return Pipeline({}, {})
    record = read_yaml(path)
    sections = record.get("stages") if isinstance(record, dict) else None
    if not isinstance(sections, dict):
        raise WorkFailed(f"{path} has no stages: restore it from git")
    stages: dict[str, Stage] = {}
    for name, section in sections.items():
        unknown = set(section) - _UNDERSTOOD
        if unknown:
            raise WorkFailed(f"{path}, stage {name}: {', '.join(sorted(unknown))} is not understood by tsladder")
        for stage in _expanded(path, name, section, params):
            stages[stage.name] = stage
    return _in_order(path, stages)


def _expanded(path: Path, name: str, section: Mapping[str, Any], params: Mapping[str, Any]) -> list[Stage]:
    matrix = section.get("matrix")
    if matrix is None:
        return [_stage(path, name, section, params)]
    axes = {axis: _resolved(path, values, params) for axis, values in matrix.items()}
    return [
        _stage(
            path,
            "@".join((name, "-".join(map(str, values)))),
            section,
            {**params, "item": dict(zip(axes, values, strict=True))},
        )
        for values in itertools.product(*axes.values())
    ]


def _stage(path: Path, name: str, section: Mapping[str, Any], values: Mapping[str, Any]) -> Stage:
    def listed(key: str) -> tuple[str, ...]:
        # An entry with options is a mapping of one key.
        entries = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in section.get(key, ())]
        return tuple(str(_resolved(path, entry, values)) for entry in entries)

    return Stage(
        name=name,
        cmd=str(_resolved(path, section["cmd"], values)),
        deps=listed("deps"),
        params=listed("params"),
        outs=(*listed("outs"), *listed("metrics")),
    )


def _resolved(path: Path, value: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    whole = _VALUE.fullmatch(value)
    if whole is not None:
        return _at(path, whole[1], values)
    return _VALUE.sub(lambda match: str(_at(path, match[1], values)), value)


def _at(path: Path, dotted: str, values: Mapping[str, Any]) -> Any:
    value: Any = values
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or key not in value:
            raise WorkFailed(f"{path} asks for ${{{dotted}}}, which params.yaml does not have")
        value = value[key]
    return value


def _in_order(path: Path, stages: Mapping[str, Stage]) -> Pipeline:
    owners = {out: stage.name for stage in stages.values() for out in stage.outs}
    upstream = {name: _owners(stage, owners) for name, stage in stages.items()}
    ordered: dict[str, Stage] = {}
    waiting = dict(stages)
    while waiting:
        ready = [name for name in waiting if all(other in ordered for other in upstream[name])]
        if not ready:
            raise WorkFailed(f"{path}: stages {', '.join(waiting)} wait for one another")
        for name in ready:
            ordered[name] = waiting.pop(name)
    return Pipeline(ordered, upstream)


def _owners(stage: Stage, owners: Mapping[str, str]) -> tuple[str, ...]:
    """Return the stages with an output that a dependency of `stage` is, holds, or lies in."""
    found: dict[str, None] = {}
    for dep in stage.deps:
        parts = dep.split("/")
        above = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
        for out, owner in owners.items():
            if out in above or out.startswith(dep + "/"):
                found[owner] = None
    return tuple(found)


def overlaps(path: str, other: str) -> bool:
    """Check whether one of two paths is the other or lies inside it."""
    return path == other or path.startswith(other + "/") or other.startswith(path + "/")


def owners_of(pipeline: Pipeline, path: str, among: Sequence[str]) -> tuple[str, ...]:
    """Return those of the stages `among` that write `path`, or something in it."""
    return tuple(name for name in among if any(overlaps(path, out) for out in pipeline.stages[name].outs))
