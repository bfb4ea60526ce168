"""A trial of a walk forward: one model a fold, and what is said of all of them together."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from tests.building import job, recipe, settings, windows

from tsladder.artifacts.outcome import EpochRecord, FoldOutcome, TrainingOutcome
from tsladder.data.windows import FoldWindows
from tsladder.execution.crew import Ended, Progress
from tsladder.execution.supervisor import Supervisor
from tsladder.training.folds import job_of_fold, summarised, walk_forward
from tsladder.training.trainer import fit
from tsladder.vocabulary import StopReason

FOLDS = [
    FoldWindows(train=windows(40, seed=1), validation=windows(30, seed=2)),
    FoldWindows(train=windows(70, seed=3), validation=windows(50, seed=4)),
    FoldWindows(train=windows(100, seed=5), validation=windows(40, seed=6)),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the workers: another number of threads sums in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def carry_on(_record: EpochRecord) -> bool:
    return True


def no_beat() -> None:
    """Nobody watches."""


def fold(loss: float | None, se: float | None = 0.1, auc: float | None = 0.5, **changes: object) -> FoldOutcome:
    values: dict[str, object] = {
        "stop_reason": StopReason.COMPLETED,
        "best_val_loss": loss,
        "val_loss_se": se,
        "best_epoch": 1,
        "val_auc": auc,
        "epochs_run": 1,
        "seconds": 1.0,
    }
    return FoldOutcome(**(values | changes))  # type: ignore[arg-type]


def test_the_loss_of_a_trial_is_the_mean_of_models_that_each_saw_one_fold() -> None:
    walked = walk_forward(job(), FOLDS, carry_on, no_beat)
    alone = [
        fit(job_of_fold(job(), FOLDS, number), one.train, one.validation, carry_on)
        for number, one in enumerate(FOLDS, start=1)
    ]
    losses = [fitted.best_val_loss for fitted in alone if fitted.best_val_loss is not None]
    assert [one.best_val_loss for one in walked.folds] == losses
    assert walked.best_val_loss == pytest.approx(sum(losses) / 3, abs=1e-15)
    assert [one.best_epoch for one in walked.folds] == [fitted.best_epoch for fitted in alone]
    assert walked.stop_reason is StopReason.COMPLETED


def test_the_standard_error_is_that_of_a_mean_of_independent_means() -> None:
    walked = summarised([fold(0.5, 0.03, 0.6), fold(0.7, 0.04, 0.8)], 2, 10, [])
    assert walked.best_val_loss == pytest.approx(0.6)
    assert walked.val_loss_se == pytest.approx(math.sqrt(0.03**2 + 0.04**2) / 2)
    assert walked.val_auc == pytest.approx(0.7)


def test_what_one_fold_lacks_the_mean_lacks() -> None:
    walked = summarised([fold(0.5), fold(0.7, se=None, auc=None)], 2, 10, [])
    assert (walked.val_loss_se, walked.val_auc) == (None, None)
    assert walked.best_val_loss is not None


def test_any_fold_that_stopped_early_makes_the_trial_one_that_did() -> None:
    early = fold(0.5, stop_reason=StopReason.EARLY_STOPPING)
    assert summarised([early, fold(0.5)], 2, 10, []).stop_reason is StopReason.EARLY_STOPPING
    assert summarised([fold(0.5), fold(0.5)], 2, 10, []).stop_reason is StopReason.COMPLETED


def test_the_first_fold_without_a_loss_ends_the_trial_and_no_later_one_is_trained() -> None:
    explosive = job(settings=settings(learning_rate=1e6, warmup_steps=0), recipe=recipe(max_gradient_norm=None))
    walked = walk_forward(explosive, FOLDS, carry_on, no_beat)
    assert walked.stop_reason is StopReason.DIVERGED
    assert (walked.best_val_loss, walked.val_auc) == (None, None)
    assert len(walked.folds) == 1


def test_a_stop_request_ends_the_trial_after_the_epoch_and_leaves_no_loss() -> None:
    seen: list[int] = []

    def stop_in_the_second_fold(record: EpochRecord) -> bool:
        seen.append(record.epoch)
        return record.epoch < 5

    walked = walk_forward(job(), FOLDS, stop_in_the_second_fold, no_beat)
    assert walked.stop_reason is StopReason.INTERRUPTED
    assert walked.best_val_loss is None
    assert seen == [1, 2, 3, 4, 5]
    assert [one.stop_reason for one in walked.folds] == [StopReason.COMPLETED, StopReason.INTERRUPTED]


def test_epochs_are_numbered_by_fold_and_steps_count_on() -> None:
    """Batches of 32 make 2, 3 and 4 steps an epoch, of three epochs each."""
    walked = walk_forward(job(), FOLDS, carry_on, no_beat)
    assert [record.epoch for record in walked.curve] == list(range(1, 10))
    assert [record.steps for record in walked.curve] == [2, 4, 6, 9, 12, 15, 19, 23, 27]


def test_folds_have_streams_of_their_own_and_the_same_share_of_warm_up() -> None:
    jobs = [job_of_fold(job(settings=settings(warmup_steps=8)), FOLDS, number) for number in (1, 2, 3)]
    assert [one.settings.warmup_steps for one in jobs] == [4, 6, 8]
    assert len({one.seed for one in jobs} | {job().seed}) == 4
    assert job_of_fold(job(settings=settings(warmup_steps=1)), FOLDS, 1).settings.warmup_steps == 1
    assert job_of_fold(job(settings=settings(warmup_steps=0)), FOLDS, 1).settings.warmup_steps == 0


def test_a_checkpoint_of_several_models_is_refused() -> None:
    with pytest.raises(ValueError, match="a checkpoint holds one model"):
        walk_forward(job(checkpoint_folder="somewhere"), FOLDS, carry_on, no_beat)


def test_a_worker_trains_all_folds_and_reports_every_epoch() -> None:
    here = walk_forward(job(), FOLDS, carry_on, no_beat)
    supervisor = Supervisor(FOLDS)
    supervisor.start(0, job())
    epochs, outcome = [], None
    while supervisor.running:
        for event in supervisor.events(timeout=0.5):
            if isinstance(event, Progress):
                epochs.append(event.record.epoch)
            elif isinstance(event, Ended):
                outcome = event.outcome
    supervisor.end_now()
    assert isinstance(outcome, TrainingOutcome)
    assert outcome.best_val_loss == here.best_val_loss
    assert [one.best_val_loss for one in outcome.folds] == [one.best_val_loss for one in here.folds]
    assert epochs == list(range(1, 10))
    assert outcome.scored
    assert here.optimizer is not None
    assert (outcome.optimizer, outcome.optimizer_settings) == (here.optimizer.name, here.optimizer.settings)
