"""Descriptions of runs in Markdown, shown at the top of their MLflow pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tsladder.tracking.runs import RunTags

DESCRIPTION_TAG = "mlflow.note.content"
"""Tag in which MLflow's page looks for the description of a run or an experiment."""


def cell_description(name: str, tags: RunTags) -> str:
    """Return the description of a cell's run."""
    return (
        f"**{name}**: {tags.model} of about {tags.budget} parameters, {tags.horizon} days ahead, on tier {tags.tier}, "
        f"target {tags.task}. Below it: the trials of its search, its winner trained on fresh seeds, and their "
        "evaluation."
    )


def law_description(record: Mapping[str, Any]) -> str:
    """Return the verdicts in words, one line per horizon, with the notes on each."""
    verdicts = []
    for horizon, law in record["horizons"].items():
        warnings = [f"Warning: {warning}." for warning in law.get("warnings", ())]
        text = [f"* **{horizon} days ahead: {law['verdict']}**.", law.get("reason"), *warnings]
        verdicts.append(" ".join(filter(None, text)))
    return "\n".join(["The law error = C·N^(-α) of this study. Its picture is among the artifacts.", "", *verdicts])
