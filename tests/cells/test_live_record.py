"""A live record that is damaged, or that others wrote: said once, kept aside, never overwritten, and searched anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from tests.execution.instant import InstantCrews, Killed
from tests.studies import make_study, prepare, search_here

from tsladder.artifacts.store import read_lines
from tsladder.places import Places
from tsladder.tracking import MemoryTracker, RunRecord
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
TRIALS = 8


def searched(places: Places) -> list[Any]:
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    return [(line["number"], line["draws"], line["params"], line["curve"]) for line in lines]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_study(tmp_path_factory.mktemp("undisturbed"), search__trials=TRIALS)
    prepare(places)
    search_here(places, CELL, crews=InstantCrews())
    return places


class DyingTracker(MemoryTracker):
    """Its process dies with the sixth trial that it writes."""

    def log_run(self, record: RunRecord) -> str:
        if len(self.runs()) > 5:
            raise Killed
        return super().log_run(record)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A search that died when most of its trials had ended; real ones are killed in test_kills.py."""
    places = make_study(tmp_path_factory.mktemp("half"), search__trials=TRIALS)
    prepare(places)
    with pytest.raises(Killed):
        search_here(places, CELL, DyingTracker(), crews=InstantCrews())
    (folder,) = places.live_records(CELL, "hpo")
    assert 5 <= len(read_lines(folder / "trials.jsonl")) < TRIALS
    assert TrialState.RUNNING in states(folder)
    return places


@pytest.fixture
def live(half: Places, tmp_path: Path) -> tuple[Places, Path]:
    """A copy of it to damage, and its live record."""
    shutil.copytree(half.root, tmp_path / "study")
    places = Places(tmp_path / "study", tmp_path / "study")
    (folder,) = places.live_records(CELL, "hpo")
    return places, folder


@pytest.fixture
def search_on(undisturbed: Places, capsys: pytest.CaptureFixture[str]) -> Callable[[Places], str]:
    """Finishes a search and returns what it said. It must have searched what an undisturbed one does."""

    def finish(places: Places) -> str:
        capsys.readouterr()
        search_here(places, CELL, crews=InstantCrews(seed=1))
        assert searched(places) == searched(undisturbed)
        return capsys.readouterr().err

    return finish


def cut_last_line(text: bytes) -> bytes:
    return text[:-20]


def cut_half(text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2])


def spoil_a_line(text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    lines[len(lines) // 2] = b'{"op_code": 4, "wor\xff\n'
    return b"".join(lines)


@pytest.mark.parametrize("damage", [cut_last_line, cut_half], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", ["journal.log", "trials.jsonl"])
def test_a_truncated_file_is_gone_on_from(live: Any, search_on: Any, name: str, damage: Any) -> None:
    places, folder = live
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    search_on(places)


def test_a_kill_after_the_last_trial_s_line_leaves_none_running_in_the_journal(
    undisturbed: Places, search_on: Any, tmp_path: Path
) -> None:
    shutil.copytree(undisturbed.root, tmp_path / "study")
    places = Places(tmp_path / "study", tmp_path / "study")
    (folder,) = places.live_records(CELL, "hpo")
    lines = (folder / "journal.log").read_bytes().splitlines(keepends=True)
    assert b'"values":' in lines[-1], "the last line is no longer the end of a trial"
    (folder / "journal.log").write_bytes(b"".join(lines[:-1]))
    assert TrialState.RUNNING in states(folder)
    search_on(places)
    assert TrialState.RUNNING not in states(folder)
    ended = [line["state"] for line in read_lines(places.hpo(CELL) / "trials.jsonl")]
    assert len(ended) == TRIALS
    assert states(folder).count(TrialState.COMPLETE) == ended.count("complete")


def states(folder: Path) -> list[TrialState]:
    """Of the journal's trials."""
    storage = JournalStorage(JournalFileBackend(str(folder / "journal.log")))
    (study,) = storage.get_all_studies()
    return [trial.state for trial in storage.get_all_trials(study._study_id)]


@pytest.mark.parametrize("name", ["journal.log", "trials.jsonl"])
def test_a_damaged_file_is_set_aside_whole_and_reported_once(live: Any, search_on: Any, name: str) -> None:
    places, folder = live
    damaged = spoil_a_line((folder / name).read_bytes())
    (folder / name).write_bytes(damaged)
    said = search_on(places)
    assert (folder / f"{name}.aside-1").read_bytes() == damaged
    (line,) = [line for line in said.splitlines() if "aside-1" in line]
    assert name in line
    assert "damaged" in line


def test_damage_upon_damage_overwrites_nothing(live: Any, search_on: Any) -> None:
    places, folder = live
    (folder / "journal.log.aside-1").write_text("kept from before")
    damaged = spoil_a_line((folder / "journal.log").read_bytes())
    (folder / "journal.log").write_bytes(damaged)
    search_on(places)
    assert (folder / "journal.log.aside-1").read_text() == "kept from before"
    assert (folder / "journal.log.aside-2").read_bytes() == damaged


def test_a_journal_that_optuna_cannot_replay_is_set_aside(live: Any, search_on: Any) -> None:
    places, folder = live
    (folder / "journal.log").write_text('{"op_code": 99}\n{"no": "operation"}\n')
    said = search_on(places)
    assert "cannot be replayed" in said
    assert (folder / "journal.log.aside-1").exists()


def test_the_journal_of_another_search_is_set_aside(live: Any, search_on: Any, tmp_path: Path) -> None:
    places, folder = live
    other = make_study(tmp_path / "other", search__trials=TRIALS, study__seed=7)
    prepare(other)
    search_here(other, CELL, crews=InstantCrews())
    (other_folder,) = other.live_records(CELL, "hpo")
    shutil.copy(other_folder / "journal.log", folder / "journal.log")
    said = search_on(places)
    assert "belongs to another search" in said
    assert (folder / "journal.log.aside-1").read_bytes() == (other_folder / "journal.log").read_bytes()


def test_a_journal_of_another_version_is_set_aside(live: Any, search_on: Any) -> None:
    places, folder = live
    text = (folder / "journal.log").read_text()
    assert '"dropout"' in text
    (folder / "journal.log").write_text(text.replace('"dropout"', '"drop_rate"'))
    said = search_on(places)
    assert "written by another version" in said
    assert (folder / "journal.log.aside-1").exists()


def test_a_trial_of_another_version_is_set_aside_and_trained_again(live: Any, search_on: Any) -> None:
    places, folder = live
    lines = read_lines(folder / "trials.jsonl")
    lost = lines[0].pop("n_params")
    assert lost
    (folder / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = search_on(places)
    assert "another version" in said
    assert len(read_lines(folder / "trials.jsonl.aside-1")) == len(lines)


def test_the_record_of_another_question_is_set_aside_and_this_one_starts(live: Any, search_on: Any) -> None:
    places, folder = live
    plan = json.loads((folder / "plan.json").read_text())
    plan["seed"] = 1
    (folder / "plan.json").write_text(json.dumps(plan))
    trials = (folder / "trials.jsonl").read_bytes()
    said = search_on(places)
    assert "holds the search of another study" in said
    assert (folder / "trials.jsonl.aside-1").read_bytes() == trials
    assert (folder / "journal.log.aside-1").exists()
    assert json.loads((folder / "plan.json.aside-1").read_text())["seed"] == 1
