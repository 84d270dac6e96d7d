"""Joining two directions, against the published pseudo-code on sets."""

from itertools import product

import numpy as np
import pytest

from jointalign.word_alignment import ParallelText, Symmetrization, symmetrize

NEIGHBOURS = [(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]


def slow(how, n, m, forward, reverse):
    """Koehn, Och and Marcu 2003, fig. 1, with sets."""
    simple = {"forward": forward, "reverse": reverse, "union": forward | reverse}
    simple["intersect"] = forward & reverse
    if how in simple:
        return simple[how]
    links = grown(simple["intersect"], simple["union"], n, m)
    if "final" in how:
        for direction in (forward, reverse):
            for new in sorted(direction - links):
                tests = free(links, new, 0), free(links, new, 1)
                if all(tests) if how.endswith("and") else any(tests):
                    links = links | {new}
    return links


def grown(links, union, n, m):
    while True:
        before = links
        for here in product(range(n), range(m)):
            for a, b in NEIGHBOURS if here in links else ():
                new = (here[0] + a, here[1] + b)
                if new in union - links and (free(links, new, 0) or free(links, new, 1)):
                    links = links | {new}
        if links == before:
            return links


def free(links, link, side):
    return all(other[side] != link[side] for other in links)


@pytest.mark.parametrize("how", list(Symmetrization))
def test_it_equals_the_published_steps(how):
    generator = np.random.default_rng(5)
    for _ in range(150):
        n, m = generator.integers(1, 8, size=2)
        forward = generator.integers(-1, n, size=m).astype(np.int32)
        reverse = generator.integers(-1, m, size=n).astype(np.int32)
        text = ParallelText.of([(["a"] * n, ["b"] * m), (["a"], ["b"])])
        one = np.append(forward, np.int32(0)), np.append(reverse, np.int32(0))
        found = symmetrize(text, *one, how)
        ways = (
            {(int(i), j) for j, i in enumerate(forward) if i >= 0},
            {(i, int(j)) for i, j in enumerate(reverse) if j >= 0},
        )
        assert set(map(tuple, found[0].tolist())) == slow(how.value, n, m, *ways)
        assert found[1].tolist() == [[0, 0]]
