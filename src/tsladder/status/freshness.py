"""Is what a stage left still what it would leave now? Read from dvc.yaml, dvc.lock and files, without importing DVC.

The rule is DVC's own: a stage runs again when its command, a dependency, a parameter or an output is not what dvc.lock
recorded, unless DVC has run it before on just these inputs. A stage behind one that runs again may run: it does where
that one leaves something else. Plan files are compared as they would be written from params.yaml and the code at hand,
so the answer is right even before the plan stage has run again. A stage that ended without a result runs again though
nothing that its results depend on has changed: they still belong to the question now asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tsladder.planning.endings import WITHOUT_RESULT
from tsladder.status.dvc_yaml import INPUTS, PLAN, Pipeline, Stage, owners_of
from tsladder.status.file_hashes import Contents, text_md5
from tsladder.status.run_cache import RunCache


class Standing(StrEnum):
    """Will a stage run again? BEHIND: only if one before it leaves something else than it did. RESTORED: no, DVC has
    run it before on just these inputs and takes its outputs from the cache."""

    FRESH = "fresh"
    RESTORED = "restored"
    BEHIND = "behind"
    STALE = "stale"


class Kind(StrEnum):
    """What a change is one of. UNFINISHED: none, but the stage ended without a result."""

    NEVER_BUILT = "never_built"
    COMMAND = "command"
    PARAMETER = "parameter"
    FILE = "file"
    OUTPUT = "output"
    UNFINISHED = "unfinished"


ENDINGS = "artifacts/endings"
_WITHOUT_RESULT = text_md5(WITHOUT_RESULT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Something that `stage` depends on and that is not what it was built with. None: it was not there, or is not."""

    stage: str
    kind: Kind
    name: str
    old: Any
    new: Any


class Freshness:
    """Every stage of `pipeline` held against `lock`, the stages of dvc.lock; `params` is params.yaml as it stands."""

    def __init__(
        self, pipeline: Pipeline, lock: Mapping[str, Any], contents: Contents, params: Mapping[str, Any], cache: Path
    ) -> None:
        """`cache`: the folder of DVC's."""
        self.pipeline = pipeline
        self.lock = lock
        self._contents = contents
        self._params = params
        self._runs = RunCache(cache)
        self._changes: dict[str, tuple[Change, ...]] = {}
        self._standings: dict[str, Standing] = {}
        self._belonging: set[str] = set()
        for name in pipeline.stages:
            self._standings[name] = self._standing(name)

    def standing(self, stage: str) -> Standing:
        """A stage that dvc.yaml does not have was never built."""
        return self._standings.get(stage, Standing.STALE)

    def is_fresh(self, stage: str) -> bool:
        """True when `stage` will certainly not run again."""
        return self.standing(stage) is Standing.FRESH

    def belongs(self, stage: str) -> bool:
        """True when what `stage` left belongs to the question now asked: it is fresh, or it runs again, or may, only
        because some stage ended without a result."""
        return self.is_fresh(stage) or stage in self._belonging

    @property
    def endings_recorded(self) -> bool:
        """True where dvc.lock has other ending files for those of the plan stage than it leaves, as `dvc commit` and
        `dvc exp save` write them down: DVC then holds a stage that ended without a result for done."""
        recorded = {out["path"]: out for out in self.lock.get(PLAN, {}).get("outs", [])}.get(ENDINGS)
        return recorded is not None and self._contents.change(ENDINGS, recorded) is not None

    def changes(self, stage: str) -> tuple[Change, ...]:
        """What makes `stage` stale by itself: not what only a stage before it may change."""
        return self._changes.get(stage, ())

    def would_run(self) -> Mapping[str, Standing]:
        """Stages that run again, or may, in the order in which they would."""
        return {name: found for name, found in self._standings.items() if found is not Standing.FRESH}

    def _standing(self, name: str) -> Standing:
        if name in (PLAN, INPUTS):
            return Standing.FRESH
        running = (Standing.BEHIND, Standing.STALE)
        before = [other for other in self.pipeline.upstream[name] if self.standing(other) in running]
        self._changes[name] = tuple(self._found(self.pipeline.stages[name], before))
        changes = self._changes[name]
        if changes and not before and self._restore(name):
            return Standing.RESTORED
        if all(change.kind is Kind.UNFINISHED for change in changes) and all(map(self.belongs, before)):
            self._belonging.add(name)
        if changes:
            return Standing.STALE
        return Standing.BEHIND if before else Standing.FRESH

    def _restore(self, name: str) -> bool:
        """Are its outputs in DVC's cache for what it would now run on? Then those count as there."""
        stage = self.pipeline.stages[name]
        deps = {path: self._contents.md5(path) for path in stage.deps}
        params = {path: leaf(self._params, path) for path in stage.params}
        known = {path: md5 for path, md5 in deps.items() if md5 is not None}
        restored = self._runs.outputs(stage, known, params) if len(known) == len(deps) else None
        if restored is None:
            return False
        for path, files in restored.items():
            self._contents.restore(path, files)
        return True

    def _found(self, stage: Stage, before: list[str]) -> list[Change]:
        """`before`: stages that run before this one; what they leave is then new."""
        record = self.lock.get(stage.name)
        if not isinstance(record, Mapping):
            return [Change(stage=stage.name, kind=Kind.NEVER_BUILT, name=stage.name, old=None, new=None)]
        found: list[tuple[Kind, str, Any, Any]] = []
        if record.get("cmd") != stage.cmd:
            found.append((Kind.COMMAND, "command", record.get("cmd"), stage.cmd))
        values = record.get("params", {}).get("params.yaml", {})
        for name in stage.params:
            old, new = values.get(name), leaf(self._params, name)
            found += [(Kind.PARAMETER, path, was, now) for path, was, now in differences(name, old, new)]
        deps = {dep["path"]: dep for dep in record.get("deps", [])}
        for path in stage.deps:
            if path not in deps or not owners_of(self.pipeline, path, before):
                changed = self._contents.change(path, deps.get(path, {}))
                if changed is not None:
                    kind = Kind.UNFINISHED if changed[0] == _WITHOUT_RESULT else Kind.FILE
                    found.append((kind, path, *changed))
        outs = {out["path"]: out for out in record.get("outs", [])}
        for path in stage.outs:
            changed = self._contents.change(path, outs.get(path, {}))
            found += [] if changed is None else [(Kind.OUTPUT, path, *changed)]
        return [Change(stage=stage.name, kind=kind, name=name, old=old, new=new) for kind, name, old, new in found]


def differences(name: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """(dotted path, old, new) of every leaf below `name` that differs; a section that is new or gone is one."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [*old, *(key for key in new if key not in old)]
        return [found for key in keys for found in differences(f"{name}.{key}", old.get(key), new.get(key))]
    return [] if old == new else [(name, old, new)]


def leaf(params: Mapping[str, Any], dotted: str) -> Any:
    """The value at a dotted path; None where there is none."""
    value: Any = params
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value
