import numpy as np
import pytest

from jointalign.ranking import neighbours
from jointalign.ranking.neighbours import agreement


def unit_rows(rng, size, dimensions):
    x = rng.standard_normal((size, dimensions)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_agreement_is_as_worked_out_pair_by_pair(monkeypatch):
    monkeypatch.setattr(neighbours, "_NEIGHBOURS", 4)
    monkeypatch.setattr(neighbours, "_AT_ONCE", 3)
    rng = np.random.default_rng(0)
    x, z = unit_rows(rng, 12, 5), unit_rows(rng, 15, 5)
    known = np.stack([np.arange(9), rng.permutation(15)[:9]], axis=1)
    pairs = np.array([(i, j) for i in range(12) for j in range(15)])[rng.permutation(180)]
    found = agreement(x, z, known, pairs)
    for (i, j), (mean, correlation) in zip(pairs.tolist(), found, strict=True):
        others = sorted((row for row in known if row[0] != i), key=lambda row: -(x[i] @ x[row[0]]))[:4]
        here = np.array([x[i] @ x[a] for a, _ in others])
        there = np.array([z[j] @ z[b] for _, b in others])
        weights = np.maximum(here, 0) ** 2 + 1e-6
        assert mean == pytest.approx(np.average(there, weights=weights), abs=1e-4)
        assert correlation == pytest.approx(np.corrcoef(here, there)[0, 1], abs=1e-4)


def test_a_word_does_not_vouch_for_itself():
    """Its own pair would tell the answer: with it or without it, the numbers are the same."""
    rng = np.random.default_rng(1)
    x, z = unit_rows(rng, 60, 5), unit_rows(rng, 60, 5)
    known = np.stack([np.arange(60)] * 2, axis=1)
    pairs = np.array([(7, j) for j in range(60)])
    without = agreement(x, z, known[known[:, 0] != 7], pairs)
    assert agreement(x, z, known, pairs) == pytest.approx(without, abs=1e-5)


def test_without_a_dictionary_nothing_agrees():
    x = unit_rows(np.random.default_rng(0), 4, 3)
    assert not agreement(x, x, np.zeros((0, 2), np.int64), np.array([[0, 1]])).any()
