"""Batches of whole days: a sample is one session with all its stocks, gathered from the cube as windows that end there.

A batch holds one day a row and each stock of it once, never one stock's many days: attention over the second axis then
runs over the stocks of a day. Axis letters as in `panel.panel`, and:

====== ===========================================================
letter meaning
====== ===========================================================
N      samples of a region, ascending days
B      days of a batch
S      stocks of a batch: all of the panel, or as many as are drawn
T      sessions: of a window in a batch, of the panel in a cube
k      neighbours of a stock
K      features of an edge: those of `panel.graph`, and self
====== ===========================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.panel.cube import Cube
from tsladder.panel.graph import EDGE_FEATURES, NO_NEIGHBOUR, without_gaps
from tsladder.panel.panel import BoolTS
from tsladder.seeds import derive_seed

BATCH_EDGE_FEATURES = (*EDGE_FEATURES, "self")
"""Features of an edge in a batch. Self is 0: the edge of a stock to itself, with (1, 1, 1), is the model's own."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayBatch:
    """Inputs and labels of B days.

    `rows_B`: their sessions. `stocks_BS`: numbers of the stocks, ascending. `x_BSTF`: columns of the T sessions up to
    the day, 0 where `here_BST` is False. `member_BS`: the day's cross-section, members with all columns on the day,
    fixed before any label is known. `labelled_BSM`: members with a label. `y_BSM`: forward log returns, NaN where none.
    `neighbours_BSk`: places of the neighbours among the stocks of the batch, most correlated first, -1 where there is
    no further one. `edges_BSkK`: BATCH_EDGE_FEATURES of these edges, 0 where there is none. Both None without a graph.
    """

    rows_B: NDArray[np.int64]
    stocks_BS: NDArray[np.int64]
    x_BSTF: NDArray[np.float32]
    here_BST: NDArray[np.bool_]
    member_BS: NDArray[np.bool_]
    labelled_BSM: NDArray[np.bool_]
    y_BSM: NDArray[np.float32]
    neighbours_BSk: NDArray[np.int64] | None = None
    edges_BSkK: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.rows_B)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DaySamples:
    """Sample days `rows_N` of a region on `cube`. Sending them to another process sends the path of the cube and the
    days."""

    cube: Cube
    rows_N: NDArray[np.int64]
    context_length: int

    def __post_init__(self) -> None:
        first = int(self.rows_N.min(initial=self.context_length - 1))
        last = int(self.rows_N.max(initial=0))
        if first < self.context_length - 1 or last >= len(self.cube):
            raise ValueError(
                f"a window of {self.context_length} sessions ends on row {self.context_length - 1} to "
                f"{len(self.cube) - 1} of the cube; got days from row {first} to row {last}"
            )

    def __len__(self) -> int:
        return len(self.rows_N)

    @property
    def dates_N(self) -> NDArray[np.datetime64]:
        return self.cube.dates_T[self.rows_N]

    @property
    def member_NS(self) -> BoolTS:
        """Cross-section of every sample."""
        return np.asarray(self.cube.member_TS[self.rows_N] & self.cube.here_TS[self.rows_N])

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of the samples: the cube's key, their days and the window's length."""
        digest = hashlib.sha256(f"{self.cube.key}:{self.context_length}:{len(self)}".encode())
        digest.update(self.rows_N.astype("<i8").tobytes())
        return digest.hexdigest()

    def batch(self, index_B: NDArray[np.int64], stocks_BS: NDArray[np.int64] | None = None) -> DayBatch:
        """Gather the samples numbered `index_B`: all stocks, or those of `stocks_BS`."""
        cube, rows_B = self.cube, self.rows_N[index_B]
        everyone = stocks_BS is None
        if stocks_BS is None:
            stocks_BS = np.broadcast_to(np.arange(len(cube.symbols_S)), (len(rows_B), len(cube.symbols_S)))
        days, stocks = stocks_BS.shape
        x_BSTF = np.empty((days, stocks, self.context_length, len(cube.columns)), dtype=np.float32)
        here_BST = np.empty((days, stocks, self.context_length), dtype=np.bool_)
        for place, (row, stocks_S) in enumerate(zip(rows_B.tolist(), stocks_BS, strict=True)):
            window = slice(row - self.context_length + 1, row + 1)
            x_TSF, here_TS = cube.x_TSF[window], cube.here_TS[window]
            if everyone:
                # Session by session: a window of all stocks at once takes more than twice as long to turn round.
                for session, x_SF in enumerate(x_TSF):
                    x_BSTF[place, :, session] = x_SF
                here_BST[place] = here_TS.T
            else:
                x_BSTF[place] = x_TSF[:, stocks_S].transpose(1, 0, 2)
                here_BST[place] = here_TS[:, stocks_S].T
        rows_B1 = rows_B[:, None]
        member_BS = cube.member_TS[rows_B1, stocks_BS] & here_BST[:, :, -1]
        y_BSM = cube.y_TSM[rows_B1, stocks_BS]
        neighbours_BSk, edges_BSkK = _graph(cube, rows_B, None if everyone else stocks_BS)
        return DayBatch(
            rows_B=rows_B,
            stocks_BS=stocks_BS,
            x_BSTF=x_BSTF,
            here_BST=here_BST,
            member_BS=member_BS,
            labelled_BSM=member_BS[..., None] & np.isfinite(y_BSM),
            y_BSM=y_BSM,
            neighbours_BSk=neighbours_BSk,
            edges_BSkK=edges_BSkK,
        )


def _graph(
    cube: Cube, rows_B: NDArray[np.int64], stocks_BS: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64] | None, NDArray[np.float32] | None]:
    """Return neighbours and edges of the days `rows_B` among `stocks_BS` (None: all), the neighbours as places there.

    A neighbour that is not among these stocks is left out.
    """
    if cube.neighbours_TSk is None or cube.edges_TSkK is None:
        return None, None
    if stocks_BS is None:
        neighbours_BSk = cube.neighbours_TSk[rows_B].astype(np.int64)
        known_BSkK = cube.edges_TSkK[rows_B]
    else:
        rows_B1 = rows_B[:, None]
        # One place more than there are stocks: the number -1, no neighbour, finds no place there.
        place_BS = np.full((len(rows_B), len(cube.symbols_S) + 1), NO_NEIGHBOUR, dtype=np.int64)
        place_BS[np.arange(len(rows_B))[:, None], stocks_BS] = np.arange(stocks_BS.shape[1])
        numbers_BSk = cube.neighbours_TSk[rows_B1, stocks_BS]
        neighbours_BSk = place_BS[np.arange(len(rows_B))[:, None, None], numbers_BSk]
        neighbours_BSk, known_BSkK = without_gaps(
            neighbours_BSk >= 0, neighbours_BSk, cube.edges_TSkK[rows_B1, stocks_BS]
        )
    edges_BSkK = np.zeros((*neighbours_BSk.shape, len(BATCH_EDGE_FEATURES)), dtype=np.float32)
    edges_BSkK[..., : len(EDGE_FEATURES)] = known_BSkK
    return neighbours_BSk, edges_BSkK


@dataclass(frozen=True, kw_only=True, slots=True)
class DaySampler:
    """Rule by which training sees its days; everything it draws follows from `seed` and the epoch.

    `batch_days`: days of a batch; the last one of an epoch may have fewer. `train_every`: epoch e sees the samples with
    numbers = e modulo `train_every`. `stocks_per_day`: so many stocks are drawn on each day, members before others,
    without a look at labels; None: all stocks. What a day's draw is does not depend on the batch it is in.
    """

    batch_days: int
    seed: int
    train_every: int = 1
    stocks_per_day: int | None = None

    def __post_init__(self) -> None:
        if self.batch_days < 1 or self.train_every < 1 or (self.stocks_per_day is not None and self.stocks_per_day < 2):
            raise ValueError(f"batch_days and train_every are at least 1, stocks_per_day at least 2; got {self}")

    def order(self, samples: int, epoch: int) -> NDArray[np.int64]:
        """Return the numbers of the samples that `epoch` sees, in a random order."""
        seen = np.arange(epoch % self.train_every, samples, self.train_every, dtype=np.int64)
        return np.random.default_rng(derive_seed("days", self.seed, epoch)).permutation(seen)

    def stocks(self, samples: DaySamples, index_B: NDArray[np.int64], epoch: int) -> NDArray[np.int64] | None:
        """Return the stocks that each of the days `index_B` shows in `epoch`, ascending; None: all."""
        everyone = len(samples.cube.symbols_S)
        if self.stocks_per_day is None or self.stocks_per_day >= everyone:
            return None
        drawn_BS = np.empty((len(index_B), self.stocks_per_day), dtype=np.int64)
        for place, row in enumerate(samples.rows_N[index_B].tolist()):
            member_S = samples.cube.member_TS[row] & samples.cube.here_TS[row]
            chance_S = np.random.default_rng(derive_seed("stocks", self.seed, epoch, row)).random(everyone)
            first_S = np.argsort(np.where(member_S, chance_S, 1.0 + chance_S), kind="stable")
            drawn_BS[place] = np.sort(first_S[: self.stocks_per_day])
        return drawn_BS

    def batches(self, samples: DaySamples, epoch: int) -> Iterator[DayBatch]:
        """Yield the batches of `epoch`."""
        order_N = self.order(len(samples), epoch)
        for first in range(0, len(order_N), self.batch_days):
            index_B = order_N[first : first + self.batch_days]
            yield samples.batch(index_B, self.stocks(samples, index_B, epoch))


def in_order(samples: DaySamples, batch_days: int) -> Iterator[DayBatch]:
    """Yield all samples with all stocks, in the order of their days, as validation and test are scored."""
    for first in range(0, len(samples), batch_days):
        yield samples.batch(np.arange(first, min(first + batch_days, len(samples)), dtype=np.int64))
