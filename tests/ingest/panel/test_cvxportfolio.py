"""The source distribution that a user downloads, with small tables in the place of its own."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable

import numpy as np
from tests.ingest.panel.conftest import PanelIngest, Refusal, csv, market, wide

from tsladder.panel.panel import Panel, Returns

NAME = "cvxportfolio-1.5.1.tar.gz"
FOLDER = "cvxportfolio-1.5.1/examples/paper_examples"
TABLE = wide(market()).set_index("Date")


def sdist(**tables: str) -> dict[str, bytes | str]:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in tables.items():
            data = gzip.compress(text.encode())
            info = tarfile.TarInfo(f"{FOLDER}/{name}.csv.gz")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return {NAME: content.getvalue()}


def test_returns_grow_from_the_day_before_and_volumes_are_turnover(
    ingest: PanelIngest, stored: Callable[[], Panel]
) -> None:
    returns = TABLE.pct_change().iloc[1:].assign(USDOLLAR=0.0001).reset_index()
    ingest(sdist(returns=csv(returns), volumes=csv((TABLE * 1000).reset_index()), sigmas="x"))
    panel = stored()
    assert "USDOLLAR" not in panel.symbols_S
    expected = TABLE[list(panel.symbols_S)].to_numpy()
    np.testing.assert_allclose(panel.close_TS, expected / expected[0], rtol=1e-9)
    np.testing.assert_allclose(panel.turnover_TS, 1000 * expected)
    assert panel.manifest.origin.returns is Returns.TOTAL
    assert len(panel.manifest.origin.bias) == 4


def test_an_archive_without_the_tables(refusal: Refusal) -> None:
    said = refusal(sdist(sigmas="x"))
    assert "does not contain examples/paper_examples/returns.csv.gz; version 1.5.1 does" in said
