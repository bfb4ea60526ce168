"""What fit left, read into StudyLaw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.record import record_of
from tsladder.places import Places
from tsladder.report.law_facts import (
    ConfidenceSet,
    Excess,
    Floor,
    Influence,
    JointRegion,
    LawFacts,
    LawPoint,
    ModelChoice,
    Neighbours,
    Overfit,
    SelectionFacts,
    StudyLaw,
    WayToSettle,
)
from tsladder.results.stored import Interval, Record, pair_of, read_if_there


def read_law(places: Places) -> StudyLaw | None:
    """The verdicts and what supports them; None before the law has been fitted."""
    record = read_if_there(places.law / "scaling.json")
    if "horizons" not in record:
        return None
    return StudyLaw(
        study_key=record.get("study_key"),
        region=record.get("region"),
        confidence=record.get("confidence"),
        alpha_of_interest=record.get("alpha_of_interest"),
        horizons={int(horizon): _law(int(horizon), law) for horizon, law in record["horizons"].items()},
        audit=_audit(record.get("audit")),
    )


def _audit(record: Record | None) -> AuditRecord | None:
    return None if record is None else record_of(AuditRecord, record, source="the audit in scaling.json")


def _law(horizon: int, law: Record) -> LawFacts:
    fits: Record = law.get("fits") or {}
    power: Record = fits.get("power") or {}
    counts: Mapping[str, Record | None] = law.get("power_by_count") or {}
    left_out: Sequence[Record] = law.get("leave_one_rung_out") or []
    errors = {left["cell"]: left["error"] for left in left_out if left.get("error") is not None}
    return LawFacts(
        horizon=horizon,
        verdict=law["verdict"],
        reason=law.get("reason", ""),
        settle=law.get("settle", ""),
        ways_to_settle=tuple(
            WayToSettle(what=way["what"], words=way["words"], seconds=way.get("estimated_seconds"))
            for way in law.get("settle_options") or []
        ),
        points=tuple(_point(point, errors) for point in law.get("points", []) if not point.get("dropped", False)),
        alpha=power.get("alpha"),
        alpha_ci=pair_of(power.get("alpha_ci")),
        alpha_ci_rungs=pair_of(power.get("alpha_ci_rungs")),
        alpha_ci_days=pair_of(power.get("alpha_ci_days")),
        dof=power.get("dof"),
        C=power.get("C"),
        r2=power.get("r2"),
        residual_sd=power.get("residual_sd"),
        reference_n=power.get("reference_n"),
        loss_at_reference=power.get("loss_at_reference"),
        loss_at_reference_ci=pair_of(power.get("loss_at_reference_ci")),
        alpha_by_count={name: None if fit is None else fit.get("alpha") for name, fit in counts.items()},
        floor=_floor(fits.get("power_floor")),
        minimum_detectable_alpha=law.get("minimum_detectable_alpha"),
        minimum_detectable_range=pair_of(law.get("minimum_detectable_alpha_range")),
        power=law.get("power"),
        rung_noise=law.get("rung_noise"),
        worst_left_out=max(errors.values(), key=abs, default=None),
        extrapolation_error=(law.get("extrapolation") or {}).get("error"),
        beaten_by=tuple(law.get("beaten_by", [])),
        warnings=tuple(law.get("warnings", [])),
        notes=tuple(law.get("notes", [])),
        neighbours=tuple(_neighbours(pair) for pair in law.get("neighbours") or []),
        confidence_set=_confidence_set(law.get("confidence_set")),
        model_choice=_model_choice(law.get("model_choice")),
        overfit=_overfit(fits.get("overfit")),
        joint_region=_joint_region(law.get("joint_region")),
        influential=tuple(
            Influence(
                cell=item["cell"],
                cooks_distance=item.get("cooks_distance"),
                alpha_without=item.get("alpha_without"),
                p_outlier=item.get("p_outlier"),
            )
            for item in law.get("influential") or []
        ),
        excess=_excess(law.get("excess")),
        repetition=law.get("repetition") or {},
        selection=_selection(law.get("selection")),
    )


def _point(point: Record, errors: Mapping[str, float]) -> LawPoint:
    return LawPoint(
        cell=point["cell"],
        n_params=point["n_params"],
        loss=point["loss"],
        se=point.get("se"),
        left_out_error=errors.get(point["cell"]),
    )


def _floor(record: Record | None) -> Floor | None:
    if record is None:
        return None
    identified = bool(record.get("identified"))
    return Floor(
        identified=identified,
        bends=bool(record.get("bends", identified)),
        reason=record.get("reason") or "",
        E=record.get("E"),
        E_ci=pair_of(record.get("E_ci")),
        A=record.get("A"),
        alpha=record.get("alpha"),
        alpha_ci=pair_of(record.get("alpha_ci")),
    )


def _selection(record: Record | None) -> SelectionFacts | None:
    if record is None:
        return None
    return SelectionFacts(
        alphas={int(k): alpha for k, alpha in record["alphas"].items()},
        change=record.get("change"),
        change_ci=pair_of(record.get("change_ci")),
        p=record.get("p"),
        words=record.get("words") or "",
    )


def _neighbours(pair: Record) -> Neighbours:
    return Neighbours(
        smaller=pair["smaller"],
        larger=pair["larger"],
        difference=pair.get("difference"),
        relative=pair.get("relative"),
        se=pair.get("se"),
        p=pair.get("p_holm"),
        noise=pair.get("noise"),
    )


def _confidence_set(record: Record | None) -> ConfidenceSet | None:
    if record is None:
        return None
    return ConfidenceSet(
        members=tuple(record["members"]), p_values=record.get("p_values") or {}, about=record.get("about")
    )


def _model_choice(record: Record | None) -> ModelChoice | None:
    if record is None:
        return None
    return ModelChoice(
        aicc=record.get("aicc") or {}, preferred=record.get("preferred"), reason=record.get("reason") or ""
    )


def _overfit(record: Record | None) -> Overfit | None:
    if record is None:
        return None
    return Overfit(
        form=record.get("form"),
        turns_at_n=record.get("turns_at_n"),
        turns_at_ci=pair_of(record.get("turns_at_ci")),
        turns=bool(record.get("turns", record.get("preferred"))),
        reason=record.get("reason") or "",
    )


def _joint_region(record: Record | None) -> JointRegion | None:
    if record is None or not record.get("alpha") or not record.get("C"):
        return None
    there: Sequence[float | None] = record.get("loss_at_reference") or []
    known = [value for value in record["C"] if value is not None]
    if not known:
        return None
    return JointRegion(
        confidence=record.get("confidence"),
        alpha=_ends(record["alpha"]),
        C=(min(known), max(known) if len(known) == len(record["C"]) else None),
        loss_at_reference=_ends([value for value in there if value is not None]) if there else None,
    )


def _ends(values: Sequence[float]) -> Interval:
    return min(values), max(values)


def _excess(record: Record | None) -> Excess | None:
    if record is None:
        return None
    power: Record = record.get("power") or {}
    return Excess(
        baseline=record["baseline"],
        baseline_loss=record.get("baseline_loss"),
        slope_per_tenfold=record.get("slope_per_tenfold"),
        slope_ci=pair_of(record.get("slope_ci")),
        alpha=power.get("alpha"),
        alpha_ci=pair_of(power.get("alpha_ci")),
        reason=record.get("reason") or "",
    )
