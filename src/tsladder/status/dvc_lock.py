"""Read dvc.lock: the inputs and outputs with which every stage was last built. DVC writes it, git keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tsladder.errors import WorkFailed
from tsladder.typed_yaml import plain_loader


def read_lock(path: Path) -> Mapping[str, Any]:
    """Return stage -> its record (cmd, deps, params, outs) in the dvc.lock `path`; {} where the file is missing.

    Raises WorkFailed when it is damaged.
    """
    stages = read_yaml_mapping(path).get("stages") if path.exists() else None
    return stages if isinstance(stages, dict) else {}


def read_yaml_mapping(path: Path) -> Mapping[str, Any]:
    """Return the mapping in a file that DVC writes: dvc.lock, or an entry of the run cache. Raises WorkFailed when
    damaged."""
    try:
        record = yaml.load(path.read_text(encoding="utf-8"), Loader=plain_loader())  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WorkFailed(f"{path} is damaged ({' '.join(str(error).split())}): restore it from git") from None
    return record if isinstance(record, dict) else {}
