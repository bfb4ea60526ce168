"""Families are found by name, and code reaches one without the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.building import FEATURES, geometry, spec

from tsladder.errors import BadInput
from tsladder.families import is_of_panel, load, module_of, names, panel_names
from tsladder.planning.fingerprint import import_closure, number_makers
from tsladder.planning.stage_code import family_module

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
FAMILIES = SOURCE / "tsladder" / "families"
OF_ONE_FAMILY = {
    "informer": {"active_queries", "distilling", "sparse_attention"},
    "itransformer": set(),
    "patchtst": set(),
}
"""The modules of parts/ that no other family loads."""

OF_PANELS = {"cross_section", "cross_sectional", "last_token", "panel_costs", "panel_family", "quantile_head"}
"""Modules of parts/ that panel_transformer loads, and no family of one series."""


def test_names_are_the_modules_of_the_folder() -> None:
    assert names() == tuple(sorted(path.stem for path in FAMILIES.glob("*.py") if path.stem != "__init__"))
    assert {"informer", "itransformer", "patchtst"} <= set(names())


def test_names_of_panels_are_the_modules_of_the_folder_of_panels() -> None:
    found = {path.stem for path in (FAMILIES / "panel").glob("*.py") if path.stem != "__init__"}
    assert panel_names() == tuple(sorted(found))
    assert "panel_transformer" in panel_names()
    assert set(panel_names()) & set(names()) == set()


@pytest.mark.parametrize(
    "name",
    ["mlp", "", "parts", "parts.stem", "PatchTST", "patchtst.py", "../models", "panel", "panel.panel_transformer"],
)
def test_an_unknown_family_is_refused_with_the_names_of_the_known_ones(name: str) -> None:
    load("panel_transformer")
    of_panels = ", ".join(panel_names())
    with pytest.raises(BadInput, match=f"must be one of {', '.join(names())}, got .*of a panel one of {of_panels}"):
        load(name)
    with pytest.raises(BadInput, match="must be one of"):
        is_of_panel(name)


def test_a_family_lies_in_the_folder_of_its_kind() -> None:
    for name in names():
        assert not is_of_panel(name)
        assert family_module(name) == module_of(name) == f"tsladder.families.{name}"
    for name in panel_names():
        assert is_of_panel(name)
        assert family_module(name) == module_of(name) == f"tsladder.families.panel.{name}"
    for name in (*names(), *panel_names()):
        assert type(load(name)).__module__ == module_of(name)


@pytest.mark.parametrize("family", ["patchtst", "panel_transformer"])
def test_a_family_is_not_made_by_the_code_of_the_other_kind(family: str) -> None:
    reached = set(number_makers([family_module(family)], SOURCE))
    of_panels = {f"tsladder.families.parts.{part}" for part in OF_PANELS}
    assert reached & of_panels == (of_panels if is_of_panel(family) else set())
    others = {family_module(name) for name in (*names(), *panel_names()) if name != family}
    assert reached & others == set()


@pytest.mark.parametrize("family", sorted(OF_ONE_FAMILY))
def test_a_family_is_made_by_its_own_code_and_what_families_share(family: str) -> None:
    reached = set(number_makers([f"tsladder.families.{family}"], SOURCE))
    assert f"tsladder.families.{family}" in reached
    assert "tsladder.families.parts.layers" in reached
    others = {f"tsladder.families.{name}" for name in names() if name != family}
    parts = {
        f"tsladder.families.parts.{part}" for name in OF_ONE_FAMILY if name != family for part in OF_ONE_FAMILY[name]
    }
    assert reached & (others | parts) == set()
    assert {f"tsladder.families.parts.{part}" for part in OF_ONE_FAMILY[family]} <= reached


@pytest.mark.parametrize("start", sorted(path.name for path in (ROOT / "stages").glob("*.py")))
def test_no_stage_imports_a_family(start: str) -> None:
    reached = set(import_closure(ROOT / "stages" / start, SOURCE))
    assert reached & {f"tsladder.families.{name}" for name in names()} == set()


def test_tokens_are_patches_features_or_days() -> None:
    found = {f: load(f).tokens(geometry(80, 16, 8, family=f)).count for f in ("patchtst", "itransformer", "informer")}
    assert found == {"patchtst": 9, "itransformer": FEATURES, "informer": 80}


def test_only_patchtst_uses_patches() -> None:
    for family, same in (("patchtst", False), ("itransformer", True), ("informer", True)):
        long, short = (spec(geometry=geometry(patch_len=p, family=family)) for p in (8, 4))
        assert (long.n_params == short.n_params) is same
        assert load(family).leaves == (() if same else ("patch_len", "stride"))
