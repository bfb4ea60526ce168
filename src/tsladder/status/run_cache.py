"""What DVC has run before on the same inputs: it then takes the outputs from its cache instead of running the stage.

An entry lies in `runs/` of the cache under the SHA-256 of the stage's command, dependencies, parameters and the paths
of its outputs; it is a piece of dvc.lock. It counts only while the cache has all that it names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsladder.errors import WorkFailed
from tsladder.status.dvc_lock import read_locked
from tsladder.status.dvc_yaml import Stage
from tsladder.status.file_hashes import FOLDER


class RunCache:
    """DVC's cache in the folder `cache`, which may be missing."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def outputs(
        self, stage: Stage, deps: Mapping[str, str], params: Mapping[str, Any]
    ) -> Mapping[str, Mapping[str, str]] | None:
        """What `stage` leaves on dependencies of these MD5s (by path) and parameters: output -> file in it -> MD5, the
        file called "" where the output is one; None where that is not in the cache."""
        question: dict[str, Any] = {
            "cmd": stage.cmd,
            "deps": [{"path": path, "hash": "md5", "md5": deps[path]} for path in sorted(deps)],
            "outs": sorted(stage.outs),
        }
        if params:
            question["params"] = {"params.yaml": dict(params)}
        key = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        folder = self._cache / "runs" / key[:2] / key
        entries = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime) if folder.is_dir() else []
        if not entries:
            return None
        try:
            record = read_locked(entries[-1])
        except WorkFailed:
            # DVC throws such an entry away.
            return None
        found = {str(out["path"]): self._files(str(out["md5"])) for out in record.get("outs", [])}
        known = {path: files for path, files in found.items() if files is not None}
        return known if len(known) == len(found) else None

    def _files(self, md5: str) -> Mapping[str, str] | None:
        """Of an output, where the cache has all of them."""
        if not md5.endswith(FOLDER):
            return {"": md5} if self._object(md5).exists() else None
        try:
            listing = json.loads(self._object(md5).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        files = {str(file["relpath"]): str(file["md5"]) for file in listing}
        return files if all(self._object(found).exists() for found in files.values()) else None

    def _object(self, md5: str) -> Path:
        return self._cache / "files" / "md5" / md5[:2] / md5[2:]
