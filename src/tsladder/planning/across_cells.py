"""Plan files of the stages that look at several cells at once: the supplementary search and the transfer of winners.

Each holds what must make its stage stale: the plans of the cells it works on, as digests, and the code it runs.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.cells import CellPlans
from tsladder.planning.fingerprint import Code, module_fingerprints, stage_fingerprint
from tsladder.planning.plans import Plan
from tsladder.records import digest, write_json
from tsladder.vocabulary import parse_budget


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
        "region": params.law.region,
        "margin": rung_gain(params),
        "seed": params.study.seed,
        "evaluation": dataclasses.asdict(params.evaluation),
        "cells": {str(plan.cell): digest(plan.train) for plan in plans if plan.planned},
        "code": stage_fingerprint(here.stages / "transfer.py", here.source),
    }


def rung_gain(params: Params) -> float:
    """What one step of this ladder gains, as a share of the loss, under the smallest exponent of interest.

    The narrowest step counts; a ladder of one rung counts as doubling. A loss of this size from foreign settings hides
    a rung.
    """
    sizes = [parse_budget(rung) for rung in params.ladder if parse_budget(rung) <= parse_budget(params.budget)]
    step = min((large / small for small, large in itertools.pairwise(sizes)), default=2.0)
    return 1.0 - float(step**-params.law.alpha_of_interest)


def write_plans_across_cells(
    places: Places, params: Params, plans: Sequence[CellPlans], *, supplement_offered: bool
) -> None:
    """One file a stage."""
    write_json(places.supplementary_plan, plan_supplementary(params, plans, offered=supplement_offered))
    write_json(places.transfer_plan, plan_transfer(params, plans))
