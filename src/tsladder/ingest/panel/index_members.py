"""Members of the S&P 500 by day from the package pitindex, which is an optional extra. The only module that imports
it."""

from __future__ import annotations

import importlib.metadata
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tsladder.errors import BadInput
from tsladder.ingest.panel.membership import Membership, spells_of_lists

if TYPE_CHECKING:
    import pandas as pd

NAME = "pitindex"


class IndexMembers:
    """Members of the S&P 500 by day. Making one raises BadInput where the package is missing."""

    def __init__(self) -> None:
        try:
            import pitindex
        except ImportError as error:
            raise BadInput(
                f"--members {NAME} needs the package pitindex, which cannot be imported ({error}): pip install "
                "'tsladder[panels]', or give a CSV file of members"
            ) from None
        self._package: Any = pitindex

    def between(self, first: np.datetime64, last: np.datetime64) -> Membership:
        """Return the members of each day from `first` to `last`.

        Raises BadInput where all of them lie before those that the package knows.
        """
        try:
            known_from, known_to, table = self._history(first, last)
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            words = " ".join(str(error).split())[:200]
            raise BadInput(
                f"--members {NAME}: the package fails ({type(error).__name__}: {words}): pip install -U {NAME}, or "
                "give a CSV file of members"
            ) from None
        lists: dict[np.datetime64, set[str]] = {}
        for day, symbols in table.groupby("as_of")["ticker"]:
            lists[np.datetime64(str(day), "D")] = set(symbols)
        sectors = table.dropna(subset=["gics_sector"]).drop_duplicates("ticker", keep="last")
        version = importlib.metadata.version(NAME)
        late = (f"{NAME} ends with {known_to}: later days have its last members",) if last > known_to else ()
        return Membership(
            source=f"{NAME} {version}",
            spells=spells_of_lists(lists),
            known_from=known_from,
            sectors=dict(zip(sectors["ticker"], sectors["gics_sector"], strict=True)),
            sectors_of="sectors are those of the members of today: who left has none, which tells who will leave",
            notes=late,
        )

    def _history(self, first: np.datetime64, last: np.datetime64) -> tuple[np.datetime64, np.datetime64, pd.DataFrame]:
        """Return the first and the last day that the package knows, and its lists of members from `first` to `last`."""
        with warnings.catch_warnings():
            # The age of its data is told by the last day, for the days that are asked for.
            warnings.simplefilter("ignore")
            info = self._package.info()
            known_from, known_to = np.datetime64(info["start_date"], "D"), np.datetime64(info["end_date"], "D")
            if last < known_from:
                raise BadInput(
                    f"--members {NAME}: it knows the members from {known_from} on, and the last day of the files is "
                    f"{last}: give a CSV file of members"
                )
            table = self._package.get_constituents_history(str(max(first, known_from)), str(last))
        return known_from, known_to, table
