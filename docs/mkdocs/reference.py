"""Write the reference pages of docs/reference from the code: parameters, commands, files and the Python interface.

    python docs/mkdocs/reference.py            write the pages
    python docs/mkdocs/reference.py --check    exit 1, and name the pages, where they differ from the code

Parameters come from the comments of params.yaml and the types in tsladder.params, commands from the argparse parsers,
stages from dvc.yaml, the columns of experiment_results.csv from tsladder.results.table. A column without a description
here is an error.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import inspect
import itertools
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from tsladder import api, families, tasks
from tsladder.console.arguments import build_parser
from tsladder.console.examples import COMPARED, EXAMPLES, INGESTED, POINTS_TABLE, RUN_KEYS, WATCHED
from tsladder.panel.columns import TIERS
from tsladder.params.panel_sections import PanelParams
from tsladder.params.sections import Params
from tsladder.report.panel.baselines_table import COLUMNS as BASELINE_COLUMNS
from tsladder.results.table import ADDED, KNOWN
from tsladder.typed_yaml import MayBeLeftOut, Pattern, Range, read_yaml

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"

GENERATED = "<!-- Written by docs/mkdocs/reference.py. Edit the code that it reads, then run `make reference`. -->\n"


def pages() -> dict[str, str]:
    """Name of each page of docs/reference and its text."""
    return {
        "params.md": params_page(),
        "panel-params.md": panel_params_page(),
        "commands.md": commands_page(),
        "files.md": files_page(),
        "api.md": api_page(),
    }


# --- parameters ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Leaf:
    """One value of params.yaml: its dotted path, its text in the file, and its comment."""

    path: str
    value: str
    comment: str


_ENTRY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_]\w*):(?:\s+(?P<rest>.*))?")
_ITEM = re.compile(r"\s*- (?P<value>\S+)")


def read_leaves(text: str) -> tuple[list[Leaf], dict[str, str]]:
    """The leaves of params.yaml in order, and the comment above each section or leaf that has one."""
    leaves: list[Leaf] = []
    above: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    waiting: list[str] = []
    for line in text.splitlines():
        if not line.strip():
            waiting = []
        elif line.lstrip().startswith("#"):
            comment = line.strip().lstrip("#").strip()
            column = len(line) - len(line.lstrip())
            # A comment far to the right continues that of the leaf before it; any other one stands above what follows.
            if leaves and not waiting and column > 8:
                leaves[-1] = dataclasses.replace(leaves[-1], comment=f"{leaves[-1].comment} {comment}".strip())
            else:
                waiting.append(comment)
        elif (item := _ITEM.fullmatch(line)) is not None and leaves:
            leaves[-1] = dataclasses.replace(
                leaves[-1], value=", ".join(filter(None, (leaves[-1].value, item["value"])))
            )
        elif (entry := _ENTRY.fullmatch(line)) is not None:
            depth = len(entry["indent"])
            path = [(column, key) for column, key in path if column < depth] + [(depth, entry["key"])]
            dotted = ".".join(key for _, key in path)
            value, comment = _split_comment(entry["rest"] or "")
            if waiting:
                above[dotted] = " ".join(waiting)
                waiting = []
            leaves.append(Leaf(dotted, value, comment))
        else:
            raise ValueError(f"params.yaml: a line that is no entry, no item and no comment: {line!r}")
    parents = {leaf.path.rpartition(".")[0] for leaf in leaves}
    for leaf in leaves:
        if leaf.path in parents and leaf.comment:
            above[leaf.path] = " ".join(filter(None, (above.get(leaf.path), leaf.comment)))
    return [leaf for leaf in leaves if leaf.path not in parents], above


def _split_comment(rest: str) -> tuple[str, str]:
    value, _, comment = rest.partition("# ") if not rest.startswith('"') else rest.partition(" # ")
    return value.strip(), comment.strip()


def accepts(kind: Any) -> str:
    """What a leaf of the annotated type `kind` may be, in words."""
    origin = typing.get_origin(kind)
    if origin is Annotated:
        base, *rules = typing.get_args(kind)
        for rule in rules:
            if isinstance(rule, Pattern):
                return f"name: {rule.words}"
            if isinstance(rule, Range):
                return f"{accepts(base)}{_bounds(rule)}"
        return accepts(base)
    if origin is Literal:
        return ", ".join(f"`{option}`" for option in typing.get_args(kind))
    if origin in (typing.Union, types.UnionType):
        options = [accepts(option) for option in typing.get_args(kind) if option is not type(None)]
        null = ["`null`"] if type(None) in typing.get_args(kind) else []
        return "; or ".join(dict.fromkeys(options + null))
    if origin is Mapping:
        return f"section of name: {accepts(typing.get_args(kind)[1])}"
    if origin is tuple:
        return f"list of {_plural(accepts(typing.get_args(kind)[0]))}"
    if dataclasses.is_dataclass(kind):
        return f"section with {', '.join(field.name for field in dataclasses.fields(kind))}"
    words = {int: "whole number", float: "number", bool: "`true`, `false`", str: "text", datetime.date: "date"}
    return words[kind]


def _plural(words: str) -> str:
    if words.startswith("name: "):
        return "names"
    first, comma, rest = words.partition(",")
    return {"whole number": "whole numbers", "number": "numbers", "text": "texts"}.get(first, first) + comma + rest


def _bounds(rule: Range) -> str:
    low = None if rule.low is None else f"{'above' if rule.above else 'at least'} {_number(rule.low)}"
    high = None if rule.high is None else f"at most {_number(rule.high)}"
    return "".join(f", {words}" for words in (low, high) if words)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def kind_of(path: str, whole: type = Params) -> Any:
    """The annotated type of the leaf `path` of a params.yaml that `whole` reads."""
    kind: Any = whole
    for name in path.split("."):
        if typing.get_origin(kind) is Mapping:
            kind = typing.get_args(kind)[1]
            continue
        sections = [option for option in (kind, *typing.get_args(kind)) if dataclasses.is_dataclass(option)]
        kind = typing.get_type_hints(sections[0], include_extras=True)[name]
    return kind


SECTIONS = {
    "study": "Name and random seed",
    "budget": "Top rung, rungs and horizons",
    "data": "Bars and features",
    "target": "What is forecast",
    "windows": "What a model sees",
    "splits": "Training, validation and test days",
    "model": "Model family",
    "search": "Search of architectures and settings",
    "training": "Training of every model",
    "train": "Retraining of the winners",
    "evaluation": "Intervals",
    "law": "The law",
    "hardware": "The machine",
}
_TOGETHER = {"ladder": "budget", "horizons": "budget"}

BUDGETS = "budgets: a number with k, M or B, for example `750k`"


def params_page() -> str:
    leaves, above = read_leaves((ROOT / "params.yaml").read_text(encoding="utf-8"))
    lines = [
        "# Parameters",
        "",
        _paragraph(
            "Everything that a study asks is in `params.yaml`. This page lists every leaf: its default, what it "
            "accepts, and what it means. Change a leaf in the file, or for one experiment with "
            "`dvc exp run -S leaf=value`; `tsladder plan -S leaf=value` shows what that would take. A value that is "
            "not accepted is refused before anything runs, with every fault listed."
        ),
        "",
        "`hardware` is not part of the question: changing it makes nothing stale.",
        "",
    ]
    section = ""
    for leaf in leaves:
        head = leaf.path.partition(".")[0]
        head = _TOGETHER.get(head, head)
        if leaf.path.startswith("search.presets."):
            head = ".".join(leaf.path.split(".")[:3])
        if head != section:
            section = head
            lines += ["", f"## {_title(head)}", ""]
            if head in above and head not in ("budget", "study"):  # what stands above study is of the whole file
                lines += [_sentence(above[head]), ""]
            lines += ["| leaf | default | accepts | meaning |", "|---|---|---|---|"]
        meaning = " ".join(filter(None, (above.get(leaf.path), leaf.comment)))
        kind = _accepted(leaf.path)
        lines.append(f"| `{leaf.path}` | `{leaf.value}` | {_cell(kind)} | {_cell(meaning)} |")
    return _finished(lines)


PANEL_SECTIONS = {
    **SECTIONS,
    "data": "The panel and its columns",
    "universe": "Stocks that are ranked",
    "target": "What is ranked",
    "graph": "Neighbours of the stocks",
    "evaluation": "Intervals and costs",
}


def panel_params_page() -> str:
    leaves, above = read_leaves((ROOT / "panel" / "params.yaml").read_text(encoding="utf-8"))
    lines = [
        "# Parameters of a panel study",
        "",
        _paragraph(
            "Everything that the study of a panel of stocks asks is in `panel/params.yaml`: every leaf with its "
            "default, what it accepts, and what it means. Change a leaf in the file, or for one experiment in the "
            "folder `panel` with `dvc exp run -S leaf=value`. How such a study is run and read: "
            "[Rank a panel of stocks](../howto/panel.md)."
        ),
        "",
        _paragraph(
            "A leaf *to be added* is not in the file and has the default given here; an experiment sets it with a "
            "plus, `-S +target.transform=zscore`. "
            "[Choose model, loss and training of a panel](../howto/panel-models.md) says what most of them do. "
            "`hardware` is not part of the question: changing it makes nothing stale."
        ),
        "",
    ]
    section = ""
    there = {leaf.path for leaf in leaves}
    for leaf in leaves:
        head = leaf.path.partition(".")[0]
        head = _TOGETHER.get(head, head)
        if leaf.path.startswith("search.presets."):
            head = ".".join(leaf.path.split(".")[:3])
        if head != section:
            lines += _to_be_added(section, there)
            section = head
            lines += ["", f"## {_title(head, PANEL_SECTIONS)}", ""]
            if head in above and head not in ("budget", "study", "graph"):  # what stands above study is of the file
                lines += [_sentence(above[head]), ""]
            lines += ["| leaf | default | accepts | meaning |", "|---|---|---|---|"]
        meaning = leaf.comment or above.get(leaf.path, "")
        lines.append(f"| `{leaf.path}` | `{leaf.value}` | {_cell(_accepted_of_panel(leaf.path))} | {_cell(meaning)} |")
    lines += _to_be_added(section, there)
    return _finished(lines)


def _accepted_of_panel(path: str) -> str:
    named = {"data.tier": TIERS, "target.task": tasks.panel_names(), "model.family": families.panel_names()}
    if path in named:
        return ", ".join(f"`{name}`" for name in named[path])
    if path == "budget":
        return "one of `ladder`; or `null`"
    if path in ("ladder", "search.preset", "search.strategy"):
        return _accepted(path)
    if path == "graph":
        return "a section of the leaves below; or `null`"
    return accepts(kind_of(path, PanelParams))


def _to_be_added(section: str, there: set[str]) -> list[str]:
    """Rows of the leaves of `section` that params.yaml may name and does not."""
    if not section or section == "budget" or section.startswith("search.presets."):
        return []
    whole = _section_in(kind_of(section, PanelParams))
    hints = typing.get_type_hints(whole, include_extras=True)
    rows = []
    for field in dataclasses.fields(whole):
        path = f"{section}.{field.name}"
        optional = MayBeLeftOut() in typing.get_args(hints[field.name])[1:]
        if path not in there and optional and (section, field.name) not in NOT_OF_PANELS:
            default = "null" if field.default is None else str(field.default).lower()
            rows.append(f"| `{path}` | `{default}` | {_cell(accepts(hints[field.name]))} | to be added |")
    return rows


def _section_in(kind: Any) -> Any:
    """The class of a section whose annotated type is `kind`, which may be None; None where there is no such class."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return kind
    return next((found for option in typing.get_args(kind) if (found := _section_in(option)) is not None), None)


NOT_OF_PANELS = {
    ("search", "objective"),
    ("search", "supplementary"),
    ("search", "transfer"),
    ("training", "loss"),
    ("training", "monitor"),
}
"""Leaves that a panel study shares with a series study and that can have their default alone."""


BY_FILE = {"search.strategy": "search/strategies", "model.family": "families"}
"""Leaves whose values are the names of the modules in a folder of the package."""


def _accepted(path: str) -> str:
    folder = ROOT / "src" / "tsladder" / BY_FILE.get(path, "")
    if path in BY_FILE and folder.is_dir():
        return ", ".join(f"`{file.stem}`" for file in sorted(folder.glob("*.py")) if file.stem != "__init__")
    if path == "target.task":
        return ", ".join(f"`{name}`" for name in tasks.names())
    if path == "training.loss":
        losses = dict.fromkeys(loss for name in tasks.names() for loss in tasks.load(name).losses)
        return ", ".join(f"`{loss}`" for loss in ("auto", *losses))
    if path == "search.preset":
        return "name of a preset below"
    if path == "budget":
        return "one of `ladder`"
    if path == "ladder":
        return f"list of {BUDGETS}"
    return accepts(kind_of(path))


def _title(section: str, sections: Mapping[str, str] = SECTIONS) -> str:
    if section.startswith("search.presets."):
        return f"Preset {section.rpartition('.')[2]}"
    return f"{section}: {sections[section]}" if section != "budget" else sections[section]


# --- commands -----------------------------------------------------------------------------------------------------

_NOTES = {"run": RUN_KEYS, "watch": WATCHED, "compare": COMPARED, "fit": POINTS_TABLE, "ingest": INGESTED}


def commands_page() -> str:
    parser = build_parser()
    lines = [
        "# Commands",
        "",
        _paragraph(
            "Every subcommand of `tsladder` with its options and examples, as `tsladder COMMAND --help` prints them. "
            "`tsladder` finds the study from any folder below it; a file that you name is looked for in the folder "
            "where you are. `--study FOLDER`, before or behind any command, means another study of the project: "
            "`tsladder --study panel status`."
        ),
        "",
        "Exit codes: 0 fine, 1 the work failed, 2 bad input, 130 interrupted.",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    helps = _helps(parser)
    lines += [f"| [`tsladder {name}`](#tsladder-{name}) | {_cell(helps[name])} |" for name in parser.commands]
    for name, command in parser.commands.items():
        lines += ["", f"## tsladder {name}", "", _sentence(helps[name]), ""]
        description = " ".join((command.description or "").split())
        if description and description != helps[name]:
            lines += [description, ""]
        rows = list(_options(command))
        if rows:
            lines += ["| argument or option | what it does |", "|---|---|", *rows, ""]
        if name in _NOTES:
            lines += ["```text", _NOTES[name], "```", ""]
        width = max(len(line) for line, _ in EXAMPLES[name])
        lines += ["```sh", *(f"{line.ljust(width)}  # {what}" for line, what in EXAMPLES[name]), "```"]
    return _finished(lines)


def _helps(parser: argparse.ArgumentParser) -> dict[str, str]:
    subparsers = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {action.dest: action.help or "" for action in subparsers._choices_actions}


def _options(command: argparse.ArgumentParser) -> Iterator[str]:
    for action in command._actions:
        if isinstance(action, argparse._HelpAction) or action.help == argparse.SUPPRESS:
            continue
        name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        value = action.metavar if action.option_strings and action.nargs != 0 else None
        if action.option_strings and action.nargs != 0 and value is None:
            value = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
        more = " ..." if action.nargs == "+" else ""
        shown = f"{name} {value}{more}" if value else f"{name}{more}"
        if action.choices and not action.option_strings:
            shown = "{" + ",".join(map(str, action.choices)) + "}"
        yield f"| `{_cell(shown)}` | {_cell(action.help or '')} |"


# --- files --------------------------------------------------------------------------------------------------------

FILES = {
    "artifacts/inputs.json": "files read beside the bars of `data.symbol`, by content",
    "artifacts/manifests.json": "the records of ingestion of those files",
    "artifacts/ingestion.json": "what ingestion found in the bars and changed, and what of it can make the law wrong",
    "artifacts/features/features.parquet": "the feature table: a row a day, raw prices and features",
    "artifacts/features/manifest.json": "its columns with formula and look-back; days lost; origin of the bars",
    "artifacts/splits/splits.json": "regions, windows and positives of every horizon",
    "artifacts/splits/h<horizon>.json": "the windows of each region at one horizon",
    "artifacts/plans/<cell>.json": "what makes the search of a cell stale: question and fingerprints of code",
    "artifacts/plans/train/<cell>.json": "the same for the retraining of its winner",
    "artifacts/plans/evaluate/<cell>.json": "the same for its scores",
    "artifacts/plans/{audit,supplementary,transfer}.json": "the same for the stages that look at more than one cell",
    "artifacts/endings/": "a small file a stage, changed when it ends without a result, so that DVC runs it again",
    "artifacts/audit/audit.json": "the seven probes of the leak audit and their outcomes",
    "artifacts/hpo/<cell>/trials.jsonl": "every trial of the search, one JSON record a line",
    "artifacts/hpo/<cell>/choice.json": "the winner: architecture, settings, trial",
    "artifacts/hpo/<cell>/best_params.json": "the winner in the form of the earlier scripts",
    "artifacts/hpo/<cell>/coverage.json": "how much of the grid and of the settings the search has seen",
    "artifacts/supplementary/": "the second phase of a strategy that has one: selection, summaries, trials",
    "artifacts/models/<cell>/seed-<n>/": "the winner on one fresh seed: `model.safetensors`, `training.json`",
    "artifacts/models/<cell>/status.json": "whether all seeds were trained, and why not",
    "artifacts/timings/<cell>.json": "batch plan, memory, seconds and stop reason of each seed's training",
    "artifacts/scores/<cell>/scores.json": "metrics, intervals, constants and baselines on validation and test",
    "artifacts/scores/<cell>/predictions.parquet": "the forecast of every seed and baseline for every day",
    "artifacts/transfer/": "winners trained on the other horizons of their rung, where `search.transfer` is true",
    "artifacts/law/scaling.json": "the law of each horizon: points, exponent, intervals, verdict, warnings",
    "artifacts/law/scaling.csv": "its points",
    "artifacts/law/scaling.png": "its picture",
    "artifacts/report/report.html": "the report as one page that needs no network",
    "artifacts/report/report.md": "the same in text",
    "artifacts/report/": "its pictures, as PNG",
    "artifacts/report/experiment_results.csv": "one row per cell; the columns are listed below",
    "artifacts/report/trials.csv": "a row a trial of every cell",
}

COLUMNS = {
    "experiment": "name of the cell as the earlier scripts wrote it: phase, budget, horizon, task",
    "phase": "`study.phase`",
    "budget": "rung",
    "task": "`target.task`",
    "horizon": "days ahead",
    "timescale": "`study.timescale`",
    "script_path": "stage that searched the cell",
    "run_type": "always `hpo`",
    "status": "`success`, `failed` or `thermal_abort`; empty while the cell is open",
    "d_model": "width of the winner",
    "n_layers": "its depth",
    "n_heads": "its attention heads",
    "d_ff": "width of its feed-forward layers",
    "param_count": "its measured parameter count",
    "val_loss": "validation loss of the winning trial",
    "hyperparameters": "its settings, as JSON",
    "duration_seconds": "seconds of the search",
    "timestamp": "end of the search",
    "test_loss": "mean loss of the fresh seeds on the test region",
    "test_loss_se": "its standard error over seeds",
    "test_brier": "Brier score",
    "test_auc": "area under the ROC curve",
    "test_average_precision": "average precision",
    "train_base_rate": "share of positives in training",
    "validation_base_rate": "share of positives in validation",
    "test_base_rate": "share of positives in the test region",
    "test_base_rate_loss": "loss of the training base rate as a constant forecast",
    "test_own_rate_loss": "loss of the test region's own base rate as a constant forecast",
    "test_skill": "1 - loss / loss of the stricter constant",
    "test_advantage": "loss of the stricter constant minus the cell's, paired by day",
    "test_advantage_low": "lower end of its interval",
    "test_advantage_high": "upper end of its interval",
    "beaten_by": "simple forecasts whose loss is lower beyond chance",
    "constant_predictor": "whether the model predicts a constant",
    "n_trials": "trials of the search",
    "stop_reasons": "how they ended, as JSON",
    "train_seeds": "fresh seeds that were scored",
    "train_stop_reasons": "how their trainings ended, as JSON",
    "param_count_blocks": "parameters of the encoder blocks",
    "param_count_body": "parameters without embedding and head",
    "budget_utilisation": "measured parameters over the budget",
    "off_budget": "whether the winner lies outside the budget's tolerance",
    "reason": "why a cell failed",
    "study_key": "identity of the question, the data and the code",
    "test_loss_low": "lower end of the interval of `test_loss` over days",
    "test_loss_high": "upper end",
    "test_loss_effective_n": "independent days that the interval amounts to",
    "test_ece": "expected calibration error",
    "best_baseline": "the simple forecast with the lowest loss",
    "best_baseline_loss": "its loss",
    "test_skill_against_best": "1 - loss / loss of that forecast",
    "test_skill_against_best_low": "lower end of its interval",
    "test_skill_against_best_high": "upper end",
    "test_ic": "returns: rank correlation of forecast and return",
    "test_pearson": "returns: Pearson correlation",
    "test_r2": "returns: R² against the training mean",
    "test_sign_hit_rate": "returns: share of signs forecast right",
    "test_rmse": "returns: root mean squared error",
    "objective": "`search.objective`",
    "best_score": "objective of the winning trial, higher is better: the AUC, or minus the loss",
    "best_val_auc": "its validation AUC where the objective is `val_auc`",
    "best_trial": "its number",
    "tier": "`data.tier`, and whether its columns of the volume are left out",
}


PANEL_FILES = {
    "artifacts/features/manifest.json": "the panel, its columns and members, how its stocks were chosen, and a "
    "fingerprint of the values that models read",
    "artifacts/splits/h<horizon>.json": "the sample days of each region at one horizon, and what became of the others",
    "artifacts/audit/audit.json": "the ten probes of the leak audit and their outcomes",
    "artifacts/baselines/h<horizon>/scores.json": "constants and baselines on validation and test, with intervals",
    "artifacts/baselines/h<horizon>/predictions.parquet": "a row per day and baseline: its metrics, and what its "
    "portfolio earned and traded",
    "artifacts/baselines/h<horizon>/scores_by_stock.parquet": "a row per day, stock and baseline: score and return, "
    "from which every figure can be computed again",
    **{
        path: FILES[path]
        for path in (
            "artifacts/plans/<cell>.json",
            "artifacts/plans/train/<cell>.json",
            "artifacts/plans/evaluate/<cell>.json",
        )
    },
    "artifacts/plans/pretrain/<cell>.json": "the same for its pretraining",
    "artifacts/endings/": FILES["artifacts/endings/"],
    "artifacts/hpo/<cell>/all_trials.json": "every trial: number, state, RankIC on validation, parameters",
    "artifacts/hpo/<cell>/trial_<n>/metrics.json": "one trial: architecture, settings, optimizer, figures",
    **{
        path: FILES[path]
        for path in (
            "artifacts/hpo/<cell>/trials.jsonl",
            "artifacts/hpo/<cell>/choice.json",
            "artifacts/hpo/<cell>/best_params.json",
            "artifacts/hpo/<cell>/coverage.json",
            "artifacts/models/<cell>/seed-<n>/",
            "artifacts/models/<cell>/status.json",
            "artifacts/timings/<cell>.json",
            "artifacts/scores/<cell>/scores.json",
        )
    },
    "artifacts/scores/<cell>/predictions.parquet": "a row per day, seed and baseline: its metrics and its portfolio",
    "artifacts/scores/<cell>/scores_by_stock.parquet": "a row per day, stock and seed: score and return",
    "artifacts/pretrain/<cell>/": "the winner from a pretrained encoder beside the winner from scratch, where "
    "`search.pretraining` asks for it: `pretraining.json`, daily losses, the encoder",
    **{path: FILES[path] for path in FILES if path.startswith("artifacts/law/")},
    "artifacts/report/report.html": "the report as one page that needs no network",
    "artifacts/report/report.md": "the same in text",
    "artifacts/report/": "its pictures, as PNG",
    "artifacts/report/baselines.csv": "one row per horizon, region and baseline; the columns are listed below",
    "artifacts/report/experiment_results.csv": "one row per cell, in the columns listed above",
    "artifacts/report/trials.csv": "a row a trial of every cell",
}

FIGURES = {
    "advantage": "rank error of the stricter constant minus that of the row, paired by day; above 0 is skill",
    "rank_error": "1 - RankIC",
    "rank_ic": "mean over days of Spearman's correlation of score and return",
    "icir": "mean over standard deviation of the daily RankIC, not annualised",
    "ic": "mean over days of Pearson's correlation of score and return",
    "hit_rate": "share of stocks on the same side of the day's median in score and return",
    "quantile_spread": "return of the top fifth minus that of the bottom fifth, in basis points a day",
    "score_sd": "standard deviation of the scores of a day",
    "annual_return_gross": "annual return of the long-short portfolio before costs",
    "annual_return_net": "annual return after costs",
    "sharpe_gross": "annualised Sharpe ratio before costs",
    "sharpe_net": "annualised Sharpe ratio after costs",
}
"""Figures of baselines.csv that have an interval."""

PANEL_COLUMNS = {
    "panel": "`data.panel`",
    "universe": "how the stocks were chosen: survivors, as_listed, point_in_time",
    "audit": "outcome of the leak audit, or not_run",
    "horizon": "sessions ahead",
    "region": "validation or test",
    "baseline": "name of the ranking",
    "kind": "baseline, constant, or hindsight",
    "beats_stricter": "whether the interval of the advantage lies above 0",
    "unordered_days": "days whose scores are all equal",
    "annual_sd_gross": "annualised standard deviation of the portfolio's returns before costs",
    "annual_sd_net": "annualised standard deviation after costs",
    "max_drawdown_gross": "deepest fall of summed returns below their highest so far, before costs",
    "max_drawdown_net": "deepest fall after costs",
    "turnover": "share of the capital that changes hands in a day",
    "break_even_bps": "costs at which the mean return is 0, in basis points of the value traded",
    "unpriced": "held positions (stock and day) without a return",
    "first_day": "first scored day",
    "last_day": "last scored day",
    "windows": "scored days",
    "left_out_days": "days that cannot be ranked, since labels are missing or all equal",
    "stock_days": "pairs of a scored day and a stock with a label",
    "entry_lag": "`target.entry_lag`",
    "cost_bps": "`evaluation.cost_bps`",
    "confidence": "`evaluation.confidence`, that of every interval",
    "block": "mean block length of the bootstrap, in days",
    "stricter": "the constant with the lower rank error",
    "windows_fingerprint": "identity of the days and labels; rankings with the same one can be compared",
}


def _described(stages: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, str]:
    """Those of `files` that stages write. Raises KeyError for an output that has no description."""
    outs = [_outs(stage) for stage in stages.values()]
    written = [re.sub(r"<.*?>", "<>", out) for out in itertools.chain(*outs)]
    found: dict[str, str] = {}
    for out in written:
        of_out = {path: what for path, what in files.items() if re.sub(r"<.*?>", "<>", path).startswith(out)}
        if not of_out:
            raise KeyError(f"describe {out}, which dvc.yaml writes, in FILES or PANEL_FILES")
        found |= of_out
    return {path: what for path, what in files.items() if path in found}


def _outs(stage: Mapping[str, Any]) -> list[str]:
    """Outputs and metrics of a stage of dvc.yaml, with <cell> for the cell's name."""
    outs = [out for kind in ("outs", "metrics") for out in stage.get(kind, ())]
    return [out.replace("${item.budget}-h${item.horizon}", "<cell>") for out in outs]


def files_page() -> str:
    stages = read_yaml(ROOT / "dvc.yaml")["stages"]
    lines = [
        "# Stages and files",
        "",
        _paragraph(
            "Each stage of `dvc.yaml` with what it reads and writes, every file of `artifacts/`, and the columns of "
            "`experiment_results.csv`. The live records and MLflow's store are described in "
            "[mlruns](../../mlruns/README.md)."
        ),
        "",
        "`<cell>` is a rung and a horizon: `2M-h1`.",
        "",
        "## Stages",
        "",
        _paragraph(
            "In the order in which they run. Stages of a cell run once for every cell of `ladder` and `horizons`; "
            "above the top rung `budget` they write that the cell is not planned."
        ),
        "",
        "| stage | runs for | parameters it reads | writes |",
        "|---|---|---|---|",
    ]
    for name, stage in stages.items():
        written = ", ".join(f"`{out}`" for out in _outs(stage))
        params = ", ".join(f"`{leaf}`" for leaf in stage.get("params", ())) or "those in its plan file"
        lines.append(f"| {name} | {'each cell' if 'matrix' in stage else 'the study'} | {params} | {written} |")
    lines += ["", "## Files", "", "| file | holds |", "|---|---|"]
    lines += [f"| `{path}` | {_cell(what)} |" for path, what in _described(stages, FILES).items()]
    lines += [
        "",
        "## Columns of experiment_results.csv",
        "",
        _paragraph(
            "The first columns are those of the earlier scripts, in their order. An empty field is unknown or does not "
            "apply. Metrics of the test region are means over the fresh seeds. `tsladder status --csv` prints the "
            "table at any time."
        ),
        "",
        "| column | meaning |",
        "|---|---|",
    ]
    columns = (*KNOWN, *ADDED)
    if missing := [name for name in columns if name not in COLUMNS]:
        raise KeyError(f"describe {', '.join(missing)} of experiment_results.csv in COLUMNS")
    lines += [f"| `{name}` | {_cell(COLUMNS[name])} |" for name in columns]
    return _finished([*lines, *_panel_part()])


def _panel_part() -> list[str]:
    stages = read_yaml(ROOT / "panel" / "dvc.yaml")["stages"]
    lines = [
        "",
        "## A panel study",
        "",
        "The stages of `panel/dvc.yaml`, in the order in which they run; paths are relative to `panel/`.",
        "",
        "| stage | runs for | parameters it reads | writes |",
        "|---|---|---|---|",
    ]
    for name, stage in stages.items():
        written = ", ".join(f"`{out}`" for out in _outs(stage))
        params = ", ".join(f"`{leaf}`" for leaf in stage.get("params", ())) or "those in its plan file"
        lines.append(f"| {name} | {'each cell' if 'matrix' in stage else 'the study'} | {params} | {written} |")
    lines += ["", "| file | holds |", "|---|---|"]
    lines += [f"| `{path}` | {_cell(what)} |" for path, what in _described(stages, PANEL_FILES).items()]
    with_interval = {f"{figure}{end}" for figure in FIGURES for end in ("_low", "_high")}
    columns = [name for name in BASELINE_COLUMNS if name not in with_interval]
    if missing := [name for name in columns if name not in PANEL_COLUMNS | FIGURES]:
        raise KeyError(f"describe {', '.join(missing)} of baselines.csv in PANEL_COLUMNS or FIGURES")
    lines += [
        "",
        "## Columns of baselines.csv",
        "",
        "A figure with an interval has its ends in `_low` and `_high`.",
        "",
    ]
    lines += ["| column | meaning |", "|---|---|"]
    for name in columns:
        ends = f", `{name}_low`, `{name}_high`" if name in FIGURES else ""
        lines.append(f"| `{name}`{ends} | {_cell((PANEL_COLUMNS | FIGURES)[name])} |")
    return lines


# --- Python interface ---------------------------------------------------------------------------------------------


def api_page() -> str:
    """The page of `tsladder.api`, from its docstrings and signatures."""
    summary, _, example = inspect.getdoc(api).partition("\n\n")
    lines = ["# Python interface", "", _sentence(summary), "", "```python", textwrap.dedent(example).rstrip(), "```"]
    for name in ("load_study", "fit_law", "load_panel_study", "Study", "Law", "PanelStudy"):
        member = getattr(api, name)
        lines += ["", f"## {name}", ""]
        if inspect.isfunction(member):
            lines += ["```python", _signature(name, member), "```", ""]
        lines.append(inspect.getdoc(member) or "")
        if dataclasses.is_dataclass(member):
            lines += ["", "| field | type |", "|---|---|"]
            lines += [f"| `{field.name}` | `{_cell(str(field.type))}` |" for field in dataclasses.fields(member)]
    return _finished(lines)


def _signature(name: str, function: typing.Callable[..., Any]) -> str:
    """One line a parameter."""
    signature = inspect.signature(function)
    parts = [re.sub(r": '([^']*)'", r": \1", str(parameter)) for parameter in signature.parameters.values()]
    keyword = next(
        (n for n, each in enumerate(signature.parameters.values()) if each.kind is inspect.Parameter.KEYWORD_ONLY), None
    )
    if keyword is not None:
        parts.insert(keyword, "*")
    inside = "".join(f"\n    {part}," for part in parts)
    return f"tsladder.{name}({inside}\n) -> {signature.return_annotation!s}"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text[-1] in ".:;" else ".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;") if "`" not in text else text.replace("|", "\\|")


def _finished(lines: list[str]) -> str:
    text = "\n".join([lines[0], "", GENERATED.rstrip(), *lines[1:]])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page differs")
    check = options.parse_args().check
    differing = [
        name
        for name, text in pages().items()
        if not (PAGES / name).is_file() or (PAGES / name).read_text(encoding="utf-8") != text
    ]
    if check:
        for name in differing:
            print(f"docs/reference/{name} differs from the code: run `make reference`", file=sys.stderr)
        return 1 if differing else 0
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (PAGES / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
