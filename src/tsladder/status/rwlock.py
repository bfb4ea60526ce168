"""Which stages DVC runs now: those whose outputs a living DVC process has locked for writing.

DVC keeps `.dvc/tmp/rwlock`, JSON of paths and the process that reads or writes each. A killed process leaves its entry
behind, and another process may have its number by now: only one that runs DVC counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsladder.status.dvc_yaml import Pipeline, owners_of


def stages_at_work(root: Path, pipeline: Pipeline) -> tuple[str, ...]:
    """In the order of the pipeline; none where the file is missing or is just being written."""
    try:
        record = json.loads((root / ".dvc" / "tmp" / "rwlock").read_text(encoding="utf-8"))
        written: Mapping[str, Any] = record.get("write", {})
        paths = [path for path, holder in written.items() if _runs_dvc(int(holder["pid"]))]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()
    relative = [_relative(root, path) for path in paths]
    owners = {owner for path in relative for owner in owners_of(pipeline, path, tuple(pipeline.stages))}
    return tuple(name for name in pipeline.stages if name in owners)


def _relative(root: Path, path: str) -> str:
    found = Path(path)
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else found.as_posix()


def _runs_dvc(pid: int) -> bool:
    try:
        return b"dvc" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
