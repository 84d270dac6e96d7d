"""What users of Python expect of the objects: arrays, tables, one save and one load, text in memory."""

import copy
import warnings

import numpy as np
import pytest

import jointalign as ja
from jointalign.corpora.encoding import EncodedCorpus
from jointalign.errors import JointalignError

LINES = [["the", "cat", "sees"], ["the", "dog", "sees", "the", "sun"]] * 6


@pytest.fixture
def english():
    return ja.Embedding(ja.Vocabulary(("cat", "dog"), np.array([5, 3])), np.eye(2, dtype=np.float32))


@pytest.fixture
def space(english):
    spanish = ja.Embedding(ja.Vocabulary(("perro", "gato")), np.eye(2, dtype=np.float32)[::-1].copy())
    return ja.BilingualEmbedding.separate(english, spanish, "en", "es")


def test_what_comes_out_may_be_written_to(english, tmp_path):
    ja.write(english, tmp_path / "en.safetensors")
    for embedding in (english, ja.read(tmp_path / "en.safetensors")):  # in memory, and mapped
        array = embedding.to_numpy()
        array[0, 0] = 7
        assert embedding["cat"].tolist() == [1, 0]
        pytest.importorskip("torch")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tensor = embedding.to_torch()
        tensor[0, 0] = 7
        assert embedding["cat"].tolist() == [1, 0] and tensor.shape == (2, 2)


def test_tables(english):
    pytest.importorskip("pandas")
    frame = english.to_frame()
    assert frame.loc["dog"].tolist() == [0, 1] and list(frame.index) == ["cat", "dog"]
    lexicon = ja.Lexicon({"cat": ["gato", "minino"]})
    assert ja.Lexicon(lexicon.to_frame()).pairs == lexicon.pairs
    assert lexicon.to_frame().columns.tolist() == ["source", "target"]


def test_a_space_translates(space):
    assert [word for word, _ in space.translate("CAT", 2)] == ["gato", "perro"]
    (asked,) = ja.translate(space, ["cat"], count=1)
    assert space.translate("cat", 1) == [(asked.translations[0].target, asked.translations[0].score)]
    with pytest.raises(JointalignError, match="no vector for 'cow'"):
        space.translate("cow")
    with pytest.raises(JointalignError, match="word must be a string"):
        space.translate(["cat"])


def test_save_and_load_go_by_type(english, space, tmp_path):
    several = ja.MultilingualEmbedding(
        ("en", "es"),
        tuple(
            ja.multilingual.Part((code,), part, part.vocabulary.counts[:, None])
            for code, part in (("en", space.source_only), ("es", space.target_only))
        ),
    )
    lexicon = ja.Lexicon((("House", "Casa"), ("#", "#"), ("ice cream", "helado"), ("house", "casa")))
    mapping = ja.Mapping(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)[::-1])
    for value, name in (
        (english, "a.safetensors"),
        (english, "a.vec"),
        (english, "a.bin"),
        (space, "b.safetensors"),
    ):
        ja.save(value, tmp_path / name)
        assert type(ja.load(tmp_path / name)) is type(value)
    for value, name in ((several, "c.safetensors"), (mapping, "d.safetensors"), (lexicon, "e.tsv.gz")):
        ja.save(value, tmp_path / name)
        assert type(ja.load(tmp_path / name)) is type(value)
    assert ja.load(tmp_path / "e.tsv.gz").pairs == lexicon.pairs
    np.testing.assert_array_equal(ja.load(tmp_path / "d.safetensors").target, mapping.target)
    ja.encode(LINES, tmp_path / "encoded")
    assert isinstance(ja.load(tmp_path / "encoded"), EncodedCorpus)
    (tmp_path / "run").mkdir()
    ja.save(space, tmp_path / "run" / "aligned.safetensors")
    assert ja.load(tmp_path / "run").target.words == ("perro", "gato")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda s, f: ja.save(s, f / "a.vec"), "hold two languages or more"),
        (lambda s, f: ja.save(ja.Lexicon(()), f / "a.txt"), "a lexicon is saved as .tsv"),
        (lambda s, f: ja.save(ja.Mapping(np.eye(2), np.eye(2)), f / "a.npz"), "saved as .safetensors"),
        (lambda s, f: ja.save([1], f / "a.vec"), "value must be an Embedding or"),
        (lambda s, f: ja.load(f), "expected the folder of a run"),
        (lambda s, f: ja.load(f / "none.safetensors"), "none.safetensors"),
        (lambda s, f: ja.load(f / "none.tsv"), "none.tsv"),
        (lambda s, f: ja.SkipGram().fit([[1, 2]]), "line 1: expected a string or a list of words"),
        (lambda s, f: ja.SkipGram().fit(["a", None]), "line 2: expected a string"),
        (lambda s, f: ja.SkipGram().fit({"a": "b"}), "corpora must be a Corpus, or lines of text"),
        (lambda s, f: ja.encode("en.txt", f / "x"), r"a file is Corpus\('en.txt'\)"),
        (lambda s, f: ja.Corpus.of("en.txt"), r"a file is Corpus\('en.txt'\)"),
        (lambda s, f: ja.to_sklearn("best"), "there is no method 'best'"),
    ],
)
def test_mistakes_are_named(space, tmp_path, wrong, message):
    with pytest.raises(JointalignError, match=message):
        wrong(space, tmp_path)


def test_text_in_memory_is_that_of_a_file(tmp_path):
    (tmp_path / "en.txt").write_text("".join(" ".join(line) + "\n" for line in LINES))
    small = ja.SkipGram(dimensions=3, epochs=1)
    wanted = small.fit(ja.Corpus(tmp_path / "en.txt"), threads=1)
    strings = [" ".join(line) for line in LINES]
    for given in (
        LINES,
        strings,
        tuple(strings),
        (line for line in LINES),
        np.array(strings),
        map(list, LINES),
    ):
        found = small.fit(given, threads=1)
        assert found.words == wanted.words
        np.testing.assert_array_equal(found.vectors, wanted.vectors)
    corpus = ja.Corpus.of(LINES, "es")
    assert corpus.counts()["the"] == 18 and next(corpus.lines()) == LINES[0]
    joint = small.fit([corpus, ja.Corpus.of(["El perro, ve."] * 9, "es")], threads=1)
    assert "perro" in joint and "," in joint and "sun" in joint


def test_an_iterator_is_read_once():
    corpus = ja.Corpus.of(iter(["one two", "three"]))
    assert [*corpus.lines()] == [["one", "two"], ["three"]]
    with pytest.raises(JointalignError, match="this iterator can be read only once"):
        list(corpus.lines())


def test_words_with_blanks_are_told():
    counts = ja.Corpus.of([["new york", "x"]]).counts()
    assert sorted(counts.words) == ["new", "x", "york"]


def test_a_mapping_is_a_transformer_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn", reason="whose interface it has")
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    random = np.random.default_rng(0)
    x = random.normal(size=(60, 4))
    turn, _ = np.linalg.qr(random.normal(size=(4, 4)))
    estimator = sklearn.clone(ja.to_sklearn("procrustes")).fit(x, x @ turn)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(estimator.transform(x), unit @ turn, atol=1e-5)
    np.testing.assert_allclose(estimator.transform_target(x @ turn), unit @ turn, atol=1e-5)
    piped = make_pipeline(Normalizer(), ja.to_sklearn(ja.Procrustes())).fit(x, x @ turn)
    np.testing.assert_allclose(piped.transform(x), unit @ turn, atol=1e-5)

    def score(estimator, x, y):
        return float((estimator.transform(x) * estimator.transform_target(y)).sum(axis=1).mean())

    grid = {"method": [ja.Procrustes(), ja.RCSLS(steps=1, neighbourhood=3)]}
    search = GridSearchCV(ja.to_sklearn(), grid, scoring=score, cv=2).fit(x, x @ turn)
    assert search.best_score_ == pytest.approx(1, abs=1e-4)
    assert search.best_estimator_.get_params()["seed"] == 0
    with pytest.raises(JointalignError, match="a row of y for each of X"):
        ja.to_sklearn().fit(x, x[:5])


def test_a_space_that_has_translated_can_be_copied(space):
    space.translate("cat")
    assert copy.deepcopy(space).translate("dog", 1)[0][0] == "perro"


def test_names_are_members_everywhere(tmp_path):
    from jointalign import contextual, word_alignment
    from jointalign.ner import conll
    from jointalign.translation.job import JobSettings

    assert ja.Ranker(learner="auto").learner is type(ja.Ranker().learner)("auto")
    assert contextual.FeatureSettings(pooling="mean", combine="each").combine is contextual.Combine.EACH
    assert contextual.MappingSettings(side="source").side is contextual.FeatureSide.SOURCE
    assert JobSettings(start="joint").start.name == "JOINT"
    text = word_alignment.ParallelText.of([(["a"], ["b"])] * 3)
    for wrong in (
        lambda: ja.Ranker(learner="best"),
        lambda: contextual.FeatureSettings(pooling="max"),
        lambda: contextual.MappingSettings(solution="best"),
        lambda: JobSettings(start="best"),
        lambda: word_alignment.align_text(text, symmetrization="best"),
        lambda: conll.write([], tmp_path / "x", scheme="best"),
    ):
        with pytest.raises(JointalignError, match="must be one of .* got the string"):
            wrong()
