"""Stage report: everything above -> one page for people and one table for scripts."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.report.build import build_report
    from tsladder.tracking import MlflowTracker

    build_report(places, params, tracker=MlflowTracker(places.mlruns, params.study.name))


if __name__ == "__main__":
    sys.exit(run_study_stage(build, shows_results=True))
