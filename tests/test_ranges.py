"""Settings that know their ranges."""

from dataclasses import dataclass
from math import nan

import pytest

from jointalign.errors import JointalignError
from jointalign.ranges import check_ranges, within


@dataclass(frozen=True)
class Some:
    least: int = within(3, least=1)
    above: float = within(1.0, above=0)
    share: float | None = within(None, least=0, below=1)
    between: float = within(0.7, above=0.5, most=1)
    free: int = -5

    def __post_init__(self) -> None:
        check_ranges(self)


def test_values_in_their_ranges_and_none_pass():
    assert Some() == Some(3, 1.0, None, 0.7, -5)
    Some(least=1, above=1e-9, share=0.0, between=1.0)
    Some(share=0.999)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"least": 0}, "least must be at least 1, got 0"),
        ({"above": 0.0}, "above must be above 0, got 0.0"),
        ({"above": nan}, "above must be above 0, got nan"),
        ({"share": 1.0}, r"share must lie in \[0, 1\), got 1.0"),
        ({"share": -0.1}, r"share must lie in \[0, 1\), got -0.1"),
        ({"between": 0.5}, r"between must lie in \(0.5, 1\], got 0.5"),
        ({"between": 1.1}, r"between must lie in \(0.5, 1\], got 1.1"),
    ],
)
def test_others_are_refused(changes, message):
    with pytest.raises(JointalignError, match=message):
        Some(**changes)
