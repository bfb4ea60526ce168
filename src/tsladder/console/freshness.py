"""Is what a stage left still what it would leave now? Read from dvc.lock and files, without importing DVC.

The rule is DVC's own: a stage is fresh when every dependency and parameter has the value that dvc.lock
recorded, and its outputs are there. Plan files are compared as they would be written from params.yaml and the
code at hand, so the answer is right even before the plan stage has run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tsladder.errors import WorkFailed


@dataclass(frozen=True, slots=True)
class Lock:
    """The stages of dvc.lock, and MD5s that take the place of what lies on disk (path -> hex)."""

    root: Path
    stages: Mapping[str, Any]
    instead: Mapping[str, str]
    params: Mapping[str, Any]

    def is_fresh(self, stage: str) -> bool:
        """True when `stage` would not run again."""
        record = self.stages.get(stage)
        if record is None:
            return False
        deps = all(self._md5(dep["path"]) == dep["md5"] for dep in record.get("deps", []) if _is_file_dep(dep))
        outs = all((self.root / out["path"]).exists() for out in record.get("outs", []))
        values = record.get("params", {}).get("params.yaml", {})
        return deps and outs and all(_leaf(self.params, path) == value for path, value in values.items())

    def _md5(self, path: str) -> str | None:
        if path in self.instead:
            return self.instead[path]
        file = self.root / path
        return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() if file.is_file() else None


def read_lock(root: Path, params: Mapping[str, Any], instead: Mapping[str, str]) -> Lock:
    """dvc.lock of `root`; without one no stage is fresh. Raises WorkFailed when it is damaged."""
    path = root / "dvc.lock"
    if not path.exists():
        return Lock(root, {}, instead, params)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        record = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise WorkFailed(f"{path} is damaged ({' '.join(str(error).split())}): restore it from git") from None
    stages = record.get("stages") if isinstance(record, dict) else None
    return Lock(root, stages or {}, instead, params)


def text_md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _is_file_dep(dep: Mapping[str, Any]) -> bool:
    return not str(dep.get("md5", "")).endswith(".dir")


def _leaf(params: Mapping[str, Any], dotted: str) -> Any:
    value: Any = params
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value
