"""Stage splits of a panel study: sample days -> train, validation and test of every horizon, or a refusal."""

import sys

from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.stage import run_panel_stage


def build(places: Places, params: PanelParams) -> None:
    from tsladder.panel.split_files import build_panel_splits

    build_panel_splits(places, params)


if __name__ == "__main__":
    sys.exit(run_panel_stage(build))
