"""Whatever is handed to a public function by mistake ends in our error, which says what was expected."""

import inspect

import numpy as np
import pytest

import jointalign as ja
from jointalign.bli import Conditions, OutOfVocabulary
from jointalign.errors import JointalignError


@pytest.fixture(scope="module")
def space():
    english = ja.Embedding(ja.Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
    spanish = ja.Embedding(ja.Vocabulary(("gato", "perro")), np.eye(2, dtype=np.float32))
    return ja.BilingualEmbedding.separate(english, spanish, "en", "es")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda s: ja.translate(s, "word"),
            r"words must be a list of strings, got the string 'word'; write \[",
        ),
        (lambda s: ja.translate([s], ["cat"]), "bilingual must be a BilingualEmbedding, got list"),
        (lambda s: ja.translate(s, ["cat", 1]), "words must be a list of strings, got list with 1 in it"),
        (lambda s: ja.translate(s, ["cat"], count=2.5), "count must be a whole number, got 2.5"),
        (lambda s: ja.translate(s, ["cat"], score="bad"), "no retrieval 'bad'; there are nn, csls, isf"),
        (lambda s: ja.induce(s.source), "must be a BilingualEmbedding, got Embedding"),
        (lambda s: ja.align(s, ja.Procrustes, None), r"got the class itself; write Procrustes\(...\)"),
        (
            lambda s: ja.align(s, "procrustes", [("cat", "gato")]),
            "lexicon must be a Lexicon or None, got list",
        ),
        (lambda s: ja.fit(s, 3), "method must be an Aligner or a string, got 3"),
        (lambda s: ja.apply(np.eye(2), s), "mapping must be a Mapping, got ndarray"),
        (lambda s: ja.read(None), "path must be a string or a path, got None"),
        (
            lambda s: ja.read("x.vec", format="doc"),
            "expected a format of text, word2vec, fasttext, native, got 'doc'",
        ),
        (lambda s: ja.write({"cat": [1, 2]}, "x.vec"), "space must be an Embedding or"),
        (
            lambda s: ja.pairs_of("alike", s),
            "must be one of identical, numerals, none, got the string 'alike'",
        ),
        (lambda s: ja.bli.evaluate(s, {"cat": "gato"}), "lexicon must be a Lexicon, got dict"),
        (lambda s: Conditions(oov="never"), "oov must be one of muse, paper, released, strict"),
        (lambda s: ja.SkipGram(dimensions="300"), "dimensions must be a whole number, got the string '300'"),
        (lambda s: ja.SkipGram(balance="fair"), "balance must be tokens, lines or none, got 'fair'"),
        (lambda s: ja.RCSLS(learning_rate=None), "learning_rate must be a number, got None"),
        (lambda s: ja.Vocabulary("cat"), "words must be a list of strings, got the string 'cat'"),
        (lambda s: ja.Vocabulary([1, 2]), "words must be a list of strings"),
        (lambda s: ja.Embedding(["cat"], np.ones((1, 2))), "vocabulary must be a Vocabulary, got list"),
        (lambda s: ja.Embedding(ja.Vocabulary(("a",)), [["x"]]), "vectors must be an array of numbers"),
        (lambda s: ja.Lexicon("en-es.txt"), "read from a file by Lexicon.read; got str"),
        (lambda s: ja.Lexicon([("cat", "gato"), ("dog",)]), r"number 2 is \('dog',\)"),
        (lambda s: ja.Lexicon({"cat": None}), r"number 1 is \('cat', None\)"),
        (lambda s: ja.reallocate(s, {}, {}), "joint must be an Embedding, got BilingualEmbedding"),
    ],
)
def test_wrong_types_are_named(space, call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JointalignError, match=message):
        call(space)
    assert not list(tmp_path.iterdir())


FUNCTIONS = [name for name in ja.__all__ if inspect.isfunction(getattr(ja, name))]
ARRAYS = {"neighbours", "from_gensim", "to_gensim"}  # of other libraries


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ARRAYS])
@pytest.mark.parametrize("wrong", [None, 3, object(), b"x", [None]], ids=lambda wrong: type(wrong).__name__)
def test_no_function_takes_anything_for_its_first_argument(name, wrong):
    function = getattr(ja, name)
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    with pytest.raises(JointalignError, match=f"{name}: {needed[0].name} must be"):
        function(**{parameter.name: wrong for parameter in needed})


def test_names_of_members_do_everywhere(space):
    assert Conditions("nn", "strict").oov is OutOfVocabulary.STRICT
    assert ja.Score("isf").retrieval is ja.Retrieval.INVERTED_SOFTMAX
    assert ja.SkipGram(balance="tokens").balance is ja.Balance.TOKENS
    assert ja.pairs_of("none", space) is None


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int32, ">f4"])
def test_other_numbers_become_float32(space, kind):
    vectors = np.eye(2).astype(kind)
    english = ja.Embedding(space.source.vocabulary, vectors)
    assert english.vectors.dtype == np.float32 and english.vectors.tolist() == [[1, 0], [0, 1]]
    (answer,) = ja.translate(ja.BilingualEmbedding.separate(english, space.target), ["dog"], count=1)
    assert answer.translations[0].target == "perro"
    given = np.eye(2, dtype=np.float32)
    assert np.shares_memory(ja.Embedding(space.source.vocabulary, given).vectors, given)
    with pytest.raises(JointalignError, match="NaN or infinity"):
        ja.Embedding(space.source.vocabulary, np.full((2, 2), 1e300))


def test_a_lexicon_is_made_of_whatever_holds_pairs():
    pairs = (("house", "casa"), ("house", "hogar"), ("bar", "bar"))
    assert ja.Lexicon({"house": ["casa", "hogar"], "bar": "bar"}).pairs == pairs
    assert ja.Lexicon([list(pair) for pair in pairs]).pairs == pairs
    assert ja.Lexicon(pair for pair in pairs).pairs == pairs
    assert ja.Lexicon(np.array(pairs)).pairs == pairs
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([(*pair, 0.5) for pair in pairs], columns=["source", "target", "score"])
    assert ja.Lexicon(frame).pairs == pairs
    frame.loc[1, "target"] = float("nan")
    with pytest.raises(JointalignError, match="number 2 is"):
        ja.Lexicon(frame)
