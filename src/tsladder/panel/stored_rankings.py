"""Rankings of the constants and baselines as the stage `baselines` stored them, for the stages that score models."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER
from tsladder.errors import WorkFailed
from tsladder.ranking.baselines import static_order
from tsladder.ranking.metrics import judged_stocks
from tsladder.ranking.region import RankedRegion, Ranking
from tsladder.vocabulary import Region

_AGAIN = "run `dvc repro baselines`, which makes it again"


def read_rankings(path: Path, region_name: Region, region: RankedRegion) -> dict[str, Ranking]:
    """Read the rankings of `region` from the table of scores by stock at `path`: baseline -> ranking.

    `own_static_order` follows from the labels of the region. Raises WorkFailed where the table is missing, or lacks a
    score of a member.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(path, columns=["date", "symbol", "model", "score"]).reset_index(drop=True)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: {_AGAIN}") from None
    table = table.reset_index(drop=True)
    days = pd.Index(region.dates_D.astype("datetime64[s]"))
    day_R = days.get_indexer(pd.Index(table["date"].to_numpy().astype("datetime64[s]")))
    stock_R = pd.Index(region.symbols).get_indexer(pd.Index(table["symbol"].astype(str)))
    here_R = (day_R >= 0) & (stock_R >= 0)
    found = {}
    for model, own in table[here_R].groupby("model", observed=True, sort=True):
        score_DS = np.full(region.member_DS.shape, np.nan)
        rows = own.index.to_numpy()
        score_DS[day_R[rows], stock_R[rows]] = own["score"].to_numpy(dtype=np.float64)
        if not np.isfinite(score_DS[region.member_DS]).all():
            raise WorkFailed(f"{path} lacks scores of {model} on {region_name}: {_AGAIN}")
        found[str(model)] = Ranking(score_DS=score_DS)
    if not found:
        raise WorkFailed(f"{path} has no score on {region_name}: {_AGAIN}")
    own_order = static_order(region.return_DS, judged_stocks(region.return_DS, region.member_DS))
    return {**found, OWN_STATIC_ORDER: Ranking(score_DS=own_order)}
