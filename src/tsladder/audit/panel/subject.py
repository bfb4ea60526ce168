"""Subject of the audit of a panel study: its panel and stored splits, and the code that made and uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.panel.learner import FitDays, Fitted, Floats, Learner, Mask, RankingData
from tsladder.audit.panel.pipeline import PanelPipeline, panel_pipeline
from tsladder.data.splits import Split, Splits
from tsladder.errors import WorkFailed
from tsladder.panel.panel import Panel
from tsladder.panel.samples import PanelInputs
from tsladder.panel.targets import Labels
from tsladder.params import PanelParams
from tsladder.seeds import derive_seed


@dataclass(frozen=True, kw_only=True, eq=False)
class PanelSubject:
    """One panel study under audit. Its steps are run once for all probes.

    `splits`: horizon -> its stored regions, in the order of the horizons of the labels. `entry_lag` and `embargo_days`
    in sessions; the latter 0 where the regions have none. `in_time_order`: training lies before validation and
    validation before test, in contrast to ``purged_kfold``.
    """

    panel: Panel
    splits: Mapping[int, Splits]
    entry_lag: int
    embargo_days: int
    in_time_order: bool
    context_length: int
    seed: int
    pipeline: PanelPipeline

    @property
    def horizons(self) -> tuple[int, ...]:
        return tuple(self.splits)

    @property
    def first_horizon(self) -> int:
        """Horizon of the probes that fit: the code under audit is the same for every horizon."""
        return self.horizons[0]

    def span(self, horizon: int) -> int:
        """Return the sessions after a sample's own that its label is made of."""
        return self.entry_lag + horizon

    @cached_property
    def inputs(self) -> PanelInputs:
        return self.pipeline.inputs(self.panel)

    @cached_property
    def labels(self) -> Labels:
        return self.pipeline.labels(self.panel)

    def y_TS(self, horizon: int) -> Floats:
        """Return the labels of `horizon`."""
        return self.of_horizon(self.labels, horizon)

    def of_horizon(self, labels: Labels, horizon: int) -> Floats:
        """Return the `labels` of one horizon, y_TS."""
        return labels.y_TSM[..., self.horizons.index(horizon)]

    def rows_N(self, horizon: int, split: Split) -> NDArray[np.int64]:
        """Return the rows of the sample days of a region. Raises WorkFailed where there is none, so that nothing could
        be probed."""
        rows_N = self.pipeline.samples(self.inputs, split, self.span(horizon))
        if len(rows_N) == 0:
            raise WorkFailed(
                f"horizon {horizon} has no sample day in {split.region.value}, so no leak could be looked for: give "
                "that region more days in params.yaml and run `dvc repro splits`"
            )
        return rows_N

    def days_T(self, split: Split) -> Mask:
        """Mark the sample days of a region at the first horizon."""
        marked_T = np.zeros(len(self.panel.dates_T), dtype=np.bool_)
        marked_T[self.rows_N(self.first_horizon, split)] = True
        return marked_T

    @property
    def validation_N(self) -> NDArray[np.int64]:
        """Rows of the validation days at the first horizon."""
        return self.rows_N(self.first_horizon, self.splits[self.first_horizon].validation)

    @property
    def test_N(self) -> NDArray[np.int64]:
        """Rows of the test days at the first horizon."""
        return self.rows_N(self.first_horizon, self.splits[self.first_horizon].test)

    @cached_property
    def data(self) -> RankingData:
        """Data that learners read at the first horizon."""
        return self.with_labels(self.y_TS(self.first_horizon))

    def with_labels(self, y_TS: Floats) -> RankingData:
        """Return what learners read where the labels are `y_TS`."""
        return RankingData(inputs=self.inputs, table=self.pipeline.table(self.inputs, y_TS))

    @cached_property
    def fit_days(self) -> FitDays:
        splits = self.splits[self.first_horizon]
        return FitDays(
            train_T=self.days_T(splits.train),
            history_T=self.pipeline.history(self.inputs, splits.train),
            validation_T=self.days_T(splits.validation),
        )

    @cached_property
    def scored_T(self) -> Mask:
        """Days of validation and test at the first horizon."""
        splits = self.splits[self.first_horizon]
        return np.asarray(self.days_T(splits.validation) | self.days_T(splits.test))

    @property
    def fitted_learners(self) -> tuple[Learner, ...]:
        """Learners that are fitted to labels."""
        return tuple(learner for learner in self.pipeline.learners if learner.permutations > 0)

    @cached_property
    def fitted(self) -> Mapping[str, Fitted]:
        """Each learner, fitted to the labels as they are."""
        return {learner.name: learner.fit(self.data, self.fit_days) for learner in self.pipeline.learners}

    @cached_property
    def scores(self) -> Mapping[str, Floats]:
        """Learner -> score_TS of validation and test."""
        return {name: fitted.score(self.data, self.scored_T) for name, fitted in self.fitted.items()}

    def random(self, *parts: str | int) -> np.random.Generator:
        """Return an independent random generator, derived from the study's seed and `parts`."""
        return np.random.default_rng(derive_seed(self.seed, "audit", *parts))


def panel_subject(panel: Panel, params: PanelParams, splits: Mapping[int, Splits]) -> PanelSubject:
    """Return the study of `params` as a subject. `splits`: horizon -> its regions as they are stored.

    Raises WorkFailed where these are not the horizons of the question.
    """
    if tuple(splits) != tuple(params.horizons):
        raise WorkFailed(
            f"the stored splits are of horizons {', '.join(map(str, splits))}, and params.yaml asks for "
            f"{', '.join(map(str, params.horizons))}: run `dvc repro splits`"
        )
    return PanelSubject(
        panel=panel,
        splits=splits,
        entry_lag=params.target.entry_lag,
        embargo_days=0 if params.splits.kind == "dates" else params.splits.embargo_days,
        in_time_order=params.splits.kind != "purged_kfold",
        context_length=params.windows.context_length,
        seed=params.study.seed,
        pipeline=panel_pipeline(params),
    )
