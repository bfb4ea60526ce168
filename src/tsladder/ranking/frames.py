"""Tables of rankings: predictions.parquet, with daily metrics by model, and scores_by_stock.parquet, with all scores.

Every metric of a day can be recomputed from the second, and every score of a region from the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.predictions import SEED_PREFIX
from tsladder.ranking.metrics import MEANS, judged_stocks, scored_days
from tsladder.ranking.ranks import Mask
from tsladder.ranking.region import JudgedRanking, RankedRegion, Ranking

if TYPE_CHECKING:
    import pandas as pd

_LABEL_BYTES = 3
"""Bytes of a label: numbers of 24 bits are exact in float32, as which `evaluation.predictions.scored_on` reads them."""

_SYMBOL_BYTES = 8


def day_labels(symbols: Sequence[str], return_DS: NDArray[np.floating], judged_DS: Mask) -> NDArray[np.int32]:
    """Return one number per day that identifies what was to be ranked.

    It is 24 bits of the SHA-256 of the judged stocks and their returns (float32), and does not depend on the order of
    the stocks. Models with the same labels were judged by the same returns.
    """
    order_S = sorted(range(len(symbols)), key=lambda place: symbols[place])
    record_S = np.zeros(len(symbols), dtype=[("symbol", f"S{_SYMBOL_BYTES}"), ("value", "<f4")])
    record_S["symbol"] = [hashlib.sha256(symbols[place].encode()).digest()[:_SYMBOL_BYTES] for place in order_S]
    labels_D = np.empty(len(return_DS), dtype=np.int32)
    for day, (return_S, judged_S) in enumerate(zip(return_DS[:, order_S], judged_DS[:, order_S], strict=True)):
        # Adding 0.0 turns -0.0 into 0.0.
        record_S["value"] = np.where(judged_S, return_S, 0.0) + 0.0
        labels_D[day] = int.from_bytes(hashlib.sha256(record_S[judged_S].tobytes()).digest()[:_LABEL_BYTES])
    return labels_D


def seed_names(by_seed: Mapping[int, JudgedRanking]) -> dict[str, JudgedRanking]:
    """Return the seeds of a cell under their names in these tables, `seed-<k>`."""
    return {f"{SEED_PREFIX}{seed}": one for seed, one in sorted(by_seed.items())}


def ranking_cell_frame(
    region_name: str,
    region: RankedRegion,
    by_seed: Mapping[int, JudgedRanking],
    baselines: Mapping[str, JudgedRanking],
) -> pd.DataFrame:
    """Return the rows of one region in predictions.parquet of a cell: its trained seeds, then the baselines.

    They are the rows of `rank_predictions_frame`. `evaluation.predictions.read_predictions` reads them: `trained` gives
    the rank errors of the seeds, `baseline` those of a baseline. Raises ValueError without a seed, and for a baseline
    with the name of a seed.
    """
    if not by_seed:
        raise ValueError(f"the cell has no trained seed on {region_name}")
    seeds = seed_names(by_seed)
    if named := [name for name in baselines if name.startswith(SEED_PREFIX)]:
        raise ValueError(f"a baseline must not have the name of a seed, got {', '.join(named)}")
    return rank_predictions_frame(region_name, region, seeds | dict(baselines))


def rank_predictions_frame(region_name: str, region: RankedRegion, models: Mapping[str, JudgedRanking]) -> pd.DataFrame:
    """Return one row per scored day and model.

    Columns: date, region, model (`seed-<k>` or a baseline), label (see `day_labels`), rank_error and the other daily
    metrics, and return and trades of the book: gross_return, traded. The rank error, which is the loss, comes first of
    the metrics: `evaluation.predictions.loss_column` finds it there.
    """
    import pandas as pd

    kept_D = scored_days(region.return_DS, region.member_DS)
    judged_NS = judged_stocks(region.return_DS, region.member_DS)[kept_D]
    known = {
        "date": region.dates_D[kept_D].astype("datetime64[s]"),
        "region": region_name,
    }
    labels = {"label": day_labels(region.symbols, np.asarray(region.return_DS)[kept_D], judged_NS)}
    parts = []
    for model, one in models.items():
        daily = {metric: values_N for metric in MEANS if (values_N := one.daily.of(metric)) is not None}
        book = {"gross_return": one.book.gross_D[kept_D], "traded": one.book.traded_D[kept_D]}
        parts.append(pd.DataFrame(known | {"model": model} | labels | daily | book))
    return pd.concat(parts, ignore_index=True)


def scores_by_stock_frame(region: RankedRegion, rankings: Mapping[str, Ranking]) -> pd.DataFrame:
    """Return one row per day, member and model: date, symbol, model, score, return (the label, may be missing)."""
    import pandas as pd

    day_M, stock_M = np.nonzero(region.member_DS)
    known = {
        "date": region.dates_D[day_M].astype("datetime64[s]"),
        "symbol": pd.Categorical.from_codes(stock_M, categories=pd.Index(region.symbols)),
        "return": np.asarray(region.return_DS)[day_M, stock_M],
    }
    parts = [
        pd.DataFrame(known | {"model": model, "score": np.asarray(ranking.score_DS)[day_M, stock_M]})
        for model, ranking in rankings.items()
    ]
    return pd.concat(parts, ignore_index=True)[["date", "symbol", "model", "score", "return"]]
