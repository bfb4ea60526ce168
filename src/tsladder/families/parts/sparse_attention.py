"""ProbSparse self-attention (Zhou et al. 2021): only queries that discriminate between keys attend.

How much a query discriminates is measured on a sample of keys, as the highest of their scores less the mean. The u
queries with the largest measure attend to all keys; each other one gets the mean of all values.

Deviations from the paper: the sampled keys depend on the layer and the number of tokens alone, so that two runs,
training and scoring, and a block that checkpointing runs again all use the same; keys are sampled without replacement;
all scores are computed and the sampled ones taken from them, which for the windows of a study is less work than
gathering that many copies of the keys.

Shapes: B batch, H heads, P tokens, U sampled keys, Q active queries, K width of a head, D = H x K, E = 3 D.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tsladder.families.parts.active_queries import active_queries
from tsladder.families.parts.layers import split_heads


class ProbSparse(nn.Module):
    """A ProbSparse attention without parameters: queries, keys and values side by side in heads_BPE -> mixed_BPD.

    `stream` chooses the sampled keys; blocks of one model take different ones.
    """

    def __init__(self, tokens: int, stream: int) -> None:
        super().__init__()
        self.queries = active_queries(tokens)
        # Not saved in the state: it is recomputed from the two numbers.
        self.register_buffer("keys_PU", torch.from_numpy(sampled_keys(tokens, stream)), persistent=False)
        self.keys_PU: Tensor

    def forward(self, heads_BPE: Tensor, n_heads: int) -> Tensor:
        query_BHPK, key_BHPK, value_BHPK = split_heads(heads_BPE, n_heads)
        index_BHQK = self.top_queries(query_BHPK, key_BHPK)[..., None].expand(-1, -1, -1, query_BHPK.shape[-1])
        attended_BHQK = functional.scaled_dot_product_attention(query_BHPK.gather(2, index_BHQK), key_BHPK, value_BHPK)
        mean_BHPK = value_BHPK.mean(2, keepdim=True).expand_as(value_BHPK)
        mixed_BHPK = mean_BHPK.scatter(2, index_BHQK, attended_BHQK)
        return mixed_BHPK.transpose(1, 2).flatten(2)

    @torch.no_grad()
    def top_queries(self, query_BHPK: Tensor, key_BHPK: Tensor) -> Tensor:
        """Return the positions index_BHQ of the queries that attend. No gradient passes through this choice."""
        score_BHPP = query_BHPK @ key_BHPK.transpose(2, 3)
        sampled_BHPU = score_BHPP.gather(3, self.keys_PU.expand(*score_BHPP.shape[:2], -1, -1))
        return (sampled_BHPU.amax(-1) - sampled_BHPU.mean(-1)).topk(self.queries, dim=-1).indices


def sampled_keys(tokens: int, stream: int) -> np.ndarray:
    """Sample the keys, keys_PU, on which each query is measured: as many as queries will be active, each at most
    once."""
    rng = np.random.default_rng([tokens, stream])
    every_PP = np.tile(np.arange(tokens, dtype=np.int64), (tokens, 1))
    return np.ascontiguousarray(rng.permuted(every_PP, axis=1)[:, : active_queries(tokens)])
