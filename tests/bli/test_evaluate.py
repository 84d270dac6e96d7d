import json

import numpy as np
import pytest

from jointalign.bli import Conditions, OutOfVocabulary, evaluate, evaluate_parts, evaluate_rules
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats import native
from jointalign.lexicon import Lexicon
from jointalign.retrieval.api import Retrieval, Score
from jointalign.version import __version__
from jointalign.vocabulary import Vocabulary


def planted(n=300, m=400, d=12, noise=0.9, seed=0):
    """Target word `i` is source word `i` with noise; more target words distract."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d), dtype=np.float32)
    z = rng.standard_normal((m, d), dtype=np.float32)
    z[:n] = x + noise * z[:n]
    return BilingualEmbedding.separate(
        Embedding(Vocabulary(tuple(f"s{i}" for i in range(n))), x),
        Embedding(Vocabulary(tuple(f"t{i}" for i in range(m))), z),
    )


def brute_force_ranks(bilingual, golds, k=10):
    """CSLS over the whole matrix in float64; the best rank of each word's translations."""
    x, z = (
        side.vectors / np.linalg.norm(side.vectors.astype(np.float64), axis=1, keepdims=True)
        for side in (bilingual.source, bilingual.target)
    )
    cosine = x @ z.T
    r_target = np.sort(cosine, axis=1)[:, -k:].mean(axis=1)[:, None]
    r_source = np.sort(cosine, axis=0)[-k:].mean(axis=0)[None, :]
    places = (-(2 * cosine - r_target - r_source)).argsort(axis=1).argsort(axis=1)
    return np.array([1 + places[row, list(gold)].min() for row, gold in golds.items()])


@pytest.fixture(scope="module")
def case():
    bilingual = planted()
    golds = {row: (row, 300 + row % 100) if row % 3 else (row,) for row in range(0, 300, 2)}
    pairs = tuple((f"s{row}", f"t{gold}") for row, those in golds.items() for gold in those)
    return bilingual, Lexicon(pairs), brute_force_ranks(bilingual, golds)


def test_scores_are_those_of_brute_force(case):
    bilingual, lexicon, expected = case
    result = evaluate(bilingual, lexicon)
    assert expected.max() > 10  # some are further down than any list of ten
    shallow = np.where(expected <= 10, 1 / expected, 0)
    np.testing.assert_allclose(result.reciprocal_ranks, shallow)
    assert result.mrr == pytest.approx(100 * shallow.mean())
    full = evaluate(bilingual, lexicon, Conditions(depth=None))
    np.testing.assert_allclose(full.reciprocal_ranks, 1 / expected)
    assert full.mrr == pytest.approx(100 * (1 / expected).mean())
    assert result.coverage == full.coverage
    assert evaluate(bilingual, lexicon, Conditions(depth=25)).precision(25) == full.precision(25)
    with pytest.raises(JointalignError, match="depth=11"):
        result.precision(11)
    with pytest.raises(JointalignError, match="at least 10"):
        evaluate(bilingual, lexicon, Conditions(depth=9))
    for k, score in ((1, result.p_at_1), (5, result.p_at_5), (10, result.p_at_10)):
        assert score == pytest.approx(100 * (expected <= k).mean())
    assert 0 < result.p_at_1 < result.p_at_5 < result.p_at_10 < 100


def test_json_has_the_fixed_keys_and_survives(case):
    bilingual, lexicon, _ = case
    result = evaluate(bilingual, lexicon, training=lexicon)
    sent = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert list(sent)[:7] == ["p_at_1", "p_at_5", "p_at_10", "mrr", "coverage", "n", "ci"]
    assert sent["p_at_1"] == result.p_at_1
    assert sent["ci"] == list(result.ci)
    assert sent["overlap"] == len(lexicon)
    assert sent["signature"] in str(result)


def test_the_signature_names_every_condition(case):
    bilingual, lexicon, _ = case
    results = evaluate_rules(
        bilingual, lexicon, Conditions(Score(neighbourhood=5), max_vocabulary=250, seed=7)
    )
    signatures = {result.signature for result in results.values()}
    assert len(signatures) == len(results) == 8
    assert evaluate(bilingual, lexicon, Conditions(oov=OutOfVocabulary.PAPER)).signature == (
        f"n:150|coverage:100.0|retrieval:csls10|oov:paper|identical:kept|mrr:10|seed:0|v:{__version__}"
    )
    assert "retrieval:csls5|oov:strict|identical:removed|vocabulary:250|mrr:10|seed:7|" in " ".join(
        signatures
    )
    for retrieval, name in ((Retrieval.NEAREST, "nn"), (Retrieval.INVERTED_SOFTMAX, "isf30")):
        assert f"|retrieval:{name}|" in evaluate(bilingual, lexicon, Conditions(score=retrieval)).signature


def test_a_smaller_vocabulary_is_the_same_as_smaller_files(case):
    bilingual, lexicon, _ = case
    smaller = BilingualEmbedding.separate(bilingual.source.first(200), bilingual.target.first(200))
    for rule in OutOfVocabulary:
        cut = evaluate(bilingual, lexicon, Conditions(oov=rule, max_vocabulary=200))
        expected = evaluate(smaller, lexicon, Conditions(oov=rule))
        assert cut.words == expected.words
        np.testing.assert_array_equal(cut.reciprocal_ranks, expected.reciprocal_ranks)


def test_bands_split_the_words_by_frequency():
    n = 6000
    # Right for even rows only: the vectors of odd words are those of the next word.
    axes = np.random.default_rng(0).standard_normal((n, 30), dtype=np.float32)
    words = Vocabulary(tuple(f"w{i}" for i in range(n)))
    moved = axes[np.where(np.arange(n) % 2, np.roll(np.arange(n), -1), np.arange(n))]
    bilingual = BilingualEmbedding.separate(Embedding(words, moved), Embedding(words, axes))
    tested = [0, 1, 2, 998, 999, 1000, 1001, 4999, 5000, 5999]
    pairs = [(f"w{i}", f"w{i}") for i in tested] + [("sit", "sit"), ("foo", "bar")]
    result = evaluate(bilingual, Lexicon(tuple(pairs)), Conditions("nn", OutOfVocabulary.PAPER))
    bands = {band.name: (band.n, band.p_at_1) for band in result.bands}
    assert bands["1-1000"] == (5, 60)
    assert bands["1001-5000"] == (3, pytest.approx(100 / 3))
    assert bands["5001-20000"] == (2, 50)
    assert bands["unknown"] == (2, 50)
    assert bands["20001-50000"][0] == bands["50001-"][0] == 0
    assert sum(band.n for band in result.bands) == result.n


def test_overlap_counts_tested_pairs_only(case):
    bilingual, lexicon, _ = case
    training = Lexicon((*lexicon.pairs[:3], ("s1", "t1")))
    assert evaluate(bilingual, lexicon, training=training).overlap == 3
    assert evaluate(bilingual, lexicon).overlap is None


def test_the_same_seed_gives_the_same_interval(case):
    bilingual, lexicon, _ = case
    first, again = (evaluate(bilingual, lexicon, Conditions(seed=3)).ci for _ in range(2))
    other = evaluate(bilingual, lexicon, Conditions(seed=4, resamples=50)).ci
    assert first == again != other


@pytest.mark.parametrize("side", ["source", "target"])
def test_damaged_vectors_are_named(case, tmp_path, side):
    bilingual, lexicon, _ = case
    path = tmp_path / "space.safetensors"
    native.write(bilingual, path)
    vector = getattr(bilingual, side).vectors[290].tobytes()
    content = path.read_bytes()
    assert content.count(vector) == 1
    path.write_bytes(content.replace(vector, np.full(len(vector) // 4, np.nan, "f4").tobytes()))
    damaged = native.read_bilingual(path)
    with pytest.raises(JointalignError, match=f"'{side[0]}290' holds NaN"):
        evaluate(damaged, lexicon)
    assert evaluate(damaged, lexicon, Conditions(max_vocabulary=290)).p_at_1 > 0


def test_parts_are_scored_as_if_each_were_the_whole():
    bilingual = planted()
    whole = Lexicon(tuple((f"s{i}", f"t{i}") for i in range(100)) + (("s0", "s0"), ("x", "t1")))
    parts = (Lexicon(whole.pairs[:40]), Lexicon(whole.pairs[30:]))
    found = evaluate_parts(bilingual, parts, Conditions(seed=2))
    for part, results in zip(parts, found, strict=True):
        alone = evaluate_rules(bilingual, part, Conditions(seed=2))
        assert results.keys() == alone.keys()
        for rules, result in results.items():
            assert result.words == alone[rules].words
            assert result.to_json() == alone[rules].to_json()
