"""Compare dvc.lock with the working tree: which stages `dvc repro` would run again. DVC itself is not imported.

The rule is that of DVC: a stage runs again when its command, a dependency, a parameter or an output differs from what
dvc.lock recorded, unless DVC has run it before on the same inputs. A stage downstream of one that runs again may run:
it does if the upstream stage leaves something else than before. Plan files are compared as the plan stage would write
them now from params.yaml and the code, so the answer is right before the plan stage has run. A stage that ended without
a result runs again although nothing that its results depend on has changed: they still belong to the current question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tsladder.planning.endings import WITHOUT_RESULT
from tsladder.status.dvc_yaml import INPUTS, PLAN, Pipeline, Stage, owners_of
from tsladder.status.file_hashes import WorkingTree, text_md5, texts_below
from tsladder.status.run_cache import cached_outputs


class StageState(StrEnum):
    """Freshness of a stage. FRESH: the stage does not run. STALE: it runs. BEHIND: it runs only if an upstream stage
    leaves something else than before. RESTORED: it does not run, since DVC has run it on the same inputs before and
    takes its outputs from its cache."""

    FRESH = "fresh"
    RESTORED = "restored"
    BEHIND = "behind"
    STALE = "stale"


class ChangeKind(StrEnum):
    """Kind of a change. UNFINISHED: nothing changed, but the stage ended without a result."""

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
    """Difference between what `stage` was built with (`old`) and the present state (`new`); None: does not exist."""

    stage: str
    kind: ChangeKind
    name: str
    old: Any
    new: Any


class Freshness:
    """Comparison of every stage of `pipeline` with `lock`, the stages of dvc.lock."""

    def __init__(
        self,
        pipeline: Pipeline,
        lock: Mapping[str, Any],
        tree: WorkingTree,
        params: Mapping[str, Any],
        texts: Mapping[str, str],
        cache: Path,
    ) -> None:
        """Compare all stages. `params`: params.yaml as plain data; `texts`: files by path, as the stages plan and
        inputs would write them now; `cache`: folder of DVC's cache."""
        self.pipeline = pipeline
        self.lock = lock
        self._tree = tree
        self._params = params
        self._cache = cache
        self._changes: dict[str, tuple[Change, ...]] = {}
        self._stage_states: dict[str, StageState] = {}
        self._current: set[str] = set()
        for name, stage in pipeline.stages.items():
            if name in (PLAN, INPUTS):
                for output in stage.outs:
                    tree.expect(output, {inside: text_md5(text) for inside, text in texts_below(output, texts)})
        for name in pipeline.stages:
            self._stage_states[name] = self._find_stage_state(name)

    def stage_state(self, stage: str) -> StageState:
        """Return the state of `stage`; STALE where dvc.yaml has no such stage."""
        return self._stage_states.get(stage, StageState.STALE)

    def is_fresh(self, stage: str) -> bool:
        """Check whether `stage` will certainly not run again."""
        return self.stage_state(stage) is StageState.FRESH

    def is_current(self, stage: str) -> bool:
        """Check whether the outputs of `stage` belong to the current question: it is fresh, or the only reason for a
        run is that a stage ended without a result."""
        return self.is_fresh(stage) or stage in self._current

    @property
    def endings_recorded(self) -> bool:
        """True where dvc.lock records ending files that the plan stage does not write, as after `dvc commit` or
        `dvc exp save`: DVC then takes a stage that ended without a result for finished."""
        recorded = {out["path"]: out for out in self.lock.get(PLAN, {}).get("outs", [])}.get(ENDINGS)
        return recorded is not None and self._tree.change(ENDINGS, recorded) is not None

    def changes(self, stage: str) -> tuple[Change, ...]:
        """Return the changes that make `stage` stale by themselves, without those that an upstream stage may cause."""
        return self._changes.get(stage, ())

    def would_run(self) -> Mapping[str, StageState]:
        """Return the stages that are not fresh, in the order in which they would run."""
        return {name: found for name, found in self._stage_states.items() if found is not StageState.FRESH}

    def _find_stage_state(self, name: str) -> StageState:
        if name in (PLAN, INPUTS):
            return StageState.FRESH
        running = (StageState.BEHIND, StageState.STALE)
        before = [other for other in self.pipeline.upstream[name] if self.stage_state(other) in running]
        self._changes[name] = tuple(self._compare(self.pipeline.stages[name], before))
        changes = self._changes[name]
        if changes and not before and self._restore(name):
            return StageState.RESTORED
        if all(change.kind is ChangeKind.UNFINISHED for change in changes) and all(map(self.is_current, before)):
            self._current.add(name)
        if changes:
            return StageState.STALE
        return StageState.BEHIND if before else StageState.FRESH

    def _restore(self, name: str) -> bool:
        """Check whether DVC's cache has the outputs of stage `name` for its current inputs; they then count
        as present."""
        stage = self.pipeline.stages[name]
        deps = {path: self._tree.md5(path) for path in stage.deps}
        params = {path: leaf(self._params, path) for path in stage.params}
        known = {path: md5 for path, md5 in deps.items() if md5 is not None}
        restored = cached_outputs(self._cache, stage, known, params) if len(known) == len(deps) else None
        if restored is None:
            return False
        for path, files in restored.items():
            self._tree.expect(path, files)
        return True

    def _compare(self, stage: Stage, before: list[str]) -> list[Change]:
        """Return the changes of `stage`; outputs of the stages `before`, which run again, are not compared."""
        record = self.lock.get(stage.name)
        if not isinstance(record, Mapping):
            return [Change(stage=stage.name, kind=ChangeKind.NEVER_BUILT, name=stage.name, old=None, new=None)]
        found: list[tuple[ChangeKind, str, Any, Any]] = []
        if record.get("cmd") != stage.cmd:
            found.append((ChangeKind.COMMAND, "command", record.get("cmd"), stage.cmd))
        values = record.get("params", {}).get("params.yaml", {})
        for name in stage.params:
            old, new = values.get(name), leaf(self._params, name)
            found += [(ChangeKind.PARAMETER, path, was, now) for path, was, now in differences(name, old, new)]
        deps = {dep["path"]: dep for dep in record.get("deps", [])}
        for path in stage.deps:
            if path not in deps or not owners_of(self.pipeline, path, before):
                changed = self._tree.change(path, deps.get(path, {}))
                if changed is not None:
                    kind = ChangeKind.UNFINISHED if changed[0] == _WITHOUT_RESULT else ChangeKind.FILE
                    found.append((kind, path, *changed))
        outs = {out["path"]: out for out in record.get("outs", [])}
        for path in stage.outs:
            changed = self._tree.change(path, outs.get(path, {}))
            found += [] if changed is None else [(ChangeKind.OUTPUT, path, *changed)]
        return [Change(stage=stage.name, kind=kind, name=name, old=old, new=new) for kind, name, old, new in found]


def differences(name: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    """Return (dotted path, old, new) of every leaf below `name` that differs; a section that is new or removed is one
    leaf."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [*old, *(key for key in new if key not in old)]
        return [found for key in keys for found in differences(f"{name}.{key}", old.get(key), new.get(key))]
    return [] if old == new else [(name, old, new)]


def leaf(params: Mapping[str, Any], dotted: str) -> Any:
    """Return the value at a dotted path; None where there is none."""
    value: Any = params
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value
