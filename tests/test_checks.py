"""What users get wrong from Python: each answer says what was expected and what came."""

import numpy as np
import pytest

import jointalign as ja
from jointalign.errors import JointalignError


def embedding(words, seed):
    vectors = np.random.default_rng(seed).normal(size=(len(words), 4)).astype(np.float32)
    return ja.Embedding(ja.Vocabulary(tuple(words)), vectors)


@pytest.fixture(scope="module")
def space():
    return ja.BilingualEmbedding.separate(embedding("abc", 0), embedding("xyz", 1))


LEXICON = ja.Lexicon({"a": "x", "b": "y", "c": "z"})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda s: ja.translate(s, "word"), r"words must be a list of strings, got the string 'word'; write"),
        (lambda s: ja.align(s, "procrustes", [("a", "x")]), "lexicon must be a Lexicon or None, got list"),
        (lambda s: ja.align(s, ja.Procrustes, LEXICON), r"got the class itself; write Procrustes\(\.\.\.\)"),
        (lambda s: ja.align(s, "procrustez", LEXICON), "there is no method 'procrustez'; choose from"),
        (lambda s: ja.bli.evaluate(s, LEXICON, "csls"), "conditions must be a Conditions, got the string"),
        (lambda s: ja.bli.Conditions("bad"), "there is no retrieval 'bad'; there are nn, csls, isf"),
        (lambda s: ja.bli.Conditions("nn", "bad"), "oov must be one of muse, paper, released, strict, got"),
        (lambda s: ja.Vocabulary("abc"), "words must be a list of strings, got the string 'abc'"),
        (lambda s: ja.SkipGram(dimensions="300"), "dimensions must be a whole number, got the string '300'"),
        (lambda s: ja.SkipGram().fit("text.txt"), r"lines of text .* a file is Corpus\('text.txt'\)"),
        (lambda s: ja.reallocate(s, None, None), "joint must be an Embedding, got BilingualEmbedding"),
        (lambda s: ja.read(5), "path must be a string or a path, got 5"),
        (lambda s: ja.Lexicon([("a", "x", 1)]), "number 1 is"),
        (lambda s: ja.Lexicon("abc"), "a dict or a DataFrame"),
        (lambda s: ja.Embedding(ja.Vocabulary(("a",)), [["x"]]), "vectors must be an array of numbers"),
        (lambda s: s.source["nowhere"], "there is no vector for 'nowhere'"),
    ],
)
def test_a_wrong_argument_is_named(space, wrong, said):
    with pytest.raises(JointalignError, match=said):
        wrong(space)


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int64])
def test_numbers_of_other_kinds_become_float32(kind):
    made = ja.Embedding(ja.Vocabulary(("a",)), np.ones((1, 2), kind))
    assert made.vectors.dtype == np.float32


def test_a_lexicon_comes_from_what_people_have():
    pairs = (("a", "x"), ("a", "y"), ("b", "z"))
    assert ja.Lexicon({"a": ["x", "y"], "b": "z"}).pairs == pairs
    assert ja.Lexicon([list(pair) for pair in pairs]).pairs == pairs
    assert ja.Lexicon(iter(pairs)).pairs == pairs


def test_names_stand_for_members_of_enums(space):
    assert ja.bli.Conditions("nn", "paper", "removed") == ja.bli.Conditions(
        ja.Retrieval.NEAREST, ja.bli.OutOfVocabulary.PAPER, ja.bli.Identical.REMOVED
    )


def test_what_is_printed_is_short(space):
    for value in (space, space.source, space.source.vocabulary, LEXICON):
        assert len(repr(value)) < 100
    assert repr(space) == "BilingualEmbedding(source-target: 3 + 3 words, 0 shared, 4 dimensions)"


def test_an_embedding_is_like_a_dictionary_of_its_words(space):
    side = space.source
    assert list(side) == ["a", "b", "c"] and "a" in side
    assert side["a"] is not None and np.array_equal(side["a"], side.vectors[0])
    rows = side.vectors / np.linalg.norm(side.vectors, axis=1)[:, None]
    assert side.similarity("a", "b") == pytest.approx(float(rows[0] @ rows[1]), abs=1e-6)
    found = side.most_similar("a", 5)
    assert {word for word, _ in found} == {"b", "c"}
    assert found[0][1] == pytest.approx(max(rows[1:] @ rows[0]), abs=1e-6)
