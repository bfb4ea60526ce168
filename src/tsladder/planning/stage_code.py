"""Modules that make the numbers of each stage, and modules that a stage loads and that make none.

A cell becomes stale by an edit of a module that makes its numbers. These are found by following imports from
`NUMBER_MAKERS`; imports are not followed beyond the modules of `OUTSIDE`. What params.yaml chooses by name (family,
task and strategy) is added by the caller who plans. A test keeps the two lists complete: every module that a stage
loads is reached from the first or named in the second.
"""

from __future__ import annotations

from tsladder import families, tasks

TRAINING = (
    "tsladder.data.dataset",
    "tsladder.planning.recipe",
    "tsladder.training.folds",
    "tsladder.training.trainer",
)
"""Entry modules of the code from the files of features and splits to a trained model."""
_SEARCH = (
    "tsladder.search.adoption",
    "tsladder.search.draws",
    "tsladder.search.planned",
    "tsladder.search.takeover",
)
_SCORING = ("tsladder.evaluation.symbols", "tsladder.cells.forecasting", "tsladder.cells.scoring")

PANEL_TRAINING = (
    "tsladder.panel.dataset",
    "tsladder.panel.graph",
    "tsladder.panel.targets",
    "tsladder.planning.panel_recipe",
    "tsladder.training.day_feed",
    "tsladder.training.folds",
    "tsladder.training.trainer",
)
"""Entry modules of the code from the features of a panel to a trained model."""
_PANEL_SCORING = ("tsladder.cells.forecasting", "tsladder.cells.panel_scoring", "tsladder.ranking.frames")

PRETRAINING = ("tsladder.cells.pretraining_jobs", "tsladder.training.pretraining")
"""Entry modules of what pretraining adds to the training of a panel study."""

NUMBER_MAKERS = {
    "panel/hpo": (*PANEL_TRAINING, *_SEARCH),
    "panel/train": (*PANEL_TRAINING, "tsladder.cells.seed_jobs"),
    "panel/evaluate": (*PANEL_TRAINING, *_PANEL_SCORING),
    "panel/pretrain": (
        *PANEL_TRAINING,
        *PRETRAINING,
        *_PANEL_SCORING,
        "tsladder.cells.pretraining",
        "tsladder.cells.seed_jobs",
    ),
    "hpo": (*TRAINING, *_SEARCH),
    "train": (*TRAINING, "tsladder.cells.seed_jobs"),
    "evaluate": ("tsladder.data.dataset", "tsladder.planning.recipe", *_SCORING),
    "audit": (*TRAINING, "tsladder.audit.build"),
    "supplementary": (*TRAINING, *_SEARCH, "tsladder.search.selection", "tsladder.cells.supplementary"),
    "transfer": (*TRAINING, *_SCORING, "tsladder.cells.seed_jobs", "tsladder.cells.transfer"),
}
"""Stage -> the modules from which imports are followed."""

OUTSIDE = {
    "tsladder.artifacts": "records of files",
    "tsladder.cell_endings": "endings of the stages of a cell",
    "tsladder.errors": "the words of refusals",
    "tsladder.interruption": "signals",
    "tsladder.locks": "which process owns a folder",
    "tsladder.log_file": "the log",
    "tsladder.log_relay": "the times of the log's lines",
    "tsladder.messages": "prints the words for the user",
    "tsladder.params": "reads params.yaml; what it says is in the plan files by value",
    "tsladder.places": "paths",
    "tsladder.planned_stage": "endings of the stages of a planned cell",
    "tsladder.results": "tables of what is known so far",
    "tsladder.suggestions": "the words of refusals",
    "tsladder.stage": "arguments and endings of a stage",
    "tsladder.stage_log": "which log a stage writes to",
    "tsladder.tracking": "copies in MLflow",
    "tsladder.typed_yaml": "checks types and bounds of params.yaml",
    "tsladder.vocabulary": "names",
    "tsladder.families.parts.activations": "bytes that a block takes",
    "tsladder.families.parts.panel_activations": "bytes that a day takes",
    "tsladder.families.panel.atft.activations": "bytes that a day takes",
    "tsladder.families.panel.atft.work": "multiplications of a day, for seconds of training",
    "tsladder.families.parts.panel_work": "multiplications of a day, for seconds of training",
    "tsladder.families.parts.work": "multiplications of a block, for seconds of training",
    "tsladder.evaluation.constant": "the loss of the base rate, recorded beside a trial",
    "tsladder.tasks.parts.class_words": "what log and report say of classes",
    "tsladder.tasks.parts.rank_words": "what log and report say of rankings",
    "tsladder.tasks.parts.return_words": "what log and report say of returns",
    "tsladder.tasks.parts.words": "words and columns of a task",
    "tsladder.data.tier_sizes": "how many columns a tier has; the number is in the plan files by value",
    "tsladder.panel.columns": "columns of a panel; their values are in the fingerprint of the features",
    "tsladder.panel.cube": "cache of a panel; its values are those of features and labels",
    "tsladder.panel.cube_format": "cache of a panel",
    "tsladder.panel.cube_reader": "cache of a panel",
    "tsladder.panel.cube_writer": "cache of a panel",
    "tsladder.panel.file": "prices of a panel; their values are in the fingerprint of the features",
    "tsladder.panel.long_table": "prices of a panel",
    "tsladder.panel.samples": "members and columns of a panel; their values are in the fingerprint of the features",
    "tsladder.panel.study_cube": "cache of a panel",
    "tsladder.panel.universe": "members of a panel; their values are in the fingerprint of the features",
    "tsladder.planning.calibration": "peaks of memory on this machine",
    "tsladder.planning.cells": "writes the plan files",
    "tsladder.planning.cell_inputs": "records of features and splits of a cell",
    "tsladder.planning.panel_cells": "writes the plan files of a panel study",
    "tsladder.planning.duration": "seconds of training",
    "tsladder.planning.endings": "how a stage ended",
    "tsladder.planning.fingerprint": "hashes of the code",
    "tsladder.planning.free_memory": "what is free on this machine",
    "tsladder.planning.grids": "keeps the grids that were built",
    "tsladder.planning.held_panel": "what a worker holds of a panel, for batch plans",
    "tsladder.planning.identity": "which trainings are the same",
    "tsladder.planning.machine": "how a cell is executed here",
    "tsladder.planning.memory": "micro-batch and accumulation, which change no number",
    "tsladder.planning.too_little_memory": "the words where a model does not fit",
    "tsladder.planning.place_kinds": "which machines train alike",
    "tsladder.planning.plans": "reads the plan files",
    "tsladder.planning.same_numbers": "which earlier code made the same numbers",
    "tsladder.planning.sources": "reads files of code",
    "tsladder.planning.stage_code": "these lists",
    "tsladder.planning.step_costs": "seconds of training on a GPU",
    "tsladder.planning.study_models": "models of a study, for checks of memory and forecasts",
    "tsladder.cells.best_params": "a table of the best trials so far",
    "tsladder.cells.evaluation_runs": "runs of evaluations in MLflow",
    "tsladder.cells.training_runs": "runs of trainings in MLflow",
    "tsladder.cells.trial_records": "records and runs of trials that ended",
    "tsladder.cells.search_cell": "runs the search of a cell",
    "tsladder.cells.run_search": "runs a search from its record to its last trial",
    "tsladder.search.coverage": "how much of the grid was seen, for the report",
    "tsladder.cells.trial_identity": "which trials are the same",
    "tsladder.search.lag": "records how many trials a search draws ahead",
    "tsladder.search.layout": "names of files",
    "tsladder.search.live": "reads the live record",
    "tsladder.cells.search_outputs": "writes the files of a search",
    "tsladder.cells.trial_runner": "keeps the workers of a search busy",
    "tsladder.cells.start_lines": "what the log says when a search begins",
    "tsladder.cells.work": "a plan file as typed values",
    "tsladder.training.checkpoint": "writes a trained model",
    "tsladder.training.checkpoint_plan": "whether and where a training keeps checkpoints",
    "tsladder.training.checkpoints": "keeps checkpoints; a training that goes on from one repeats every digit",
    "tsladder.execution.crew": "what is asked of workers, wherever they are",
    "tsladder.execution.job_loop": "keeps workers busy",
    "tsladder.execution.job_source": "what a cell asks of the loop",
    "tsladder.execution.slot_choice": "where the trials of a cell may run",
    "tsladder.execution.local_crew": "the workers of this machine",
    "tsladder.execution.local_places": "the devices of this machine",
    "tsladder.execution.memory_guard": "ends a worker that takes too much",
    "tsladder.training.outcome": "the records of a training",
    "tsladder.execution.heartbeat": "what trains now, for people",
    "tsladder.cells.retrain": "runs the seeds of a cell",
    "tsladder.cells.score_records": "writes the scores of a cell",
    "tsladder.execution.shared_windows": "windows in memory that processes share",
    "tsladder.training.state_file": "the file format of a checkpoint",
    "tsladder.execution.supervisor": "starts and ends workers",
    "tsladder.execution.suspension": "holds processes for a while",
    "tsladder.execution.thermal_guard": "when to wait for a cooler machine",
    "tsladder.execution.thermometer": "sensors",
    "tsladder.cells.training_log": "what the log says of trainings",
    "tsladder.cells.trial_files": "trials of a panel study, for people",
    "tsladder.cells.panel_score_records": "writes the scores of a cell of a panel study",
    "tsladder.execution.worker": "one training in a process of its own",
}
"""Module or package -> what it is for, which is why an edit of it changes no number. A package stands for all its
modules."""

_SCORED = ("evaluate", "audit", "transfer")
MADE_IN = {
    "tsladder.tasks.parts.class_audit": ("audit",),
    "tsladder.tasks.parts.class_scoring": _SCORED,
    "tsladder.tasks.parts.return_audit": ("audit",),
    "tsladder.tasks.parts.return_scoring": _SCORED,
}
"""Module of a task -> the stages whose numbers it makes. The other stages load the task as well, but never use these
parts."""


def is_outside(module: str, stage: str | None = None) -> bool:
    """Check whether the module of this name makes no number of `stage`; None: of any stage."""
    if stage is not None and stage not in MADE_IN.get(module, (stage,)):
        return True
    return any(module == name or module.startswith(name + ".") for name in OUTSIDE)


def family_module(name: str) -> str:
    """Return the module of the model family `name`, of one series or of a panel, which is loaded by that name. Raises
    BadInput for an unknown one."""
    return families.module_of(name)


def strategy_module(name: str) -> str:
    """Return the module of the search strategy `name`, which is loaded by that name."""
    return f"tsladder.search.strategies.{name}"


def task_module(name: str) -> str:
    """Return the module of the task `name`, which is loaded by that name. Raises BadInput for an unknown one."""
    return f"tsladder.tasks.{tasks.module_of(name)}"


def tier_module(name: str) -> str:
    """Return the module of the feature tier `name`, which is loaded by that name."""
    return f"tsladder.data.tiers.{name}"
