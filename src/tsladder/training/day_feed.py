"""Days of a panel on the device: the columns of all sessions are stored once, windows are gathered by session.

Letters: T sessions of the panel, W sessions of a window, S stocks, F columns, N samples, B samples of a batch, M
horizons, k neighbours.
"""

from __future__ import annotations

import warnings
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tsladder.artifacts.plans import PanelRecipe
from tsladder.artifacts.validation_figures import ValidationFigures
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.panel.dataset import CellDays
from tsladder.panel.day_batches import DaySampler
from tsladder.panel.targets import Transform, transform_labels
from tsladder.ranking.portfolio import entry_returns
from tsladder.ranking.validation import validation_figures
from tsladder.tasks.parts.day_labels import DayLabels
from tsladder.tasks.parts.ranking_losses import scores_of
from tsladder.training.feed import Shuffled


class DayFeed:
    """Days of one region as tensors on `device`.

    An epoch sees one of `recipe.train_every` days, another one in each epoch, and on each of them all stocks or as many
    as `recipe.stocks_per_day` draws. Where stocks are drawn, a batch depends on the epoch: `order` begins one. `seed`
    decides what is drawn.
    """

    def __init__(self, samples: CellDays, device: torch.device, recipe: PanelRecipe, seed: int) -> None:
        self.device = device
        self._samples = samples
        self._recipe = recipe
        self._sampler = DaySampler(batch_days=1, seed=seed, stocks_per_day=recipe.stocks_per_day)
        self._epoch: int | None = None
        days = samples.days
        cube = days.cube
        self.x_TSF = _mapped(cube.x_TSF).to(device)
        self.here_TS = _mapped(cube.here_TS).to(device)
        self.neighbours_TSk = None if cube.neighbours_TSk is None else _mapped(cube.neighbours_TSk).to(device)
        self.edges_TSkK = None if cube.edges_TSkK is None else _mapped(cube.edges_TSkK).to(device)
        self._rows_N = torch.from_numpy(days.rows_N).to(device)
        self._window_W = torch.arange(1 - days.context_length, 1, device=device)
        member_NS = days.member_NS
        self.stocks = member_NS.shape[1]
        self.member_NS = torch.from_numpy(member_NS).to(device)
        return_NSM = np.where(member_NS[..., None], cube.y_TSM[days.rows_N][..., list(samples.places_M)], np.nan)
        transform = cast(Transform, samples.transform)
        target_NSM = np.stack(
            [
                transform_labels(return_NSM[..., place].astype(np.float64), member_NS, transform)
                for place in range(len(samples.places_M))
            ],
            axis=-1,
        )
        weight_N = samples.weight_N
        self.every_label = DayLabels(
            return_BSM=torch.from_numpy(np.ascontiguousarray(return_NSM, dtype=np.float32)).to(device),
            target_BSM=torch.from_numpy(target_NSM.astype(np.float32)).to(device),
            weight_B=None if weight_N is None else torch.from_numpy(weight_N.astype(np.float32)).to(device),
        )

    def __len__(self) -> int:
        return len(self._rows_N)

    @property
    def per_epoch(self) -> int:
        return -(-len(self) // self._recipe.train_every)

    def order(self, epoch: int, shuffled: Shuffled) -> Tensor:
        self._epoch = epoch
        seen_N = torch.arange((epoch - 1) % self._recipe.train_every, len(self), self._recipe.train_every)
        return seen_N[shuffled(len(seen_N))].to(self.device)

    def labels(self, index_B: Tensor) -> DayLabels:
        labels, stocks_BS = self.every_label.of_days(index_B), self._drawn(index_B)
        return labels if stocks_BS is None else _labels_of_stocks(labels, stocks_BS)

    def batch(self, index_B: Tensor) -> tuple[DayInputs, DayLabels]:
        rows_B = self._rows_N[index_B]
        rows_BW = rows_B[:, None] + self._window_W
        x_BSWF, here_BSW = self.x_TSF[rows_BW].transpose(1, 2), self.here_TS[rows_BW].transpose(1, 2)
        inputs = DayInputs(
            x_BSTF=x_BSWF.contiguous(),
            here_BST=here_BSW.contiguous(),
            member_BS=self.member_NS[index_B],
            neighbours_BSk=None if self.neighbours_TSk is None else self.neighbours_TSk[rows_B].long(),
            # The last feature marks the edge of a stock to itself, which is the model's own.
            edges_BSkK=None if self.edges_TSkK is None else nn.functional.pad(self.edges_TSkK[rows_B], (0, 1)),
        )
        labels, stocks_BS = self.every_label.of_days(index_B), self._drawn(index_B)
        if stocks_BS is None:
            return inputs, labels
        return _inputs_of_stocks(inputs, stocks_BS), _labels_of_stocks(labels, stocks_BS)

    def figures(self, out_N: Tensor) -> ValidationFigures:
        """Return the validation figures of a ranking by the outputs `out_N`: those of all members, and of the portfolio
        that holds them."""
        samples, horizons = self._samples, len(self._samples.places_M)
        cube, rows_N = samples.days.cube, samples.days.rows_N
        quantiles = out_N.shape[-1] // horizons
        out_NSO = out_N.double().cpu()
        score_NS = scores_of(out_NSO, horizons, quantiles).numpy()
        # Sessions between the first and the last sample, since a portfolio is also held on days that are no sample.
        rows_D = np.arange(rows_N[0], rows_N[-1] + 1)
        stocks = len(cube.symbols_S)
        member_DS = np.zeros((len(rows_D), stocks), dtype=np.bool_)
        score_DS = np.zeros((len(rows_D), stocks))
        member_DS[rows_N - rows_N[0]] = samples.days.member_NS
        score_DS[rows_N - rows_N[0]] = score_NS
        quantile_DSQ = label_DS = None
        if quantiles > 1:
            quantile_DSQ = np.zeros((*score_DS.shape, quantiles))
            quantile_DSQ[rows_N - rows_N[0]] = out_NSO[..., :quantiles].numpy()
            label_DS = np.full(score_DS.shape, np.nan)
            label_DS[rows_N - rows_N[0]] = self.every_label.target_BSM[..., 0].double().cpu().numpy()
        return_of_day_TS: NDArray[np.float64] = np.asarray(cube.return_TS, dtype=np.float64)
        return validation_figures(
            score_DS,
            np.asarray(cube.y_TSM[rows_D][..., samples.places_M[0]], dtype=np.float64),
            member_DS,
            entry_returns(return_of_day_TS, rows_D, samples.entry_lag),
            horizon=samples.horizon,
            cost_bps=samples.cost_bps,
            quantile_DSQ=quantile_DSQ,
            label_DS=label_DS,
        )

    def _drawn(self, index_B: Tensor) -> Tensor | None:
        """Return the stocks that each day shows in this epoch; None: all of them."""
        if self._epoch is None:
            return None
        drawn_BS = self._sampler.stocks(self._samples.days, index_B.cpu().numpy(), self._epoch)
        return None if drawn_BS is None else torch.from_numpy(drawn_BS).to(self.device)


def _mapped(values: NDArray[Any]) -> Tensor:
    """Return a tensor on the pages of a mapped array, which all processes share. Nothing writes to it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(values)


def _inputs_of_stocks(inputs: DayInputs, stocks_BS: Tensor) -> DayInputs:
    """Return the inputs of the stocks `stocks_BS` alone; neighbours that are not among them are left out."""
    days_B1 = torch.arange(len(inputs), device=stocks_BS.device)[:, None]
    neighbours_BSk = edges_BSkK = None
    if inputs.neighbours_BSk is not None and inputs.edges_BSkK is not None:
        place_BS = torch.full(inputs.member_BS.shape, -1, device=stocks_BS.device, dtype=torch.int64)
        drawn = torch.arange(stocks_BS.shape[1], device=stocks_BS.device).expand_as(stocks_BS)
        place_BS.scatter_(1, stocks_BS, drawn)
        old_BSk = inputs.neighbours_BSk[days_B1, stocks_BS]
        new_BSk = place_BS[days_B1[..., None], old_BSk.clamp(min=0)]
        new_BSk = torch.where(old_BSk < 0, -1, new_BSk)
        # Those that are left close up, in the order in which they were.
        order_BSk = (new_BSk < 0).int().argsort(dim=-1, stable=True)
        neighbours_BSk = new_BSk.take_along_dim(order_BSk, -1)
        edges_BSkK = inputs.edges_BSkK[days_B1, stocks_BS].take_along_dim(order_BSk[..., None], -2)
        edges_BSkK = edges_BSkK * (neighbours_BSk >= 0)[..., None]
    return DayInputs(
        x_BSTF=inputs.x_BSTF[days_B1, stocks_BS],
        here_BST=inputs.here_BST[days_B1, stocks_BS],
        member_BS=inputs.member_BS[days_B1, stocks_BS],
        neighbours_BSk=neighbours_BSk,
        edges_BSkK=edges_BSkK,
    )


def _labels_of_stocks(labels: DayLabels, stocks_BS: Tensor) -> DayLabels:
    days_B1 = torch.arange(len(labels), device=stocks_BS.device)[:, None]
    return DayLabels(
        return_BSM=labels.return_BSM[days_B1, stocks_BS],
        target_BSM=labels.target_BSM[days_B1, stocks_BS],
        weight_B=labels.weight_B,
    )
