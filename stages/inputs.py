"""Stage inputs: the bars that the tier reads beside those of data.symbol, and the records of ingestion, by content."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.artifacts.inputs import write_inputs, write_manifests
    from tsladder.data.inputs import bars_beside
    from tsladder.data.manifest import manifest_digests

    write_inputs(places.inputs, bars_beside(places, params.data))
    write_manifests(places.manifests, manifest_digests(places, params.data))


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
