import builtins

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec

from jointalign.embedding import Embedding
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.formats.gensim import from_gensim, to_gensim
from jointalign.vocabulary import Vocabulary

SENTENCES = [["the", "house"], ["the", "dog", "house"], ["the", "dog", "barks"]] * 3


def test_there_and_back():
    vectors = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    went = Embedding(Vocabulary(("a", "b c", "ñ", ""), np.array([9, 5, 2**40, 0])), vectors)
    gensim = to_gensim(went)
    for row, word in enumerate(went.words):
        np.testing.assert_array_equal(gensim[word], vectors[row])
        assert gensim.get_vecattr(word, "count") == went.vocabulary.counts[row]
    came = from_gensim(gensim)
    assert came.words == went.words
    assert came.vocabulary.counts.tolist() == went.vocabulary.counts.tolist()
    np.testing.assert_array_equal(came.vectors, vectors)


def test_neither_side_can_change_the_other():
    went = Embedding(Vocabulary(("a",)), np.ones((1, 2), np.float32))
    gensim = to_gensim(went)
    came = from_gensim(gensim)
    gensim.vectors[0] = 5
    gensim.set_vecattr("a", "count", 7)
    assert went.vectors.tolist() == came.vectors.tolist() == [[1, 1]]
    assert came.vocabulary.counts.tolist() == [0]


def test_nothing():
    nothing = Embedding(Vocabulary(()), np.zeros((0, 3), np.float32))
    came = from_gensim(to_gensim(nothing))
    assert came.words == ()
    assert came.dimensions == 3


def test_word2vec_model():
    model = Word2Vec(SENTENCES, vector_size=3, min_count=1, epochs=1, workers=1)
    embedding = from_gensim(model.wv)
    assert embedding.words[0] == "the"
    assert embedding.vocabulary.counts.tolist() == [9, 6, 6, 3]
    assert embedding.subwords is None
    np.testing.assert_array_equal(embedding.vector("dog"), model.wv["dog"])


def test_fasttext_model_keeps_its_ngrams():
    model = FastText(SENTENCES, vector_size=3, min_count=1, epochs=1, workers=1, min_n=2, max_n=4, bucket=50)
    embedding = from_gensim(model.wv)
    for word in ("dog", "dogs", "ñandú", "x"):  # the first is in the vocabulary
        np.testing.assert_allclose(embedding.vector(word), model.wv[word], rtol=1e-5, atol=1e-7)


def test_fasttext_model_without_ngrams():
    model = FastText(SENTENCES, vector_size=3, min_count=1, epochs=1, workers=1, max_n=0)
    assert from_gensim(model.wv).subwords is None


def test_vectors_without_counts_and_of_another_type():
    gensim = KeyedVectors(2, dtype=np.float64)
    gensim.add_vectors(["a", "b"], np.eye(2))
    embedding = from_gensim(gensim)
    assert embedding.vectors.dtype == np.float32
    assert embedding.vocabulary.counts.tolist() == [0, 0]


def test_keys_that_are_no_words():
    gensim = KeyedVectors(2)
    gensim.add_vectors([3, 4], np.eye(2, dtype=np.float32))
    with pytest.raises(JointalignError, match="expected words as the keys"):
        from_gensim(gensim)


def test_without_gensim(monkeypatch):
    real_import = builtins.__import__

    def without_gensim(name, *rest, **named):
        if name.startswith("gensim"):
            raise ImportError(name)
        return real_import(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_gensim)
    with pytest.raises(MissingExtraError, match=r"pip install 'jointalign\[gensim\]'"):
        to_gensim(Embedding(Vocabulary(("a",)), np.ones((1, 2), np.float32)))
