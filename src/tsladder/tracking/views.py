"""Initial content of MLflow's page of the runs: saved views, the kind of experiment, its description.

A saved view is a tag of the experiment whose value is the page's own state (MLflow 3.17: name, times and a JSON text of
columns, filter, order and charts). The format is MLflow's own and undocumented; a test opens every view in a browser. A
view that the page cannot read is left out of its list and harms nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tsladder.tracking.descriptions import DESCRIPTION_TAG
from tsladder.tracking.runs import loss_of_horizon

_SHARED = "mlflow.sharedViewState."
_MADE_AT = 1_700_000_000_000
"""Milliseconds since the epoch: a fixed time stamp that distinguishes the original views from those that a user saved
on the page."""
OURS = f"{_SHARED}trials"
"""Tag of every experiment that tsladder made."""
_TRIALS = "tags.kind = 'trial'"
_CELLS = "tags.kind = 'cell'"
_EVALUATIONS = "tags.kind = 'evaluation'"
SIZE = f"{_SHARED}size"
"""Tag of the view in which every horizon has its chart."""

_MOST_RUNS = 1000
_FIRST_RUNS = 100
"""Number of runs that MLflow's page loads at first (3.17), whatever a chart may show."""
_SETTINGS = ("d_model", "n_layers", "n_heads", "d_ff", "learning_rate", "weight_decay", "dropout")
_TABLE = (
    *(f"tags.`{name}`" for name in ("budget", "horizon", "stop_reason")),
    *(f"metrics.`{name}`" for name in ("best_val_loss", "base_rate_loss", "val_auc", "seconds")),
    *(f"params.`{name}`" for name in ("n_params", *_SETTINGS)),
)

DESCRIPTION = """A study of tsladder: does the error fall as a power of the parameter count, and which architecture is \
best at each budget?

* A row is a cell of budget and horizon, for example `2M-h1`. Below it are its trials, its winner's fresh seeds and \
its evaluation.
* `scaling-law` is the law with its verdicts and picture; `comparison` has the report and a table of every trial.
* **Views**, above at the right: *Trials*, *Trials by horizon*, *Loss against size*, *Cells*, *Families and \
tiers*, where runs with the same `windows` were scored on the same days and labels: only these can be compared.
* The page reads 100 runs at first: *Load more* at the end of its list brings the next ones, also into the charts.
* Filters to start from: `tags.budget = '200k'` · `tags.kind = 'trial' and tags.horizon = '1'` · \
`tags.stop_reason != 'early_stopping'` · `tags.phase = 'train'` · `tags.kind = 'evaluation' and tags.windows = '...'`

These are copies for people: results are in artifacts/, and nothing is read back from here.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedView:
    """Saved view of MLflow's page; `key` is the last part of its address. A view with charts opens with them."""

    key: str
    name: str
    filter: str
    order_by: str = "metrics.`best_val_loss`"
    columns: Sequence[str] = ()
    group_by: str | None = None
    heading: str | None = None
    """Heading above the charts, where the page has room for some thirty letters; None: the name."""
    charts: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def state(self) -> dict[str, Any]:
        """Return the state of the page. Runs ordered by anything but their start stand in one flat list, which charts
        need."""
        section = {
            "uuid": self.key,
            "name": self.heading or self.name,
            "display": True,
            "isReordered": False,
            "columns": 2,
        }
        group = {"aggregateFunction": "min", "groupByKeys": [{"mode": "tag", "groupByData": self.group_by}]}
        return {
            "searchFilter": self.filter,
            "orderByKey": self.order_by,
            "orderByAsc": True,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "datasetsFilter": [],
            "modelVersionFilter": "All Runs",
            "selectedColumns": list(self.columns),
            "columnOrder": [],
            "columnWidths": {},
            "runsHiddenMode": "SHOWALL",
            "compareRunCharts": [
                {
                    "uuid": f"{self.key}-{number}",
                    "metricSectionId": self.key,
                    "runsCountToCompare": _MOST_RUNS,
                    "deleted": False,
                    "isGenerated": False,
                    **chart,
                }
                for number, chart in enumerate(self.charts)
            ],
            "compareRunSections": [{**section, "deleted": False, "isGenerated": False}] if self.charts else [],
            "viewMaximized": False,
            "runListHidden": False,
            "isAccordionReordered": False,
            "useGroupedValuesInCharts": True,
            "hideEmptyCharts": True,
            "groupBy": None if self.group_by is None else group,
            "groupsExpanded": {},
        }

    def tag(self) -> tuple[str, str]:
        state = json.dumps(self.state(), sort_keys=True)
        times = {"createdAt": _MADE_AT, "updatedAt": _MADE_AT}
        return _SHARED + self.key, json.dumps({"name": self.name, **times, "state": state}, sort_keys=True)

    def address(self, experiment_id: str, port: int) -> str:
        """Return the address at which the page shows the view."""
        shown_as = "&compareRunsMode=CHART" if self.charts else ""
        return f"http://127.0.0.1:{port}/#/experiments/{experiment_id}/runs?viewStateShareKey={self.key}{shown_as}"


def _scatter(x: str, y: str) -> dict[str, Any]:
    return {
        "type": "SCATTER",
        "xaxis": {"key": x, "type": "METRIC"},
        "yaxis": {"key": y, "type": "METRIC"},
    }


_CURVES = {
    "type": "LINE",
    "metricKey": "val_loss",
    "selectedMetricKeys": ["val_loss"],
    "scaleType": "linear",
    "xAxisKey": "step",
    "xAxisScaleType": "linear",
    "selectedXAxisMetricKey": "",
    "lineSmoothness": 0,
    "range": dict.fromkeys(("xMin", "xMax", "yMin", "yMax")),
}
_PARALLEL = {"type": "PARALLEL", "selectedParams": list(_SETTINGS), "selectedMetrics": ["best_val_loss"]}


def _loss_against_size(trials: Mapping[str, int]) -> SavedView:
    """Return the view with one chart per horizon of `trials` (horizon -> count); one chart of all trials while there
    are none."""
    losses = [loss_of_horizon(horizon) for horizon in sorted(trials, key=int)] or ["best_val_loss"]
    count = sum(trials.values())
    return SavedView(
        key="size",
        name="Loss against size",
        filter=_TRIALS,
        # Ordered by a random number, so that the runs that the page loads first are a sample of all sizes and horizons.
        # Ordered by loss, they were the better ones of each size, and 8 of 48 trials of a horizon with higher losses.
        order_by="params.`seed`",
        heading=f"{_FIRST_RUNS} of {count} trials: press Load more" if count > _FIRST_RUNS else None,
        charts=(*(_scatter("log10_n_params", loss) for loss in losses), _CURVES, _PARALLEL),
    )


_BEFORE_SIZE = (
    SavedView(key="trials", name="Trials", filter=_TRIALS, columns=_TABLE),
    SavedView(key="horizons", name="Trials by horizon", filter=_TRIALS, columns=_TABLE, group_by="horizon"),
)
_AFTER_SIZE = (
    SavedView(
        key="cells",
        name="Cells",
        filter=_CELLS,
        columns=tuple(f"metrics.`{name}`" for name in ("n_params", "best_val_loss", "test_loss", "trials_done")),
        charts=(_scatter("log10_n_params", "test_loss"), _scatter("log10_n_params", "best_val_loss")),
    ),
    # Grouped by comparability: runs with the same value of the tag are listed together.
    SavedView(
        key="families",
        name="Families and tiers",
        filter=_EVALUATIONS,
        order_by="tags.`windows`",
        columns=(
            *(f"tags.`{name}`" for name in ("windows", "model", "tier", "task", "budget", "horizon")),
            *(f"metrics.`{name}`" for name in ("test_loss", "test_skill")),
        ),
    ),
)


def views(trials: Mapping[str, int]) -> tuple[SavedView, ...]:
    """Return the views of an experiment with `trials` (horizon -> count)."""
    return *_BEFORE_SIZE, _loss_against_size(trials), *_AFTER_SIZE


def experiment_tags(trials: Mapping[str, int]) -> dict[str, str]:
    """Return the tags of an experiment with `trials` (horizon -> count)."""
    return {
        "mlflow.experimentKind": "custom_model_development",
        DESCRIPTION_TAG: DESCRIPTION,
        **dict(view.tag() for view in views(trials)),
    }


def outdated_tags(present: Mapping[str, str], trials: Mapping[str, int]) -> dict[str, str]:
    """Return the tags that an experiment with the tags `present` lacks, and its unedited views that are out of date.

    Tags that a user has changed on the page are kept.
    """
    return {
        name: value
        for name, value in experiment_tags(trials).items()
        if name not in present or (present[name] != value and name.startswith(_SHARED) and _is_unedited(present[name]))
    }


def _is_unedited(view: str) -> bool:
    """Check whether this view is unchanged since it was made."""
    try:
        return bool(json.loads(view)["updatedAt"] == _MADE_AT)
    except (ValueError, KeyError, TypeError):
        return False
