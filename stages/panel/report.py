"""Stage report of a panel study: everything above -> one page and one table."""

import sys

from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.stage import run_panel_stage


def build(places: Places, params: PanelParams) -> None:
    from tsladder.report.panel.build import build_panel_report
    from tsladder.tracking import MlflowTracker

    build_panel_report(places, params, tracker=MlflowTracker(places.mlruns, params.study.name))


if __name__ == "__main__":
    sys.exit(run_panel_stage(build))
