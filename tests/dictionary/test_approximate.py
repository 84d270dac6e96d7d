import numpy as np
import pytest

from jointalign.dictionary.api import induce
from jointalign.dictionary.approximate import approximate_neighbours, induce_approximately
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.retrieval.api import both_neighbours
from jointalign.vocabulary import Vocabulary

pytest.importorskip("faiss")


def sides(n=1500, m=1700, d=12):
    rng = np.random.default_rng(0)
    x, z = (rng.standard_normal((size, d), dtype=np.float32) for size in (n, m))
    z[:n] = x + 0.4 * z[:n]
    return x, z


def overlap(found, exact):
    return (exact[:, :, None] == found[:, None, :]).any(axis=2).mean()


def test_with_every_cell_probed_it_is_exact():
    x, z = sides()
    found = approximate_neighbours(x, z, 3, probes=10**6)
    there, back = both_neighbours(x, z, 3)
    np.testing.assert_array_equal(found.there.rows, there.rows)
    np.testing.assert_array_equal(found.back.rows, back.rows)
    np.testing.assert_allclose(found.there.scores, there.scores, atol=2e-6)
    assert (found.recall, found.sample) == (1.0, 500)


def test_the_stated_recall_is_the_true_one():
    x, z = sides()
    found = approximate_neighbours(x, z, 5, probes=2, sample=len(x))
    true = overlap(found.there.rows, both_neighbours(x, z, 5)[0].rows)
    assert found.recall == pytest.approx(true)
    assert 0.2 < true < 0.99
    assert approximate_neighbours(x, z, 5, probes=9, sample=len(x)).recall > true


def test_a_dictionary_is_nearly_the_exact_one():
    space = BilingualEmbedding.separate(
        *(
            Embedding(Vocabulary(tuple(f"{name}{i}" for i in range(len(side)))), side)
            for name, side in zip("st", sides(), strict=True)
        )
    )
    for mutual in (True, False):
        entries, recall = induce_approximately(space, mutual=mutual, count=2, probes=20)
        exact = induce(space, mutual=mutual, count=2)
        pairs = {(entry.source, entry.target) for entry in exact}
        same = sum((entry.source, entry.target) in pairs for entry in entries)
        assert 0.9 < same / len(pairs) <= 1
        assert 0.9 < recall <= 1


def test_more_neighbours_than_there_are_words():
    x, z = sides(5, 7)
    found = approximate_neighbours(x, z, 10, probes=1)
    np.testing.assert_array_equal(found.there.rows, both_neighbours(x, z, 10)[0].rows)


def test_wrong_settings_are_named():
    x, z = sides(20, 20)
    for wrong in ({"k": 0}, {"probes": 0}):
        with pytest.raises(JointalignError, match="positive"):
            approximate_neighbours(x, z, **wrong)
    with pytest.raises(JointalignError, match="one space"):
        approximate_neighbours(x, z[:, :3])
