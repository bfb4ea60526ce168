"""Read .dvc/tmp/rwlock: the stages that DVC runs now, whose outputs a living DVC process has locked for writing.

The file is JSON: under "write", path -> the process that writes it. A killed process leaves its entry behind, and
another process may have its number by now, so only a process that runs DVC counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsladder.places import Places
from tsladder.status.dvc_yaml import Pipeline, owners_of


def running_stages(places: Places, pipeline: Pipeline) -> tuple[str, ...]:
    """Return the running stages, in the order of the pipeline; empty where the file is missing or is being written."""
    root = places.root
    try:
        record = json.loads((places.project / ".dvc" / "tmp" / "rwlock").read_text(encoding="utf-8"))
        written: Mapping[str, Any] = record.get("write", {})
        paths = [Path(path) for path, holder in written.items() if _runs_dvc(int(holder["pid"]))]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()
    relative = [(path.relative_to(root) if path.is_relative_to(root) else path).as_posix() for path in paths]
    owners = {owner for path in relative for owner in owners_of(pipeline, path, tuple(pipeline.stages))}
    return tuple(name for name in pipeline.stages if name in owners)


def _runs_dvc(pid: int) -> bool:
    """Check whether process `pid` lives and runs DVC; on a system without /proc, whether it lives."""
    if Path("/proc/self").exists():
        command = Path(f"/proc/{pid}/cmdline")
        return command.exists() and b"dvc" in command.read_bytes()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
