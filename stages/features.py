"""Stage features: bars -> indicators of the tier."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.data.build import write_features

    write_features(places, params.data)


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
