"""Stage inputs: the bars that the tier reads beside those of data.symbol, and the records of ingestion, by content."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.artifacts.store import write_json
    from tsladder.data.inputs import read_inputs
    from tsladder.data.manifest import manifest_digests

    write_json(places.inputs, read_inputs(places, params.data))
    write_json(places.manifests, manifest_digests(places, params.data))


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
