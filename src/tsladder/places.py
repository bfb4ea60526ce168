"""Where every file of a study lies: one table, so that no path is spelled twice."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tsladder.vocabulary import Cell


@dataclass(frozen=True, slots=True)
class Places:
    """`root` holds params.yaml, data/ and artifacts/ of this workspace; `home` is the main checkout.

    They differ inside a temporary DVC experiment: DVC then sets DVC_ROOT to the main checkout, and the
    resumable studies and the MLflow store are shared from there.
    """

    root: Path
    home: Path

    @classmethod
    def here(cls) -> Places:
        root = Path.cwd()
        return cls(root, Path(os.environ.get("DVC_ROOT", root)))

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    def bars(self, symbol: str) -> Path:
        return self.root / "data" / f"{symbol}.parquet"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def features(self) -> Path:
        return self.artifacts / "features"

    @property
    def splits(self) -> Path:
        return self.artifacts / "splits"

    def horizon_splits(self, horizon: int) -> Path:
        return self.splits / f"h{horizon}.json"

    @property
    def plans(self) -> Path:
        return self.artifacts / "plans"

    def search_plan(self, cell: Cell) -> Path:
        return self.plans / f"{cell}.json"

    def train_plan(self, cell: Cell) -> Path:
        return self.plans / "train" / f"{cell}.json"

    def evaluate_plan(self, cell: Cell) -> Path:
        return self.plans / "evaluate" / f"{cell}.json"

    def hpo(self, cell: Cell) -> Path:
        return self.artifacts / "hpo" / str(cell)

    def choice(self, cell: Cell) -> Path:
        return self.hpo(cell) / "choice.json"

    def models(self, cell: Cell) -> Path:
        return self.artifacts / "models" / str(cell)

    def timings(self, cell: Cell) -> Path:
        return self.artifacts / "timings" / f"{cell}.json"

    def scores(self, cell: Cell) -> Path:
        return self.artifacts / "scores" / str(cell)

    @property
    def law(self) -> Path:
        return self.artifacts / "law"

    @property
    def report(self) -> Path:
        return self.artifacts / "report"

    @property
    def mlruns(self) -> Path:
        return self.home / "mlruns"

    @property
    def studies(self) -> Path:
        return self.mlruns / "studies"

    def study(self, cell: Cell, key: str) -> Path:
        """The live, resumable record of one cell's search."""
        return self.studies / f"{cell}-{key[:16]}"

    def training(self, cell: Cell, key: str) -> Path:
        """The live, resumable record of the retraining of one cell's winner."""
        return self.studies / f"{cell}-train-{key[:16]}"
