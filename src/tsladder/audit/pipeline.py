"""Code under audit: each step of a study, from bars to forecasts, as a callable function.

The probes call these functions and no other code of the study, so a leak in any step shows in what they return.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.small_model import SmallModel, SmallModelResult, train_small
from tsladder.data.bars import Bars, bars_until
from tsladder.data.features import FeatureTable
from tsladder.data.indicators import build_features
from tsladder.data.splits import Splits
from tsladder.data.targets import labels
from tsladder.data.windows import WindowSet, build_windows
from tsladder.evaluation.region import BaselineInputs
from tsladder.params import DataParams, TargetParams, WindowParams
from tsladder.tasks import load as load_task
from tsladder.vocabulary import Region

Floats = NDArray[np.float64]
WindowBuilder = Callable[[FeatureTable, Splits, Floats], WindowSet]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """Steps of a study as functions.

    `features`: bars to table. `labels`: table and horizon to y_T. `windows`: the models' inputs; `ratio_windows`: the
    baselines' inputs, the same function where the study's normalisation is `ratio`. `train`: windows and epochs (None:
    as many as it takes to learn a plain rule) to a small model. `forecasts`: windows, ratio windows, their table and a
    region to each fitted baseline's p_N there. The scored region's own rate, which is hindsight by definition, and
    persistence, which repeats past labels of that region, are not among them.
    """

    features: Callable[[Bars], FeatureTable]
    labels: Callable[[FeatureTable, int], Floats]
    windows: WindowBuilder
    ratio_windows: WindowBuilder
    train: Callable[[WindowSet, int | None], SmallModelResult]
    forecasts: Callable[[WindowSet, WindowSet, FeatureTable, Region], Mapping[str, Floats]]

    @property
    def window_builders(self) -> tuple[WindowBuilder, ...]:
        """All functions with which this study makes windows."""
        return (self.windows,) if self.ratio_windows is self.windows else (self.windows, self.ratio_windows)

    def both_windows(self, table: FeatureTable, splits: Splits, y_T: Floats) -> tuple[WindowSet, WindowSet]:
        """Return the models' windows and the baselines' windows."""
        windows = self.windows(table, splits, y_T)
        if self.ratio_windows is self.windows:
            return windows, windows
        return windows, self.ratio_windows(table, splits, y_T)


def study_pipeline(
    data: DataParams, target: TargetParams, windows: WindowParams, model: SmallModel, vix: Bars | None = None
) -> Pipeline:
    """Return the study's own steps under its own parameters. `vix`: bars of the VIX, for a tier with columns made of
    it."""

    def features(bars: Bars) -> FeatureTable:
        # Where the bars are cut off on a day, VIX is cut off on the same day.
        return build_features(bars, data, None if vix is None else bars_until(vix, bars.dates_T[-1]))

    def cut(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        return build_windows(table, splits, y_T, windows)

    def cut_ratio(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        return build_windows(table, splits, y_T, dataclasses.replace(windows, normalisation="ratio"))

    def forecasts(cut_windows: WindowSet, ratio: WindowSet, table: FeatureTable, region: Region) -> dict[str, Floats]:
        train = cut_windows.train
        known = BaselineInputs(
            train=train,
            scored=cut_windows.region(region),
            close_T=table.close_T,
            first_rows=table.first_rows,
            ratio_train_NF=ratio.train.last_day(),
            ratio_scored_NF=ratio.region(region).last_day(),
        )
        return {made.name: made.p_N for made in load_task(target.task).scoring(train.y_N).fitted_baselines(known)}

    return Pipeline(
        features=features,
        labels=lambda table, horizon: labels(table, target, horizon),
        windows=cut,
        ratio_windows=cut if windows.normalisation == "ratio" else cut_ratio,
        train=lambda cut_windows, epochs: train_small(model, cut_windows, epochs),
        forecasts=forecasts,
    )
