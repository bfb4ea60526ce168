"""What every task promises: a suite that any implementation of the port `Task` is run through.

A test module makes a class of `TaskContract` and a fixture `name` that gives the name of one. Prices are random walks.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.building import job, recipe, settings, windows

from tsladder.data.windows import Windows
from tsladder.evaluation.baselines import BASE_RATE, Forecast
from tsladder.evaluation.predictions import read_predictions
from tsladder.evaluation.region import BaselineInputs, RegionForecasts
from tsladder.params import EvaluationParams
from tsladder.tasks import is_known, load, loss_unit, loss_words, module_of, names, task_with_metric
from tsladder.tasks.parts.task import Task
from tsladder.training.trainer import fit
from tsladder.training.validation_metrics import forecast_of
from tsladder.vocabulary import Region

Floats = NDArray[np.float64]
HORIZON = 2
PARAMS = EvaluationParams(bootstrap_draws=100, confidence=0.95)
TOLD = {
    *("windows", "positives", "base_rate", "train_base_rate", "first_day", "last_day", "windows_fingerprint"),
    *("seeds", "mean", "intervals", "base_rate_loss", "own_rate_loss", "stricter", "skill", "advantage"),
    *("baselines", "skill_against", "beaten_by", "constant_predictor"),
}
"""What law, report and comparisons read of a region's scores, whatever the task."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Walk:
    """Raw prices of one symbol."""

    close_T: Floats
    high_T: Floats

    @classmethod
    def of(cls, days: int, seed: int = 0) -> Walk:
        rng = np.random.default_rng(seed)
        close_T = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.025, days)))
        return cls(close_T=close_T, high_T=close_T * np.exp(np.abs(rng.normal(0.0, 0.015, days))))


def labelled(task: Task, count: int, seed: int) -> Windows:
    """Windows of noise with the labels of a walk on their last days."""
    made = windows(count, seed=seed)
    y_T = task.label(Walk.of(len(made.series_TF) + HORIZON, seed), "high", HORIZON)
    return dataclasses.replace(made, y_N=y_T[made.ends_N].astype(np.float32))


def known(train: Windows, scored: Windows) -> BaselineInputs:
    return BaselineInputs(
        train=train,
        scored=scored,
        close_T=Walk.of(len(train.series_TF), 0).close_T,
        ratio_train_NF=train.last_day(),
        ratio_scored_NF=scored.last_day(),
    )


class TaskContract:
    @pytest.fixture
    def task(self, name: str) -> Task:
        return load(name)

    @pytest.fixture
    def train(self, task: Task) -> Windows:
        return labelled(task, 160, seed=0)

    @pytest.fixture
    def scored(self, task: Task) -> Windows:
        return labelled(task, 120, seed=1)

    @pytest.fixture
    def outputs_N(self, scored: Windows) -> torch.Tensor:
        """What some model says of the scored windows."""
        return torch.randn(len(scored), generator=torch.Generator().manual_seed(3))

    @pytest.fixture
    def made(self, task: Task, train: Windows, scored: Windows, outputs_N: torch.Tensor) -> RegionForecasts:
        """Two seeds and the baselines on the scored windows."""
        scale = task.output_scale(train.y_N)
        seeds = {1: forecast_of(outputs_N, scale), 2: forecast_of(outputs_N.flip(0), scale)}
        return RegionForecasts(
            y_N=scored.y_N,
            dates_N=scored.dates_N,
            fingerprint="w",
            by_seed=seeds,
            baselines=task.scoring(train.y_N).fitted_baselines(known(train, scored)),
            seed=5,
        )

    def test_it_is_found_by_its_name_in_the_module_whose_name_begins_it(self, name: str) -> None:
        assert name in names()
        assert is_known(name)
        assert name.startswith(module_of(name))
        assert not is_known(f"{name}_of_nothing")

    def test_it_is_declared_without_numpy_and_torch(self, name: str, task: Task) -> None:
        path = Path(str(sys.modules[f"tsladder.tasks.{module_of(name)}"].__file__))
        program = (
            "import json, sys, tsladder.tasks as tasks; tasks.__path__.append(sys.argv[1]); "
            "task = tasks.load(sys.argv[2]); task.metric, task.losses, task.has_auc, task.alternatives; "
            "task.reads_high('high'); heavy = ('numpy', 'torch', 'pandas', 'sklearn'); "
            "print(json.dumps([name for name in heavy if name in sys.modules]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(path.parent), name],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )
        assert json.loads(done.stdout) == []

    def test_alternatives_are_tasks_and_the_task_is_none_of_them(self, name: str, task: Task) -> None:
        assert all(is_known(other) for other in task.alternatives)
        assert name not in task.alternatives

    @pytest.mark.parametrize("price", ["high", "close"])
    @pytest.mark.parametrize("horizon", [1, 3])
    def test_every_day_with_a_future_has_a_label_of_that_future_alone(
        self, task: Task, price: str, horizon: int
    ) -> None:
        walk, day = Walk.of(80), 40
        y_T = task.label(walk, price, horizon)
        assert y_T.shape == (80 - horizon,)
        assert np.isfinite(y_T).all()
        factor_T = np.random.default_rng(1).uniform(0.5, 2.0, 80)
        factor_T[day : day + horizon + 1] = 1.0
        elsewhere = Walk(close_T=walk.close_T * factor_T, high_T=walk.high_T * factor_T)
        assert task.label(elsewhere, price, horizon)[day] == y_T[day]

    def test_labels_do_not_depend_on_the_unit_of_prices(self, task: Task) -> None:
        walk = Walk.of(300)
        cents = Walk(close_T=walk.close_T * 128.0, high_T=walk.high_T * 128.0)
        np.testing.assert_allclose(task.label(cents, "high", 2), task.label(walk, "high", 2), atol=1e-12)

    def test_the_high_is_read_where_it_says_so(self, task: Task) -> None:
        walk = Walk.of(300)
        higher = dataclasses.replace(walk, high_T=walk.high_T * 1.2)
        for price in ("high", "close"):
            same = np.array_equal(task.label(walk, price, 2), task.label(higher, price, 2))
            assert same is not task.reads_high(price)

    def test_classes_have_logits_and_an_auc(self, task: Task, train: Windows) -> None:
        loss = task.training_loss(task.losses[0], train.y_N)
        assert loss.ranks is task.has_auc
        if task.has_auc:
            assert set(np.unique(train.y_N)) <= {0.0, 1.0}
            assert task.output_scale(train.y_N) is None

    def test_each_training_loss_has_a_gradient_and_the_first_one_reports_itself(
        self, task: Task, train: Windows
    ) -> None:
        y_B = torch.from_numpy(train.y_N)
        for name in task.losses:
            loss = task.training_loss(name, train.y_N)
            out_B = torch.randn(len(y_B), generator=torch.Generator().manual_seed(1), requires_grad=True)
            total = loss.total(out_B, y_B)
            total.backward()
            assert total.ndim == 0
            assert out_B.grad is not None
            assert torch.isfinite(out_B.grad).all()
            assert out_B.grad.abs().max() > 0.0
            assert loss.per_window(out_B, y_B).shape == y_B.shape
        first = task.training_loss(task.losses[0], train.y_N)
        assert first.is_reported_loss
        torch.testing.assert_close(first.total(out_B, y_B), first.per_window(out_B, y_B).sum())

    def test_a_loss_of_another_name_is_refused(self, task: Task, train: Windows) -> None:
        with pytest.raises(ValueError, match="unknown loss 'hinge'"):
            task.training_loss("hinge", train.y_N)

    def test_what_training_reports_is_what_scores_measure(
        self, task: Task, train: Windows, scored: Windows, outputs_N: torch.Tensor, made: RegionForecasts
    ) -> None:
        """The law is fitted on the one and searches are led by the other."""
        loss_N = task.training_loss(task.losses[0], train.y_N).per_window(outputs_N.double(), torch.tensor(scored.y_N))
        alone = dataclasses.replace(made, by_seed={1: made.by_seed[1]})
        scoring = task.scoring(train.y_N)
        found = scoring.score(alone, PARAMS, scoring.choose(alone))
        assert getattr(found.mean, task.metric) == pytest.approx(loss_N.mean().item(), rel=1e-5)

    def test_the_constant_of_training_is_the_baseline_that_scores_hold_against_it(
        self, task: Task, train: Windows, scored: Windows, made: RegionForecasts
    ) -> None:
        scoring = task.scoring(train.y_N)
        found = scoring.score(made, PARAMS, scoring.choose(made))
        expected = pytest.approx(task.constant_loss(train.y_N, scored.y_N), rel=1e-5)
        assert found.base_rate_loss == expected
        assert found.to_json()["baselines"][BASE_RATE][task.metric] == expected

    def test_fitted_baselines_see_no_label_of_the_scored_windows(
        self, task: Task, train: Windows, scored: Windows, made: RegionForecasts
    ) -> None:
        other = dataclasses.replace(scored, y_N=scored.y_N[::-1].copy())
        again = task.scoring(train.y_N).fitted_baselines(known(train, other))
        for one, same in zip(made.baselines, again, strict=True):
            assert one.name == same.name
            np.testing.assert_array_equal(one.p_N, same.p_N)

    def test_baselines_are_those_fitted_and_maybe_more(self, task: Task, train: Windows, scored: Windows) -> None:
        scoring, inputs = task.scoring(train.y_N), known(train, scored)
        y_T = task.label(Walk.of(len(train.series_TF) + HORIZON), "high", HORIZON)
        every: tuple[Forecast, ...] = scoring.baselines(inputs, y_T=y_T, horizon=HORIZON)
        fitted = {made.name for made in scoring.fitted_baselines(inputs)}
        assert fitted <= {made.name for made in every}
        assert task.label_audit.linear in fitted
        assert all(len(made.p_N) == len(scored) for made in every)

    def test_scores_tell_what_every_reader_asks_and_what_the_words_name(
        self, task: Task, train: Windows, made: RegionForecasts
    ) -> None:
        scoring = task.scoring(train.y_N)
        found = scoring.score(made, PARAMS, scoring.choose(made))
        record: dict[str, Any] = json.loads(json.dumps(found.to_json()))
        assert set(record) >= TOLD
        assert scoring.metric == task.metric
        assert f"{task.metric}_se" in record
        assert set(record["seeds"]) == {"1", "2"}
        assert record["intervals"][task.metric]["low"] < record["mean"][task.metric]
        words = task.words
        columns = [metric.name for metric in words.metrics]
        assert columns[0] == task.metric
        assert {*columns, words.ranking.name, *scoring.logged_metrics} <= set(record["mean"])
        assert all(set(columns) <= set(of_baseline) for of_baseline in record["baselines"].values())

    def test_rows_of_predictions_are_read_back_with_the_same_losses(
        self, task: Task, train: Windows, made: RegionForecasts, tmp_path: Path
    ) -> None:
        scoring = task.scoring(train.y_N)
        found = scoring.score(made, PARAMS, scoring.choose(made))
        scoring.frame(Region.TEST, made).to_parquet(tmp_path / "predictions.parquet")
        read = read_predictions(tmp_path / "predictions.parquet", "test", days=len(made.y_N))
        assert read.metric == task.metric
        assert read.trained("cell").loss_N.mean() == pytest.approx(getattr(found.mean, task.metric))
        assert set(read.losses) == {"seed-1", "seed-2", *(one.name for one in made.baselines)}

    def test_the_audit_ranks_labels_and_nothing_else(self, task: Task, train: Windows) -> None:
        labels, rng = task.label_audit, np.random.default_rng(7)
        y_N = labels.permuted(train.y_N.astype(np.float64), np.random.default_rng(1))
        assert (y_N != labels.permuted(y_N, np.random.default_rng(2))).any()
        np.testing.assert_array_equal(y_N, labels.permuted(train.y_N.astype(np.float64), np.random.default_rng(1)))
        noise = labels.rank([y_N] * 4, [rng.permutation(forecast_like(y_N)) for _ in range(4)])
        seen = labels.rank([y_N] * 4, [forecast_like(y_N)] * 4)
        assert abs(noise.z) < 4.0
        assert seen.z > 6.0
        assert seen.advantage > noise.advantage
        assert labels.windows_to_rank(0.9, 6.0, 4) < labels.windows_to_rank(0.6, 6.0, 4)

    def test_a_turned_label_is_another_and_turned_twice_the_same(self, task: Task, train: Windows) -> None:
        flipped_N = task.label_audit.flipped(train.y_N)
        assert (flipped_N != train.y_N).all()
        np.testing.assert_allclose(task.label_audit.flipped(flipped_N), train.y_N)

    def test_what_gives_labels_away_is_of_size_one_and_ranks_them(self, task: Task) -> None:
        walk = Walk.of(300)
        y_T, leaked_T = task.label(walk, "high", HORIZON), task.label_audit.leaking_feature(walk, "high", HORIZON)
        encoded_T = task.label_audit.encoded(np.append(y_T, np.nan))
        assert encoded_T[-1] == 0.0
        assert 0.1 < np.std(encoded_T[:-1]) < 5.0
        assert leaked_T.shape == y_T.shape
        assert np.abs(leaked_T).max() <= 1.0
        assert np.corrcoef(leaked_T, y_T)[0, 1] > 0.4

    def test_the_skill_of_the_better_constant_is_none(self, task: Task, train: Windows, scored: Windows) -> None:
        y_N = scored.y_N.astype(np.float64)
        constant_N = np.full(len(y_N), float(train.y_N.mean()))
        assert task.label_audit.skill(train.y_N, y_N, constant_N) <= 1e-6
        assert task.label_audit.skill(train.y_N, y_N, forecast_like(y_N)) > 0.0

    def test_its_words_are_found_by_the_name_of_its_loss(self, task: Task) -> None:
        words = task.words
        assert words.loss.endswith("loss")
        assert words.describe_target("high")
        assert words.labels(np.array([0.0, 1.0, 1.0], np.float32)).startswith("3 ")
        found = task_with_metric(task.metric)
        assert found is not None
        assert (loss_words(task.metric), loss_unit(task.metric)) == (words.loss, words.unit)

    def test_a_model_of_it_is_trained_and_reports_its_loss(self, name: str, task: Task) -> None:
        train, validation = labelled(task, 64, seed=0), labelled(task, 48, seed=1)
        run = job(task=name, recipe=recipe(loss=task.losses[0]), settings=settings(epochs=1))
        before = torch.random.get_rng_state()
        fitted = fit(run, train, validation, lambda _record: True)
        torch.random.set_rng_state(before)
        assert fitted.best_val_loss is not None
        assert 0.2 < fitted.best_val_loss / task.constant_loss(train.y_N, validation.y_N) < 5.0


def forecast_like(y_N: Floats) -> Floats:
    """A forecast that is right and not certain."""
    return 0.5 + 0.4 * np.sign(y_N - 0.5) if set(np.unique(y_N)) <= {0.0, 1.0} else 0.8 * y_N
