"""Stage features of a panel study: panel file -> members of each day and normalised columns."""

import sys

from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.stage import run_panel_stage


def build(places: Places, params: PanelParams) -> None:
    from tsladder.panel.build import build_panel_features

    build_panel_features(places, params)


if __name__ == "__main__":
    sys.exit(run_panel_stage(build))
