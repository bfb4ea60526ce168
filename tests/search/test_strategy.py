"""What every strategy promises, and what each of them forces. No torch, no optuna, no clock."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.studies import DEFAULT_PARAMS

from tsladder.errors import BadInput
from tsladder.models.spec import Geometry
from tsladder.params import STRATEGIES, Params, StopParams, load_params
from tsladder.places import Places
from tsladder.planning.cells import plan_cells
from tsladder.planning.grid import Grid, build_grid, is_within
from tsladder.search.decisions import Drawn, Finished, Forced
from tsladder.search.forced_trials import forced_by_cell
from tsladder.search.objective import Objective
from tsladder.search.schedule import Schedule, build_schedule
from tsladder.search.strategies import load
from tsladder.vocabulary import Cell

GEOMETRY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)
NOWHERE = Places(Path("nowhere"), Path("nowhere"))
SMALLEST = Cell("12k", 1)
LADDER = ["12k", "30k", "80k", "200k", "750k", "2M", "20M", "200M", "2B"]


def schedule(strategy: str, budget: str, trials: int, stop: StopParams | None = None) -> Schedule:
    return build_schedule(
        load(strategy),
        build_grid(GEOMETRY, budget),
        trials_total=trials,
        objective=Objective("val_loss"),
        stop=stop,
        classes=(300, 600),
    )


def params(**search: object) -> Params:
    loaded = load_params(DEFAULT_PARAMS)
    return dataclasses.replace(loaded, search=dataclasses.replace(loaded.search, **search))  # type: ignore[arg-type]


def counted(family: str, d: int, n_layers: int) -> int:
    """Parameters of the forced shapes, d_ff = 4d: blocks and last norm, and what the family puts around them."""
    blocks = n_layers * (12 * d * d + 13 * d) + 2 * d
    if family == "itransformer":  # 80 days -> d, and 205 tokens in the head
        return 80 * d + d + blocks + 205 * d + 1
    distillings = min(3, n_layers - 1)  # 80 -> 40 -> 20 -> 10 days
    return 205 * d + d + blocks + distillings * (3 * d * d + 3 * d) + (80 >> distillings) * d + 1


@pytest.mark.parametrize("family", ["itransformer", "informer"])
@pytest.mark.parametrize(("budget", "sizes"), [("750k", ((192, 2), (128, 4))), ("2M", ((320, 2), (192, 5)))])
def test_two_phase_keeps_its_shapes_for_the_other_families_at_the_count_they_have(
    family: str, budget: str, sizes: tuple[tuple[int, int], ...]
) -> None:
    grid = build_grid(dataclasses.replace(GEOMETRY, family=family, n_features=205), budget)
    forced = load("two_phase").forced(grid)
    for item, (d_model, n_layers) in zip(forced, sizes, strict=False):
        assert (item.spec.d_model, item.spec.n_layers) == (d_model, n_layers)
        assert item.spec.n_params == counted(family, d_model, n_layers)
        off = abs(item.spec.n_params - grid.n_budget) > 0.25 * grid.n_budget
        assert is_within(item.spec, grid.n_budget) is not off


@pytest.mark.parametrize("budget", LADDER)
@pytest.mark.parametrize("strategy", STRATEGIES)
class TestEveryStrategy:
    def forced(self, strategy: str, budget: str) -> tuple[Forced, ...]:
        return load(strategy).forced(build_grid(GEOMETRY, budget))

    def test_forces_no_configuration_twice(self, strategy: str, budget: str) -> None:
        forced = self.forced(strategy, budget)
        assert len({item.what for item in forced}) == len(forced)
        assert len({(item.spec, tuple(sorted(item.settings.items()))) for item in forced}) == len(forced)

    def test_forces_the_same_again(self, strategy: str, budget: str) -> None:
        assert self.forced(strategy, budget) == self.forced(strategy, budget)

    def test_forces_only_models_of_the_grid_s_geometry(self, strategy: str, budget: str) -> None:
        assert all(item.spec.geometry == GEOMETRY for item in self.forced(strategy, budget))

    def test_fixes_only_settings_that_a_trial_has(self, strategy: str, budget: str) -> None:
        known = {"learning_rate", "weight_decay", "dropout"}
        assert all(set(item.settings) <= known for item in self.forced(strategy, budget))

    def test_leaves_room_for_a_schedule_that_ends(self, strategy: str, budget: str) -> None:
        total = len(self.forced(strategy, budget)) + 4
        plan = schedule(strategy, budget, total)
        kinds = [type(plan.decide(number, [])) for number in range(total + 1)]
        assert kinds == [Forced] * (total - 4) + [Drawn] * 4 + [Finished]

    def test_supplements_only_settings_that_a_trial_has(self, strategy: str, budget: str) -> None:
        supplement = load(strategy).supplement
        if supplement is not None:
            assert set(supplement.settings) <= {"learning_rate", "weight_decay", "dropout"}
            assert all(value >= 0 for values in supplement.settings.values() for value in values)
            assert all(whole >= 1 for whole in (*supplement.n_heads, *supplement.effective_batches))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_plan_holds_the_code_of_the_chosen_strategy_and_of_no_other(strategy: str) -> None:
    (plan, *_) = plan_cells(params(strategy=strategy))
    found = {name for name in plan.search.code if name.startswith("tsladder.search.strategies.")}
    assert found == {f"tsladder.search.strategies.{strategy}"}
    assert "tsladder.search.study" in plan.search.code


@pytest.mark.parametrize("budget", LADDER)
def test_the_six_extremes_exist_in_the_grid_and_are_six_configurations(budget: str) -> None:
    grid = build_grid(GEOMETRY, budget)
    forced = load("architectural").forced(grid)
    assert len({f.spec for f in forced}) == len(forced) == 6
    assert all(f.spec in grid.members for f in forced)
    for name in ("d_model", "n_layers", "n_heads"):
        values = [getattr(member, name) for member in grid.members]
        forced_values = {f.what: getattr(f.spec, name) for f in forced}
        assert forced_values[f"smallest {name}"] == min(values)
        assert forced_values[f"largest {name}"] == max(values)


def test_the_eighteen_rows_of_two_phase_are_distributed_to_their_rungs() -> None:
    forced = {budget: load("two_phase").forced(build_grid(GEOMETRY, budget)) for budget in LADDER}
    assert {budget: len(forced[budget]) for budget in ("750k", "2M", "20M", "200M")} == {
        "750k": 2,
        "2M": 9,
        "20M": 3,
        "200M": 4,
    }
    assert all(len(forced[budget]) == 2 for budget in ("12k", "30k", "80k", "200k", "2B"))


def test_a_row_of_two_phase_changes_one_setting_of_the_shallow_shape() -> None:
    shallow, _, *variants = load("two_phase").forced(build_grid(GEOMETRY, "2M"))
    assert (shallow.spec.d_model, shallow.spec.n_layers, shallow.spec.n_heads, shallow.spec.d_ff) == (320, 2, 4, 1280)
    assert dict(shallow.settings) == {"dropout": 0.5, "learning_rate": 1e-4, "weight_decay": 1e-3}
    changed = [
        {name: value for name, value in item.settings.items() if value != shallow.settings[name]} for item in variants
    ]
    assert all(item.spec == shallow.spec for item in variants)
    assert changed == [
        {"dropout": 0.1},
        {"dropout": 0.3},
        {"dropout": 0.7},
        {"learning_rate": 1e-5},
        {"learning_rate": 1e-3},
        {"weight_decay": 0.0},
        {"weight_decay": 1e-2},
    ]


def test_forced_shapes_off_their_budget_are_kept_and_known_as_such() -> None:
    forced = load("two_phase").forced(build_grid(GEOMETRY, "750k"))
    assert {item.spec.n_params: is_within(item.spec, 750_000) for item in forced}[970_561] is False


def test_a_forced_shape_that_cannot_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from tsladder.search.strategies import two_phase

    monkeypatch.setitem(two_phase.SHAPES, 750_000, {"shallow-wide": (190, 2, 4), "deep-narrow": (128, 4, 4)})
    with pytest.raises(BadInput, match=r"shallow-wide shape d_model 190.*n_heads 4 at 750k.*no multiple of n_heads"):
        load("two_phase").forced(build_grid(GEOMETRY, "750k"))


def test_forced_trials_come_first_deepest_first_then_the_sampler_then_nothing() -> None:
    plan = schedule("architectural", "200k", 8)
    decisions = [plan.decide(number, []) for number in range(9)]
    forced = [d for d in decisions if isinstance(d, Forced)]
    assert decisions[:6] == forced
    assert decisions[6:8] == [Drawn(learns=True)] * 2
    assert decisions[8] == Finished("all 8 trials are done")
    depths = [d.spec.n_layers for d in forced]
    assert depths == sorted(depths, reverse=True)
    assert len(set(depths)) > 1


def test_too_few_trials_keep_the_ends_of_depth_and_width_in_their_order_and_say_what_is_missing() -> None:
    for trials, kept in ((1, {"largest n_layers"}), (2, {"largest n_layers", "largest d_model"})):
        plan = schedule("architectural", "200k", trials)
        assert {item.what for item in plan.forced} == kept
        assert len(plan.left_out) == 6 - trials
        assert isinstance(plan.decide(trials, []), Finished)
    three = schedule("architectural", "200k", 3)
    depths = [item.spec.n_layers for item in three.forced]
    assert depths == sorted(depths, reverse=True)
    note = forced_by_cell(NOWHERE, params(trials=4))[SMALLEST].note
    assert note is not None
    assert note.startswith("2 of 6 forced configurations are not trained")
    assert forced_by_cell(NOWHERE, params(trials=6))[SMALLEST].note is None


def test_a_forced_configuration_keeps_the_seed_of_the_search_that_trains_all() -> None:
    whole, short = schedule("architectural", "200k", 8), schedule("architectural", "200k", 2)
    numbers = {item.what: whole.stream_number(number) for number, item in enumerate(whole.forced)}
    assert list(numbers.values()) == list(range(6))
    assert [short.stream_number(number) for number in range(2)] == [numbers[item.what] for item in short.forced]


def test_two_phase_keeps_its_shapes_before_its_settings() -> None:
    found = forced_by_cell(NOWHERE, dataclasses.replace(params(strategy="two_phase", trials=3), budget="2M"))
    assert [item.what for item in found[Cell("2M", 1)].forced] == [
        "shallow-wide",
        "deep-narrow",
        "shallow-wide, dropout 0.1",
    ]
    assert Cell("2M", 1) not in forced_by_cell(NOWHERE, params(strategy="two_phase", trials=2))


def test_a_grid_whose_every_shape_is_forced_still_has_a_widest_and_a_deepest() -> None:
    grid = build_grid(GEOMETRY, "12k")
    small = Grid(grid.budget, grid.members[:2])
    assert len({item.spec for item in load("two_phase").forced(small)}) == 2
