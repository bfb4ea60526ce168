"""Stage plan: params and code -> one small file per cell and stage."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.planning.cells import plan_cells, write_plans
    from tsladder.search.admission import forced_by_rung

    forced_by_rung(params)
    write_plans(places, plan_cells(params))


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
