"""`-S leaf=value`: the question of params.yaml with other values, read as `dvc exp run -S` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tsladder.errors import BadInput
from tsladder.params import load_params
from tsladder.params.assignments import assigned

FILE = Path(__file__).parents[1] / "params.yaml"
RAW: dict[str, Any] = {"budget": "12k", "search": {"trials": 8, "stop": "preset"}, "data": {"symbols": None}}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("budget=2M", "budget", "2M"),
        ("params.yaml:budget=2M", "budget", "2M"),
        ("search.trials=20", "search.trials", 20),
        ("search.stop=null", "search.stop", None),
        ("data.symbols=[sp500,nasdaq]", "data.symbols", ["sp500", "nasdaq"]),
        (
            "search.stop={min_trials: 20, top: 5, spread: 0.02}",
            "search.stop",
            {"min_trials": 20, "top": 5, "spread": 0.02},
        ),
        ("search.stop={min_trials:20,top:5}", "search.stop", {"min_trials": 20, "top": 5}),
        ("search={trials: 3}", "search", {"trials": 3, "stop": "preset"}),
    ],
)
def test_a_value_is_read_as_yaml_and_takes_the_place_of_the_files(text: str, path: str, value: Any) -> None:
    found = assigned(RAW, [text], source="params.yaml")
    for key in path.split("."):
        found = found[key]
    assert found == value


def test_the_last_of_two_values_counts_and_the_file_stays_as_it_is() -> None:
    before = yaml.safe_dump(RAW)
    assert assigned(RAW, ["budget=30k", "budget=80k"], source="params.yaml")["budget"] == "80k"
    assert yaml.safe_dump(RAW) == before


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("search.trails=8", "search.trials"),
        ("serach.trials=8", "search.trials"),
        ("trials=8", "search.trials"),
        ("budgte=2M", "budget"),
    ],
)
def test_an_unknown_leaf_is_refused_with_the_nearest_one(text: str, nearest: str) -> None:
    with pytest.raises(BadInput) as refusal:
        assigned(RAW, [text], source="params.yaml")
    assert text.partition("=")[0] in str(refusal.value)
    assert nearest in str(refusal.value)


@pytest.mark.parametrize("text", ["budget", "=2M", "search.stop.top=5", "budget=[1"])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        assigned(RAW, [text], source="params.yaml")


def test_a_value_that_the_question_does_not_take_is_named_by_its_leaf() -> None:
    with pytest.raises(BadInput, match=r"search\.trials") as refusal:
        load_params(FILE, ["search.trials=many"])
    assert "-S search.trials=many" in str(refusal.value)


def test_the_question_that_is_asked_is_that_of_an_edited_file(tmp_path: Path) -> None:
    edited = yaml.safe_load(FILE.read_text())
    edited["search"]["trials"], edited["horizons"] = 20, [1, 10]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(edited))
    asked = load_params(FILE, ["search.trials=20", "horizons=[1, 10]"])
    assert asked == load_params(tmp_path / "params.yaml")


def test_a_leaf_that_an_older_file_leaves_out_is_added_with_a_plus_as_dvc_does(tmp_path: Path) -> None:
    older = yaml.safe_load(FILE.read_text())
    del older["data"]["volume"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(older))
    assert load_params(path).data.volume
    assert not load_params(path, ["+data.volume=false"]).data.volume
    with pytest.raises(BadInput, match=r"-S \+data\.volume=false"):
        load_params(path, ["data.volume=false"])
    with pytest.raises(BadInput, match="leave the plus out"):
        load_params(FILE, ["+data.volume=false"])
    with pytest.raises(BadInput, match=r"data\.volum\b"):
        load_params(path, ["+data.volum=false"])
