"""Build the two panels that ship with the project, nyse36 and sp20, from files inside two PyPI packages.

Run by hand when the data are made. The packages are read from their downloaded files, and `exchange_calendars` has to
be installed; the project needs none of the three otherwise::

    pip download --no-deps universal-portfolios==0.4.17 skfolio==1.12.2
    python -m tsladder.panel.bundled universal_portfolios-0.4.17-py3-none-any.whl skfolio-1.12.2-py3-none-any.whl

The panels are then tracked with DVC by their content; no stage generates them.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.panel.file import write_panel
from tsladder.panel.panel import Dropped, PanelManifest, PanelOrigin, Returns, UniverseKind
from tsladder.panel.sessions import sessions_between

if TYPE_CHECKING:
    import pandas as pd

FIRST_DATED, LAST_DATED = "1971-01-04", "1984-12-31"
NYSE_O = "universal/data/nyse_o.csv"
SKFOLIO = "skfolio/datasets/data/sp500_dataset.csv.gz"

NYSE36 = PanelOrigin(
    source="universal-portfolios 0.4.17, universal/data/nyse_o.csv: NYSE(O), cumulative price relatives, undated",
    licence="Feedback MIT License, (c) 2014 Mojmir Vinkler",
    returns=Returns.PRICE,
    universe=UniverseKind.SURVIVORS,
    bias=(
        "36 anonymous stocks that were traded from 1962 to the end of 1984: those that failed are missing",
        "dated by us: its last rows are laid on the sessions of the NYSE up to 1984-12-31",
        "how dividends were treated is not told; taken as prices without them",
        "closing prices bounce between bid and ask, which looks like reversal from one day to the next",
    ),
    currency="USD",
)
SP20 = PanelOrigin(
    source="skfolio 1.12.2, skfolio/datasets/data/sp500_dataset.csv.gz: adjusted closes of 20 stocks of the S&P 500",
    licence="BSD 3-Clause License, (c) 2023-2026 The skfolio developers",
    returns=Returns.TOTAL,
    universe=UniverseKind.SURVIVORS,
    bias=(
        "20 stocks chosen in 2022 among those still in the S&P 500: a fixed order of them may look like skill",
        "prices are rounded to a tenth of a cent, 1 % of the lowest: many returns of the first years are 0",
    ),
    currency="USD",
)


def long_table(dates_T: NDArray[np.datetime64], wide: pd.DataFrame) -> pd.DataFrame:
    """Return the long table of Date, Symbol and Close of a table with one column of closes per stock."""
    import pandas as pd

    return pd.DataFrame(
        {
            "Date": np.repeat(dates_T, wide.shape[1]),
            "Symbol": np.tile(np.array(wide.columns, dtype=object), len(wide)),
            "Close": wide.to_numpy(dtype="float64").ravel(),
        }
    )


def nyse36(package: Path, sessions_T: NDArray[np.datetime64]) -> tuple[pd.DataFrame, PanelOrigin]:
    """Return the last T rows of NYSE(O), one for each session of `sessions_T`, as a long table, and their origin.

    The last session must be the day of the last row. Close is the product of all price relatives since 1962.
    """
    import pandas as pd

    with zipfile.ZipFile(package) as wheel:
        closes = pd.read_csv(io.BytesIO(wheel.read(NYSE_O)))
    undated = len(closes) - len(sessions_T)
    why = "days before 1971: some sessions are missing there, so that they cannot be dated"
    origin = dataclasses.replace(NYSE36, dropped=(Dropped(why=why, count=undated * closes.shape[1]),))
    return long_table(sessions_T, closes.iloc[undated:]), origin


def sp20(package: Path) -> tuple[pd.DataFrame, PanelOrigin]:
    """Return the adjusted closes that ship with skfolio as a long table, and their origin."""
    import pandas as pd

    with zipfile.ZipFile(package) as wheel:
        text = gzip.decompress(wheel.read(SKFOLIO))
    wide = pd.read_csv(io.BytesIO(text), index_col="Date", parse_dates=True)
    return long_table(wide.index.to_numpy(dtype="datetime64[ns]"), wide), SP20


def nyse_sessions() -> NDArray[np.datetime64]:
    """Return the days on which the NYSE was open, from `FIRST_DATED` to `LAST_DATED`."""
    return sessions_between("XNYS", FIRST_DATED, LAST_DATED)


def write_bundled(
    folder: Path, portfolios: Path, skfolio: Path, sessions_T: NDArray[np.datetime64]
) -> dict[str, PanelManifest]:
    """Write `nyse36.parquet` and `sp20.parquet` into `folder`, from the wheels of universal-portfolios and skfolio."""
    made = {"nyse36": nyse36(portfolios, sessions_T), "sp20": sp20(skfolio)}
    return {name: write_panel(folder / f"{name}.parquet", frame, origin) for name, (frame, origin) in made.items()}


def main() -> int:
    portfolios, skfolio = (Path(name) for name in sys.argv[1:3])
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path("data")
    for name, manifest in write_bundled(folder, portfolios, skfolio, nyse_sessions()).items():
        span = f"{manifest.first_day} to {manifest.last_day}"
        print(f"{folder / name}.parquet: {manifest.symbols} stocks, {manifest.sessions} sessions, {span}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
