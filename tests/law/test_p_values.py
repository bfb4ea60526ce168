"""P-values in sentences."""

import pytest

from tsladder.law.p_values import p_in_words


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.0, "p < 0.001"), (1e-9, "p < 0.001"), (0.001, "p = 0.001"), (0.0412, "p = 0.041"), (1.0, "p = 1")],
)
def test_no_p_value_is_said_to_be_zero(p, words):
    assert p_in_words(p) == words
