"""Completion, as the shells themselves carry it out."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.experiments.written import Experiments

from tsladder.cli import main
from tsladder.console.arguments import build_parser


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", "bash"]) == 0
    path = tmp_path / "tsladder.bash"
    path.write_text(capsys.readouterr().out)
    return path


def completed(script: Path, *words: str, cwd: Path | None = None) -> list[str]:
    """What bash offers for the last of `words`."""
    typed = " ".join(f"'{word}'" for word in words)
    lines = (
        f"source '{script}'",
        'function=$(complete -p tsladder | sed -n "s/.* -F \\([^ ]*\\) .*/\\1/p")',
        f"COMP_WORDS=({typed})",
        f"COMP_CWORD={len(words) - 1}",
        "$function",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd or script.parent,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_accepts_the_script(script: Path) -> None:
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_sta_becomes_status(script: Path) -> None:
    assert completed(script, "tsladder", "sta") == ["status"]


def test_every_command_and_every_option_is_offered(script: Path) -> None:
    parser = build_parser()
    assert set(completed(script, "tsladder", "")) >= set(parser.commands)
    assert "--study" in completed(script, "tsladder", "--")
    for name, command in parser.commands.items():
        shown = [action for action in command._actions if action.help != argparse.SUPPRESS]
        options = {o for action in shown for o in action.option_strings if o.startswith("--")}
        assert set(completed(script, "tsladder", name, "--")) == options


def test_cells_of_the_study_in_the_current_folder_are_offered(script: Path, tmp_path: Path) -> None:
    plans = tmp_path / "artifacts" / "plans"
    plans.mkdir(parents=True)
    for name in ("12k-h1", "12k-h3", "2M-h1", "audit", "supplementary"):
        (plans / f"{name}.json").touch()
    assert completed(script, "tsladder", "compare", "12k") == ["12k-h1", "12k-h3"]
    assert completed(script, "tsladder", "compare", "12k-h1", "") == ["12k-h1", "12k-h3", "2M-h1", "workspace"]
    assert completed(script, "tsladder", "why", "") == ["12k-h1", "12k-h3", "2M-h1"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert completed(script, "tsladder", "compare", "12k", cwd=elsewhere) == []


@pytest.mark.parametrize(
    ("folder", "before"), [(".", ["--study", "panel"]), ("panel", []), ("panel", ["--study", "panel"])]
)
def test_cells_of_a_study_in_a_folder_are_those_of_the_study_that_is_named(
    folder: str, before: list[str], script: Path, tmp_path: Path
) -> None:
    for study, names in ((".", ("12k-h1", "2M-h5")), ("panel", ("12k-h1", "25k-h1"))):
        plans = tmp_path / study / "artifacts" / "plans"
        plans.mkdir(parents=True)
        for name in names:
            (plans / f"{name}.json").touch()
    assert completed(script, "tsladder", *before, "why", "", cwd=tmp_path / folder) == ["12k-h1", "25k-h1"]
    assert completed(script, "tsladder", *before, "run", "--only", "2", cwd=tmp_path / folder) == ["25k-h1"]


def test_studies_of_the_project_are_offered(script: Path, tmp_path: Path) -> None:
    for study in ("panel", "other"):
        (tmp_path / study).mkdir()
        (tmp_path / study / "params.yaml").touch()
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "hpo.py").touch()
    assert completed(script, "tsladder", "--study", "", cwd=tmp_path) == ["other", "panel"]
    assert completed(script, "tsladder", "--study", "p", cwd=tmp_path / "other") == ["panel"]


def test_experiments_branches_and_the_workspace_are_offered_to_be_compared(script: Path, tmp_path: Path) -> None:
    made = Experiments(tmp_path / "repository")
    made.add("tidal-axis")
    assert completed(script, "tsladder", "compare", "tid", cwd=made.folder) == ["tidal-axis"]
    assert completed(script, "tsladder", "compare", "tidal-axis", "", cwd=made.folder) == [
        "tidal-axis",
        "main",
        "workspace",
    ]


def test_files_and_folders_and_choices_are_offered_where_they_belong(script: Path, tmp_path: Path) -> None:
    (tmp_path / "points.csv").touch()
    (tmp_path / "results").mkdir()
    assert "points.csv" in completed(script, "tsladder", "fit", "p")
    assert completed(script, "tsladder", "fit", "points.csv", "--out", "") == ["results"]
    assert completed(script, "tsladder", "compare", "a", "b", "--region", "") == ["validation", "test"]
    assert completed(script, "tsladder", "completion", "t") == ["tcsh"]


@pytest.mark.parametrize(("shell", "check"), [("zsh", ["-fn"]), ("tcsh", ["-f", "-n"])])
def test_other_shells_get_a_script_of_their_own(
    shell: str, check: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert text.startswith("#compdef tsladder" if shell == "zsh" else "#")
    assert all(name in text for name in build_parser().commands)
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here to check its syntax with")
    path = tmp_path / "script"
    path.write_text(text)
    done = subprocess.run([shell, *check, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
