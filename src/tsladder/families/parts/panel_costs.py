"""Parameter counts, memory and work of `panel_transformer`. A sample is a day with all its stocks. Pure, no torch.

Two kinds of blocks: temporal ones see the P patches of a stock, S sequences a day; cross-sectional ones see the S
stocks of a day, one sequence. What a block of each kind keeps and computes is that of parts/activations.py and
parts/work.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.families.parts.activations import block_bytes, moment_bytes
from tsladder.families.parts.family import Activations
from tsladder.families.parts.geometry import Architecture
from tsladder.families.parts.stem import Stage, Stem
from tsladder.families.parts.work import moved, products


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossSectionalCosts:
    """The `PanelCosts` of a model whose module is a `CrossSectionalEncoder`: `stocks` a day, `patches` of `inputs`
    values, the first `temporal_blocks` blocks over the patches of a stock."""

    model: Architecture
    stocks: int
    patches: int
    inputs: int
    temporal_blocks: int

    @property
    def n_params_blocks(self) -> int:
        """Number of parameters of the blocks: attention 4d^2 + 4d, feed-forward 2df + f + d, two LayerNorms 4d; for
        each block."""
        d, f = self.model.d_model, self.model.d_ff
        return self.model.n_layers * (4 * d * d + 4 * d + 4 * d + 2 * d * f + f + d)

    @property
    def n_params_body(self) -> int:
        """Number of parameters of blocks and of the LayerNorms behind the temporal and behind all blocks."""
        return self.n_params_blocks + 4 * self.model.d_model

    @property
    def n_params(self) -> int:
        """Number of parameters of the projection of the patches, positions, body and head."""
        d, outputs = self.model.d_model, self.model.geometry.n_outputs
        embedding = self.inputs * d + d + self.patches * d
        return embedding + self.n_params_body + d * outputs + outputs

    @property
    def largest_weight(self) -> int:
        """Number of values of the largest matrix: that of a feed-forward, or the fused projection of queries, keys and
        values."""
        return max(self.model.d_model * self.model.d_ff, 3 * self.model.d_model**2)

    def activations(self, body: int) -> Activations:
        model, stocks = self.model, self.stocks
        temporal, across = self._temporal, self._across
        tokens = stocks * (temporal.n_blocks * temporal.tokens + across.n_blocks)
        largest = max(stocks * block_bytes(model, temporal, body), block_bytes(model, across, body))
        return Activations(
            blocks=stocks * temporal.n_blocks * block_bytes(model, temporal, body)
            + across.n_blocks * block_bytes(model, across, body),
            checkpointed=tokens * model.d_model * body + largest,
            largest_block=largest,
            moment=max(stocks * moment_bytes(model, temporal, body), moment_bytes(model, across, body)),
            edges=self._edges(body, stocks),
        )

    def activations_in_chunks(self, body: int, stocks_at_once: int) -> Activations:
        model, some = self.model, min(self.stocks, stocks_at_once)
        temporal, across = self._temporal, self._across
        one = some * block_bytes(model, temporal, body)
        largest = max(one, block_bytes(model, across, body))
        # Of a chunk that is computed again: the inputs of its blocks, and one block.
        chunk = some * temporal.n_blocks * temporal.tokens * model.d_model * body + one
        days = self.stocks * across.n_blocks * model.d_model * body
        return Activations(
            blocks=days + max(chunk, largest),
            checkpointed=days + max(chunk, largest),
            largest_block=largest,
            moment=max(some * moment_bytes(model, temporal, body), moment_bytes(model, across, body)),
            edges=self._edges(body, some),
        )

    @property
    def products(self) -> float:
        stem = Stem(inputs=self.inputs, positions=self.patches, stages=(self._temporal,))
        of_days = Stem(inputs=0, positions=0, stages=(self._across,))
        return self.stocks * products(self.model, stem) + products(self.model, of_days)

    @property
    def moved(self) -> float:
        return self.stocks * self._moved(self._temporal) + self._moved(self._across)

    @property
    def calls(self) -> int:
        return self.model.n_layers

    def calls_in_chunks(self, stocks_at_once: int) -> int:
        return self._temporal.n_blocks * -(-self.stocks // stocks_at_once) + self._across.n_blocks

    @property
    def _temporal(self) -> Stage:
        return Stage(tokens=self.patches, n_blocks=self.temporal_blocks, queries=self.patches)

    @property
    def _across(self) -> Stage:
        return Stage(tokens=self.stocks, n_blocks=self.model.n_layers - self.temporal_blocks, queries=self.stocks)

    def _moved(self, stage: Stage) -> float:
        return moved(self.model, Stem(inputs=0, positions=0, stages=(stage,)))

    def _edges(self, body: int, embedded: int) -> float:
        """Return the bytes of the inputs, of the embedded patches of so many stocks, and of what norms and head keep of
        each stock."""
        geometry, d = self.model.geometry, self.model.d_model
        inputs = self.stocks * geometry.context_length * (4 * geometry.n_features + 1)
        patches = self.patches * (self.inputs * (0 if body == 4 else 2) + 3 * d * body)
        return inputs + embedded * patches + self.stocks * d * (2 * body + 2 * 4)
