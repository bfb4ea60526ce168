"""The sampler's door: what a trial draws depends on its number and the earlier trials, on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tsladder.search.configuration import Draw, Value
from tsladder.search.study import JOURNAL, SearchStudy, TrialResult, UnusableJournal, open_study

DRAWS = (
    Draw(name="learning_rate", low=1e-4, high=1e-2, log=True),
    Draw(name="dropout", low=0.0, high=0.5),
    Draw(name="n_heads", choices=(2, 4, 8)),
)


def study(folder: Path, key: str = "key") -> SearchStudy:
    folder.mkdir(exist_ok=True)
    return SearchStudy(folder, DRAWS, key=key, seed=3)


def loss_of(draws: dict[str, Value]) -> float:
    return -abs(draws["dropout"] - 0.2)


def searched(
    folder: Path, reopen: Callable[[SearchStudy, int], SearchStudy], trials: int = 14
) -> list[dict[str, Value]]:
    """Two workers' search of `trials`, with whatever `reopen` does before each trial."""
    subject = study(folder)
    found: list[dict[str, Value]] = []
    for number in range(trials):
        subject = reopen(subject, number)
        if number >= 2:
            subject.ensure_told(number - 2, found[number - 2], TrialResult(loss_of(found[number - 2])))
        draws = subject.draw(number, {}, learned_through=number - 2 if number >= 6 else None)
        subject.ask(number, draws)
        found.append(draws)
    return found


def test_the_same_search_draws_the_same_and_another_stream_another(tmp_path: Path) -> None:
    first = searched(tmp_path / "a", lambda subject, _: subject)
    assert searched(tmp_path / "b", lambda subject, _: subject) == first
    assert len({tuple(draws.values()) for draws in first}) == len(first)


@pytest.mark.parametrize("journal_lost", [False, True])
def test_a_search_restarted_before_every_trial_continues_with_its_stream(tmp_path: Path, journal_lost: bool) -> None:
    undisturbed = searched(tmp_path / "a", lambda subject, _: subject)
    folder = tmp_path / "b"

    def start_anew(_subject: SearchStudy, number: int) -> SearchStudy:
        if journal_lost:
            (folder / JOURNAL).unlink(missing_ok=True)
        anew = study(folder)
        for earlier in range(number):
            anew.remember(earlier, undisturbed[earlier])
            if earlier < number - 2:
                anew.ensure_told(earlier, undisturbed[earlier], TrialResult(loss_of(undisturbed[earlier])))
        return anew

    assert searched(folder, start_anew) == undisturbed


def test_a_trial_asked_and_never_told_is_open_after_a_kill(tmp_path: Path) -> None:
    subject = study(tmp_path)
    draws = subject.draw(0, {"dropout": 0.1}, learned_through=None)
    assert draws["dropout"] == 0.1
    subject.ask(0, draws)
    again = study(tmp_path)
    assert again.open_draws() == {0: draws}
    again.tell(0, TrialResult(pruned_at=(20, -0.5)))
    assert study(tmp_path).open_draws() == {}


def test_an_unusable_journal_is_refused_and_set_aside_by_the_door(tmp_path: Path) -> None:
    study(tmp_path).ask(0, {"learning_rate": 1e-3, "dropout": 0.1, "n_heads": 2})
    with pytest.raises(UnusableJournal, match="belongs to another search"):
        study(tmp_path, key="another")
    said: list[str] = []
    opened = open_study(tmp_path, DRAWS, key="another", seed=3, say=said.append)
    assert opened.open_draws() == {}
    assert len(said) == 1
    assert "journal.log.aside-1" in said[0]


def test_a_journal_of_other_draws_is_refused(tmp_path: Path) -> None:
    study(tmp_path).ask(0, {"learning_rate": 1e-3, "dropout": 0.1, "n_heads": 2})
    with pytest.raises(UnusableJournal, match="another version"):
        SearchStudy(tmp_path, DRAWS[:2], key="key", seed=3)
