"""Stage baselines of a panel study: constants and baselines -> scores on validation and test of every horizon."""

import sys

from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.stage import run_panel_stage


def build(places: Places, params: PanelParams) -> None:
    from tsladder.panel.baseline_files import score_panel_baselines
    from tsladder.tracking import MlflowTracker

    score_panel_baselines(places, params, tracker=MlflowTracker(places.mlruns, params.study.name))


if __name__ == "__main__":
    sys.exit(run_panel_stage(build))
