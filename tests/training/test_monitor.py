"""What stops a run and chooses its best epoch: the validation loss, or the area under the ROC curve."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.building import job, recipe, settings, windows

from tsladder.artifacts.outcome import EpochRecord
from tsladder.training.trainer import Fitted, fit
from tsladder.vocabulary import StopReason

NOISE = windows(40, seed=4, learnable=False)
VALIDATION = windows(60, seed=2)


def trained(monitor: str, *, patience: int | None = None, min_delta: float = 0.0, epochs: int = 20) -> Fitted:
    eager = settings(epochs=epochs, learning_rate=3e-2)
    asked = recipe(monitor=monitor, patience=patience, min_delta=min_delta)
    return fit(job(settings=eager, recipe=asked), NOISE, VALIDATION, lambda _record: True)


def aucs(fitted: Fitted) -> list[float]:
    return [epoch.val_auc for epoch in fitted.curve if epoch.val_auc is not None]


def test_the_best_epoch_is_that_of_the_highest_auc_and_its_weights_come_back() -> None:
    by_auc, by_loss = trained("val_auc"), trained("val_loss")
    seen = aucs(by_auc)
    assert len(seen) == len(by_auc.curve) == 20
    assert by_auc.best_epoch == 1 + int(np.argmax(seen))
    assert by_auc.val_auc == pytest.approx(max(seen), abs=1e-12)
    assert by_auc.best_epoch != by_loss.best_epoch, "the two must differ for this test to mean anything"
    # The loss that is handed back is the log loss of those weights, not the least one of the run.
    assert by_auc.best_val_loss == pytest.approx(by_auc.curve[by_auc.best_epoch - 1].val_loss, abs=1e-12)
    assert by_auc.best_val_loss > min(epoch.val_loss for epoch in by_auc.curve)


def test_what_is_monitored_changes_no_step_of_the_training() -> None:
    by_auc, by_loss = trained("val_auc"), trained("val_loss")
    assert [epoch.val_loss for epoch in by_auc.curve] == [epoch.val_loss for epoch in by_loss.curve]
    assert aucs(by_loss) == []


def test_patience_counts_the_epochs_in_which_the_auc_did_not_rise_by_min_delta() -> None:
    seen = aucs(trained("val_auc"))
    stopped = trained("val_auc", patience=3, min_delta=0.01)
    reference, since, last = seen[0], 0, len(seen)
    for number, value in enumerate(seen[1:], start=2):
        reference, since = (value, 0) if value > reference + 0.01 else (reference, since + 1)
        if since == 3:
            last = number
            break
    assert last < len(seen), "the run must stop early for this test to mean anything"
    assert len(stopped.curve) == last
    assert stopped.stop_reason is StopReason.EARLY_STOPPING


def test_an_auc_of_one_class_is_refused_and_never_counts_as_a_number() -> None:
    one_class = dataclasses.replace(VALIDATION, y_N=np.zeros(60, np.float32))
    records: list[EpochRecord] = []

    def keep(record: EpochRecord) -> bool:
        records.append(record)
        return True

    with pytest.raises(ValueError, match=r"training\.monitor val_auc needs positives and negatives in validation"):
        fit(job(recipe=recipe(monitor="val_auc")), NOISE, one_class, keep)
    assert records == []
    assert fit(job(), NOISE, one_class, keep).val_auc is None
