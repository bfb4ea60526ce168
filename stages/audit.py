"""Stage audit: seven probes for leaks on the study's own data and code."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, _params: Params) -> None:
    from tsladder.audit.build import audit_study

    audit_study(places)


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
