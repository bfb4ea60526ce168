"""What a cell's staleness hangs on: the code that makes its numbers, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tsladder.errors import WorkFailed
from tsladder.families import names, panel_names
from tsladder.families.parts.session_encoder import encoder_module
from tsladder.planning.fingerprint import import_closure, module_fingerprints, number_makers, stage_fingerprint
from tsladder.planning.stage_code import MADE_IN, NUMBER_MAKERS, OUTSIDE, is_outside

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
STRATEGY = "tsladder.search.strategies.architectural"
FAMILY = "tsladder.families.patchtst"
TASK = "tsladder.tasks.threshold"
PANEL_FAMILY = "tsladder.families.panel.panel_transformer"
PANEL_TASK = "tsladder.tasks.panel.rank"
PANEL_ENCODER = encoder_module("panel_transformer")
SERIES = {"hpo", "train", "evaluate"}
PANEL = {"panel/hpo", "panel/train", "panel/evaluate", "panel/pretrain"}
PRETRAIN = {"panel/pretrain"}

HARMLESS_EDITS = [
    ("training/gradients.py", "    model.train()\n", "    # a remark\n    model.train()\n"),
    ("training/trainer.py", '"""Train `job.spec` on `train`', '"""Fit `job.spec` on `train`'),
    ("training/trainer.py", "training.monitor val_auc needs", "training.monitor val_auc wants"),
    ("data/windows.py", "a normalised input is not a finite", "a normalised input must be a finite"),
    ("cells/trial_records.py", 'f"trial {record.number + 1}/', 'f"Trial {record.number + 1}/'),
    ("cells/start_lines.py", "drawn by TPE", "drawn by the sampler"),
    ("cells/trial_runner.py", "a second Ctrl-C stops at once", "ask again to stop at once"),
    ("execution/supervisor.py", "STALL_SECONDS = 600.0", "STALL_SECONDS = 900.0"),
    ("execution/worker.py", "BEAT_SECONDS = 2.0", "BEAT_SECONDS = 3.0"),
    ("cells/retrain.py", "in {outcome.seconds:.1f} s", "after {outcome.seconds:.1f} s"),
    ("cells/evaluation_runs.py", '"scores"}', '"score"}'),
    ("cells/score_records.py", 'f"{region}_skill"', 'f"{region}_skill_score"'),
    ("tracking/drain.py", "_LONGEST_PAUSE = 60.0", "_LONGEST_PAUSE = 50.0"),
    ("tracking/ui.py", "port: int = 5000", "port: int = 5001"),
    ("formatting.py", 'MISSING = "-"', 'MISSING = "?"'),
    ("data/tier_sizes.py", "OHLCV = 5", "OHLCV = 2 + 3"),
    ("data/tiers/a50.py", "columns=50", "columns=25 * 2"),
    ("data/columns/returns.py", "A200 = (", "A300 = ()\nA200 = ("),
    ("search/strategies/random_search.py", "learns = False", "learns = True"),
    ("families/informer.py", "FEWEST_TOKENS = 8", "FEWEST_TOKENS = 9"),
    ("families/itransformer.py", "transpose(1, 2)", "transpose(2, 1)"),
    ("families/parts/sparse_attention.py", "amax(-1)", "amax(dim=-1)"),
    ("families/parts/activations.py", "apart = 0", "apart = 1"),
    ("families/panel/encoders/atft_gat_fan.py", "always_shown=1", "always_shown=2"),
    ("tasks/regression.py", 'losses: tuple[str, ...] = ("huber",)', 'losses: tuple[str, ...] = ("huber", "huber")'),
    ("tasks/direction.py", "prices.close_T[horizon:] >", "prices.close_T[horizon:] >="),
    ("tasks/parts/return_losses.py", "delta=HUBER_DELTA", "delta=2.0 * HUBER_DELTA"),
    ("tasks/parts/class_words.py", '"base-rate loss"', '"loss of the base rate"'),
    ("tasks/parts/class_audit.py", "FULL_SCALE = 0.01", "FULL_SCALE = 0.02"),
    ("training/day_feed.py", "    def _drawn(", "    # a remark\n    def _drawn("),
    ("panel/dataset.py", "are those of other features", "belong to other features"),
    ("cells/panel_score_records.py", 'f"{region}_skill"', 'f"{region}_skill_score"'),
    ("cells/trial_files.py", "1.0 - rank_error", "1.0 - 1.0 * rank_error"),
    ("planning/panel_cells.py", "QUANTILES = 5", "QUANTILES = 4 + 1"),
    ("tasks/parts/rank_words.py", 'title="RankIC"', 'title="rank IC"'),
    ("families/panel/atft_gat_fan.py", "POSITION_SD = 0.02", "POSITION_SD = 0.03"),
    ("families/panel/atft/gatv2.py", "NEGATIVE_SLOPE = 0.2", "NEGATIVE_SLOPE = 0.3"),
]
"""Module, text in it and what takes its place: words, bookkeeping, supervision, MLflow, tiers, another strategy, family
or task."""

IMPORT_EVERYTHING = """
import ast, importlib, json, os, pathlib, sys
# Once, since each child would take a second for it; none of ours is loaded before a child begins.
import torch
assert not [name for name in sys.modules if name.split(".")[0] == "tsladder"]

def load(script):
    for node in ast.walk(ast.parse(pathlib.Path(script).read_text())):
        if isinstance(node, ast.ImportFrom):
            importlib.import_module(node.module)
    # Lazy imports inside the loaded modules of ours, until nothing new comes.
    seen = set()
    while True:
        ours = {name for name in sys.modules if name.split(".")[0] == "tsladder"} - seen
        if not ours:
            return sorted(seen)
        for name in ours:
            seen.add(name)
            if name == "tsladder":  # names its interface for notebooks, which no stage asks it for
                continue
            for node in ast.walk(ast.parse(pathlib.Path(sys.modules[name].__file__).read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tsladder":
                    importlib.import_module(node.module)

folder, *scripts = sys.argv[1:]
for number, script in enumerate(scripts):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            pathlib.Path(folder, str(number)).write_text(json.dumps(load(script)))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0, script
"""


def chosen_family(stage: str) -> str:
    return PANEL_FAMILY if stage.startswith("panel/") else FAMILY


def chosen_task(stage: str) -> str:
    return PANEL_TASK if stage.startswith("panel/") else TASK


def modules_of(stage: str) -> set[str]:
    return set(number_makers(NUMBER_MAKERS[stage], SOURCE, stage))


def both(stage: str) -> set[str]:
    """`stage` in a study of either kind."""
    return {stage, f"panel/{stage}"}


def really_loaded(folder: Path, stages: Sequence[str]) -> dict[str, set[str]]:
    """The modules of ours that each stage loads, packages left out."""
    scripts = [str(ROOT / "stages" / f"{stage}.py") for stage in stages]
    environment = {"PYTHONPATH": str(SOURCE), "PATH": ""}
    subprocess.run([sys.executable, "-c", IMPORT_EVERYTHING, str(folder), *scripts], check=True, env=environment)
    found = {stage: json.loads((folder / str(number)).read_text()) for number, stage in enumerate(stages)}
    return {
        stage: {name for name in names if not (SOURCE.joinpath(*name.split(".")) / "__init__.py").exists()}
        for stage, names in found.items()
    }


@pytest.mark.slow
def test_every_module_that_a_stage_really_loads_makes_its_numbers_or_is_named_as_one_that_makes_none(
    tmp_path: Path,
) -> None:
    """The oracle is Python's own import system, in a process of each stage's own."""
    for stage, loaded in really_loaded(tmp_path, tuple(NUMBER_MAKERS)).items():
        assert_known(stage, loaded)


def assert_known(stage: str, loaded: set[str]) -> None:
    assert len(loaded) > 10
    known = set().union(*(modules_of(each) for each in NUMBER_MAKERS))
    for name in loaded - known:
        assert is_outside(name), (
            f"{name} is loaded by stage {stage}, and planning/stage_code.py does not name it: if it makes numbers, "
            "a module of NUMBER_MAKERS has to import it; if it makes none, OUTSIDE has to name it"
        )


def test_what_is_named_as_making_no_numbers_is_there_and_is_loaded_by_some_stage() -> None:
    loaded: set[str] = set()
    for stage in NUMBER_MAKERS:
        loaded |= set(import_closure(ROOT / "stages" / f"{stage}.py", SOURCE))
    for room in ("families", "families/panel", "tasks", "tasks/panel"):
        for path in (SOURCE / "tsladder" / room).glob("[!_]*.py"):
            loaded |= set(import_closure(path, SOURCE))
    assert set(MADE_IN) <= loaded
    idle = [name for name in OUTSIDE if not any(module == name or module.startswith(name + ".") for module in loaded)]
    # Plan files and the console read these; no stage does.
    assert idle == []
    assert all(len(reason.split()) > 0 for reason in OUTSIDE.values())


@pytest.mark.parametrize(
    ("stage", "module"),
    [
        ("hpo", "tsladder.training.trainer"),
        ("hpo", "tsladder.models.build"),
        ("hpo", "tsladder.data.targets"),
        ("hpo", "tsladder.search.study"),
        ("hpo", "tsladder.search.convergence"),
        ("hpo", "tsladder.training.pruning"),
        ("hpo", "tsladder.planning.grid"),
        ("train", "tsladder.training.trainer"),
        ("train", "tsladder.seeds"),
        ("evaluate", "tsladder.evaluation.baselines"),
        ("evaluate", "tsladder.evaluation.bootstrap"),
        ("audit", "tsladder.data.indicators"),
        ("transfer", "tsladder.evaluation.transfer"),
        ("panel/hpo", "tsladder.training.trainer"),
        ("panel/hpo", "tsladder.training.day_feed"),
        ("panel/hpo", "tsladder.panel.graph"),
        ("panel/hpo", "tsladder.panel.targets"),
        ("panel/hpo", "tsladder.search.study"),
        ("panel/train", "tsladder.tasks.parts.ranking_losses"),
        ("panel/train", "tsladder.panel.day_weights"),
        ("panel/evaluate", "tsladder.ranking.portfolio"),
        ("panel/evaluate", "tsladder.ranking.scoring"),
        ("panel/evaluate", "tsladder.ranking.frames"),
        ("panel/evaluate", "tsladder.panel.stored_rankings"),
    ],
)
def test_what_makes_numbers_is_in_also_where_it_is_imported_late(stage: str, module: str) -> None:
    assert module in number_makers((*NUMBER_MAKERS[stage], chosen_task(stage)), SOURCE, stage)


NOT_FINGERPRINTED = [
    "tsladder.data.cuts",
    "tsladder.data.pooling",
    "tsladder.data.tier_sizes",
    "tsladder.data.tier_columns",
    "tsladder.data.tiers",
    "tsladder.data.tiers.a25",
    "tsladder.cells.trial_records",
    "tsladder.cells.start_lines",
    "tsladder.execution.supervisor",
    "tsladder.execution.worker",
    "tsladder.tracking.tracker",
    "tsladder.planning.panel_cells",
    "tsladder.cells.trial_files",
    "tsladder.cells.evaluation_runs",
    "tsladder.cells.panel_score_records",
]


@pytest.mark.parametrize("stage", sorted(SERIES | PANEL))
def test_values_held_by_a_plan_and_messages_are_not_fingerprinted(stage: str) -> None:
    found = modules_of(stage)
    assert [module for module in NOT_FINGERPRINTED if module in found] == []


@pytest.mark.parametrize("stage", ["hpo", "panel/hpo"])
def test_only_the_strategy_that_was_chosen_is_in(stage: str) -> None:
    plain, chosen = modules_of(stage), set(number_makers((*NUMBER_MAKERS[stage], STRATEGY), SOURCE))
    assert STRATEGY in chosen - plain
    assert not [name for name in chosen if "strategies." in name and name != STRATEGY]


@pytest.mark.parametrize("stage", NUMBER_MAKERS)
def test_only_the_family_that_was_chosen_is_in(stage: str) -> None:
    family, parts = chosen_family(stage), {"layers", "cross_sectional" if stage.startswith("panel/") else "encoder"}
    plain, chosen = modules_of(stage), set(number_makers((*NUMBER_MAKERS[stage], family), SOURCE))
    assert {family, *(f"tsladder.families.parts.{part}" for part in parts)} <= chosen - plain
    known = {f"tsladder.families.{name}" for name in names()} | {
        f"tsladder.families.panel.{name}" for name in panel_names()
    }
    assert chosen & known == {family}


def test_the_parts_of_another_family_of_panels_are_not_in() -> None:
    chosen = set(number_makers((*NUMBER_MAKERS["panel/hpo"], PANEL_FAMILY), SOURCE))
    assert not [name for name in chosen if name.startswith("tsladder.families.panel.atft")]


@pytest.mark.parametrize("stage", NUMBER_MAKERS)
def test_only_the_task_that_was_chosen_is_in_with_what_the_stage_asks_of_it(stage: str) -> None:
    task = chosen_task(stage)
    chosen = set(number_makers((*NUMBER_MAKERS[stage], task), SOURCE, stage))
    known = {path.stem for path in (SOURCE / "tsladder" / "tasks").glob("[!_]*.py")}
    tasks = {name for name in chosen if name in {PANEL_TASK, *(f"tsladder.tasks.{stem}" for stem in known)}}
    assert tasks == {task}
    assert not [name for name in chosen if name.startswith("tsladder.tasks.parts.return_")]
    parts = {name.rpartition("_")[2] for name in chosen if name.startswith("tsladder.tasks.parts.class_")}
    if stage.startswith("panel/"):
        assert "tsladder.tasks.parts.ranking_losses" in chosen
        assert parts == set()
        return
    assert {"tsladder.tasks.parts.classes", "tsladder.tasks.parts.class_losses"} <= chosen - modules_of(stage)
    assert not [name for name in chosen if name.startswith("tsladder.tasks.parts.ranking_")]
    scored = {"scoring"} if stage in ("evaluate", "audit", "transfer") else set()
    assert parts == {"losses"} | scored | ({"audit"} if stage == "audit" else set())


def test_a_study_of_a_series_hangs_on_no_code_of_panels_alone() -> None:
    """What the trainer imports of a panel is records and the fields of a recipe."""
    for stage in SERIES:
        chosen = number_makers((*NUMBER_MAKERS[stage], FAMILY, TASK), SOURCE, stage)
        assert not [name for name in chosen if name.startswith(("tsladder.panel", "tsladder.ranking"))], stage


def test_a_module_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match=r"lacks .*tsladder\.training\.trainer"):
        stage_fingerprint("train", tmp_path)


@pytest.mark.parametrize(("train", "search"), [("train", "hpo"), ("panel/train", "panel/hpo")])
def test_retraining_does_not_hang_on_the_search_nor_the_search_on_the_baselines(train: str, search: str) -> None:
    trained, searched = modules_of(train), modules_of(search)
    assert not [name for name in trained if name.startswith("tsladder.search")]
    baselines = ("tsladder.evaluation.baselines", "tsladder.evaluation.scores", "tsladder.ranking.baselines")
    assert not [name for name in searched if name in baselines]
    assert not [name for name in (*trained, *searched) if name.startswith(("tsladder.report", "tsladder.console"))]


Edit = tuple[str, str, str]
ByStage = dict[str, dict[str, str]]


def chosen_modules() -> dict[str, tuple[str, ...]]:
    """Modules loaded by name in the stages of a cell, of a series study and of a panel study."""
    chosen: dict[str, tuple[str, ...]] = {
        stage: (chosen_family(stage), chosen_task(stage)) for stage in sorted(SERIES | PANEL)
    }
    for stage in ("hpo", "panel/hpo"):
        chosen[stage] += (STRATEGY,)
    chosen["panel/pretrain"] += (PANEL_ENCODER,)
    return chosen


def fingerprints(source: Path) -> ByStage:
    """Fingerprints of the stages of a cell, as its plan holds them."""
    return {stage: stage_fingerprint(stage, source, modules) for stage, modules in chosen_modules().items()}


def hashes(source: Path) -> ByStage:
    """Hashes of the modules that make the numbers of a stage; its fingerprint changes with any of them."""
    return {
        stage: module_fingerprints((*NUMBER_MAKERS[stage], *modules), source, stage)
        for stage, modules in chosen_modules().items()
    }


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A copy of the code with its fingerprints and hashes; whoever edits it puts it back."""

    source: Path
    fingerprints: ByStage
    hashes: ByStage


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copied:
    folder = tmp_path_factory.mktemp("copied")
    shutil.copytree(SOURCE, folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copytree(ROOT / "stages", folder / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    source = folder / "src"
    return Copied(source=source, fingerprints=fingerprints(source), hashes=hashes(source))


def edited(copied: Copied, edits: Iterable[Edit]) -> Copied:
    """Return what the copy becomes when all `edits` are made at once: following imports takes a tenth of a second, and
    a module's hash does not know of another's edit."""
    texts: dict[Path, str] = {}
    for module, old, new in edits:
        path = copied.source / "tsladder" / module
        text = path.read_text()
        texts.setdefault(path, text)
        assert old in text, (module, old)
        path.write_text(text.replace(old, new, 1))
    after = Copied(source=copied.source, fingerprints=fingerprints(copied.source), hashes=hashes(copied.source))
    for path, text in texts.items():
        path.write_text(text)
    return after


def stale_by_module(before: Copied, after: Copied) -> dict[str, set[str]]:
    """Stages in which the hash of a module is another one, by the module's file."""
    stale: dict[str, set[str]] = {}
    for stage, hash_of in before.hashes.items():
        for name in hash_of.keys() | after.hashes[stage].keys():
            if hash_of.get(name) != after.hashes[stage].get(name):
                file = f"{name.removeprefix('tsladder.').replace('.', '/')}.py"
                stale.setdefault(file, set()).add(stage)
    return stale


def test_edits_that_change_no_number_leave_every_cell_fresh(copied: Copied) -> None:
    after = edited(copied, HARMLESS_EDITS)
    assert stale_by_module(copied, after) == {}
    assert after.fingerprints == copied.fingerprints


HARMFUL_EDITS = [
    ("training/trainer.py", "trained_loss > phase.loss", "trained_loss >= phase.loss", SERIES | PANEL),
    ("families/patchtst.py", "POSITION_SD = 0.02", "POSITION_SD = 0.03", SERIES),
    ("families/panel/panel_transformer.py", "POSITION_SD = 0.02", "POSITION_SD = 0.03", PANEL),
    ("families/parts/layers.py", "functional.gelu", "functional.elu", SERIES | PANEL),
    ("families/parts/cross_sectional.py", "nn.LayerNorm(", "nn.RMSNorm(", PANEL),
    ("tasks/threshold.py", "_highest(prices, price, horizon) >=", "0.9 >=", SERIES),
    ("tasks/panel/rank.py", "return 1.0", "return 0.5", PANEL),
    ("tasks/parts/class_losses.py", "FOCUS = 2.0", "FOCUS = 3.0", SERIES),
    ("tasks/parts/ranking_losses.py", "TAU = 0.3", "TAU = 0.2", PANEL),
    ("tasks/parts/class_scoring.py", "float(np.mean(", "float(np.median(", {"evaluate"}),
    ("search/schedule.py", "START_UP = 6", "START_UP = 7", both("hpo")),
    ("search/draws.py", "_REDRAWS = 100", "_REDRAWS = 99", both("hpo")),
    ("search/study.py", "n_ei_candidates=24", "n_ei_candidates=25", both("hpo")),
    ("search/strategies/architectural.py", "learns = True", "learns = False", both("hpo")),
    ("cells/seed_jobs.py", '"train", number', '"training", number', both("train") | PRETRAIN),
    ("cells/scoring.py", '"bootstrap", region', '"bootstraps", region', {"evaluate"}),
    ("cells/panel_scoring.py", '"bootstrap", region', '"bootstraps", region', {"panel/evaluate"} | PRETRAIN),
    ("ranking/metrics.py", "_FIFTHS = 5", "_FIFTHS = 4", PANEL),
    ("ranking/frames.py", "_LABEL_BYTES = 3", "_LABEL_BYTES = 2", {"panel/evaluate"} | PRETRAIN),
    ("panel/normalise.py", "_CLIP = 3.0", "_CLIP = 4.0", PANEL),
    ("panel/graph.py", "_ROUNDING = 1e-9", "_ROUNDING = 1e-8", PANEL),
    ("panel/targets.py", "target.entry_lag - horizon", "horizon - target.entry_lag", PANEL),
    ("training/day_feed.py", "(epoch - 1) %", "epoch %", PANEL),
    ("training/pretraining.py", "CHECKED_DAYS = 256", "CHECKED_DAYS = 128", PRETRAIN),
    ("cells/pretraining_jobs.py", "FEWER = 2 / 3", "FEWER = 1 / 2", PRETRAIN),
    ("families/parts/session_encoder.py", "together: int = 1", "together: int = 2", PRETRAIN),
    ("families/panel/encoders/panel_transformer.py", "// patch_len", "// patch_len - 1", PRETRAIN),
    ("families/panel/encoders/parts/patch_tokens.py", "-read:", "-read - 1 :", PRETRAIN),
    ("evaluation/bootstrap.py", "default_rng(", "default_rng(1 + ", {"evaluate"} | PANEL),
    ("seeds.py", "sha256", "sha512", SERIES | PANEL),
]
"""Module, text in it, what takes its place and the stages that this makes stale."""


def test_edits_that_change_a_number_make_the_stages_stale_that_make_it(copied: Copied) -> None:
    assert len({module for module, *_ in HARMFUL_EDITS}) == len(HARMFUL_EDITS), "one edit a module: stages are its own"
    after = edited(copied, [(module, old, new) for module, old, new, _ in HARMFUL_EDITS])
    assert stale_by_module(copied, after) == {module: stale for module, _, _, stale in HARMFUL_EDITS}


@pytest.mark.parametrize(("module", "old", "new", "stale"), [HARMFUL_EDITS[0], HARMFUL_EDITS[-2]])
def test_one_edited_module_makes_a_stage_stale(
    copied: Copied, module: str, old: str, new: str, stale: set[str]
) -> None:
    after = edited(copied, [(module, old, new)]).fingerprints
    assert {stage for stage in after if copied.fingerprints[stage] != after[stage]} == stale
