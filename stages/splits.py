"""Stage splits: days -> train, validation and test of every horizon, or a refusal."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.data.split_files import build_splits

    build_splits(places, params)


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
