"""Names of the labels, losses and metrics of a ranking of stocks, for log and report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsladder.tasks.parts.words import Metric, Words
from tsladder.vocabulary import RANK_ERROR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RANK_IC = Metric(name="rank_ic", title="RankIC", digits=4)


def labels(y_NS: NDArray[np.floating]) -> str:
    """Describe labels, NaN where a stock has none: the number of days, and of labels on them."""
    labelled_NS = y_NS == y_NS
    return f"{len(y_NS):,} days ({int(labelled_NS.sum()):,} labels)"


WORDS = Words(
    describe_target=lambda _price: "ranking of the stocks of a day by their return",
    labels=labels,
    loss="rank error",
    unit="1 - RankIC",
    metrics=(
        Metric(name=RANK_ERROR, title="rank error", digits=4),
        RANK_IC,
        Metric(name="ic", title="IC", digits=4),
        Metric(name="icir", title="ICIR", digits=3),
        Metric(name="hit_rate", title="hit rate", digits=3),
        Metric(name="quantile_spread", title="top less bottom fifth (bps a day)", digits=1),
        Metric(name="pinball", title="pinball loss", digits=4),
    ),
    ranking=RANK_IC,
    constants=("no-order loss", "static-order loss"),
    positives=("up", "share up"),
    regions_differ="how well their days can be ranked at all",
)
