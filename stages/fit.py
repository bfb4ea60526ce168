"""Stage fit: scored cells -> the law and its verdict."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.law.build import fit_law

    fit_law(places, params)


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
