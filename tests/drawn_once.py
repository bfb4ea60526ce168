"""Drawings kept by what they show: the same facts draw the same bytes (tests/report/test_figures.py), so once is
enough where pictures are not what a test is about. Drawing takes most of the time of a report."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest

from tsladder.artifacts.law import StudyLaw, law_json
from tsladder.law import plots
from tsladder.report import build
from tsladder.report.facts import Facts

_PICTURES: dict[bytes, Mapping[str, bytes | None]] = {}
_LAWS: dict[str, bytes] = {}
_pictures_of, _draw_scaling = build.pictures_of, plots.draw_scaling


def pictures_of(facts: Facts) -> Mapping[str, bytes | None]:
    # The picture of the law is handed on as it is; nothing is drawn of the environment.
    drawn = [getattr(facts, field.name) for field in dataclasses.fields(facts) if field.name != "environment"]
    key = pickle.dumps(drawn)
    if key not in _PICTURES:
        _PICTURES[key] = _pictures_of(facts)
    return _PICTURES[key]


def draw_scaling(law: StudyLaw, path: Path) -> None:
    key = json.dumps(law_json(law))
    if key in _LAWS:
        path.write_bytes(_LAWS[key])
    else:
        _draw_scaling(law, path)
        _LAWS[key] = path.read_bytes()


def keep_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "pictures_of", pictures_of)
    monkeypatch.setattr(plots, "draw_scaling", draw_scaling)
