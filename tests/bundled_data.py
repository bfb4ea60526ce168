"""Files of data/ as the last commit tracks them, read from the repository's own DVC remote.

A checkout has no data/ before `dvc pull`, and a person's data/ may hold other files.
"""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path

import yaml

from tsladder.panel.file import read_panel
from tsladder.panel.panel import Panel

ROOT = Path(__file__).parents[1]


@cache
def bundled_data() -> Path:
    """A folder of links to the tracked files, which lasts as long as the process."""
    tracked = yaml.safe_load((ROOT / "data.dvc").read_text(encoding="utf-8"))["outs"][0]["md5"]
    folder = Path(_kept().name)
    for entry in json.loads(_stored(tracked).read_text(encoding="utf-8")):
        (folder / entry["relpath"]).symlink_to(_stored(entry["md5"]))
    return folder


@cache
def bundled_panel(name: str) -> Panel:
    return read_panel(bundled_data() / f"{name}.parquet")


@cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tsladder-bundled-")


def _stored(md5: str) -> Path:
    return ROOT / "data-store" / "files" / "md5" / md5[:2] / md5[2:]
