"""Stage audit of a panel study: ten probes for leaks on the panel study's own data and code."""

import sys

from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.stage import run_panel_stage


def build(places: Places, params: PanelParams) -> None:
    from tsladder.audit.panel.build import audit_panel_study

    audit_panel_study(places, params)


if __name__ == "__main__":
    sys.exit(run_panel_stage(build))
