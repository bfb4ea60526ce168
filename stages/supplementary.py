"""Stage supplementary: the second phase of a strategy that has one, on the budgets it chooses."""

import sys

from tsladder.artifacts.plans import SupplementaryPlan, read_plan
from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    if isinstance(read_plan(SupplementaryPlan, places.supplementary_plan), SupplementaryPlan):
        from tsladder.execution.supervisor import start_fork_server

        start_fork_server()
    from tsladder.cells.supplementary import search_supplementary

    search_supplementary(places, params)


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
