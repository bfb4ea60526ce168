"""Prices in another unit change no prediction: from bars through features and windows to a trained model's logits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.building import batch_plan, geometry, job, recipe, spec
from tests.building import settings as training_settings

from tsladder.data.bars import Bars
from tsladder.data.cuts import make_splits
from tsladder.data.indicators import build_features
from tsladder.data.targets import labels
from tsladder.data.windows import WindowSet, build_windows
from tsladder.params import DataParams, SplitParams, TargetParams, WindowParams
from tsladder.training.feed import WindowFeed
from tsladder.training.trainer import fit, predict_logits
from tsladder.vocabulary import Region

PRICES = ("open_T", "high_T", "low_T", "close_T")
CONTEXT = 16
DAYS = 420

Predict = Callable[[float], torch.Tensor]


def windows_of(bars: Bars, tier: Any, normalisation: Any, by_date: SplitParams, target: TargetParams) -> WindowSet:
    table = build_features(bars, DataParams(symbol="walk", tier=tier, ohlcv=True))
    fractions = dataclasses.replace(by_date, validation_start=None, test_start=None)
    splits = make_splits(table.dates_T, fractions, CONTEXT, 1, seed=42)
    params = WindowParams(context_length=CONTEXT, normalisation=normalisation)
    return build_windows(table, splits, labels(table, target, 1), params)


@pytest.fixture(scope="module", params=[(t, n) for t in ("a25", "a200") for n in ("ratio", "revin")], ids="-".join)
def trained(request: Any, make_bars: Any, by_date: SplitParams, touch_1pct: TargetParams) -> Predict:
    """Of a model trained on the walk as it is: the logits of all its days with all prices times a factor."""
    tier, normalisation = request.param
    bars = make_bars(DAYS, 3)
    plain = windows_of(bars, tier, normalisation, by_date, touch_1pct)
    shape = geometry(CONTEXT, n_features=plain.train.series_TF.shape[1], revin=normalisation == "revin")
    asked = job(
        spec=spec(geometry=shape),
        recipe=recipe(effective_batch=32),
        settings=training_settings(epochs=2),
        plan=batch_plan(),
    )
    model = fit(asked, plain.train, plain.validation, lambda _record: True).model

    def predict(factor: float) -> torch.Tensor:
        dear = dataclasses.replace(bars, **{name: getattr(bars, name) * factor for name in PRICES})
        shown = windows_of(dear, tier, normalisation, by_date, touch_1pct)
        feeds = [WindowFeed(shown.region(region), torch.device("cpu")) for region in Region]
        return torch.cat([predict_logits(model, feed) for feed in feeds])

    return predict


@given(factor=st.floats(0.01, 1000.0))
@example(factor=6.5)
@settings(max_examples=4)
def test_prices_in_another_unit_change_no_prediction(trained: Predict, factor: float) -> None:
    plain_N = trained(1.0)
    assert float(plain_N.std()) > 1e-2
    torch.testing.assert_close(trained(factor), plain_N, rtol=0.0, atol=1e-4)
