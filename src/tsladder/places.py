"""Paths of all files of a study: one table, so that no path is spelled twice."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tsladder.errors import BadInput
from tsladder.vocabulary import Cell

EXPERIMENT_RESULTS = "experiment_results.csv"
BEST_PARAMS = "best_params.json"
SCORES = "scores.json"
PREDICTIONS = "predictions.parquet"

_DVC = ".dvc"
_A_STAGE = Path("stages", "hpo.py")
"""A stage script, relative to the folder of a project."""
_TEMPORARY = Path(_DVC, "tmp", "exps")
"""Folder in which DVC checks out its temporary experiments, relative to the root of its repository."""


@dataclass(frozen=True, slots=True)
class Places:
    """Root folders of a study and the paths of its files.

    `root` holds params.yaml, dvc.yaml and artifacts/ of the study in this workspace. `project` holds data/ and stages/:
    the same folder, or for a further study of the project (panel/) the one above. `home` is the project's folder in the
    main checkout. It differs from `project` inside a temporary DVC experiment: DVC then sets DVC_ROOT to the main
    checkout, and the resumable studies and the MLflow store are shared from there. A DVC_ROOT of anything else,
    exported in a shell or left over from another study, is ignored.
    """

    root: Path
    home: Path

    @classmethod
    def here(cls, study: str | None = None) -> Places:
        """Return the paths of the study in the working directory, or in the nearest folder above it that holds one; of
        the working directory itself where there is none.

        `study`: folder of another study of the same project, for example panel. Raises BadInput where it holds no
        study, and where the working directory was removed.
        """
        try:
            folder = Path.cwd()
        except FileNotFoundError:
            raise BadInput("the working folder was removed; change into the folder of a study") from None
        found = cls.of(folder)
        return found if study is None else found._beside(study)

    @classmethod
    def of(cls, folder: Path) -> Places:
        """Return the paths of the study in `folder` (an absolute path), or in the nearest folder above it that holds
        one; of `folder` itself where there is none."""
        root = _study_at(folder)
        return cls(root, _home(_project_of(root), os.environ.get("DVC_ROOT")))

    def _beside(self, study: str) -> Places:
        """Return the paths of the study in the folder `study` of the project."""
        folder = self.project / study
        if Path(study).name != study or not (folder / "params.yaml").is_file():
            held = sorted(path.parent.name for path in self.project.glob("*/params.yaml"))
            raise BadInput(
                f"--study {study}: a study is a folder of {self.project} with a params.yaml; there "
                + (f"{'are' if len(held) > 1 else 'is'} {', '.join(held)}" if held else "is none")
            )
        return Places(folder, self.home)

    @property
    def project(self) -> Path:
        return _project_of(self.root)

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    def bars(self, symbol: str) -> Path:
        return self.project / "data" / f"{symbol}.parquet"

    @property
    def inputs(self) -> Path:
        return self.artifacts / "inputs.json"

    @property
    def manifests(self) -> Path:
        """Path of the list of the ingestion records that lie beside the bars, by content."""
        return self.artifacts / "manifests.json"

    @property
    def ingestion(self) -> Path:
        return self.artifacts / "ingestion.json"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def features(self) -> Path:
        return self.artifacts / "features"

    @property
    def features_manifest(self) -> Path:
        return self.features / "manifest.json"

    @property
    def splits(self) -> Path:
        return self.artifacts / "splits"

    @property
    def splits_summary(self) -> Path:
        return self.splits / "splits.json"

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

    def pretrain_plan(self, cell: Cell) -> Path:
        return self.plans / "pretrain" / f"{cell}.json"

    @property
    def supplementary_plan(self) -> Path:
        return self.plans / "supplementary.json"

    @property
    def transfer_plan(self) -> Path:
        return self.plans / "transfer.json"

    @property
    def audit_plan(self) -> Path:
        return self.plans / "audit.json"

    def ending(self, plan: Path) -> Path:
        """Return the path of the file that records whether the stage of plan file `plan` ended without a result."""
        return self.artifacts / "endings" / plan.relative_to(self.plans)

    def hpo(self, cell: Cell) -> Path:
        return self.artifacts / "hpo" / str(cell)

    def choice(self, cell: Cell) -> Path:
        return self.hpo(cell) / "choice.json"

    def coverage(self, cell: Cell) -> Path:
        return self.hpo(cell) / "coverage.json"

    def best_params(self, cell: Cell) -> Path:
        return self.hpo(cell) / BEST_PARAMS

    def models(self, cell: Cell) -> Path:
        return self.artifacts / "models" / str(cell)

    def models_status(self, cell: Cell) -> Path:
        return self.models(cell) / "status.json"

    def timings(self, cell: Cell) -> Path:
        return self.artifacts / "timings" / f"{cell}.json"

    def scores(self, cell: Cell) -> Path:
        return self.artifacts / "scores" / str(cell)

    def scores_record(self, cell: Cell) -> Path:
        return self.scores(cell) / SCORES

    def predictions(self, cell: Cell) -> Path:
        return self.scores(cell) / PREDICTIONS

    def cell_scores_by_stock(self, cell: Cell) -> Path:
        """Return the path of a cell's scores for every stock and day, which a panel study has."""
        return self.scores(cell) / "scores_by_stock.parquet"

    def pretrain(self, cell: Cell) -> Path:
        return self.artifacts / "pretrain" / str(cell)

    def pretraining_record(self, cell: Cell) -> Path:
        return self.pretrain(cell) / "pretraining.json"

    def pretrained_encoder(self, cell: Cell) -> Path:
        return self.pretrain(cell) / "encoder"

    def pretraining_predictions(self, cell: Cell) -> Path:
        return self.pretrain(cell) / PREDICTIONS

    @property
    def supplementary(self) -> Path:
        return self.artifacts / "supplementary"

    @property
    def supplementary_selection(self) -> Path:
        return self.supplementary / "selection.json"

    def supplementary_summary(self, cell: Cell) -> Path:
        return self.supplementary / str(cell) / "summary.json"

    @property
    def transfer(self) -> Path:
        return self.artifacts / "transfer"

    @property
    def transfer_record(self) -> Path:
        return self.transfer / "transfer.json"

    @property
    def audit(self) -> Path:
        return self.artifacts / "audit"

    @property
    def audit_record(self) -> Path:
        return self.audit / "audit.json"

    @property
    def law(self) -> Path:
        return self.artifacts / "law"

    @property
    def scaling(self) -> Path:
        return self.law / "scaling.json"

    @property
    def report(self) -> Path:
        return self.artifacts / "report"

    @property
    def mlruns(self) -> Path:
        return self.home / "mlruns"

    @property
    def pause(self) -> Path:
        """Lock folder by which a process pauses all training of the project, as long as it holds the lock."""
        return self.mlruns / "pause"

    @property
    def logs(self) -> Path:
        return self.mlruns / "logs"

    @property
    def studies(self) -> Path:
        """Folder of the live records of the study. Those of a further study of a project lie in a folder of its name,
        since its cells have the same names."""
        return self.every_study if self.root == self.project else self.every_study / self.root.name

    @property
    def every_study(self) -> Path:
        """Folder of the live records of all studies of the project."""
        return self.mlruns / "studies"

    @property
    def live_results(self) -> Path:
        """Live table of results, for the user to look at while cells are built; it is that of the study that was at
        work last."""
        return self.mlruns / EXPERIMENT_RESULTS

    @property
    def cubes(self) -> Path:
        """Folder of the memory-mapped arrays of panels, shared by the experiments of this machine."""
        return self.home / ".tsladder" / "cubes"

    @property
    def baselines(self) -> Path:
        return self.artifacts / "baselines"

    def baseline_scores(self, horizon: int) -> Path:
        return self.baselines / f"h{horizon}" / SCORES

    def baseline_predictions(self, horizon: int) -> Path:
        return self.baselines / f"h{horizon}" / PREDICTIONS

    def scores_by_stock(self, horizon: int) -> Path:
        return self.baselines / f"h{horizon}" / "scores_by_stock.parquet"

    @property
    def calibration(self) -> Path:
        """Peak memory as measured on this machine, shared by its experiments."""
        return self.home / ".tsladder" / "calibration.json"

    @property
    def dvc_cache(self) -> Path:
        """DVC's cache, shared by all experiments."""
        return self.home / ".dvc" / "cache"

    @property
    def sources(self) -> Path:
        """Cache of the parsed modules of the code in use, so that `tsladder status` need not parse them again."""
        return self.home / ".tsladder" / "sources.json"

    def study(self, cell: Cell, key: str) -> Path:
        """Return the folder of the live, resumable record of one cell's search."""
        return self.studies / f"{cell}-{key[:16]}"

    def live_records(self, cell: Cell, stage: str) -> list[Path]:
        """Return the live records that stage `stage` (hpo, supplementary or train) has left of `cell`, whatever their
        keys."""
        infix = {"hpo": "", "supplementary": "supplementary-", "train": "train-"}[stage]
        return sorted(self.studies.glob(f"{cell}-{infix}{'[0-9a-f]' * 16}"))

    def supplementary_study(self, cell: Cell, key: str) -> Path:
        """Return the folder of the live, resumable record of the second phase of one cell's search."""
        return self.studies / f"{cell}-supplementary-{key[:16]}"

    def transfer_training(self, cell: Cell, key: str) -> Path:
        """Return the folder of the live, resumable record of another horizon's winner trained on the
        windows of `cell`."""
        return self.studies / f"{cell}-transfer-{key[:16]}"

    def pretraining(self, cell: Cell, key: str) -> Path:
        """Return the folder of the live, resumable record of one cell's pretraining and of the trainings of its winner
        that are compared."""
        return self.studies / f"{cell}-pretrain-{key[:16]}"

    def training(self, cell: Cell, key: str) -> Path:
        """Return the folder of the live, resumable record of the retraining of one cell's winner."""
        return self.studies / f"{cell}-train-{key[:16]}"


def _study_at(folder: Path) -> Path:
    """Return the nearest folder at or above `folder` that holds a study; `folder` itself where there is none.

    A folder above must hold everything that a study needs: a params.yaml alone may belong to anything.
    """
    if (folder / "params.yaml").exists():
        return folder
    return next((path for path in folder.parents if _holds_study(path)), folder)


def _holds_study(folder: Path) -> bool:
    """Check whether `folder` holds the question and the pipeline of a study, and it or the one above the stages."""
    stages = (folder / _A_STAGE, folder.parent / _A_STAGE)
    return all((folder / name).is_file() for name in ("params.yaml", "dvc.yaml")) and any(map(Path.is_file, stages))


def _project_of(root: Path) -> Path:
    """Return the folder with the data and the stages of the study in `root`: the one above, where that has the stages
    and `root` has neither stages nor data of its own."""
    above = root.parent
    own = (root / _A_STAGE).is_file() or (root / "data").is_dir()
    return above if (above / _A_STAGE).is_file() and not own else root


def _home(project: Path, dvc_root: str | None) -> Path:
    """Return the folder that `project` is a copy of where it lies in a temporary experiment of `dvc_root`, otherwise
    `project`."""
    if not dvc_root:
        return project
    main, real = Path(dvc_root).resolve(), project.resolve()
    checkout = next((path for path in (real, *real.parents) if (path / _DVC).is_dir()), None)
    if checkout is None or not checkout.is_relative_to(main / _TEMPORARY):
        return project
    return main / real.relative_to(checkout)
