"""Plan files of the stages that look at several cells at once: the supplementary search and the transfer of winners.

Each holds what must make its stage stale: the plans of the cells it works on, as digests, and the code it runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.cells import CellPlans
from tsladder.planning.fingerprint import Code, module_fingerprints, stage_fingerprint
from tsladder.planning.plans import Plan
from tsladder.records import digest, write_json


def plan_supplementary(params: Params, plans: Sequence[CellPlans], *, offered: bool) -> Plan:
    """`offered`: has the strategy a second phase?"""
    wanted = params.search.supplementary
    if wanted is None:
        return {"planned": False, "reason": "search.supplementary is null"}
    if not offered:
        return {"planned": False, "reason": f"strategy {params.search.strategy} has one phase"}
    here = Code.in_use()
    strategy = here.source / "tsladder" / "search" / "strategies" / f"{params.search.strategy}.py"
    code = stage_fingerprint(here.stages / "supplementary.py", here.source) | module_fingerprints(strategy, here.source)
    return {
        "planned": True,
        "budgets": wanted.budgets if isinstance(wanted.budgets, str) else list(wanted.budgets),
        "trials": wanted.trials,
        "cells": {str(plan.cell): digest(plan.search) for plan in plans if plan.planned},
        "code": code,
    }


def plan_transfer(params: Params, plans: Sequence[CellPlans]) -> Plan:
    """What the winners of a rung are trained and judged by on each other's horizons."""
    if not params.search.transfer:
        return {"planned": False, "reason": "search.transfer is false"}
    here = Code.in_use()
    return {
        "planned": True,
        "seed": params.study.seed,
        "evaluation": dataclasses.asdict(params.evaluation),
        "cells": {str(plan.cell): digest(plan.train) for plan in plans if plan.planned},
        "code": stage_fingerprint(here.stages / "transfer.py", here.source),
    }


def write_plans_across_cells(
    places: Places, params: Params, plans: Sequence[CellPlans], *, supplement_offered: bool
) -> None:
    """One file a stage."""
    write_json(places.supplementary_plan, plan_supplementary(params, plans, offered=supplement_offered))
    write_json(places.transfer_plan, plan_transfer(params, plans))
