from tsladder.law.effort import unequal_effort


def test_equal_effort_is_not_worth_a_word():
    assert unequal_effort({"12k-h1": 8, "30k-h1": 8}) is None
    assert unequal_effort({"12k-h1": 8}) is None
    assert unequal_effort({}) is None


def test_unequal_effort_names_every_rung_and_its_trials():
    warning = unequal_effort({"12k-h1": 50, "2B-h1": 3})
    assert "12k-h1 50, 2B-h1 3" in warning
    assert "search.trials" in warning
