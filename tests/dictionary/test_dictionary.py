import numpy as np
import pytest

from jointalign.dictionary.api import Translation, Translations, induce, translate, write_tsv
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats import native
from jointalign.retrieval.api import Retrieval
from jointalign.subwords import SubwordTable, ngram_hashes
from jointalign.vocabulary import Vocabulary


def embedding(prefix, vectors, subwords=None):
    words = tuple(f"{prefix}{i}" for i in range(len(vectors)))
    return Embedding(Vocabulary(words), np.asarray(vectors, np.float32), subwords)


def random_space(n=30, m=40, d=5, seed=0):
    rng = np.random.default_rng(seed)
    return BilingualEmbedding.separate(
        embedding("s", rng.standard_normal((n, d))), embedding("t", rng.standard_normal((m, d)))
    )


def csls(x, z, k=10):
    x, z = (rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True) for rows in (x, z))
    cosine = x @ z.T
    r_target = np.sort(cosine, axis=1)[:, -k:].mean(axis=1)[:, None]
    return 2 * cosine - r_target - np.sort(cosine, axis=0)[-k:].mean(axis=0)


def test_scores_ranks_and_margins_are_those_of_brute_force():
    space = random_space()
    scores = csls(space.source.vectors, space.target.vectors)
    answers = translate(space, ["s3", "s17"], count=4)
    for word, row in zip(answers, (3, 17), strict=True):
        order = (-scores[row]).argsort()
        assert [entry.target for entry in word.translations] == [f"t{i}" for i in order[:4]]
        assert [entry.rank for entry in word.translations] == [1, 2, 3, 4]
        best = scores[row, order]
        got = [(entry.score, entry.margin) for entry in word.translations]
        np.testing.assert_allclose(got, np.stack([best[:4], best[:4] - best[1:5]], 1), atol=1e-5)
        assert word.known and not word.from_subwords


def test_asked_for_alone_or_with_others_a_word_gets_the_same_answer():
    space = random_space()
    together = translate(space, ["s1", "unheard", "s2", "s1"])
    assert together[0] == together[3]
    assert [answer.word for answer in together] == ["s1", "unheard", "s2", "s1"]
    alone = translate(space, ["s2"])[0]
    assert [e.target for e in alone.translations] == [e.target for e in together[2].translations]
    assert together[1].translations == () and not together[1].known
    assert translate(space, []) == []
    assert [answer.known for answer in translate(space, ["unheard"])] == [False]


def test_unknown_words_are_translated_by_their_ngrams():
    eye = np.eye(3, dtype=np.float32)
    grams = np.unique(np.array(ngram_hashes("dogs", 3, 6, 2_000_000), np.uint32))
    table = SubwordTable(grams, np.tile(eye[1], (len(grams), 1)))
    space = BilingualEmbedding.separate(embedding("s", eye, table), embedding("t", eye))
    built, plain, unknown = translate(space, ["dogs", "s0", "xyz"], count=1)
    assert built.translations[0].target == "t1"
    assert built.known and built.from_subwords
    assert plain.translations[0].target == "t0"
    assert not plain.from_subwords
    assert (unknown.known, unknown.from_subwords, unknown.translations) == (False, False, ())


def test_fewer_candidates_than_asked_for():
    space = random_space(n=4, m=2)
    (answer,) = translate(space, ["s0"], count=5)
    assert len(answer.translations) == 2
    assert answer.translations[0].margin is not None
    assert answer.translations[1].margin is None
    assert {entry.target for entry in induce(space, count=5)} == {"t0", "t1"}


def test_threshold_leaves_out_low_scores_and_keeps_ranks():
    space = random_space()
    every = induce(space, mutual=False, count=3)
    middle = float(np.median([entry.score for entry in every]))
    some = induce(space, mutual=False, count=3, threshold=middle)
    assert some == [entry for entry in every if entry.score >= middle]
    assert 0 < len(some) < len(every)
    (answer,) = translate(space, ["s0"], threshold=1e9)
    assert answer.known and answer.translations == ()


@pytest.mark.parametrize("count", [1, 3])
def test_mutual_pairs_are_those_that_both_sides_choose(count):
    space = random_space()
    scores = csls(space.source.vectors, space.target.vectors)
    forward = (-scores).argsort(axis=1)[:, :count]
    backward = (-scores.T).argsort(axis=1)[:, :count]
    expected = [(f"s{x}", f"t{z}") for x in range(30) for z in forward[x].tolist() if x in backward[z]]
    entries = induce(space, count=count)
    assert [(entry.source, entry.target) for entry in entries] == expected
    assert 0 < len(entries) < len(induce(space, count=count, mutual=False)) == 30 * count


@pytest.mark.parametrize("retrieval", Retrieval)
def test_the_whole_dictionary_agrees_with_single_translations(retrieval):
    space = random_space()
    single = translate(space, list(space.source.words), count=2, score=retrieval)
    whole = induce(space, count=2, mutual=False, score=retrieval)
    expected = [entry for answer in single for entry in answer.translations]
    assert [(e.source, e.target, e.rank) for e in whole] == [(e.source, e.target, e.rank) for e in expected]
    np.testing.assert_allclose(
        [(entry.score, entry.margin) for entry in whole],
        [(entry.score, entry.margin) for entry in expected],
        rtol=1e-4,
        atol=1e-5,
    )


def test_max_vocabulary_cuts_both_sides():
    entries = induce(random_space(), mutual=False, max_vocabulary=10)
    assert [entry.source for entry in entries] == [f"s{i}" for i in range(10)]
    assert {int(entry.target[1:]) for entry in entries} <= set(range(10))
    (rare,) = translate(random_space(), ["s29"], max_vocabulary=10)
    assert rare.known and all(int(entry.target[1:]) < 10 for entry in rare.translations)


def test_tsv(tmp_path):
    path = tmp_path / "dictionary.tsv"
    write_tsv([Translation("él", "he", 0.5, 0.25, 1), Translation("él", "him", 0.25, None, 2)], path)
    assert path.read_text(encoding="utf-8") == (
        "source\ttarget\tscore\tmargin\trank\nél\the\t0.5\t0.25\t1\nél\thim\t0.25\t\t2\n"
    )


def test_wrong_settings_are_named():
    with pytest.raises(JointalignError, match="count must be positive"):
        translate(random_space(), ["s0"], count=0)
    with pytest.raises(JointalignError, match="max_vocabulary must be positive"):
        induce(random_space(), max_vocabulary=0)


@pytest.mark.parametrize("retrieval", list(Retrieval))
@pytest.mark.parametrize("count", [1, 3])
def test_mutual_answers_are_those_of_the_whole_dictionary(retrieval, count):
    random = np.random.default_rng(4)
    source = Embedding(
        Vocabulary(tuple(f"s{i}" for i in range(60))), random.normal(size=(60, 6)).astype(np.float32)
    )
    target = Embedding(
        Vocabulary(tuple(f"t{i}" for i in range(50))), random.normal(size=(50, 6)).astype(np.float32)
    )
    space = BilingualEmbedding.separate(source, target)
    whole = {(e.source, e.target) for e in induce(space, count=count, score=retrieval)}
    answers = Translations(space, retrieval).of(source.words, count=count, mutual=True)
    assert {(t.source, t.target) for answer in answers for t in answer.translations} == whole
    assert 0 < len(whole) < 60 * count


@pytest.mark.parametrize("retrieval", Retrieval)
@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("use", [induce, lambda space, **rest: translate(space, ["s0"], **rest)])
def test_damaged_vectors_are_named(tmp_path, side, use, retrieval):
    space = mapped_with_nan(random_space(), side, 7, tmp_path / "space.safetensors")
    with pytest.raises(JointalignError, match=f"'{side[0]}7' holds NaN"):
        use(space, score=retrieval)
    use(space, score=retrieval, max_vocabulary=7)  # the others are as good as ever


def test_damaged_vectors_of_rare_words_and_ngrams_are_named_when_asked_for(tmp_path):
    space = mapped_with_nan(random_space(), "source", 7, tmp_path / "space.safetensors")
    with pytest.raises(JointalignError, match="'s7' holds NaN"):
        translate(space, ["s1", "s7"], max_vocabulary=5)
    table = SubwordTable(
        np.unique(np.array(ngram_hashes("cat", 3, 6, 1000), np.uint32)),
        np.full((len(set(ngram_hashes("cat", 3, 6, 1000))), 2), np.nan, np.float32),
        buckets=1000,
    )
    space = BilingualEmbedding.separate(embedding("s", np.eye(2), table), embedding("t", np.eye(2)))
    with pytest.raises(JointalignError, match="'cat' holds NaN"):
        translate(space, ["cat"])


def mapped_with_nan(space, side, row, path):
    """The same space from a native file, in which one vector of a side is damaged."""
    native.write(space, path)
    vector = getattr(space, side).vectors[row].tobytes()
    content = path.read_bytes()
    assert content.count(vector) == 1
    path.write_bytes(content.replace(vector, np.full(space.dimensions, np.nan, "f4").tobytes()))
    return native.read_bilingual(path)
