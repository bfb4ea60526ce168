"""Stage features: bars -> indicators of the tier."""

import sys

from tsladder.params import Params
from tsladder.places import Places
from tsladder.stage import run_study_stage


def build(places: Places, params: Params) -> None:
    from tsladder.market.bars import read_bars
    from tsladder.market.indicators import build_features

    bars = read_bars(places.bars(params.data.symbol), params.data.symbol, adjust=params.data.adjust)
    build_features(bars, params.data).write(places.features)


if __name__ == "__main__":
    sys.exit(run_study_stage(build))
