"""Pretraining on masked patches: what is hidden, what the loss counts, that no label is seen, and that an interruption
changes no bit; and models that begin with the encoder."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.building import batch_plan, job, settings
from tests.training.days import CONTEXT, FEATURES, STOCKS, cell_days, panel_recipe, spec
from tests.training.test_checkpoints import Killed, always, assert_same, checkpoints_in, killing
from torch import Tensor

from tsladder.artifacts.trained_model import TrainedModel
from tsladder.errors import WorkFailed
from tsladder.families.parts.session_encoder import load_encoder, patches_of
from tsladder.models.build import build
from tsladder.models.spec import PanelGeometry
from tsladder.panel.dataset import CellDays
from tsladder.training.checkpoint import save_checkpoint
from tsladder.training.gradients import accumulate_gradients
from tsladder.training.outcome import Job
from tsladder.training.pretraining import (
    LOSS,
    HiddenValues,
    MaskedFeed,
    MaskedModel,
    column_scale,
    per_day,
    pretrain,
    reconstruction_loss,
)
from tsladder.training.trainer import Fitted, Trainer, fit
from tsladder.training.weights import Weights
from tsladder.vocabulary import StopReason

CPU = torch.device("cpu")
TRAIN = cell_days(12, 43)
FAMILIES = ("panel_transformer", "atft_gat_fan")
SEED = 5


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pretraining_job(family: str = "panel_transformer", micro_batch: int = 16, **changes: Any) -> Job:
    what = panel_recipe(**changes.pop("recipe", {}))
    values: dict[str, Any] = {
        "spec": spec(family),
        "recipe": what,
        "task": "rank",
        "plan": batch_plan(micro_batch, 16, precision=what.precision, optimizer=what.optimizer),
        "settings": settings(epochs=2, warmup_steps=1),
        "mask": 0.4,
    }
    return job(**(values | changes))


def geometry(family: str) -> PanelGeometry:
    found = spec(family).geometry
    assert isinstance(found, PanelGeometry)
    return found


def feed(family: str, days: CellDays = TRAIN, seed: int = SEED, mask: float = 0.4, **changes: Any) -> MaskedFeed:
    scale = column_scale(days, CPU)
    return MaskedFeed(
        days, CPU, panel_recipe(**changes), patches=patches_of(geometry(family)), mask=mask, scale=scale, seed=seed
    )


def masked_model(family: str, stocks_at_once: int | None = None) -> MaskedModel:
    torch.manual_seed(1)
    model = build(spec(family), dropout=0.0)
    return MaskedModel(load_encoder(family).of(model), patches_of(geometry(family)), FEATURES, stocks_at_once)


# --------------------------------------------------------------------------- what is hidden


@pytest.mark.parametrize("family", FAMILIES)
def test_of_every_stock_as_many_patches_are_hidden_and_each_wholly(family: str) -> None:
    patches = patches_of(geometry(family))
    masked, _ = feed(family).batch(torch.arange(8))
    hidden_BSCG = masked.hidden_BSP.unflatten(-1, (patches.count, patches.together))
    assert torch.equal(hidden_BSCG.any(-1), hidden_BSCG.all(-1))
    assert (hidden_BSCG.all(-1).sum(-1) == patches.hidden(0.4)).all()
    assert not hidden_BSCG[:, :, : patches.always_shown].any()


def test_what_is_hidden_of_a_day_depends_on_the_seed_and_the_epoch_and_on_no_other_day() -> None:
    def hidden(epoch: int, index_B: Tensor, seed: int = SEED) -> Tensor:
        one = feed("panel_transformer", seed=seed)
        one.order(epoch, torch.arange)
        return one.batch(index_B)[0].hidden_BSP

    several = hidden(3, torch.tensor([4, 9, 2]))
    assert torch.equal(several[1:2], hidden(3, torch.tensor([9])))
    assert not torch.equal(several, hidden(4, torch.tensor([4, 9, 2])))
    assert not torch.equal(several, hidden(3, torch.tensor([4, 9, 2]), seed=6))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_hidden_value_reaches_no_token(family: str) -> None:
    patches, model = patches_of(geometry(family)), masked_model(family).eval()
    masked, _ = feed(family).batch(torch.arange(4))
    hidden_BST = masked.hidden_BSP.repeat_interleave(patches.sessions, -1)
    hidden_BST = torch.nn.functional.pad(hidden_BST, (CONTEXT - hidden_BST.shape[-1], 0))
    other = torch.where(hidden_BST[..., None], 1e3, masked.days.x_BSTF)
    changed = dataclasses.replace(masked, days=dataclasses.replace(masked.days, x_BSTF=other))
    assert torch.equal(model(changed), model(masked))
    shown = torch.where(hidden_BST[..., None], masked.days.x_BSTF, 1e3)
    assert not torch.equal(
        model(dataclasses.replace(masked, days=dataclasses.replace(masked.days, x_BSTF=shown))), model(masked)
    )


# --------------------------------------------------------------------------- what the loss counts


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_is_the_mean_squared_error_of_what_is_hidden_and_there(family: str) -> None:
    """The oracle goes value by value, from the arrays of the cube."""
    patches, scale = patches_of(geometry(family)), column_scale(TRAIN, CPU)
    masked, values = feed(family).batch(torch.arange(6))
    out_BSPWF = torch.randn(values.z_BSPWF.shape, generator=torch.Generator().manual_seed(2))
    cube = TRAIN.days.cube
    losses = []
    for day, row in enumerate(TRAIN.days.rows_N[:6].tolist()):
        errors = []
        for stock in range(STOCKS):
            if not (cube.member_TS[row, stock] and cube.here_TS[row, stock]):
                continue
            for token in range(patches.tokens):
                for place in range(patches.sessions):
                    session = row + 1 - (patches.tokens - token) * patches.sessions + place
                    if not masked.hidden_BSP[day, stock, token] or not cube.here_TS[session, stock]:
                        continue
                    z_F = (torch.from_numpy(cube.x_TSF[session, stock].copy()) - scale.mean_F) / scale.sd_F
                    errors += ((out_BSPWF[day, stock, token, place] - z_F) ** 2).tolist()
        losses.append(sum(errors) / len(errors))
    torch.testing.assert_close(per_day(out_BSPWF, values), torch.tensor(losses), atol=1e-5, rtol=1e-5)
    assert LOSS.total(out_BSPWF, values).item() == pytest.approx(sum(losses), rel=1e-5)


def test_a_day_without_a_hidden_value_has_no_loss_and_no_gradient() -> None:
    out_BSPWF = torch.ones(1, 2, 3, 1, 4, requires_grad=True)
    nothing = HiddenValues(z_BSPWF=torch.zeros(1, 2, 3, 1, 4), counted_BSPW=torch.zeros(1, 2, 3, 1, dtype=torch.bool))
    loss_B = per_day(out_BSPWF, nothing)
    loss_B.sum().backward()
    assert loss_B.item() == 0.0
    assert out_BSPWF.grad is not None
    assert not out_BSPWF.grad.any()


def test_the_mean_of_the_columns_has_a_loss_of_one() -> None:
    class Nothing(MaskedModel):
        def forward(self, masked: Any) -> Tensor:
            return torch.zeros(len(masked), STOCKS, 3, 4, FEATURES)

    model = masked_model("panel_transformer")
    model.__class__ = Nothing
    assert reconstruction_loss(model, feed("panel_transformer"), 16) == pytest.approx(1.0, abs=0.1)


def test_columns_are_measured_over_the_members_of_training_days_and_one_that_stands_still_is_left_as_it_is() -> None:
    cube = TRAIN.days.cube
    x_TSF = np.array(cube.x_TSF)
    x_TSF[..., 1] = 3.0
    days = dataclasses.replace(TRAIN.days, cube=dataclasses.replace(cube, x_TSF=x_TSF))
    scale = column_scale(dataclasses.replace(TRAIN, days=days), CPU)
    rows_N = TRAIN.days.rows_N
    there = (cube.member_TS & cube.here_TS)[rows_N]
    assert scale.mean_F.tolist() == pytest.approx(x_TSF[rows_N][there].mean(axis=0).tolist(), rel=1e-5)
    sd_F = x_TSF[rows_N][there].std(axis=0)
    assert scale.sd_F.tolist() == pytest.approx([sd_F[0], 1.0, sd_F[2]], rel=1e-5)


# --------------------------------------------------------------------------- how a step is executed


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("micro_batch", "stocks_at_once"), [(5, None), (1, None), (16, 3), (4, 1)])
def test_micro_batches_and_some_stocks_at_once_give_the_gradient_of_all(
    family: str, micro_batch: int, stocks_at_once: int | None
) -> None:
    found = []
    for size, at_once in ((16, None), (micro_batch, stocks_at_once)):
        model = masked_model(family, at_once).double()
        accumulate_gradients(model, Weights(model, "fp32"), feed(family), torch.arange(16), size, LOSS)
        assert all(value.grad is not None for value in model.parameters())
        found.append([value.grad.clone() for value in model.parameters() if value.grad is not None])
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(parts, whole, atol=1e-9, rtol=0)


KINDS: dict[str, Job] = {
    "adamw": pretraining_job(),
    "accumulation, atft_gat_fan": pretraining_job("atft_gat_fan", 6),
    "adamw in bf16": pretraining_job(recipe={"precision": "bf16"}),
    "lean": pretraining_job(recipe={"precision": "bf16", "optimizer": "lean"}),
    "some stocks on a day": pretraining_job(
        recipe={"stocks_per_day": 4, "train_every": 2}, settings=settings(epochs=5, warmup_steps=1)
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_pretraining_killed_at_random_ends_with_the_same_bits(kind: str, tmp_path: Path) -> None:
    what = KINDS[kind]
    beats: list[None] = []
    undisturbed = pretrain(what, TRAIN, always, lambda: beats.append(None))
    of_step = len(beats) // undisturbed.curve[-1].steps
    rng = random.Random(kind)
    for _ in range(2):
        kill = killing(rng.randint(of_step, 2 * of_step + 2))
        with pytest.raises(Killed):
            pretrain(what, TRAIN, always, kill, checkpoints_in(tmp_path))
    resumed = checkpoints_in(tmp_path)
    assert_same(pretrain(what, TRAIN, always, checkpoints=resumed), undisturbed)
    assert resumed.resumed_at > 0


def test_a_pretraining_asked_to_stop_ends_as_interrupted_and_goes_on_later(tmp_path: Path) -> None:
    what = KINDS["adamw"]
    stopped = pretrain(what, TRAIN, lambda record: record.epoch < 1, checkpoints=checkpoints_in(tmp_path))
    assert stopped.stop_reason is StopReason.INTERRUPTED
    assert stopped.best_val_loss is None
    assert_same(pretrain(what, TRAIN, always, checkpoints=checkpoints_in(tmp_path)), pretrain(what, TRAIN, always))


def test_a_loss_that_is_no_number_ends_it_as_diverged() -> None:
    what = pretraining_job(settings=settings(epochs=2, learning_rate=math.inf))
    assert pretrain(what, TRAIN, always).stop_reason is StopReason.DIVERGED


# --------------------------------------------------------------------------- what it learns, and from what


def test_labels_change_nothing() -> None:
    cube = TRAIN.days.cube
    blind = dataclasses.replace(cube, y_TSM=np.full_like(cube.y_TSM, np.nan))
    without = dataclasses.replace(TRAIN, days=dataclasses.replace(TRAIN.days, cube=blind))
    assert_same(pretrain(KINDS["adamw"], without, always), pretrain(KINDS["adamw"], TRAIN, always))


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_but_the_encoder_and_what_reconstructs_from_it_is_trained(family: str) -> None:
    trained = pretrain(pretraining_job(family), TRAIN, always).weights.to_save
    model = build(spec(family), dropout=0.0)
    members = load_encoder(family).of(model).members
    assert {name.split(".")[0] for name in trained} == {*members, "reconstruct", "hidden_value"}
    assert not any(name.startswith(("head", "graph", "norm.")) for name in trained)


def waves() -> CellDays:
    """Columns that swing with a week of four sessions, each stock with a phase of its own: a hidden patch follows from
    those that are shown."""
    cube = TRAIN.days.cube
    time_T, stock_S = np.arange(len(cube)), np.arange(STOCKS)
    phase_TS = 2.0 * np.pi * (time_T[:, None] / 4.0 + stock_S / STOCKS)
    x_TSF = np.stack([np.sin(phase_TS), np.cos(phase_TS), -np.sin(phase_TS)], axis=-1).astype(np.float32)
    days = dataclasses.replace(TRAIN.days, cube=dataclasses.replace(cube, x_TSF=x_TSF * cube.here_TS[..., None]))
    return dataclasses.replace(TRAIN, days=days)


@pytest.mark.parametrize(
    "family", [FAMILIES[0], *(pytest.param(family, marks=pytest.mark.slow) for family in FAMILIES[1:])]
)
def test_what_follows_from_the_shown_patches_is_learned_and_noise_is_not(family: str) -> None:
    steps = settings(epochs=16, learning_rate=1e-2, dropout=0.0)
    what = pretraining_job(family, spec=spec(family, d_model=16), settings=steps, plan=batch_plan(4, 4))
    learned, noise = (pretrain(what, days, always) for days in (waves(), TRAIN))
    assert learned.best_val_loss is not None
    assert noise.best_val_loss is not None
    assert learned.best_val_loss < 0.2
    assert noise.best_val_loss > 0.6


# --------------------------------------------------------------------------- models that begin with the encoder


def saved(what: Job, folder: Path) -> Fitted:
    fitted = pretrain(what, TRAIN, always)
    record = TrainedModel(
        architecture=what.spec.architecture(),
        settings=what.settings.to_record(),
        seed=what.seed,
        n_params=fitted.n_params,
        best_val_loss=fitted.best_val_loss,
        best_epoch=fitted.best_epoch,
        val_auc=None,
        stop_reason=fitted.stop_reason,
    )
    save_checkpoint(folder, fitted.weights.to_save, record)
    return fitted


def labelled(family: str, **changes: Any) -> Job:
    return dataclasses.replace(pretraining_job(family), mask=None, **changes)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_begins_with_the_encoder_and_with_its_own_seed_elsewhere(family: str, tmp_path: Path) -> None:
    encoder = saved(pretraining_job(family), tmp_path).weights.to_save
    plain = Trainer(labelled(family), LOSS).weights.to_save
    begun = Trainer(labelled(family, initial_weights=str(tmp_path)), LOSS).weights.to_save
    assert begun.keys() == plain.keys()
    for name, value in begun.items():
        assert torch.equal(value, encoder[name] if name in encoder else plain[name]), name
    assert any(not torch.equal(plain[name], encoder[name]) for name in encoder if name in plain)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16"])
def test_masters_and_lowered_weights_begin_with_the_encoder_too(precision: str, tmp_path: Path) -> None:
    encoder = saved(pretraining_job(), tmp_path).weights.to_save
    what = labelled("panel_transformer", initial_weights=str(tmp_path), recipe=panel_recipe(precision=precision))
    begun = Trainer(what, LOSS).weights.to_save["blocks.0.expand.weight"]
    expected = encoder["blocks.0.expand.weight"]
    assert torch.equal(begun.float(), expected if precision == "bf16-mixed" else expected.bfloat16().float())


def test_a_training_from_the_encoder_differs_from_one_from_scratch_and_repeats_its_bits(tmp_path: Path) -> None:
    saved(pretraining_job(), tmp_path)
    validation = cell_days(62, 75)
    begun = labelled("panel_transformer", initial_weights=str(tmp_path))
    first, again = (fit(begun, TRAIN, validation, always) for _ in range(2))
    assert_same(first, again)
    assert first.best_val_loss != fit(labelled("panel_transformer"), TRAIN, validation, always).best_val_loss


def test_the_encoder_of_another_architecture_is_refused(tmp_path: Path) -> None:
    saved(pretraining_job(), tmp_path)
    wider = labelled("panel_transformer", initial_weights=str(tmp_path), spec=spec("panel_transformer", d_ff=24))
    with pytest.raises(WorkFailed, match=r"does not hold the encoder of .*'d_ff': 24"):
        Trainer(wider, LOSS)


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="is missing: run `dvc repro`"):
        Trainer(labelled("panel_transformer", initial_weights=str(tmp_path)), LOSS)
