"""Find the parameters of the panel study's params.yaml that must change for a first study of a panel that was just
ingested."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Iterator
from dataclasses import dataclass

from tsladder.errors import BadInput
from tsladder.panel.columns import TIERS, build_columns
from tsladder.panel.days import DayAxis, check_days, day_axis
from tsladder.panel.panel import Panel, until
from tsladder.panel.samples import PanelInputs, build_inputs, build_labels
from tsladder.panel.split_files import panel_splits
from tsladder.panel.targets import Labels
from tsladder.panel.universe import find_universe
from tsladder.params import PanelParams, PanelSplitParams, load_panel_params, names_panel
from tsladder.places import Places
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Region

_FOLDER = "panel"
_PLAIN_TIER = "s9"
_FEWEST_STOCKS = 2
# With fewer days in validation or test nothing is learned of a ranking.
_FEWEST_DAYS = 20
_MANY_STOCKS = 128
_DRAWN_STOCKS = 64
_LONGER = (1.0, 1.25, 1.5, 2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstPanelStudy:
    """Settings of a first study.

    `settings`: leaf=value of each parameter that must change for the stage splits to accept the panel, or for models to
    be trained in a fair time; data.panel is the first. `folder`: that of the study. `refusal`: why no settings help,
    None where these do.
    """

    settings: tuple[str, ...]
    folder: str
    refusal: str | None


def first_panel_study(places: Places, panel: Panel) -> FirstPanelStudy | None:
    """Return the settings of a first study of `panel`, None where no params.yaml of a panel study can be read.

    - data.tier, universe.min_price, universe.top: to what needs no column that the panel lacks.
    - the dates of splits, where a region between them would hold too few days: null, which cuts by fractions, or days
      of the panel that leave enough.
    - universe.min_stocks, where too few days have as many members: the largest number with which enough have.
    - splits.min_days, where the panel is too short for the number in params.yaml.
    - training.stocks_per_day, where all stocks of every training day would be many.
    """
    found = _params(places)
    if found is None:
        return None
    params, folder = found
    asked = params
    params = dataclasses.replace(params, data=dataclasses.replace(params.data, panel=panel.name))
    params = _with_the_columns_of(panel, params)
    if params.training.stocks_per_day is None and len(panel.symbols_S) > _MANY_STOCKS:
        training = dataclasses.replace(params.training, stocks_per_day=_DRAWN_STOCKS)
        params = dataclasses.replace(params, training=training)
    try:
        params = _accepted(panel, params)
        refusal = None
    except BadInput as error:
        refusal = " ".join([error.headline, *error.faults])
    return FirstPanelStudy(settings=_changed(asked, params), folder=folder, refusal=refusal)


def _params(places: Places) -> tuple[PanelParams, str] | None:
    """Read the question of the panel study of `places`, or of panel/ beside it; return it with its folder's name."""
    try:
        root = places.root
        if not (places.params.is_file() and names_panel(read_yaml(places.params))):
            root = places.project / _FOLDER
        return load_panel_params(root / "params.yaml"), root.name
    except BadInput:
        return None


def _changed(asked: PanelParams, params: PanelParams) -> tuple[str, ...]:
    leaves = [f"data.panel={params.data.panel}"]
    for section in ("data", "universe", "splits", "training"):
        before, after = getattr(asked, section), getattr(params, section)
        for field in dataclasses.fields(after):
            value = getattr(after, field.name)
            if value != getattr(before, field.name) and (section, field.name) != ("data", "panel"):
                leaves.append(f"{section}.{field.name}={'null' if value is None else value}")
    return tuple(leaves)


def _with_the_columns_of(panel: Panel, params: PanelParams) -> PanelParams:
    universe = params.universe
    if universe.min_price is not None and panel.close_raw_TS is None:
        universe = dataclasses.replace(universe, min_price=None)
    if universe.top is not None and panel.traded_value_TS is None:
        universe = dataclasses.replace(universe, top=None)
    params = dataclasses.replace(params, universe=universe)
    try:
        # Of one session: whether the panel has what the columns are made of does not depend on the days.
        first = until(panel, 0)
        build_columns(first, find_universe(first, universe), TIERS[params.data.tier], params.data.lags)
    except BadInput:
        return dataclasses.replace(params, data=dataclasses.replace(params.data, tier=_PLAIN_TIER, lags=None))
    return params


def _accepted(panel: Panel, params: PanelParams) -> PanelParams:
    """Return the first of the changes of `params` that the stage splits accepts. Raises BadInput if there is none."""
    few = dataclasses.replace(params, universe=dataclasses.replace(params.universe, min_stocks=_FEWEST_STOCKS))
    made, labels = build_inputs(panel, few), build_labels(panel, params)
    refused: BadInput | None = None
    for shorter in (False, True):
        for stocks in range(params.universe.min_stocks, _FEWEST_STOCKS - 1, -1):
            wanted = dataclasses.replace(params, universe=dataclasses.replace(params.universe, min_stocks=stocks))
            try:
                axis = day_axis(panel.dates_T, made.universe, made.inputs, stocks)
            except BadInput as error:
                refused = refused or error
                continue
            at = dataclasses.replace(made, axis=axis)
            for splits in _shorter(at, wanted) if shorter else _cuts(axis, wanted):
                tried = dataclasses.replace(wanted, splits=splits)
                try:
                    return _with_counted_days(at, labels, tried) if shorter else _checked(at, labels, tried)
                except BadInput as error:
                    refused = refused or error
    assert refused is not None  # noqa: S101
    raise refused


def _checked(made: PanelInputs, labels: Labels, params: PanelParams) -> PanelParams:
    """Return `params`. Raises BadInput where the stage splits does."""
    for horizon in params.horizons:
        panel_splits(made, labels, params, horizon, inputs="")
    return params


def _cuts(axis: DayAxis, params: PanelParams) -> Iterator[PanelSplitParams]:
    """Yield the splits as they are, by fractions, and by days that leave `min_days` to validation and test."""
    yield params.splits
    if params.splits.validation_start is not None:
        yield dataclasses.replace(params.splits, validation_start=None, test_start=None)
    days = len(axis.dates_T) - axis.first_row
    lost = params.windows.context_length - 1 + params.span(max(params.horizons))
    for longer in _LONGER:
        needed = math.ceil(longer * params.splits.min_days) + lost
        test = max(needed, math.ceil(params.splits.test_fraction * days))
        validation = max(needed, math.ceil(params.splits.validation_fraction * days))
        if days - test - validation >= needed:
            yield _at(axis, params.splits, validation, test)


def _shorter(made: PanelInputs, params: PanelParams) -> Iterator[PanelSplitParams]:
    """Yield a quarter of the days for validation and for test each."""
    quarter = (len(made.axis.dates_T) - made.axis.first_row) // 4
    if quarter:
        yield dataclasses.replace(_at(made.axis, params.splits, quarter, quarter), min_days=1)


def _at(axis: DayAxis, splits: PanelSplitParams, validation: int, test: int) -> PanelSplitParams:
    """Return `splits` with validation and test that are so many sessions long, up to the end."""

    def day(back: int) -> datetime.date:
        found: datetime.date = axis.dates_T[len(axis.dates_T) - back].astype("datetime64[D]").item()
        return found

    return dataclasses.replace(splits, validation_start=day(validation + test), test_start=day(test))


def _with_counted_days(made: PanelInputs, labels: Labels, params: PanelParams) -> PanelParams:
    """Return `params` with as many `min_days` as the shortest region has. Raises BadInput for fewer than any use."""
    fewest = params.splits.min_days
    for horizon in params.horizons:
        found = panel_splits(made, labels, params, horizon, inputs="")
        for counts in (*found.folds, found.counts):
            check_days(counts, _FEWEST_DAYS, params.universe.min_stocks)
        judged = min(
            count.judged
            for counts in (*found.folds, found.counts)
            for region, count in counts.items()
            if region is not Region.TRAIN
        )
        fewest = judged if horizon == params.horizons[0] else min(fewest, judged)
    return dataclasses.replace(params, splits=dataclasses.replace(params.splits, min_days=fewest))
