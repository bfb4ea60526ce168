"""Identity of a training: what decides its numbers, and nothing of the search that asked for it. Light imports only.

The number of trials, the stopping rule, pruning and the search space belong to the search; micro-batch, workers and
device to the machine. So a training has the same identity wherever it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.artifacts.panel_splits import PanelSplits
from tsladder.artifacts.plans import CellPlan, PanelQuestion
from tsladder.artifacts.record import json_of
from tsladder.artifacts.splits import HorizonSplits
from tsladder.artifacts.store import digest
from tsladder.planning.fingerprint import Code, module_fingerprints
from tsladder.planning.same_numbers import same_numbers
from tsladder.planning.stage_code import PANEL_TRAINING, TRAINING, family_module, task_module


def training_code(plan: CellPlan) -> dict[str, str]:
    """Return the hash of every module in use between the files of features and splits and a trained model, by module;
    of the earlier code where that made the same numbers. `plan`: any plan file of a cell, which names family and
    task."""
    question = plan.question
    chosen = family_module(question.model.family), task_module(question.target.task)
    of_panel = isinstance(question, PanelQuestion)
    modules = (*(PANEL_TRAINING if of_panel else TRAINING), *chosen)
    found = module_fingerprints(modules, Code.in_use().source, "panel/train" if of_panel else "train")
    return found if of_panel else same_numbers().as_before("training", found)


def training_base(
    plan: CellPlan, features_fingerprint: str, splits: HorizonSplits | PanelSplits, code: Mapping[str, str]
) -> str:
    """Return the digest of what all trainings of a cell have in common. `plan`: any plan file of the cell; `code`: as
    `training_code` returns it.

    Features and splits enter by their values, the rest of the question by the parts that the windows and the recipe
    need.
    """
    question = json_of(plan.question)
    names = ("horizon", "target", "windows", "model", "training", "horizons", "graph")
    question_fields = {name: question[name] for name in names if name in question}
    return digest(question_fields, features_fingerprint, json_of(splits), code)


def training_identity(base: str, configuration: Mapping[str, float | int], seed: int) -> str:
    """Return the identity of one training of a cell: of its configuration, named as in a trial's params, and its
    seed."""
    return digest(base, configuration, seed)
