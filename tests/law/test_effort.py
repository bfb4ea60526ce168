from tsladder.law.effort import cut_short, unequal_effort


def test_equal_effort_is_not_worth_a_word():
    assert unequal_effort({"12k-h1": 8, "30k-h1": 8}) is None
    assert unequal_effort({"12k-h1": 8}) is None
    assert unequal_effort({}) is None


def test_unequal_effort_names_every_rung_and_its_trials():
    warning = unequal_effort({"12k-h1": 50, "2B-h1": 3})
    assert "12k-h1 50, 2B-h1 3" in warning
    assert "search.trials" in warning


def test_a_winner_among_fewer_complete_trials_than_were_run_is_told_with_both_counts():
    assert cut_short({"12k-h1": (8, 8), "2B-h1": (3, 3)}) is None
    warning = cut_short({"12k-h1": (8, 8), "2B-h1": (8, 6)})
    assert warning is not None
    assert "2B-h1 6 of 8" in warning
    assert "12k" not in warning
