"""Stage plan: params and code -> one small file per cell and stage."""

import sys

from tsladder.messages import print_message
from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.artifacts.plans import write_plan
    from tsladder.planning.across_cells import plan_files
    from tsladder.planning.cells import plan_cells
    from tsladder.planning.endings import write_endings
    from tsladder.planning.study_time import study_note
    from tsladder.search.forced_trials import forced_by_cell
    from tsladder.search.strategies import load

    forced = {cell: found.forced for cell, found in forced_by_cell(places, params).items()}
    plans = plan_cells(params)
    offered = load(params.search.strategy).supplement is not None
    for path, plan in plan_files(places, params, plans, supplement_offered=offered).items():
        write_plan(path, plan)
    write_endings(places, params.cells)
    note = study_note(places, params, forced)
    if note is not None:
        print_message(note)


if __name__ == "__main__":
    sys.exit(run_study_stage(build, shows_results=True))
