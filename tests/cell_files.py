"""Whole records of a cell's files with made-up figures, as its stages write them, for tests that need some of them."""

from __future__ import annotations

from typing import Any

from tsladder.vocabulary import Cell


def head(cell: Cell) -> dict[str, Any]:
    return {"cell": str(cell), "budget": cell.budget, "horizon": cell.horizon, "status": "done"}


def choice(cell: Cell, **changes: Any) -> dict[str, Any]:
    return {**head(cell), "architecture": {}, "settings": {}, **_counts(), **changes}


def scores(cell: Cell, **regions: Any) -> dict[str, Any]:
    """`regions`: by name, each as `region` gives it."""
    return {**head(cell), "precision": "fp32", **_counts(), "regions": regions}


def region(loss: float = 0.40, skill: float = 0.10) -> dict[str, Any]:
    return {
        "windows": 100,
        "positives": 30,
        "base_rate": 0.3,
        "train_base_rate": 0.25,
        "first_day": "2015-01-05",
        "last_day": "2015-06-01",
        "windows_fingerprint": "f" * 64,
        "seeds": {"1": {"log_loss": loss}},
        "mean": {"log_loss": loss},
        "base_rate_loss": 0.5,
        "own_rate_loss": 0.45,
        "stricter": "own_rate",
        "skill": skill,
        "advantage": {"value": 0.05, "low": 0.01, "high": 0.09, "se": 0.02, "effective_n": None, "dof": None},
        "baselines": {},
        "beaten_by": [],
        "constant_predictor": False,
    }


def _counts() -> dict[str, Any]:
    return {"n_params": 12_000, "n_params_blocks": 9_000, "n_params_body": 10_000, "off_budget": False}
