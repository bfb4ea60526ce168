"""What the evaluation left about one cell -> RegionFacts. Keys that an older evaluation did not write are unknown."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.results.score_facts import (
    Decision,
    Estimate,
    Metrics,
    RegionFacts,
    ReliabilityBin,
    Skill,
    SymbolFacts,
    Temperature,
)
from tsladder.results.stored import Record, interval_of
from tsladder.vocabulary import LOG_LOSS


def read_regions(scores: Record) -> dict[str, RegionFacts]:
    """Region -> what scores.json tells of it."""
    # Evaluations before there were returns named no loss.
    metric = scores.get("metric", LOG_LOSS)
    return {name: _region(record, metric) for name, record in scores.get("regions", {}).items()}


def read_symbols(scores: Record, region: str) -> dict[str, SymbolFacts | None]:
    """Symbol -> what scores.json tells of its region, None where it has no window there; {} for a study of one."""
    symbols: Mapping[str, Record] = scores.get("symbols", {})
    return {name: _symbol(found) if (found := of[region]) is not None else None for name, of in symbols.items()}


def _symbol(record: Record) -> SymbolFacts:
    return SymbolFacts(
        windows=record.get("windows"),
        base_rate=record.get("base_rate"),
        loss=record.get("loss"),
        auc=record.get("auc"),
        ic=record.get("ic"),
        skill=record.get("skill"),
        advantage=_estimate(record.get("advantage") or {}),
    )


def _region(record: Record, metric: str) -> RegionFacts:
    advantage: Record = record.get("advantage") or {}
    intervals: Record = record.get("intervals") or {}
    against: Record = record.get("skill_against") or {}
    return RegionFacts(
        windows=record.get("windows"),
        positives=record.get("positives"),
        base_rate=record.get("base_rate"),
        train_base_rate=record.get("train_base_rate"),
        mean=_metrics(record.get("mean", {}), metric),
        seeds={seed: _metrics(scores, metric).loss for seed, scores in record.get("seeds", {}).items()},
        loss_se=record.get(f"{metric}_se"),
        base_rate_loss=record.get("base_rate_loss"),
        own_rate_loss=record.get("own_rate_loss"),
        stricter=record.get("stricter"),
        skill=record.get("skill"),
        advantage=advantage.get("value"),
        advantage_ci=interval_of(advantage.get("low"), advantage.get("high")),
        baselines={name: _metrics(scores, metric) for name, scores in record.get("baselines", {}).items()},
        beaten_by=tuple(record.get("beaten_by", [])),
        constant_predictor=record.get("constant_predictor"),
        windows_fingerprint=record.get("windows_fingerprint"),
        intervals={metric: _estimate(entry) for metric, entry in intervals.items() if entry is not None},
        skill_against={name: _skill(entry) for name, entry in against.items() if entry is not None},
        reliability=tuple(_bin(entry) for entry in record.get("reliability") or []),
        decision=_decision(record.get("decision")),
        temperature=_temperature(record.get("temperature")),
    )


def _metrics(record: Record, metric: str) -> Metrics:
    return Metrics(metric=metric, values=dict(record))


def _estimate(record: Record) -> Estimate:
    return Estimate(
        value=record.get("value"),
        ci=interval_of(record.get("low"), record.get("high")),
        effective_n=record.get("effective_n"),
    )


def _skill(record: Record) -> Skill:
    return Skill(value=record.get("skill"), ci=interval_of(record.get("low"), record.get("high")))


def _bin(record: Record) -> ReliabilityBin:
    return ReliabilityBin(windows=record["windows"], predicted=record["predicted"], observed=record["observed"])


def _decision(record: Record | None) -> Decision | None:
    if record is None:
        return None
    return Decision(
        threshold=record.get("threshold"),
        criterion=record.get("criterion"),
        accuracy=record.get("accuracy"),
        balanced_accuracy=record.get("balanced_accuracy"),
        precision=record.get("precision"),
        recall=record.get("recall"),
        f1=record.get("f1"),
    )


def _temperature(record: Record | None) -> Temperature | None:
    if record is None:
        return None
    return Temperature(value=record.get("value"), log_loss=record.get("log_loss"), ece=record.get("ece"))
