"""Identities computed from plan files: of a study, of a cell's search, of its retraining and its scores.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.plans import EvaluatePlan, NotPlanned, SearchPlan, TrainPlan
from tsladder.artifacts.record import json_of
from tsladder.artifacts.splits import HorizonSplits
from tsladder.artifacts.store import digest


def study_key(search_plans: Mapping[str, SearchPlan | NotPlanned]) -> str:
    """Identity of a study's question: the search plans of its planned cells."""
    return digest({name: json_of(plan) for name, plan in search_plans.items() if isinstance(plan, SearchPlan)})


def cell_key(plan: SearchPlan, features_fingerprint: str, splits: HorizonSplits) -> str:
    """Identity of one cell's search: its plan and the VALUES it is computed from."""
    return digest(json_of(plan), features_fingerprint, json_of(splits))


def train_key(plan: TrainPlan, choice: Choice, features_fingerprint: str, splits: HorizonSplits) -> str:
    """Identity of one trained winner, whatever the number of seeds: another seed never retrains the others."""
    without_count = {key: value for key, value in json_of(plan).items() if key != "seeds"}
    return digest(without_count, json_of(choice), features_fingerprint, json_of(splits))


def retraining_key(plan: TrainPlan, choice: Choice, features_fingerprint: str, splits: HorizonSplits) -> str:
    """Identity of one cell's retraining: the trained winner, and on how many seeds."""
    return digest(train_key(plan, choice, features_fingerprint, splits), plan.seeds)


def scoring_key(plan: EvaluatePlan, retraining: str) -> str:
    """Identity of one cell's scores: its plan of evaluation and the `retraining` that is scored."""
    return digest(json_of(plan), retraining)
