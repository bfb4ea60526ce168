"""Stage ingestion: what ingestion found and changed in the bars, and what of it can make the law wrong."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.data.ingestion_build import build_ingestion

    build_ingestion(places, params)


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
