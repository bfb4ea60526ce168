"""The sampler's door: what a trial draws depends on its number and the earlier trials, on nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import TPESampler
from optuna.trial import TrialState, create_trial

from tsladder.search.configuration import Draw, Value
from tsladder.search.study import JOURNAL, SearchStudy, TrialResult, UnusableJournal, open_study
from tsladder.seeds import derive_seed

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


# ------------------------------------------------------------------------- against trials that are built for every draw

History = Mapping[int, tuple[dict[str, Value], TrialResult | None]]
"""Number of a trial -> its draws and its result, None while it runs."""

DISTRIBUTIONS = {
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    "dropout": FloatDistribution(0.0, 0.5),
    "n_heads": CategoricalDistribution((2, 4, 8)),
}


def drawn_from(history: History, number: int, learned_through: int, redraw: int = 0) -> dict[str, Value]:
    """What TPE draws for trial `number` in a fresh study of freshly built trials."""
    sampler = TPESampler(
        n_startup_trials=0,
        n_ei_candidates=24,
        seed=derive_seed(3, number, *([redraw] if redraw else [])),
        multivariate=True,
        group=False,
        constant_liar=True,
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for earlier in sorted(history):
        draws, result = history[earlier]
        seen = result if earlier <= learned_through else None
        if earlier >= number or seen == TrialResult():
            continue
        pruned_at = None if seen is None else seen.pruned_at
        ended = TrialState.COMPLETE if pruned_at is None else TrialState.PRUNED
        study.add_trial(
            create_trial(
                state=TrialState.RUNNING if seen is None else ended,
                params=dict(draws),
                distributions=DISTRIBUTIONS,
                value=None if seen is None else seen.score,
                intermediate_values={} if pruned_at is None else dict([pruned_at]),
                user_attrs={"number": earlier},
            )
        )
    return dict(study.ask(DISTRIBUTIONS).params)


def some_result(chance: random.Random) -> TrialResult:
    """A score, a pruned trial or a failed one; scores repeat."""
    kind = chance.random()
    if kind < 0.6:
        return TrialResult(-round(chance.random(), 2))
    return TrialResult(pruned_at=(chance.randint(1, 40), -chance.random())) if kind < 0.85 else TrialResult()


@pytest.mark.parametrize("lag", [1, 2, 5])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_a_draw_is_bit_for_bit_that_of_a_fresh_study_whatever_ended_was_killed_or_opened_again(
    tmp_path: Path, seed: int, lag: int
) -> None:
    chance, subject = random.Random(seed), study(tmp_path)
    history: dict[int, tuple[dict[str, Value], TrialResult | None]] = {}
    running: list[int] = []
    for number in range(28):
        through = number - lag
        while running and (running[0] <= through or chance.random() < 0.4):
            # Any of those that run ends, and the first one where the draw waits for it.
            ending = running.pop(0 if running[0] <= through else chance.randrange(len(running)))
            draws = history[ending][0]
            if chance.random() < 0.15:
                # Killed, and asked again with the same draws.
                subject.tell(ending, TrialResult())
                subject.ask(ending, draws)
            result = some_result(chance)
            history[ending] = draws, result
            subject.ensure_told(ending, draws, result)
        if chance.random() < 0.1:
            subject = study(tmp_path)
            for earlier, (draws, told) in history.items():
                subject.remember(earlier, draws)
                if told is not None:
                    subject.ensure_told(earlier, draws, told)
        found = subject.draw(number, {}, learned_through=through, redraw=seed)
        assert found == drawn_from(history, number, through, redraw=seed)
        assert subject.draw(number, {}, learned_through=through, redraw=seed) == found
        history[number] = found, None
        running.append(number)
        subject.ask(number, found)


def test_a_draw_leaves_the_trials_that_later_draws_learn_from_as_they_are(tmp_path: Path) -> None:
    subject, history = study(tmp_path), {}
    for number in range(8):
        draws = subject.draw(number, {}, learned_through=None)
        subject.ask(number, draws)
        history[number] = draws, TrialResult(loss_of(draws))
        subject.ensure_told(number, *history[number])
    seen = (7, 3, 7, 1, 5, 0, 7)
    found = [subject.draw(8, {}, learned_through=through) for through in seen]
    assert found == [drawn_from(history, 8, through) for through in seen]
    assert len({tuple(draws.values()) for draws in found}) > 1
