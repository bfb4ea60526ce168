"""Parameter counts, memory and work of `panel_transformer`. A sample is a day with all its stocks. Pure, no torch.

Three kinds of blocks follow each other. Temporal ones see the P patches of a stock, S sequences a day; the last of them
computes its last token alone. Cross-sectional ones see the S stocks of a day, one sequence. What a whole block of P or
S tokens keeps and computes is counted in parts/activations.py and parts/work.py. A block that computes one token, with
`body` bytes per number of the body, keeps of each of the P tokens its LayerNorm's input and output (2d), in fp32 keys,
values (2d) and shares (h); and of the last one its query in fp32 (d), the attention's output, two dropout masks and the
second LayerNorm's input and output (5d), and the feed-forward before and after GELU (2f).
"""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.families.parts.activations import block_bytes, moment_bytes
from tsladder.families.parts.family import Activations
from tsladder.families.parts.geometry import Architecture
from tsladder.families.parts.stem import Stage, Stem
from tsladder.families.parts.work import moved, products


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Consecutive blocks of one kind, in bytes a day: `inputs` and `kept`, inputs included, of each for the backward
    pass; `moment` needed temporarily."""

    count: int
    inputs: float
    kept: float
    moment: float


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
        kinds = [*self._temporal(body, self.stocks), self._across(body)]
        largest = max(kind.kept for kind in kinds if kind.count)
        return Activations(
            blocks=sum(kind.count * kind.kept for kind in kinds),
            checkpointed=sum(kind.count * kind.inputs for kind in kinds) + largest,
            largest_block=largest,
            moment=max(kind.moment for kind in kinds if kind.count),
            edges=self._edges(body, self.stocks),
        )

    def activations_in_chunks(self, body: int, stocks_at_once: int) -> Activations:
        some = min(self.stocks, stocks_at_once)
        temporal, across = self._temporal(body, some), self._across(body)
        largest = max(kind.kept for kind in (*temporal, across) if kind.count)
        # Of a chunk that is computed again: the inputs of its blocks, and one block.
        chunk = sum(kind.count * kind.inputs for kind in temporal) + max(k.kept for k in temporal if k.count)
        kept = across.count * across.inputs + max(chunk, across.kept)
        return Activations(
            blocks=kept,
            checkpointed=kept,
            largest_block=largest,
            moment=max(kind.moment for kind in (*temporal, across) if kind.count),
            edges=self._edges(body, some),
        )

    @property
    def products(self) -> float:
        d, f, p = self.model.d_model, self.model.d_ff, self.patches
        embedded_and_whole = products(
            self.model, Stem(inputs=self.inputs, positions=p, stages=(self._stage(p, self.temporal_blocks - 1),))
        )
        closing = 2.0 * (2 * p * d * d + 2 * d * d + 2 * d * f)
        return self.stocks * (embedded_and_whole + closing) + products(self.model, self._across_stem)

    @property
    def moved(self) -> float:
        d, f, h, p = self.model.d_model, self.model.d_ff, self.model.n_heads, self.patches
        whole = moved(self.model, Stem(inputs=0, positions=0, stages=(self._stage(p, self.temporal_blocks - 1),)))
        closing = p * (14 * d + 6 * h) + 16 * d + 8 * f
        return self.stocks * (whole + closing) + moved(self.model, self._across_stem)

    @property
    def calls(self) -> int:
        return self.model.n_layers

    def calls_in_chunks(self, stocks_at_once: int) -> int:
        return self.temporal_blocks * -(-self.stocks // stocks_at_once) + self.model.n_layers - self.temporal_blocks

    @property
    def _across_stem(self) -> Stem:
        stage = self._stage(self.stocks, self.model.n_layers - self.temporal_blocks)
        return Stem(inputs=0, positions=0, stages=(stage,))

    def _temporal(self, body: int, stocks: int) -> tuple[_Blocks, _Blocks]:
        """Return the whole temporal blocks of so many stocks, and that which computes the last token alone."""
        d, f, h, p = self.model.d_model, self.model.d_ff, self.model.n_heads, self.patches
        stage = self._stage(p, 1)
        inputs = stocks * p * d * body
        whole = stocks * block_bytes(self.model, stage, body)
        closing = stocks * (p * (2 * d * body + 4 * (2 * d + h)) + 4 * d + (5 * d + 2 * f) * body)
        gradients = p * (4 * 4 * d + (0 if body == 4 else 2 * 2 * d)) + 2 * f * body
        return (
            _Blocks(self.temporal_blocks - 1, inputs, whole, stocks * moment_bytes(self.model, stage, body)),
            _Blocks(1, inputs, closing, stocks * gradients),
        )

    def _across(self, body: int) -> _Blocks:
        stage = self._stage(self.stocks, 1)
        return _Blocks(
            self.model.n_layers - self.temporal_blocks,
            self.stocks * self.model.d_model * body,
            block_bytes(self.model, stage, body),
            moment_bytes(self.model, stage, body),
        )

    def _edges(self, body: int, embedded: int) -> float:
        """Return the bytes of the inputs, of the embedded patches of so many stocks, and of what norms and head keep of
        each stock."""
        geometry, d = self.model.geometry, self.model.d_model
        inputs = self.stocks * geometry.context_length * (4 * geometry.n_features + 1)
        patches = self.patches * (self.inputs * (0 if body == 4 else 2) + 3 * d * body)
        return inputs + embedded * patches + self.stocks * d * (2 * body + 2 * 4)

    @staticmethod
    def _stage(tokens: int, blocks: int) -> Stage:
        return Stage(tokens=tokens, n_blocks=blocks, queries=tokens)
