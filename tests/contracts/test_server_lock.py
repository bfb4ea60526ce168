"""The lock of the extra `server` adds to requirements.lock and changes none of its versions."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs), name
    return {canonicalize_name(package): version for package, version in pairs}


def asked() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [Requirement(text) for text in project["optional-dependencies"]["server"]]


def test_both_locks_agree_on_every_package_that_both_name() -> None:
    own, all_studies = pins("requirements-server.lock"), pins("requirements.lock")
    assert own
    assert {
        name: (own[name], all_studies[name])
        for name in own.keys() & all_studies.keys()
        if own[name] != all_studies[name]
    } == {}


def test_what_the_extra_asks_for_is_locked_within_its_bounds() -> None:
    own = pins("requirements-server.lock")
    for requirement in asked():
        assert requirement.specifier.contains(own[canonicalize_name(requirement.name)]), requirement


def test_what_its_packages_need_is_in_one_of_the_locks() -> None:
    own = pins("requirements-server.lock")
    both = own | pins("requirements.lock")
    wanted = {extra for requirement in asked() for extra in requirement.extras}
    for name in own:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed (pip install -r requirements-server.lock)")
        for requirement in map(Requirement, needs):
            environments = [{"extra": extra} for extra in ("", *wanted)]
            if requirement.marker is None or any(requirement.marker.evaluate(one) for one in environments):
                assert requirement.specifier.contains(both[canonicalize_name(requirement.name)]), (name, requirement)
