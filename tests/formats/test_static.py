import json
import os
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from jointalign.corpora.corpus import Corpus
from jointalign.corpora.tokenization import PortableRules, tokenizer
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats import static
from jointalign.vocabulary import Vocabulary

pytest.importorskip("tokenizers", reason="writes what static models are opened with")

ENGLISH = {"the": 400, "cat": 50, "sat": 30, "die": 20, "o'clock": 3, "'s": 90, "new york": 5, "3,000": 1}
GERMAN = {"die": 500, "katze": 40, "saß": 35, "uhr": 9, "größer": 2}


def side(counts, seed):
    random = np.random.default_rng(seed)
    vocabulary = Vocabulary(tuple(counts), np.array(list(counts.values())))
    return Embedding(vocabulary, random.normal(size=(len(counts), 6)).astype(np.float32))


@pytest.fixture
def space():
    return BilingualEmbedding.separate(side(ENGLISH, 0), side(GERMAN, 1), "en", "de")


def mean(vectors):
    total = np.sum(vectors, axis=0)
    return total / np.linalg.norm(total)


def unit(vector):
    return vector / np.linalg.norm(vector)


def expected(side, counts, words, weighting):
    """The mean of the words of a text, from the definition."""
    shares = {word: counts[word] / sum(counts.values()) for word in words}
    weights = {"none": lambda p: 1, "idf": lambda p: -np.log(p), "sif": lambda p: 1e-3 / (1e-3 + p)}
    return mean([weights[weighting](shares[word]) * unit(side.vector(word)) for word in words])


@pytest.mark.parametrize("weighting", list(static.Weighting))
def test_both_packages_give_the_mean_of_the_words(space, tmp_path, weighting):
    sentence_transformers = pytest.importorskip("sentence_transformers", reason="opens what we write")
    model2vec = pytest.importorskip("model2vec", reason="opens what we write")
    facts = static.write_static(space, tmp_path, weighting)
    assert facts == static.StaticFacts(words=11, merged=1, unreachable=1, dimensions=6)
    texts = ["The CAT's 3,000, o’clock unheard of!", "Katze saß\u00a0größer (Uhr)"]
    wanted = [
        expected(space.source, ENGLISH, ["the", "cat", "'s", "3,000", "o'clock"], weighting),
        expected(space.target, GERMAN, ["katze", "saß", "größer", "uhr"], weighting),
    ]
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path), device="cpu")
    np.testing.assert_allclose(theirs.encode(texts), wanted, atol=1e-6)
    also = model2vec.StaticModel.from_pretrained(tmp_path)
    np.testing.assert_allclose(also.encode(texts), wanted, atol=1e-6)
    assert not also.encode(["unheard"]).any()
    assert not np.asarray(theirs.encode(["unheard"])).any()


def test_a_spelling_of_two_languages_has_the_mean_by_its_shares(space, tmp_path):
    model2vec = pytest.importorskip("model2vec", reason="opens what we write")
    static.write_static(space, tmp_path, static.Weighting.NONE)
    english, german = 20 / sum(ENGLISH.values()), 500 / sum(GERMAN.values())
    wanted = english * unit(space.source.vector("die")) + german * unit(space.target.vector("die"))
    found = model2vec.StaticModel.from_pretrained(tmp_path).encode(["die"], normalize=False)[0]
    np.testing.assert_allclose(found, wanted / (english + german), atol=1e-6)


def test_a_shared_word_keeps_its_vector(tmp_path):
    model2vec = pytest.importorskip("model2vec", reason="opens what we write")
    shared, counts = side({"radio": 5}, 3), np.array([5])
    space = BilingualEmbedding(side({"cat": 9}, 0), side({"katze": 7}, 1), shared, counts, counts, "x", "x")
    facts = static.write_static(space, tmp_path, static.Weighting.NONE)
    assert (facts.words, facts.merged) == (3, 0)
    found = model2vec.StaticModel.from_pretrained(tmp_path).encode(["radio"])[0]
    np.testing.assert_allclose(found, unit(shared.vector("radio")), atol=1e-6)


def test_without_counts_words_are_as_frequent_as_their_rank_says(tmp_path):
    model2vec = pytest.importorskip("model2vec", reason="opens what we write")
    words = Embedding(Vocabulary(("a", "b", "c")), np.eye(3, dtype=np.float32))
    static.write_static(words, tmp_path)
    found = model2vec.StaticModel.from_pretrained(tmp_path).encode(["a b c"], normalize=False)[0]
    zipf = np.array([1, 1 / 2, 1 / 3]) / (1 + 1 / 2 + 1 / 3)
    np.testing.assert_allclose(found, 1e-3 / (1e-3 + zipf) / 3, atol=1e-6)


def test_capitals_stay_where_vectors_have_them(tmp_path):
    model2vec = pytest.importorskip("model2vec", reason="opens what we write")
    static.write_static(
        Embedding(Vocabulary(("Die", "die")), np.eye(2, dtype=np.float32)), tmp_path, static.Weighting.NONE
    )
    model = model2vec.StaticModel.from_pretrained(tmp_path)
    np.testing.assert_allclose(model.encode(["Die", "die", "DIE"]), [[1, 0], [0, 1], [0, 0]])


def test_the_same_space_gives_the_same_bytes(space, tmp_path):
    for folder in ("a", "b"):
        static.write_static(space, tmp_path / folder)
    for name in static.FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(static.FILES)


def test_no_word_that_can_be_found(tmp_path):
    phrases = Embedding(Vocabulary(("new york", "san juan")), np.eye(2, dtype=np.float32))
    with pytest.raises(JointalignError, match="a tokeniser can find"):
        static.write_static(phrases, tmp_path / "a")
    assert not (tmp_path / "a").exists()


TEXTS = {
    "en": "It's 3,000 miles, isn’t it? u.s. 1914-1918 well-known www.x.org/a me@x.org ...",
    "fr": "L’homme d'aujourd’hui dit-il : rendez-vous jusqu'ici; y a-t-il?",
    "it": "dell'acqua un po' l'amico",
    "tr": "İstanbul’un IRMAK",
    "ru": "За\u0301мок не-мой",
    "ja": "日本語 テスト",
    "ro": "într-un s-a",
    "fi": "EU:n",
}


@pytest.mark.parametrize("language", TEXTS)
def test_text_is_cut_and_spelt_as_here(language):
    made = static._tokenizer([language], lowercase=True)
    assert pieces(made, TEXTS[language]) == tokenizer(language)(TEXTS[language])


def pieces(made, text):
    spelt = made.normalizer.normalize_str(text)
    return [piece for piece, _ in made.pre_tokenizer.pre_tokenize_str(spelt)]


def test_rules_of_no_language_are_the_general_ones():
    assert PortableRules.of([]).words == PortableRules.of(["es"]).words


@pytest.mark.data
@pytest.mark.parametrize("other", ["es", "de"])
def test_real_text_of_two_languages_is_cut_as_by_the_rules_of_each(other):
    data = Path(os.environ["JOINTALIGN_DATA"]) / "mono"
    made = static._tokenizer(["en", other], lowercase=True)
    for language in ("en", other):
        cut = tokenizer(language)
        lines = [
            " ".join(line)
            for line in islice(
                Corpus(data / f"novels.{language}.txt.bz2", language, tokenized=True).lines(), 2000
            )
        ]
        assert len(lines) == 2000
        same = sum(pieces(made, line) == cut(line) for line in lines)
        assert same >= 1995


def test_the_folder_says_what_opens_it(space, tmp_path):
    static.write_static(space, tmp_path)
    modules = json.loads((tmp_path / "modules.json").read_text())
    assert [module["type"].rsplit(".")[-1] for module in modules] == ["StaticEmbedding", "Normalize"]
    assert json.loads((tmp_path / "config.json").read_text())["hidden_dim"] == 6
