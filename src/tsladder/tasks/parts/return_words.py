"""Names of the labels, losses and metrics of a task of returns, for log and report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsladder.tasks.parts.words import Metric, Words
from tsladder.vocabulary import HUBER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def labels(y_N: NDArray[np.floating]) -> str:
    """Describe labels: the number of windows, and the mean and standard deviation of their returns."""
    return f"{len(y_N):,} (mean return {y_N.mean():.5f}, sd {y_N.std():.5f})"


WORDS = Words(
    describe_target=lambda _price: "regression of the log return",
    labels=labels,
    loss="Huber loss",
    unit="units of the training labels' sd",
    metrics=(
        Metric(name=HUBER, title="Huber loss", digits=4),
        Metric(name="ic", title="IC (rank correlation)", digits=3),
        Metric(name="pearson", title="correlation", digits=3),
        Metric(name="r2", title="R² against the training mean", digits=4),
        Metric(name="sign_hit_rate", title="sign hit rate", digits=3),
        Metric(name="rmse", title="RMSE (log return)", digits=5),
    ),
    ranking=Metric(name="ic", title="IC", digits=3),
    constants=("training-mean loss", "own-mean loss"),
    positives=("up", "share up"),
    regions_differ="how far returns spread",
)
