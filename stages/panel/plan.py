"""Stage plan of a panel study: params and code -> one small file per cell and stage."""

import sys

from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.stage import run_panel_stage


def build(places: Places, params: PanelParams) -> None:
    from tsladder.artifacts.plans import write_plan
    from tsladder.planning.endings import write_panel_endings
    from tsladder.planning.panel_cells import panel_plan_files

    for path, plan in panel_plan_files(places, params).items():
        write_plan(path, plan)
    write_panel_endings(places, params.cells)


if __name__ == "__main__":
    sys.exit(run_panel_stage(build, shows_results=True))
