import numpy as np
import pytest

from jointalign.bli import evaluate_rules
from jointalign.dictionary.api import Translations, induce, induce_and_keep, read_tsv, write_tsv
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats.api import write
from jointalign.lexicon import Lexicon
from jointalign.retrieval.api import hubness, lazy_hubness, neighbours, ranks
from jointalign.retrieval.hubs import Hubs, beside, kept
from jointalign.vocabulary import Vocabulary


def space(n=60, m=80, d=6, seed=0):
    rng = np.random.default_rng(seed)
    x, z = (rng.standard_normal((size, d), dtype=np.float32) for size in (n, m))
    z[:n] = x + 0.5 * z[:n]
    return BilingualEmbedding.separate(
        Embedding(Vocabulary(tuple(f"s{i}" for i in range(n))), x),
        Embedding(Vocabulary(tuple(f"t{i}" for i in range(m))), z),
    )


LEXICON = Lexicon(tuple((f"s{i}", f"t{i}") for i in range(0, 60, 3)))


def json_of(results):
    return {rule: result.to_json() for rule, result in results.items()}


def test_everything_is_the_same_with_hubs_known_from_before():
    one = space()
    for some in (one, one.reversed()):
        hubs = Hubs.of(some.source, some.target)
        lexicon = LEXICON if some is one else LEXICON.reversed()
        known = evaluate_rules(some, lexicon, hubs=hubs)
        assert json_of(known) == json_of(evaluate_rules(some, lexicon))
        for mutual in (False, True):
            assert induce(some, mutual=mutual, hubs=hubs) == induce(some, mutual=mutual)
            asked = list(some.source.words[:7])
            answers = Translations(some, hubs=hubs).of(asked, mutual=mutual)
            assert answers == Translations(some).of(asked, mutual=mutual)
    entries, hubs = induce_and_keep(one)
    assert entries == induce(one)
    assert hubs.fits(one.source, one.target, 10)
    hubs = hubs.reversed()
    np.testing.assert_array_equal(hubs.target, hubness(one.source.vectors, one.target.vectors))
    np.testing.assert_array_equal(hubs.reversed().source, hubs.target)


def test_hubs_of_another_space_are_refused_and_never_read(tmp_path):
    one, path = space(), tmp_path / "aligned.safetensors"
    write(one, path)
    assert kept(path, one, None) is None
    Hubs.of(one.source, one.target).write(beside(path))
    for some in (one, one.reversed()):
        found = kept(path, some, None)
        np.testing.assert_array_equal(found.target, Hubs.of(some.source, some.target).target)
    other = space(seed=1)
    assert kept(path, other, None) is kept(path, one, 50) is kept(path, one, None, 5) is None
    for wrong in (
        lambda: evaluate_rules(other, LEXICON, hubs=found),
        lambda: evaluate_rules(one, LEXICON, hubs=found),  # reversed
        lambda: induce(one, max_vocabulary=50, hubs=found),
        lambda: Translations(other, hubs=found),
    ):
        with pytest.raises(JointalignError, match="other vectors"):
            wrong()
    beside(path).write_bytes(path.read_bytes())
    with pytest.raises(FormatError, match="expected a file of kind"):
        kept(path, one, None)


def test_lazy_hubness_knows_more_with_each_search():
    rng = np.random.default_rng(3)
    x, z = (rng.standard_normal((n, 12), dtype=np.float32) for n in (4200, 4400))
    lazy, whole, shares = lazy_hubness(z, x), hubness(z, x), []
    for start in (0, 20, 0, 4000):
        queries = x[start : start + 20]
        found, expected = (neighbours(queries, z, 3, hubs=hubs) for hubs in (lazy, whole))
        np.testing.assert_array_equal(found.rows, expected.rows)
        np.testing.assert_array_equal(found.scores, expected.scores)
        pairs = np.stack([np.arange(20), expected.rows[:, 2]], axis=1)
        for depth in (None, 2, 5):
            places = ranks(queries, z, pairs, hubs=lazy_hubness(z, x), depth=depth)
            np.testing.assert_array_equal(places, ranks(queries, z, pairs, hubs=whole, depth=depth))
        shares.append(lazy.exact.mean())
    assert 0 < shares[0] < shares[1] == shares[2] < shares[3] < 0.5
    assert isinstance(lazy_hubness(z[:9], x[:9]), np.ndarray)


def test_a_dictionary_is_read_as_it_was_written(tmp_path):
    entries = induce(space())
    write_tsv(entries, tmp_path / "one.tsv")
    write_tsv(read_tsv(tmp_path / "one.tsv"), tmp_path / "two.tsv")
    assert (tmp_path / "one.tsv").read_bytes() == (tmp_path / "two.tsv").read_bytes()
    assert [e.target for e in read_tsv(tmp_path / "one.tsv")] == [e.target for e in entries]
    (tmp_path / "one.tsv").write_text("source\ttarget\na\tb\n")
    with pytest.raises(FormatError, match="one.tsv, line 2"):
        read_tsv(tmp_path / "one.tsv")
