"""Nouns import without torch, mlflow and pandas, so that `plan` and `status` answer at once."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = {"torch", "mlflow", "pandas", "sklearn", "matplotlib", "optuna", "scipy", "arch", "dvc", "pandera"}
NOUNS = (
    "tsladder.errors",
    "tsladder.params",
    "tsladder.vocabulary",
    "tsladder.planning.cells",
    "tsladder.planning.grid",
    "tsladder.families",
    "tsladder.families.informer",
    "tsladder.families.itransformer",
    "tsladder.families.patchtst",
    "tsladder.families.panel.atft_gat_fan",
    "tsladder.families.panel.panel_transformer",
    "tsladder.families.parts.panel_family",
    "tsladder.models.spec",
    "tsladder.tasks",
    "tsladder.tasks.direction",
    "tsladder.tasks.panel.rank",
    "tsladder.tasks.parts.ranking_loss_faults",
    "tsladder.tasks.regression",
    "tsladder.tasks.threshold",
    "tsladder.search.schedule",
    "tsladder.search.strategies",
    "tsladder.tracking",
    "tsladder.console.experiments",
    "tsladder.console.ingest",
)


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_imports_without_heavy_libraries(noun):
    program = f"import json, sys, {noun}; print(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert HEAVY.intersection(json.loads(done.stdout)) == set()
