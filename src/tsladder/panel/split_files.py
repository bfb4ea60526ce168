"""Stage `splits` of a panel study: split the sample days of every horizon into regions and write the files."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.artifacts.panel_features import PanelFeatures, read_panel_features
from tsladder.artifacts.panel_splits import DayCount, PanelSplits, write_panel_splits
from tsladder.data.splits import Split, Splits
from tsladder.errors import WorkFailed
from tsladder.panel.day_cuts import cut_days
from tsladder.panel.days import check_days, count_days
from tsladder.panel.file import read_panel
from tsladder.panel.samples import PanelInputs, build_inputs, build_labels
from tsladder.panel.targets import Labels
from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.vocabulary import Region


def build_panel_splits(places: Places, params: PanelParams) -> None:
    """Split the sample days of every horizon into regions, and write one file per horizon.

    Raises BadInput, before anything is written, where a region has too few days; WorkFailed where the features are
    those of another question.
    """
    made = build_inputs(read_panel(places.bars(params.data.panel)), params)
    features = read_panel_features(places.features_manifest)
    check_same_inputs(made, features)
    labels = build_labels(made.panel, params)
    found = {horizon: panel_splits(made, labels, params, horizon, features.fingerprint) for horizon in params.horizons}
    for horizon, splits in found.items():
        write_panel_splits(places.horizon_splits(horizon), splits)


def check_same_inputs(made: PanelInputs, features: PanelFeatures) -> None:
    """Raise WorkFailed where the members or columns `made` now are not those that the stage `features` recorded."""
    if made.fingerprint() != features.fingerprint:
        raise WorkFailed(
            f"the members and columns of {made.panel.name} are not those of artifacts/features/manifest.json: "
            "run `dvc repro`, which makes it again"
        )


def panel_splits(made: PanelInputs, labels: Labels, params: PanelParams, horizon: int, inputs: str) -> PanelSplits:
    """Split the sample days of one horizon into regions. `inputs`: fingerprint of the members and columns.

    Raises BadInput where a region of a fold has too few days.
    """
    context_length, place = params.windows.context_length, params.horizons.index(horizon)
    splits = cut_days(made.axis, params.splits, context_length, params.span(horizon))

    def count(region: Split) -> DayCount:
        return count_days(made.axis, region, context_length, labels, place, made.panel.symbols_S)

    folds = tuple({region: count(split) for region, split in fold.regions.items()} for fold in splits.folds)
    counts = _counts(splits, folds[-1], count(splits.test))
    for fold in folds[:-1]:
        check_days(fold, params.splits.min_days, params.universe.min_stocks)
    check_days(counts, params.splits.min_days, params.universe.min_stocks)
    return PanelSplits(
        kind=params.splits.kind,
        horizon=horizon,
        entry_lag=params.target.entry_lag,
        context_length=context_length,
        inputs=inputs,
        days=splits.days(),
        counts=counts,
        folds=folds if splits.earlier else (),
    )


def _counts(splits: Splits, last_fold: Mapping[Region, DayCount], test: DayCount) -> dict[Region, DayCount]:
    return {region: last_fold[region] for region in splits.folds[-1].regions} | {Region.TEST: test}
