"""`tsladder fit`: the law of a table of points, for people and for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.console.tables import aligned
from tsladder.errors import BadInput
from tsladder.law.scaling import residuals_of
from tsladder.law.table import fit_table, write_fit
from tsladder.steps import OnStep, untold

_MOST_RUNGS = 40


def fit_points(
    paths: Sequence[Path], out: Path | None, huber_delta: float | None = None, on_step: OnStep = untold
) -> dict[str, Any]:
    """The record of the tables at `paths` together, written to the folder `out` where one is given. Raises BadInput."""
    if out is not None and out.exists() and not out.is_dir():
        raise BadInput(f"--out must be a folder, {out} is a file: name another")
    if huber_delta is not None and not 0.0 < huber_delta < math.inf:
        raise BadInput(f"--huber-delta must be a positive number, got {huber_delta:g}")
    record = fit_table(paths, huber_delta=huber_delta, on_step=on_step)
    if out is not None:
        try:
            write_fit(out, record)
        except OSError as error:
            raise BadInput(f"--out {out} cannot be written: {error.strerror}") from None
    return record


def fit_lines(record: Mapping[str, Any]) -> list[str]:
    """What the terminal shows: for every group its verdict, fits and rungs."""
    blocks = [_group(name, law) for name, law in record["groups"].items()]
    return [line for block in blocks for line in (*block, "")][:-1]


def _group(name: str, law: Mapping[str, Any]) -> list[str]:
    lines = [f"{name}: {law['verdict'].replace('_', ' ')}", f"  {law['reason']}", f"  {law['settle']}", ""]
    lines += [f"  {line}" for line in aligned([("fit", "parameters"), *_fits(law)])]
    lines += ["", *(f"  {line}" for line in aligned(_rungs(law)))]
    left = len(law["points"]) - _MOST_RUNGS
    lines += [f"  and {left} more"] if left > 0 else []
    return [*lines, *(f"  note: {note}" for note in law["notes"])]


def _fits(law: Mapping[str, Any]) -> list[tuple[str, str]]:
    power, floor, overfit = (law["fits"][name] for name in ("power", "power_floor", "overfit"))
    rows = []
    if power is not None:
        rows.append(("C N^-alpha", f"alpha {_span(power['alpha'], power['alpha_ci'])}   C {power['C']:.5g}"))
        at = f"loss {_span(power['loss_at_reference'], power['loss_at_reference_ci'])}"
        rows.append(("", f"{at} at N = {power['reference_n']:.4g}   R^2 {power['r2']:.3f}"))
    if "surface" in law:
        rows += _surface(law["surface"])
    else:
        known = f"E {_span(floor['E'], floor['E_ci'])}   alpha {floor['alpha']:.4g}   " if floor["identified"] else ""
        rows.append(("E + A N^-alpha", known + floor["reason"]))
        rows.append(("falls, then rises", overfit["reason"]))
        rows.append(("choice of form", law["model_choice"]["reason"]))
    if law["minimum_detectable_alpha"] is not None:
        rows.append(("detectable alpha", f"{law['minimum_detectable_alpha']:.4f} in four studies out of five"))
    return rows


def _surface(surface: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("E + A N^-alpha + B D^-beta", surface["reason"])]
    rows += [
        ("", f"{name} {_span(surface[name], surface[f'{name}_ci'])}")
        for name in ("E", "A", "B", "alpha", "beta")
        if surface[name] is not None
    ]
    if surface["objective"] is not None:
        ending = "converged" if surface["converged"] else "NOT converged"
        starts = f"{surface['starts_agreeing']} of {surface['starts']} starts agree"
        loss = f"sum of Huber losses {surface['objective']:.6g} at delta {surface['huber_delta']:.3g}"
        rows.append(("", f"{ending}, {loss}; {starts}"))
    return rows


def _span(value: float, interval: list[float] | None) -> str:
    return f"{value:.5g}" + (f" [{interval[0]:.5g}, {interval[1]:.5g}]" if interval is not None else "")


def _rungs(law: Mapping[str, Any]) -> list[tuple[str, ...]]:
    residuals = residuals_of(law)
    rows: list[tuple[str, ...]] = [("rung", "n_params", "loss", "se", "runs", "off the fit")]
    for index, point in enumerate(law["points"][:_MOST_RUNGS]):
        rows.append(
            (
                point["cell"],
                f"{point['n_params']:.10g}",
                f"{point['loss']:.6g}",
                "-" if point["se"] is None else f"{point['se']:.2g}",
                str(max(1, len(point["seeds"]))),
                f"{math.expm1(residuals[index]):+.2%}" if index < len(residuals) else "-",
            )
        )
    return rows
