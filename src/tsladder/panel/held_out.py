"""Check that no window that a model is pretrained on shows a session of validation or test."""

from __future__ import annotations

import numpy as np

from tsladder.data.splits import Splits
from tsladder.errors import WorkFailed
from tsladder.panel.day_batches import DaySamples
from tsladder.vocabulary import Region


def check_windows(samples: DaySamples, splits: Splits) -> None:
    """Raise WorkFailed where a window of `samples` shows a session of a region that is held out, naming the first such
    window."""
    regions = np.full(len(samples.cube), "", dtype=object)
    for region in (Region.VALIDATION, Region.TEST):
        for segment in splits.region(region).segments:
            regions[segment.first : segment.last + 1] = region.value
    held_out_T = regions != ""
    before_T = np.concatenate([[0], np.cumsum(held_out_T)])
    ends_N = np.sort(samples.rows_N)
    shown_N = before_T[ends_N + 1] - before_T[ends_N + 1 - samples.context_length]
    if not shown_N.any():
        return
    last = int(ends_N[np.argmax(shown_N > 0)])
    window = np.arange(last + 1 - samples.context_length, last + 1)
    session = int(window[held_out_T[window]][0])
    dates_T = samples.cube.dates_T.astype("datetime64[D]")
    raise WorkFailed(
        f"nothing is pretrained: {int((shown_N > 0).sum())} of {len(samples)} windows show sessions that are held out. "
        f"The first, which ends on {dates_T[last]}, shows {dates_T[session]} of {regions[session]}"
    )
