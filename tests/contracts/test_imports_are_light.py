"""Nouns import without torch, mlflow and pandas, so that `plan` and `status` answer at once."""

import json
import os
import subprocess
import sys

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


PROGRAM = """
import importlib, json, sys
loaded = {}
for noun in json.loads(sys.argv[1]):
    importlib.import_module(noun)
    loaded[noun] = sorted(sys.modules)
print(json.dumps(loaded))
"""


def test_no_noun_imports_a_heavy_library():
    """One process imports all of them, so that its modules are those of each and more."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", PROGRAM, json.dumps(NOUNS)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    heavy = {noun: sorted(HEAVY.intersection(modules)) for noun, modules in json.loads(done.stdout).items()}
    assert heavy == {noun: [] for noun in NOUNS}
