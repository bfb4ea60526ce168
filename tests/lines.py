"""Lines of trials.jsonl and records of seeds as stages write them, for tests that write a study without training."""

from __future__ import annotations

from typing import Any

PLAN = {
    "micro_batch": 32,
    "accumulation_steps": 1,
    "effective_batch": 32,
    "precision": "fp32",
    "optimizer": "adamw",
    "activation_checkpointing": False,
}
_TAKEN = {
    "seconds": 1.0,
    "train_seconds": 0.5,
    "retries": 0,
    "resumed_at": 0,
    "peak_memory_gib": 0.3,
    "predicted_memory_gib": 0.3,
    "celsius": None,
    "thermal": "unknown",
    "pauses": 0,
    "paused_seconds": 0.0,
    "device": "cpu",
    "threads": 1,
    "message": "",
}


def trial_line(number: int, **changes: Any) -> dict[str, Any]:
    """A complete trial; the batch plan is added to its params where they do not have it."""
    line = {
        "number": number,
        "attempt": 1,
        "state": "complete",
        "stop_reason": "completed",
        "forced": None,
        "draws": {},
        "params": {},
        "n_params": 12_000,
        "best_val_loss": 0.5,
        "val_loss_se": None,
        "best_epoch": 1,
        "val_auc": None,
        "base_rate_loss": 0.6,
        "curve": [[4, 0.5]],
        "train_losses": [0.5],
        "val_aucs": [],
        "epochs_run": 1,
        "folds": [],
        "workers": 2,
        "started_ms": 0,
        "ended_at": "2026-01-01T00:00:00.000+00:00",
        "identity": "",
        "taken_from": None,
        **_TAKEN,
        **changes,
    }
    return {**line, "params": {**PLAN, **line["params"]}}


def seed_outcome(**changes: Any) -> dict[str, Any]:
    """outcome.json of a seed that was trained to its end."""
    ended = {"scored": True, "stop_reason": "completed", "epochs_run": 1, "train_loss": None}
    return {**ended, **PLAN, **_TAKEN, **changes}
