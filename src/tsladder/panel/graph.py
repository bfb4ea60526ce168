"""Graph over the stocks of each day: the neighbours of every stock, from past returns and from sectors.

The nodes of a session are the stocks of its cross-section. The lists are made on every `every`-th session from the
first with enough stocks on, and are kept until the next: a list is at most `every` - 1 sessions old. From a kept list
the stocks are left out that are no longer in the cross-section; a stock that joins it has no neighbours until lists
are made again. Nothing is known of a later session. Per session on which lists are made:

- A return is C(t) / C(t-1) - 1, as in `panel.columns.simple_returns`. Those of the last `days` sessions have the
  weights 0.5 ** (age / halflife), and each stock's weighted mean is removed. On a session without a return, a stock
  counts as having had its mean, so that few returns make a weak correlation and not a strong one by chance.
- The correlations are multiplied by 1 - `shrinkage` and rounded to float32, as they are stored.
- A stock's list begins with the `neighbours` stocks whose correlations are largest in absolute value and at least
  `threshold`; where fewer than `at_least` reach it, with the `at_least` largest. Then come `sector_peers` further
  stocks of the same sector, again those with the largest correlations. Of equal ones the stock that stands first on
  the stock axis comes first. A stock whose returns do not vary has no neighbours and is none.

The lists are directed: B may be a neighbour of A without A being one of B. All sums are added session by session, so
that no bit of a correlation depends on which other stocks there are, or on their order.

Axis letters as in `panel.panel`, and: k places of a list, K features of an edge, n nodes of a session, D sessions that
a correlation is made of.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.store import digest
from tsladder.errors import BadInput
from tsladder.panel.columns import simple_returns
from tsladder.panel.days import DayAxis
from tsladder.panel.panel import BoolTS, FloatTS, Panel
from tsladder.params import GraphParams

VERSION = 1
"""Number of the rules above. It is in the key of a cube: raise it where other lists come out for the same panel."""

EDGE_FEATURES = ("correlation", "same_sector")
NO_NEIGHBOUR = -1

# A spread below this share of the largest return is rounding, as in panel/rolling.
_ROUNDING = 1e-9
_MOST_STOCKS = int(np.iinfo(np.int16).max)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayGraph:
    """Graph of every session.

    `neighbours_TSk`: numbers of the neighbours on the stock axis, most correlated first, then NO_NEIGHBOUR.
    `edges_TSkK`: EDGE_FEATURES of these edges; 0 where there is no neighbour.
    """

    neighbours_TSk: NDArray[np.int16]
    edges_TSkK: NDArray[np.float32]


def refuse_graph(panel: Panel, axis: DayAxis, rules: GraphParams, context_length: int) -> None:
    """Raise BadInput where the panel does not allow a graph by these `rules`."""
    first_sample = axis.first_row + context_length - 1
    if rules.days > first_sample:
        raise BadInput(
            f"graph.days is {rules.days}, but only {first_sample} sessions lie before the first sample "
            f"({_day(panel, first_sample)}): lower graph.days, or raise windows.context_length or universe.min_history"
        )
    if rules.sector_peers > 0 and panel.sector_TS is None:
        raise BadInput(
            f"graph.sector_peers is {rules.sector_peers}, but {panel.name} has no column Sector: set it to 0, or bring "
            "sectors (a column Sector, gics_sector or industry, see `tsladder ingest`)"
        )
    if len(panel.symbols_S) > _MOST_STOCKS:
        raise BadInput(
            f"graph: a cube numbers at most {_MOST_STOCKS:,} stocks, but {panel.name} has {len(panel.symbols_S):,}: "
            "set graph to null, or bring fewer stocks"
        )


def graph_fingerprint(panel: Panel, axis: DayAxis, rules: GraphParams) -> str:
    """Return the SHA-256 (hex) of what a graph follows from beside the prices and the cross-sections."""
    sectors = None if panel.sector_TS is None else _sha256_of_text(panel.sector_TS)
    return digest("graph", VERSION, dataclasses.asdict(rules), axis.first_row, sectors)


def build_graph(panel: Panel, axis: DayAxis, rules: GraphParams) -> DayGraph:
    """Make the graph of every session from `axis.first_row` on; the sessions before it have none."""
    sessions, stocks = axis.stocks_TS.shape
    width = rules.neighbours + rules.sector_peers
    neighbours_TSk = np.full((sessions, stocks, width), NO_NEIGHBOUR, dtype=np.int16)
    edges_TSkK = np.zeros((sessions, stocks, width, len(EDGE_FEATURES)), dtype=np.float32)
    return_TS = simple_returns(panel)
    for row in range(axis.first_row, sessions, rules.every):
        nodes_n = np.flatnonzero(axis.stocks_TS[row])
        if len(nodes_n) < 2:
            continue
        window = slice(max(0, row + 1 - rules.days), row + 1)
        correlation_nn = _correlations(return_TS[window][:, nodes_n], rules)
        same_nn = None if panel.sector_TS is None else _same_sector(panel.sector_TS[row, nodes_n])
        chosen_nk, edges_nkK = _lists(correlation_nn, same_nn, rules)
        made_Sk = np.full((stocks, width), NO_NEIGHBOUR, dtype=np.int16)
        made_Sk[nodes_n] = np.where(chosen_nk >= 0, nodes_n[chosen_nk], NO_NEIGHBOUR)
        of_SkK = np.zeros(edges_TSkK.shape[1:], dtype=np.float32)
        of_SkK[nodes_n] = edges_nkK
        for later in range(row, min(row + rules.every, sessions)):
            neighbours_TSk[later], edges_TSkK[later] = _among(made_Sk, of_SkK, axis.stocks_TS[later])
    return DayGraph(neighbours_TSk=neighbours_TSk, edges_TSkK=edges_TSkK)


def without_gaps(
    kept_XSk: NDArray[np.bool_], neighbours_XSk: NDArray[np.signedinteger], edges_XSkK: NDArray[np.float32]
) -> tuple[NDArray[np.signedinteger], NDArray[np.float32]]:
    """Return lists without the neighbours that are not `kept_XSk`, in their order and from the first place on.

    X stands for any number of further axes.
    """
    order_XSk = np.argsort(~kept_XSk, axis=-1, kind="stable")
    moved_XSk = np.take_along_axis(np.where(kept_XSk, neighbours_XSk, NO_NEIGHBOUR), order_XSk, axis=-1)
    cleared_XSkK = np.where(kept_XSk[..., None], edges_XSkK, np.float32(0.0))
    return moved_XSk, np.take_along_axis(cleared_XSkK, order_XSk[..., None], axis=-2)


def _among(
    made_Sk: NDArray[np.signedinteger], edges_SkK: NDArray[np.float32], stocks_S: NDArray[np.bool_]
) -> tuple[NDArray[np.signedinteger], NDArray[np.float32]]:
    """Return the lists of the stocks `stocks_S`, without the neighbours that are not among these."""
    listed_Sk = made_Sk >= 0
    kept_Sk = listed_Sk & stocks_S[:, None] & stocks_S[made_Sk]
    if np.array_equal(kept_Sk, listed_Sk):
        return made_Sk, edges_SkK
    return without_gaps(kept_Sk, made_Sk, edges_SkK)


def _correlations(return_Dn: FloatTS, rules: GraphParams) -> NDArray[np.float32]:
    """Return the shrunk correlations; NaN with a stock whose returns do not vary, and of a stock with itself."""
    sessions, nodes = return_Dn.shape
    weight_D1 = np.exp2(-np.arange(sessions - 1, -1, -1)[:, None] / rules.halflife)
    known_Dn = np.isfinite(return_Dn)
    there_Dn = np.where(known_Dn, return_Dn, 0.0)
    mean_n = _total(weight_D1 * there_Dn) / np.maximum(_total(weight_D1 * known_Dn), np.finfo(np.float64).tiny)
    off_Dn = np.where(known_Dn, there_Dn - mean_n, 0.0)
    varies_n = np.abs(off_Dn).max(axis=0) > _ROUNDING * np.abs(there_Dn).max(axis=0)
    length_n = np.sqrt(_total(weight_D1 * off_Dn**2))
    unit_Dn = np.sqrt(weight_D1) * off_Dn / np.where(varies_n, length_n, np.nan)
    sum_nn = np.zeros((nodes, nodes))
    product_nn = np.empty((nodes, nodes))
    for unit_n in unit_Dn:
        np.multiply(unit_n[:, None], unit_n, out=product_nn)
        sum_nn += product_nn
    np.fill_diagonal(sum_nn, np.nan)
    return np.asarray((1.0 - rules.shrinkage) * np.clip(sum_nn, -1.0, 1.0), dtype=np.float32)


def _total(x_Dn: FloatTS) -> FloatTS:
    """Return the sum over the sessions, added one after another: numpy adds in another order for a single stock."""
    return np.asarray(np.cumsum(x_Dn, axis=0)[-1])


def _lists(
    correlation_nn: NDArray[np.float32], same_nn: BoolTS | None, rules: GraphParams
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the numbers of the chosen nodes, chosen_nk, padded with NO_NEIGHBOUR, and the features of these edges."""
    nodes, width = len(correlation_nn), rules.neighbours + rules.sector_peers
    strength_nn = np.nan_to_num(np.abs(correlation_nn), nan=-1.0)
    order_nn = np.argsort(-strength_nn, axis=1, kind="stable")
    ordered_nn = np.take_along_axis(strength_nn, order_nn, axis=1)
    place_n = np.arange(nodes)
    strong_nn = (ordered_nn >= np.float32(rules.threshold)) & (place_n < rules.neighbours)
    taken_nn = (strong_nn | (place_n < rules.at_least)) & (ordered_nn >= 0.0)
    if same_nn is not None and rules.sector_peers > 0:
        peers_nn = np.take_along_axis(same_nn, order_nn, axis=1) & ~taken_nn & (ordered_nn >= 0.0)
        peers_nn &= np.cumsum(peers_nn, axis=1) <= rules.sector_peers
        # Those by correlation come first, and both kinds keep their order.
        kind_nn = np.where(taken_nn, 0, np.where(peers_nn, 1, 2))
        order_nn = np.take_along_axis(order_nn, np.argsort(kind_nn, axis=1, kind="stable"), axis=1)
        counts_n = (kind_nn < 2).sum(axis=1)
    else:
        counts_n = taken_nn.sum(axis=1)
    chosen_nk = np.full((nodes, width), NO_NEIGHBOUR, dtype=np.int64)
    chosen_nk[:, : min(width, nodes)] = order_nn[:, :width]
    listed_nk = np.arange(width) < counts_n[:, None]
    chosen_nk[~listed_nk] = NO_NEIGHBOUR
    edges_nkK = np.zeros((nodes, width, len(EDGE_FEATURES)), dtype=np.float32)
    edges_nkK[..., 0] = np.where(listed_nk, np.take_along_axis(correlation_nn, chosen_nk, axis=1), np.float32(0.0))
    if same_nn is not None:
        edges_nkK[..., 1] = listed_nk & np.take_along_axis(same_nn, chosen_nk, axis=1)
    return chosen_nk, edges_nkK


def _same_sector(sector_n: NDArray[np.object_]) -> BoolTS:
    """Return True for two stocks of one sector; stocks whose sectors are unknown have none in common."""
    _, number_n = np.unique(sector_n.astype(str), return_inverse=True)
    known_n = sector_n != ""
    return np.asarray((number_n[:, None] == number_n) & known_n[:, None] & known_n)


def _sha256_of_text(text_TS: NDArray[np.object_]) -> str:
    words, number_TS = np.unique(text_TS.astype(str), return_inverse=True)
    return digest(words.tolist(), hashlib.sha256(np.ascontiguousarray(number_TS, dtype="<i4").data).hexdigest())


def _day(panel: Panel, row: int) -> str:
    return str(panel.dates_T[min(row, len(panel.dates_T) - 1)].astype("datetime64[D]"))
