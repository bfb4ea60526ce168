"""Identity of a training: what decides its numbers, and nothing of the search that asked for it. Imports nothing heavy.

How many trials a search wants, when it stops, what it gives up and what it may draw belong to the search; micro-batch,
workers and device to the machine. So a training is the same one wherever it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tsladder.artifacts.store import digest
from tsladder.planning.fingerprint import Code, module_fingerprints
from tsladder.planning.plans import Plan
from tsladder.planning.same_numbers import same_numbers
from tsladder.planning.stage_code import TRAINING, family_module, task_module


def training_code(plan: Plan) -> dict[str, str]:
    """Module -> hash of the code in use between the files of features and splits and a trained model; of the earlier
    code, where that made the same numbers. `plan` is any plan file of a cell; it names family and task."""
    chosen = family_module(plan["model"]["family"]), task_module(plan["target"]["task"])
    found = module_fingerprints((*TRAINING, *chosen), Code.in_use().source, "train")
    return same_numbers().as_before("training", found)


def training_base(
    plan: Plan, features_fingerprint: str, splits_record: Mapping[str, Any], code: Mapping[str, str]
) -> str:
    """What all trainings of a cell have in common; `plan` is any plan file of the cell, `code` of `training_code`.

    Features and splits enter by their values, the rest of the question by what the windows and the recipe need of it.
    """
    asked = {name: plan[name] for name in ("horizon", "target", "windows", "model", "training")}
    return digest(asked, features_fingerprint, splits_record, code)


def training_identity(base: str, configuration: Mapping[str, float | int], seed: int) -> str:
    """One training of a cell: its configuration by the names of a trial's params, and its seed."""
    return digest(base, configuration, seed)
