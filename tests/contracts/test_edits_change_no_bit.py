"""What a fingerprint leaves out changes no bit: a cell is searched and trained before and after all such edits."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests import warm_python
from tests.contracts.test_fingerprints import HARMLESS_EDITS, ROOT
from tests.panel_studies import MODELS, make_panel_study
from tests.studies import make_study

from tsladder.places import Places

pytestmark = pytest.mark.slow

CELL = "12k-h1"


SERIES = ("inputs", "features", "splits", "plan", "hpo", "train")
PANEL = ("panel/features", "panel/splits", "panel/plan", "panel/hpo", "panel/train")


def build(places: Places, code: Path, stages: Sequence[str]) -> None:
    """Run `stages` of `code` on the study in `places`, up to the trained seeds of its cell."""
    environment = {name: value for name, value in os.environ.items() if name != "DVC_ROOT"}
    environment["PYTHONPATH"] = str(code / "src")
    for stage in stages:
        cell = ["--cell", CELL] if stage.endswith(("hpo", "train")) else []
        done = warm_python.run([str(code / "stages" / f"{stage}.py"), *cell], places.root, environment)
        assert done.returncode == 0, f"{stage}:\n{done.stderr}"


def outputs(places: Places) -> dict[str, bytes]:
    folders = ("plans", "hpo", "models")
    names = {f"{CELL}.json", "choice.json", "model.safetensors", "training.json"}
    files = [path for folder in folders for path in (places.root / "artifacts" / folder).rglob("*")]
    return {path.relative_to(places.root).as_posix(): path.read_bytes() for path in files if path.name in names}


def test_a_cell_trained_after_edits_that_leave_it_fresh_repeats_every_bit(tmp_path: Path) -> None:
    code = tmp_path / "code"
    shutil.copytree(ROOT / "src", code / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copytree(ROOT / "stages", code / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    leaves = {"search__trials": 3, "train__seeds": 2}
    before, after = (make_study(tmp_path / name, **leaves) for name in ("before", "after"))
    panel_before, panel_after = (
        make_panel_study(tmp_path / f"panel-{name}", **(MODELS | leaves)) for name in ("before", "after")
    )
    build(before, code, SERIES)
    build(panel_before, code, PANEL)
    for module, old, new in HARMLESS_EDITS:
        path = code / "src" / "tsladder" / module
        text = path.read_text()
        assert old in text, module
        path.write_text(text.replace(old, new, 1))
    build(after, code, SERIES)
    build(panel_after, code, PANEL)
    for one, other in ((before, after), (panel_before, panel_after)):
        made = outputs(one)
        assert sum(name.endswith("model.safetensors") for name in made) == 2
        assert sum(name.startswith("artifacts/plans/") and "pretrain" not in name for name in made) == 3
        assert outputs(other) == made
