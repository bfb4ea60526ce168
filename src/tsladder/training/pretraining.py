"""Pretraining of a model's encoder of sessions on masked patches, without labels; and a model that begins with it.

After PatchTST (Nie et al. 2023): some patches of each stock's window are hidden, a Linear reconstructs them from the
encoder's tokens, and the loss is the squared error on what is hidden, alone. Patches are hidden after the columns were
normalised, which was done within each day, so that a hidden day has left nothing in those that are shown.

- What is hidden of a day follows from the seed, the epoch and the day alone, so micro-batches change nothing.
- A hidden value becomes a number that is learned for each column: 0 would say that a stock is absent.
- Columns are reconstructed in units of their standard deviation, from their mean, over training days: a loss of 1 is
  that of the mean, so 1 less the loss is the explained share of the variance.
- Sessions on which a stock was absent, and stocks that are no members on the day, have no loss. Each day weighs the
  same.
- The loss reported after an epoch is that of up to CHECKED_DAYS training days without dropout, the same patches hidden
  each time. Training ends after the last epoch, whose weights are kept: no day is held out.

Letters: B days, S stocks, T sessions of a window, F columns, P tokens of a stock, W sessions of a token, D width.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tsladder.artifacts.outcome import EpochRecord
from tsladder.artifacts.plans import PanelRecipe
from tsladder.errors import WorkFailed
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.families.parts.session_encoder import Patches, SessionEncoder, load_encoder, patches_of
from tsladder.models.build import Model, build
from tsladder.models.spec import ModelSpec, PanelGeometry
from tsladder.panel.dataset import CellDays
from tsladder.planning.memory import scoring_batch
from tsladder.seeds import derive_seed
from tsladder.tasks.parts.losses import Loss, summed
from tsladder.training.best_weights import BestWeights
from tsladder.training.checkpoint import saved_weights
from tsladder.training.checkpoints import Checkpoints, StopRequested
from tsladder.training.day_feed import DayFeed
from tsladder.training.feed import Shuffled
from tsladder.training.gradients import Beat, beat_in_blocks, no_heartbeat
from tsladder.training.optim import learning_rate_factor, read_back
from tsladder.training.outcome import Job
from tsladder.training.trainer import Fitted, Report, Trainer
from tsladder.training.training_state import TrainingProgress
from tsladder.vocabulary import StopReason

CHECKED_DAYS = 256
"""Training days, evenly spaced, on which the loss is reported."""

MEASURED_DAYS = 512
"""Training days, evenly spaced, on which mean and standard deviation of the columns are measured."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MaskedDays:
    """Days of which the tokens `hidden_BSP` are hidden."""

    days: DayInputs
    hidden_BSP: Tensor

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HiddenValues:
    """Values to reconstruct: standardised columns z_BSPWF, and which sessions of them have a loss."""

    z_BSPWF: Tensor
    counted_BSPW: Tensor

    def __len__(self) -> int:
        return len(self.z_BSPWF)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ColumnScale:
    """Mean and standard deviation of each column; 1 where a column stands still."""

    mean_F: Tensor
    sd_F: Tensor


def per_day(out_BSPWF: Tensor, values: HiddenValues) -> Tensor:
    """Return the mean squared error of the hidden values of each day; 0 where there is none."""
    error_BSPW = (out_BSPWF - values.z_BSPWF).square().mean(-1) * values.counted_BSPW
    return error_BSPW.flatten(1).sum(1) / values.counted_BSPW.flatten(1).sum(1).clamp(min=1)


LOSS = Loss(total=summed(per_day), per_window=per_day, is_reported_loss=True, ranks=False, diverges_above=math.inf)
"""Mean squared error of the hidden values, each day with the same weight."""


class MaskedModel(Model):
    """Encoder of a model that reconstructs what is hidden: `MaskedDays` -> standardised columns out_BSPWF.

    The encoder's parameters have the names that they have in the model. `stocks_at_once`: stocks that are encoded at
    once; what is kept of them for the backward pass is then computed again.
    """

    def __init__(self, encoder: SessionEncoder, patches: Patches, n_features: int, stocks_at_once: int | None) -> None:
        super().__init__()
        self._body = encoder.body
        for name, member in encoder.members.items():
            setattr(self, name, member)
        self._encode = encoder.encode
        self._patches = patches
        self._stocks_at_once = stocks_at_once
        self.n_features = n_features
        self.hidden_value = nn.Parameter(torch.zeros(n_features))
        self.reconstruct = nn.Linear(encoder.width, patches.sessions * n_features)

    def body(self) -> tuple[nn.Module, ...]:
        return tuple(cast(nn.Module, getattr(self, name)) for name in self._body)

    def forward(self, masked: MaskedDays) -> Tensor:
        days = masked.days
        hidden_BST = masked.hidden_BSP.repeat_interleave(self._patches.sessions, -1)
        hidden_BST = nn.functional.pad(hidden_BST, (days.here_BST.shape[-1] - hidden_BST.shape[-1], 0))
        x_BSTF = torch.where(hidden_BST[..., None], self.hidden_value, days.x_BSTF)
        at_once = self._stocks_at_once or x_BSTF.shape[1]
        parts = []
        for some in zip(*(of_all.split(at_once, 1) for of_all in (x_BSTF, days.here_BST, days.member_BS)), strict=True):
            again = self.training and self._stocks_at_once is not None
            parts.append(
                checkpoint(self._some_stocks, *some, use_reentrant=False) if again else self._some_stocks(*some)
            )
        return torch.cat(parts, dim=1)

    def _some_stocks(self, x_BSTF: Tensor, here_BST: Tensor, member_BS: Tensor) -> Tensor:
        days = DayInputs(x_BSTF=x_BSTF, here_BST=here_BST, member_BS=member_BS)
        h_BSPD = self._encode(days, self.training).to(self.reconstruct.weight.dtype)
        out_BSPWF: Tensor = self.reconstruct(h_BSPD).unflatten(-1, (self._patches.sessions, self.n_features))
        return out_BSPWF


class MaskedFeed:
    """Days of one region with some patches hidden: a share `mask` of each stock's, others in each epoch."""

    def __init__(
        self,
        samples: CellDays,
        device: torch.device,
        recipe: PanelRecipe,
        *,
        patches: Patches,
        mask: float,
        scale: ColumnScale,
        seed: int,
    ) -> None:
        self.device = device
        self._feed = DayFeed(samples, device, recipe, seed)
        self._rows_N = samples.days.rows_N
        self._patches = patches
        self._hidden = patches.hidden(mask)
        self._scale = scale
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._feed)

    @property
    def stocks(self) -> int:
        return int(self._feed.stocks)

    @property
    def per_epoch(self) -> int:
        return self._feed.per_epoch

    def order(self, epoch: int, shuffled: Shuffled) -> Tensor:
        """Return the numbers of the days that `epoch` sees, in the order in which it sees them."""
        self._epoch = epoch
        return self._feed.order(epoch, shuffled)

    def batch(self, index_B: Tensor) -> tuple[MaskedDays, HiddenValues]:
        """Return the days `index_B` as the current epoch sees them; before the first `order`, with all stocks and
        patches that are hidden for good."""
        days, _ = self._feed.batch(index_B)
        hidden_BSP = self._hide(index_B, stocks=days.member_BS.shape[1])
        tokens, sessions = self._patches.tokens, self._patches.sessions
        read = tokens * sessions
        z_BSTF = (days.x_BSTF[:, :, -read:] - self._scale.mean_F) / self._scale.sd_F
        here_BSPW = days.here_BST[:, :, -read:].unflatten(-1, (tokens, sessions))
        counted_BSPW = here_BSPW & hidden_BSP[..., None] & days.member_BS[..., None, None]
        values = HiddenValues(z_BSPWF=z_BSTF.unflatten(2, (tokens, sessions)), counted_BSPW=counted_BSPW)
        return MaskedDays(days=days, hidden_BSP=hidden_BSP), values

    def labels(self, index_B: Tensor) -> HiddenValues:
        return self.batch(index_B)[1]

    def _hide(self, index_B: Tensor, *, stocks: int) -> Tensor:
        """Draw the tokens that are hidden of each stock on the days `index_B`."""
        rows_B = self._rows_N[index_B.cpu().numpy()]
        shown = self._patches.always_shown
        chance_BSC = np.empty((len(rows_B), stocks, self._patches.count - shown))
        for place, row in enumerate(rows_B.tolist()):
            drawn = np.random.default_rng(derive_seed("hidden patches", self._seed, self._epoch, row))
            chance_BSC[place] = drawn.random(chance_BSC.shape[1:])
        hidden_BSC = chance_BSC.argsort(-1).argsort(-1) < self._hidden
        hidden_BSC = np.pad(hidden_BSC, ((0, 0), (0, 0), (shown, 0)))
        return torch.from_numpy(hidden_BSC.repeat(self._patches.together, -1)).to(self.device)


class MaskedTrainer(Trainer):
    """Trainer of the encoder of a job's model."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, LOSS)

    def _built(self, job: Job) -> Model:
        geometry = cast(PanelGeometry, job.spec.geometry)
        encoder = load_encoder(geometry.family).of(_whole_model(job))
        return MaskedModel(encoder, patches_of(geometry), geometry.n_features, job.plan.stocks_at_once)


def _whole_model(job: Job) -> Model:
    return build(
        job.spec,
        dropout=job.settings.dropout,
        activation_checkpointing=job.plan.activation_checkpointing,
        lowered=job.recipe.precision == "bf16",
    )


def pretrain(
    job: Job,
    train: CellDays,
    report: Report,
    beat: Beat = no_heartbeat,
    checkpoints: Checkpoints | None = None,
) -> Fitted:
    """Train the encoder of `job.spec` on `train` for the epochs of the job, without a look at a label.

    `best_val_loss` is the last epoch's reported loss. With `checkpoints` the training continues what an earlier process
    left. Raises ValueError for a job that hides nothing.
    """
    if job.mask is None or not isinstance(job.recipe, PanelRecipe):
        raise ValueError("a job that pretrains has a mask, and a recipe of a panel study")
    trainer = MaskedTrainer(job)
    scale = column_scale(train, trainer.device)
    patches = patches_of(cast(PanelGeometry, job.spec.geometry))
    feed, checked = (
        MaskedFeed(samples, trainer.device, job.recipe, patches=patches, mask=job.mask, scale=scale, seed=job.seed)
        for samples in (train, _evenly_spaced(train, CHECKED_DAYS))
    )
    progress = TrainingProgress(job, trainer, BestWeights(trainer.weights, None), checkpoints)
    alive = progress.beat(beat)
    beat_in_blocks(trainer.model, alive)
    try:
        if progress.ended is None:
            progress.ended = _train(job, trainer, progress, feed, checked, report, alive)
    except StopRequested:
        progress.write()
        return _fitted(trainer, progress, StopReason.INTERRUPTED)
    return _fitted(trainer, progress, progress.ended)


def _train(
    job: Job,
    trainer: Trainer,
    progress: TrainingProgress,
    feed: MaskedFeed,
    checked: MaskedFeed,
    report: Report,
    beat: Beat,
) -> StopReason:
    steps_per_epoch = -(-feed.per_epoch // job.plan.effective_batch)
    while progress.epoch <= job.settings.epochs:
        epoch = progress.epoch
        order = feed.order(epoch, progress.shuffled)
        batches = order.split(job.plan.effective_batch)
        for number in range(progress.steps_done, len(batches)):
            factor = learning_rate_factor(
                (epoch - 1) * steps_per_epoch + number,
                total_steps=steps_per_epoch * job.settings.epochs,
                warmup_steps=job.settings.warmup_steps,
                schedule=job.recipe.schedule,
            )
            progress.begin_step()
            progress.end_step(trainer.step(feed, batches[number], job.settings.learning_rate * factor, beat))
        trained_loss = progress.sums.trained.item() / len(order)
        train_seconds = progress.end_steps()
        reported_loss = reconstruction_loss(trainer.model, checked, job.plan.micro_batch, beat)
        if not math.isfinite(trained_loss) or not math.isfinite(reported_loss):
            return StopReason.DIVERGED
        record = EpochRecord(
            epoch=epoch,
            steps=epoch * steps_per_epoch,
            train_loss=trained_loss,
            val_loss=reported_loss,
            train_seconds=train_seconds,
            seconds=progress.epoch_seconds,
        )
        progress.curve.append(record)
        progress.end_epoch()
        if not report(record) and epoch < job.settings.epochs:
            progress.stop_if_resumable()
            return StopReason.INTERRUPTED
    return StopReason.COMPLETED


def _fitted(trainer: Trainer, progress: TrainingProgress, stop_reason: StopReason) -> Fitted:
    whole = stop_reason is StopReason.COMPLETED
    return Fitted(
        model=trainer.model,
        weights=trainer.weights,
        stop_reason=stop_reason,
        best_val_loss=progress.curve[-1].val_loss if whole else None,
        val_loss_se=None,
        best_epoch=progress.curve[-1].epoch if whole else None,
        val_auc=None,
        n_params=trainer.n_params,
        curve=tuple(progress.curve),
        optimizer=read_back(trainer.optimizer),
    )


@torch.no_grad()
def reconstruction_loss(model: Model, feed: MaskedFeed, micro_batch: int, beat: Beat = no_heartbeat) -> float:
    """Return the mean loss over all days of `feed`, without dropout. `micro_batch`: days that training could hold."""
    model.eval()
    total = 0.0
    for index_B in torch.arange(len(feed), device=feed.device).split(scoring_batch(micro_batch, feed.stocks)):
        masked, values = feed.batch(index_B)
        total += per_day(model(masked).double(), values).sum().item()
        beat()
    return total / len(feed)


def column_scale(samples: CellDays, device: torch.device) -> ColumnScale:
    """Measure the columns of the members on sample days."""
    days = _evenly_spaced(samples, MEASURED_DAYS).days
    member_NS = days.member_NS
    x_KF = np.concatenate(
        [days.cube.x_TSF[row][member_S] for row, member_S in zip(days.rows_N, member_NS, strict=True)]
    )
    mean_F, sd_F = x_KF.mean(axis=0, dtype=np.float64), x_KF.std(axis=0, dtype=np.float64)
    sd_F[sd_F == 0.0] = 1.0
    mean, sd = (torch.from_numpy(values_F.astype(np.float32)).to(device) for values_F in (mean_F, sd_F))
    return ColumnScale(mean_F=mean, sd_F=sd)


def _evenly_spaced(samples: CellDays, most: int) -> CellDays:
    """Return at most so many of the days, with no weights."""
    index_K = np.unique(np.linspace(0, len(samples) - 1, min(most, len(samples))).round().astype(np.int64))
    days = dataclasses.replace(samples.days, rows_N=samples.days.rows_N[index_K])
    return dataclasses.replace(samples, days=days, weight_N=None)


def begin_with_encoder(model: Model, spec: ModelSpec, folder: str) -> None:
    """Copy the pretrained encoder in `folder` into `model`; all else stays as it is.

    Raises WorkFailed where the folder does not hold the encoder of this architecture.
    """
    saved = saved_weights(Path(folder))
    encoder = load_encoder(spec.geometry.family).of(model)
    found = dict(_tensors(encoder))
    unlike = [name for name, value in found.items() if name not in saved or saved[name].shape != value.shape]
    if unlike:
        raise WorkFailed(f"{folder} does not hold the encoder of {spec.architecture()}: {', '.join(unlike)}")
    with torch.no_grad():
        for name, value in found.items():
            value.copy_(saved[name])


def _tensors(encoder: SessionEncoder) -> Iterator[tuple[str, Tensor]]:
    """Yield the name in the model and the value of each parameter of `encoder`."""
    for name, member in encoder.members.items():
        if isinstance(member, nn.Parameter):
            yield name, member
        else:
            for inner, value in member.named_parameters():
                yield f"{name}.{inner}", value
