"""dvc.lock, and the pieces of it that DVC keeps elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tsladder.errors import WorkFailed
from tsladder.typed_yaml import read_floats_of_yaml_1_2


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A SafeLoader that reads floats as params.yaml does."""


read_floats_of_yaml_1_2(_Loader)


def read_lock(path: Path) -> Mapping[str, Any]:
    """The stages of the dvc.lock `path`, {} where there is none. Raises WorkFailed when it is damaged."""
    if not path.exists():
        return {}
    stages = read_locked(path).get("stages")
    return stages if isinstance(stages, dict) else {}


def read_locked(path: Path) -> Mapping[str, Any]:
    """The mapping in `path`. Raises WorkFailed when it is damaged."""
    try:
        record = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WorkFailed(f"{path} is damaged ({' '.join(str(error).split())}): restore it from git") from None
    return record if isinstance(record, dict) else {}
