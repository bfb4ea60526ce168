"""Read DVC's run cache: outputs that DVC takes from its cache, because it has run a stage before on the same inputs.

An entry lies in `runs/` of the cache under the SHA-256 of the stage's command, dependencies, parameters and paths of
outputs. It has the form of a stage in dvc.lock, and counts only while the cache has every file that it names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsladder.errors import WorkFailed
from tsladder.status.dvc_lock import read_yaml_mapping
from tsladder.status.dvc_yaml import Stage
from tsladder.status.file_hashes import FOLDER, Files


def cached_outputs(
    cache: Path, stage: Stage, deps: Mapping[str, str], params: Mapping[str, Any]
) -> Mapping[str, Files] | None:
    """Return output -> its files, as `stage` left them when it ran on dependencies of these MD5s (by path) and
    `params`; None where it never did, or where the folder `cache` lacks a part of them."""
    question: dict[str, Any] = {
        "cmd": stage.cmd,
        "deps": [{"path": path, "hash": "md5", "md5": deps[path]} for path in sorted(deps)],
        "outs": sorted(stage.outs),
    }
    if params:
        question["params"] = {"params.yaml": dict(params)}
    key = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    folder = cache / "runs" / key[:2] / key
    entries = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime) if folder.is_dir() else []
    if not entries:
        return None
    try:
        record = read_yaml_mapping(entries[-1])
    except WorkFailed:
        # DVC discards such an entry.
        return None
    outputs: dict[str, Files] = {}
    for out in record.get("outs", []):
        files = _files(cache, str(out["md5"]))
        if files is None or not all(cache_file(cache, md5).exists() for md5 in files.values()):
            return None
        outputs[str(out["path"])] = files
    return outputs


def _files(cache: Path, md5: str) -> Files | None:
    if not md5.endswith(FOLDER):
        return {"": md5}
    try:
        listing = json.loads(cache_file(cache, md5).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return {str(file["relpath"]): str(file["md5"]) for file in listing}


def cache_file(cache: Path, md5: str) -> Path:
    """Return the path in the folder `cache` of the file, or of the listing of the folder, with this MD5."""
    return cache / "files" / "md5" / md5[:2] / md5[2:]
