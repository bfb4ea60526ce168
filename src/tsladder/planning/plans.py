"""Plan files as they are read back, and the identities computed from them. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.record import json_of
from tsladder.artifacts.splits import HorizonSplits
from tsladder.artifacts.store import digest, read_json
from tsladder.errors import WorkFailed

Plan = dict[str, Any]


def study_key(search_plans: Mapping[str, Plan]) -> str:
    """Identity of a study's question: the search plans of its planned cells."""
    return digest({name: plan for name, plan in search_plans.items() if plan["planned"]})


def cell_key(plan: Plan, features_fingerprint: str, splits: HorizonSplits) -> str:
    """Identity of one cell's search: its plan and the VALUES it is computed from."""
    return digest(plan, features_fingerprint, json_of(splits))


def train_key(plan: Plan, choice: Choice, features_fingerprint: str, splits: HorizonSplits) -> str:
    """Identity of one trained winner, whatever the number of seeds: another seed never retrains the others."""
    without_count = {key: value for key, value in plan.items() if key != "seeds"}
    return digest(without_count, json_of(choice), features_fingerprint, json_of(splits))


def retraining_key(plan: Plan, choice: Choice, features_fingerprint: str, splits: HorizonSplits) -> str:
    """Identity of one cell's retraining: the trained winner, and on how many seeds."""
    return digest(train_key(plan, choice, features_fingerprint, splits), plan["seeds"])


def scoring_key(plan: Plan, retraining: str) -> str:
    """Identity of one cell's scores: its plan of evaluation and the `retraining` that is scored."""
    return digest(plan, retraining)


def read_plan(path: Path) -> Plan:
    """A plan file. Raises WorkFailed when it is missing or no plan."""
    try:
        plan = read_json(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro plan` first") from None
    if "planned" not in plan:
        raise WorkFailed(f"{path} is no plan file: remove it and run `dvc repro plan`")
    return plan
