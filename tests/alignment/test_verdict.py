"""Whether right answers may come of guessing, against exact fractions."""

from fractions import Fraction
from math import comb

import pytest

from jointalign.alignment._verdict import is_chance


@pytest.mark.parametrize(
    ("right", "asked", "candidates"),
    [(0, 10, 5), (3, 10, 5), (5, 10, 5), (1, 300, 5000), (2, 300, 5000), (60, 3000, 50), (80, 3000, 50)],
)
def test_the_tail_is_that_of_the_binomial_distribution(right, asked, candidates):
    p = Fraction(1, candidates)
    fewer = sum(comb(asked, k) * p**k * (1 - p) ** (asked - k) for k in range(right))
    assert is_chance(right, asked, candidates) == (1 - fewer > Fraction(1, 20))


def test_many_right_answers_of_many_are_no_chance():
    assert not is_chance(1500, 5000, 20_000)  # comb(5000, 1500) is no float
    assert is_chance(5, 5, 1)
