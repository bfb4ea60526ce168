"""Stage fit of a panel study: scored cells -> the law and its verdict."""

import sys

from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.stage import run_panel_stage


def build(places: Places, params: PanelParams) -> None:
    from tsladder.law.build import fit_law

    fit_law(places, params)


if __name__ == "__main__":
    sys.exit(run_panel_stage(build))
