"""What `tsladder ingest` says is to be changed for a first study of the bars it stored."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.fx import fx_csv
from tests.studies import make_study, synthetic_bars

from tsladder.console.first_study import first_settings
from tsladder.data.build import write_features
from tsladder.data.split_files import build_splits
from tsladder.errors import BadInput
from tsladder.params import load_params
from tsladder.places import Places

DEFAULT: dict[str, Any] = {"splits__min_positives": 30, "windows__context_length": 80}
DATES = {"splits__validation_start": "2011-01-01", "splits__test_start": "2015-01-01"}


def fx(days: int, daily: float, first_day: str = "2003-01-01") -> pd.DataFrame:
    frame = pd.read_csv(io.StringIO(fx_csv(days, daily=daily, first_day=first_day)))
    return frame.assign(Date=pd.to_datetime(frame["Date"]))


def test_bars_that_the_question_fits_need_nothing(tmp_path: Path) -> None:
    assert first_settings(make_study(tmp_path), synthetic_bars()) == ()


def test_a_folder_without_params_yaml_gets_advice_on_the_volume_alone(tmp_path: Path) -> None:
    assert first_settings(Places(tmp_path, tmp_path), fx(900, 0.005)) == ("data.volume=false",)


@pytest.mark.parametrize(
    ("frame", "settings"),
    [
        (fx(4000, 0.005), ("data.volume=false",)),
        (fx(4000, 0.002), ("data.volume=false", "target.task=threshold_0.5pct")),
        (fx(4000, 0.0002), ("data.volume=false", "target.task=direction")),
        (
            fx(2500, 0.006, "2012-01-01"),
            ("data.volume=false", "splits.validation_start=null", "splits.test_start=null"),
        ),
        (fx(4000, 0.005).assign(Volume=3.0), ("data.volume=false",)),
    ],
    ids=["lively", "calm", "pegged", "recent", "still volume"],
)
def test_the_settings_are_those_under_which_the_stages_accept_the_bars(
    tmp_path: Path, frame: pd.DataFrame, settings: tuple[str, ...]
) -> None:
    """The oracle are the stages themselves: refused without the settings, content with them."""
    places = make_study(tmp_path, horizons=[1, 3], **DEFAULT, **DATES)
    frame.to_parquet(places.bars("tiny"), index=False)
    assert first_settings(places, frame) == settings

    def built(*assignments: str) -> None:
        params = load_params(places.params, assignments)
        write_features(places, params.data)
        build_splits(places, params)

    built(*settings)
    if set(settings) != {"data.volume=false"} or "Volume" not in frame:
        with pytest.raises(BadInput):
            built(*settings[:-1])


def test_a_task_that_is_no_threshold_stays(tmp_path: Path) -> None:
    places = make_study(tmp_path, target__task="regression", **DEFAULT)
    assert first_settings(places, fx(2000, 0.0002)) == ("data.volume=false",)
