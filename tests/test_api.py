"""A study and a table from a notebook: the same figures as in the files and from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import tsladder
from tsladder.errors import BadInput
from tsladder.law.table import fit_table

ROOT = Path(__file__).parents[1]
CAPSULE = ROOT / "docs" / "studies" / "sp500-to-2M.zip"
SIZES = [12_000, 30_000, 80_000, 200_000, 750_000]
TABLE = pd.DataFrame({"n_params": SIZES, "loss": [0.9 * size**-0.05 for size in SIZES]})


def test_a_capsule_is_read_into_frames_that_hold_what_its_files_say() -> None:
    study = tsladder.load_study(CAPSULE)
    with zipfile.ZipFile(CAPSULE) as archive:
        stored = json.loads(archive.read("artifacts/law/scaling.json"))
        choice = json.loads(archive.read("artifacts/hpo/200k-h1/choice.json"))
        scores = json.loads(archive.read("artifacts/scores/200k-h1/scores.json"))
        trials = archive.read("artifacts/hpo/200k-h1/trials.jsonl").decode().splitlines()
    cell = study.cells.set_index("cell").loc["200k-h1"]
    assert cell["n_params"] == choice["n_params"]
    assert cell["d_model"] == choice["architecture"]["d_model"]
    assert cell["learning_rate"] == choice["settings"]["learning_rate"]
    assert cell["test_loss"] == scores["regions"]["test"]["mean"]["log_loss"]
    assert (study.trials["cell"] == "200k-h1").sum() == len(trials)
    row = study.scores.set_index(["cell", "region"]).loc["200k-h1", "test"]
    assert row["auc"] == scores["regions"]["test"]["mean"]["auc"]
    assert row["loss_low"] < row["loss"] < row["loss_high"]
    assert set(study.laws) == {int(horizon) for horizon in stored["horizons"]}
    for horizon, law in study.laws.items():
        record = stored["horizons"][str(horizon)]
        assert (law.verdict, law.reason) == (record["verdict"], record["reason"])
        assert law.alpha == record["fits"]["power"]["alpha"]
        assert list(law.points["n_params"]) == [p["n_params"] for p in record["points"] if not p["dropped"]]
    assert study.audit is not None
    assert study.not_fresh == {}
    assert study.params.study.name == study.name


def test_a_table_is_fitted_as_the_command_line_fits_it() -> None:
    law = tsladder.fit_law(TABLE, draws=200)["all"]
    record = fit_table(TABLE, draws=200)["groups"]["all"]
    assert law.record == record
    assert law.alpha == pytest.approx(0.05, rel=1e-6)
    assert law.verdict == record["verdict"]
    assert list(law.points["loss"]) == list(TABLE["loss"])


def test_columns_under_other_names_are_named() -> None:
    table = TABLE.rename(columns={"loss": "my figure"})
    with pytest.raises(BadInput):
        tsladder.fit_law(table, draws=200)
    assert tsladder.fit_law(table, columns={"loss": "my figure"}, draws=200)["all"].alpha == pytest.approx(
        0.05, rel=1e-6
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing", None, "does not exist"),
        ("note.txt", b"no zip", "is no study"),
        ("empty", "folder", "holds no params.yaml"),
    ],
)
def test_what_is_no_study_is_refused_in_one_message(
    tmp_path: Path, name: str, content: bytes | str | None, says: str
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    with pytest.raises(BadInput, match=says):
        tsladder.load_study(path)


def test_importing_the_package_loads_neither_pandas_nor_torch() -> None:
    code = "import sys, tsladder; print([m for m in ('pandas', 'torch', 'scipy', 'tsladder.api') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute"):
        _ = tsladder.nothing_of_this_name


@pytest.mark.slow
def test_the_example_of_the_docstring_runs(tmp_path: Path) -> None:
    example = (tsladder.load_study.__globals__["__doc__"]).partition("in a notebook.")[2]
    code = textwrap.dedent(example).replace('load_study(".")', f"load_study({str(CAPSULE)!r})")
    assert code.count("tsladder.") == 2
    given = f"import pandas\nsizes, losses = {SIZES}, {list(TABLE['loss'])}\n"
    script = tmp_path / "example.py"
    script.write_text(f"{given}{code}\nprint(law['all'].verdict)\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == tsladder.fit_law(TABLE)["all"].verdict
