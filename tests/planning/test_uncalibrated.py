"""What a study is told whose models are trained on another loss than the one its law is about."""

from __future__ import annotations

import typing

import pytest

from tsladder.params import TrainingParams
from tsladder.planning.uncalibrated import uncalibrated

LOSSES = set(typing.get_args(typing.get_type_hints(TrainingParams)["loss"])) - {"auto"}


@pytest.mark.parametrize("loss", ["bce", "huber"])
def test_a_loss_that_is_the_reported_one_is_not_worth_a_word(loss: str) -> None:
    assert uncalibrated(loss, objective="val_loss", monitor="val_loss") is None


@pytest.mark.parametrize("loss", sorted(LOSSES - {"bce", "huber"}))
def test_every_other_loss_is_named_with_what_it_bends_and_the_way_out(loss: str) -> None:
    warning = uncalibrated(loss, objective="val_loss", monitor="val_loss")
    assert warning is not None
    assert loss in warning
    assert "set search.objective and training.monitor to val_auc" in warning
    assert "training.loss bce" in warning


def test_only_the_choices_that_are_made_by_loss_are_to_be_changed() -> None:
    half = uncalibrated("focal", objective="val_auc", monitor="val_loss")
    done = uncalibrated("focal", objective="val_auc", monitor="val_auc")
    assert half is not None
    assert "set training.monitor to val_auc" in half
    assert done is not None
    assert "val_auc" not in done
