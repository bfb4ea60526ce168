"""`tsladder ingest --panel`: files of many stocks as people have them become data/NAME.parquet."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tsladder.console.first_panel_study import FirstPanelStudy, first_panel_study
from tsladder.console.ingest import NAME, choices_of, garbage_collection_off, refuse_order_of_days, track_and_print
from tsladder.console.progress import progress
from tsladder.data.without_volume import experiment_command
from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, Field
from tsladder.ingest.panel.build import StockPanel, stock_panel
from tsladder.ingest.panel.cvxportfolio import KnownOrigin, is_sdist, read_sdist
from tsladder.ingest.panel.files import read_all
from tsladder.ingest.panel.member_files import member_source
from tsladder.ingest.panel.record import PanelAccount
from tsladder.ingest.panel.sources import Source, find_sources
from tsladder.ingest.store import Outcome
from tsladder.ingest.yahoo import PREFIX
from tsladder.panel.file import check_panel, panel_of, read_manifest, read_panel, store_panel
from tsladder.panel.panel import Dropped, PanelManifest, PanelOrigin, Returns, UniverseKind
from tsladder.places import Places

_SHOWN = 10
_BIAS = {
    UniverseKind.SURVIVORS: (
        "stocks that failed or left before the end are missing: past returns look better than they were"
    ),
    UniverseKind.AS_LISTED: (
        "the stocks are those of one list: some were not yet, or no longer, where a person would have found them"
    ),
    UniverseKind.POINT_IN_TIME: "no stock leaves before the last day, although each day's stocks are said to be here",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelIngestOptions:
    """Options of the command line beside the files and the name; None if an option is not given."""

    choices: Choices
    universe: UniverseKind | None = None
    returns: Returns | None = None
    licence: str | None = None
    source: str | None = None
    members: str | None = None
    force: bool = False
    dry_run: bool = False


def panel_ingest_options(options: argparse.Namespace) -> PanelIngestOptions:
    """Read the options of the command line. Raises BadInput as `choices_of` does."""
    return PanelIngestOptions(
        choices=choices_of(options),
        universe=options.universe and UniverseKind(options.universe),
        returns=options.returns and Returns(options.returns),
        licence=options.licence,
        source=options.told_source,
        members=options.members,
        force=options.force,
        dry_run=options.dry_run,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelIngestion:
    """Result of an ingestion.

    `outcome`: what was done, or with `dry_run` what would be. `stored_as`: path relative to the study's folder.
    `assumed`: assumptions about the origin that no option and no file states. `study`: settings of a first study of the
    panel, None without a readable params.yaml of a panel study.
    """

    name: str
    account: PanelAccount
    manifest: PanelManifest
    outcome: Outcome
    dry_run: bool
    stored_as: str
    assumed: tuple[str, ...]
    study: FirstPanelStudy | None

    def to_json(self, *, added: bool) -> dict[str, Any]:
        manifest = self.manifest.to_json()
        manifest.pop("ingestion", None)
        return {
            **self.account.to_json(),
            "panel": self.name,
            "manifest": manifest,
            "assumed": list(self.assumed),
            "outcome": str(self.outcome),
            "dry_run": self.dry_run,
            "stored_as": self.stored_as,
            "settings": [] if self.study is None else list(self.study.settings),
            "added": added,
        }


@garbage_collection_off()
def ingest_panel_here(
    places: Places, paths: Sequence[str], name: str, asked: PanelIngestOptions, *, today: datetime.date
) -> PanelIngestion:
    """Read, check and store a panel. Raises BadInput before anything is written."""
    refuse_order_of_days(asked.choices)
    if not NAME.fullmatch(name):
        raise BadInput(f"--panel must be letters, digits, '.', '_' and '-', at most 64, no path; got {name!r}")
    if asked.choices.only_symbol is not None:
        raise BadInput(f"--only-symbol {asked.choices.only_symbol} is for --symbol; a panel takes all stocks")
    downloads = [path for path in paths if path.startswith(PREFIX)]
    if downloads:
        raise BadInput(f"{downloads[0]}: a panel is read from files; download each stock into a file first")
    panel, known = _read(paths, asked, today)
    origin, assumed = _origin(panel, known, asked)
    target = places.bars(name)
    table, manifest = check_panel(target, panel.frame, origin)
    outcome = _judge(target, manifest, force=asked.force)
    if not asked.dry_run and outcome is not Outcome.UNCHANGED:
        store_panel(target, table, manifest)
    with progress("looking what a first study needs") as on_step:
        study = first_panel_study(places, panel_of(name, table, manifest))
        on_step("looked", 1, 1)
    return PanelIngestion(
        name=name,
        account=panel.account,
        manifest=manifest,
        outcome=outcome,
        dry_run=asked.dry_run,
        stored_as=target.relative_to(places.project).as_posix(),
        assumed=assumed,
        study=study,
    )


def _read(
    paths: Sequence[str], asked: PanelIngestOptions, today: datetime.date
) -> tuple[StockPanel, KnownOrigin | None]:
    """Read the panel; the origin is known for the source distribution of cvxportfolio, None for other files."""
    path, choices = Path(paths[0]), asked.choices
    members = None if asked.members is None else member_source(asked.members, choices, today=today)
    if len(paths) == 1 and is_sdist(path) and path.is_file():
        part, known = read_sdist(path, choices, today=today)
        return stock_panel([part], replace(choices, field=Field.RETURN), members=members), known
    sources, aside = find_sources([Path(path) for path in paths])
    with progress(f"reading {_files(sources)}") as on_step:
        parts = read_all(sources, choices, today=today, on_step=on_step)
    return stock_panel(parts, choices, aside=aside, members=members), None


def _files(sources: Sequence[Source]) -> str:
    return sources[0].name if len(sources) == 1 else f"{len(sources)} files"


def _origin(
    panel: StockPanel, known: KnownOrigin | None, asked: PanelIngestOptions
) -> tuple[PanelOrigin, tuple[str, ...]]:
    """Return the origin for the manifest, and the assumptions made, with the options that replace them."""
    account, assumed = panel.account, []
    members = account.membership
    shown = members is not None and members.holds_the_leavers and account.left_early > 0
    if members is not None and not shown and asked.universe is UniverseKind.POINT_IN_TIME:
        raise BadInput(
            f"--universe point_in_time: {'; '.join(members.bias(left_early=account.left_early))}; leave the option out"
        )
    universe = asked.universe or (UniverseKind.POINT_IN_TIME if shown else known.universe if known else None)
    if universe is None:
        universe = UniverseKind.SURVIVORS
        assumed.append("the stocks are survivors, which is the usual case (--universe says otherwise)")
    returns = asked.returns or (known.returns if known else panel.returns)
    if returns is None:
        returns = Returns.PRICE
        assumed.append("returns are of prices, without dividends (--returns total says otherwise)")
    bias = list(known.bias) if known else [_BIAS[universe]]
    if universe is UniverseKind.POINT_IN_TIME and account.left_early and known is None:
        bias = []
    if members is not None:
        bias += members.bias(left_early=account.left_early)
    if returns is Returns.PRICE:
        bias.append("dividends are not in the returns")
    if (dated := asked.choices.sessions) is not None:
        bias.append(
            f"the days are not told: the rows are laid on the sessions of {dated.calendar} that end with "
            f"{dated.last_day}, and where a row is missing, all before it are a day off"
        )
    files = ", ".join(account.sources[:_SHOWN]) + (", ..." if len(account.sources) > _SHOWN else "")
    origin = PanelOrigin(
        source=asked.source or (known.source if known else files),
        licence=asked.licence or (known.licence if known else "not told"),
        returns=returns,
        universe=universe,
        bias=tuple(bias),
        dropped=tuple(Dropped(why=why, count=count) for why, count in account.dropped),
        ingestion=account.to_json(),
    )
    return origin, tuple(assumed)


def _judge(target: Path, manifest: PanelManifest, *, force: bool) -> Outcome:
    """Return the outcome of storing. Raises BadInput if the file has other values and `force` is not set."""
    if not target.exists():
        return Outcome.NEW
    if not target.is_file():
        raise BadInput(
            f"{target} is not a file, and the panel cannot be stored there: choose another name with --panel"
        )
    if _holds(target, manifest):
        return Outcome.UNCHANGED if read_manifest(target) == manifest else Outcome.RECORD
    if not force:
        raise BadInput(
            f"{target} exists and has other values: replace it with --force, or choose another name with --panel"
        )
    return Outcome.REPLACED


def _holds(target: Path, manifest: PanelManifest) -> bool:
    """Check whether the file has the values of `manifest` and is undamaged."""
    try:
        return read_manifest(target).sha256 == manifest.sha256 and bool(read_panel(target))
    except BadInput:
        return False


def ingest_panel_and_print(
    places: Places,
    paths: Sequence[str],
    name: str,
    asked: PanelIngestOptions,
    *,
    add: bool,
    as_json: bool,
    today: datetime.date,
) -> None:
    """Ingest, track with `add`, and print: the account or JSON alone on stdout, warnings on stderr.

    Raises as `ingest_panel_here` and, after all is printed, as `track`.
    """
    done = ingest_panel_here(places, paths, name, asked, today=today)
    track_and_print(
        places,
        done,
        panel_lines(done),
        done.account.warnings,
        lambda added: how_to_go_on(done, added=added),
        add=add,
        as_json=as_json,
        ensure_ascii=False,
    )


def how_to_go_on(done: PanelIngestion, *, added: bool) -> list[str]:
    lines = [] if added else ["dvc add data, so that a study knows this panel by its content"]
    study = done.study
    if study is None:
        return lines
    if study.refusal is not None:
        return [*lines, f"no settings make a study of it yet: {study.refusal}"]
    lines += [f"{leaf}: {_WHY[name]}" for leaf in study.settings if (name := leaf.split("=")[0]) in _WHY]
    file = f"{study.folder}/params.yaml"
    command = f"cd {study.folder} && {experiment_command(study.settings)}"
    return [
        *lines,
        f"{command} (or the same leaves in {file}, days in quotes, then tsladder --study {study.folder} run)",
    ]


_WHY = {
    "data.tier": "the tier in params.yaml needs columns that this panel lacks",
    "universe.min_price": "there is no CloseRaw, the price that was paid",
    "universe.top": "there is neither Turnover nor Volume",
    "universe.min_stocks": "too few days have as many members as params.yaml asks for",
    "splits.validation_start": "too few of these days lie between the dates in params.yaml",
    "splits.min_days": "the days are few, and so will be what they can show",
    "training.stocks_per_day": "drawn anew on each training day; all stocks are many, and are ranked in validation and "
    "test",
}


def panel_lines(done: PanelIngestion) -> list[str]:
    """Return the lines that the terminal shows; warnings are printed on stderr instead."""
    account, manifest = done.account, done.manifest
    fewest, median, most = account.stocks_a_day
    rows = [("read", _how_read(account)), ("", f"{account.rows_read} rows, {manifest.rows} kept")]
    rows += [
        ("holds", f"{manifest.symbols} stocks, {manifest.sessions} days, {manifest.first_day} to {manifest.last_day}")
    ]
    rows += [("", f"{median} stocks on most days, {fewest} at least, {most} at most")]
    rows += [("columns", ", ".join(manifest.columns))]
    rows += [("from", ", ".join(_from(role, title) for role, title in account.columns.items()))]
    rows += [("ignored", f"{title}: {why}") for title, why in account.ignored.items()]
    rows += [("ignored", f"{_some(account.not_read)}: not a table")] if account.not_read else []
    rows += [("dropped", f"{count} row{_s(count)}: {why}") for why, count in account.dropped]
    rows += [("dropped", f"without a price: {_some(account.left_out)}")] if account.left_out else []
    rows += [("repaired", f"{kind}: {count} row{_s(count)}") for kind, count in account.repairs]
    if account.not_traded:
        rows.append(("days", f"not traded: {account.not_traded} rows have no price, and get none"))
    if account.zero_volume:
        rows.append(("days", f"with a price and a volume of 0: {account.zero_volume} rows"))
    if account.left_early:
        rows.append(("gone", f"{account.left_early} of {manifest.symbols} stocks have no price on the last day"))
    rows += [("members", words) for words in _members(account)]
    rows += [("note", note) for note in account.notes]
    if account.membership is not None:
        rows.append(("universe", str(manifest.origin.universe)))
    rows += [("assumed", words) for words in done.assumed]
    rows += [("bias", words) for words in manifest.origin.bias]
    rows.append(("dry run" if done.dry_run else "stored", _outcome(done)))
    return [f"{label:<8} {words}" for label, words in rows]


def _members(account: PanelAccount) -> list[str]:
    members = account.membership
    if members is None:
        return []
    days = f"{members.priced_days / members.member_days:.1%} of {members.member_days} days of members have a price"
    lines = [f"{members.source}: {members.members} members in these days; {days}"]
    if members.without_price:
        lines.append(f"without a price: {_some(members.without_price)}")
    if members.never_members:
        lines.append(f"never a member, or under another symbol: {_some(members.never_members)}")
    if members.before:
        lines.append(f"{members.before} days before {members.known_from} have no members")
    if members.with_sector is not None:
        lines.append(f"sectors of {members.with_sector} of {account.symbols} stocks")
    return [*lines, *members.notes]


def _how_read(account: PanelAccount) -> str:
    files = account.sources[0] if len(account.sources) == 1 else f"{len(account.sources)} files"
    told = [*account.kinds, *account.shapes, *(f"days as {notation}" for notation in account.date_notations)]
    told += [f"decimal {mark}" for mark in account.decimals]
    return f"{files} ({', '.join(told)})"


def _from(role: str, title: str) -> str:
    return role if role == title else f"{role} {title!r}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _outcome(done: PanelIngestion) -> str:
    would = {
        Outcome.NEW: f"{done.stored_as} would be written",
        Outcome.UNCHANGED: f"{done.stored_as} holds this panel already",
        Outcome.RECORD: f"{done.stored_as} holds these values already, and would get this record of them",
        Outcome.REPLACED: f"{done.stored_as} would be replaced",
    }
    did = {
        Outcome.NEW: done.stored_as,
        Outcome.UNCHANGED: f"{done.stored_as} held this panel already, and is left as it is",
        Outcome.RECORD: f"{done.stored_as}, the same values with a new record of them",
        Outcome.REPLACED: f"{done.stored_as}, in place of other values",
    }
    return (would if done.dry_run else did)[done.outcome]
