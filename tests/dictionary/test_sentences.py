import numpy as np
import pytest

import jointalign as ja
from jointalign.cli.app import run
from jointalign.dictionary.base import read_tsv
from jointalign.dictionary.sentences import sentence_vectors
from jointalign.errors import JointalignError
from jointalign.formats.static import Weighting

WORDS = 60


def spelt(prefix, numbers):
    return [f"{prefix}{number}" for number in numbers]


@pytest.fixture(scope="module")
def space():
    """Word `a7` means `b7`: the same vector, but for some noise; the first words are frequent."""
    random = np.random.default_rng(0)
    meanings = random.normal(size=(WORDS, 30))
    counts = np.sort(random.zipf(1.3, WORDS).clip(1, 5000))[::-1]
    sides = [
        ja.Embedding(
            ja.Vocabulary(tuple(spelt(prefix, range(WORDS))), counts),
            (meanings + 0.3 * random.normal(size=meanings.shape)).astype(np.float32) * 2,
        )
        for prefix in "ab"
    ]
    return ja.BilingualEmbedding.separate(*sides)


@pytest.fixture(scope="module")
def texts():
    """Sentences that translate each other, in another order, and some that have no translation."""
    random = np.random.default_rng(1)
    drawn = [sorted(random.choice(WORDS, 6, replace=False)) for _ in range(80)]
    source = [" ".join(spelt("a", words)) for words in drawn[:60]]
    order = random.permutation(np.arange(20, 80))
    return source, [" ".join(spelt("b", drawn[number])) for number in order]


def right(pair):
    return pair.source.replace("a", "b") == pair.target


def test_planted_translations_are_found_and_come_first(space, texts):
    pairs = ja.mine(space, *texts)
    assert sum(map(right, pairs)) >= 38  # of 40
    assert all(map(right, pairs[:30]))
    scores = [pair.score for pair in pairs]
    assert scores == sorted(scores, reverse=True)
    best = ja.mine(space, *texts, threshold=scores[9])
    assert [pair.source for pair in best] == [pair.source for pair in pairs[:10]]


@pytest.mark.parametrize("weighting", list(Weighting))
def test_a_sentence_is_the_weighted_mean_of_its_words(space, weighting):
    side = space.source
    sentences = [["a3", "nothing", "a3", "a50"], [], ["nothing"], ["a1"]]
    vectors, known = sentence_vectors(side, sentences, weighting)
    assert known.tolist() == [True, False, False, True]
    shares = side.vocabulary.counts / side.vocabulary.counts.sum()
    weight = {
        Weighting.SIF: lambda p: 1e-3 / (1e-3 + p),
        Weighting.IDF: lambda p: -np.log(p),
        Weighting.NONE: lambda p: 1,
    }[weighting]
    total = sum(
        weight(shares[row]) * side.vectors[row] / np.linalg.norm(side.vectors[row]) for row in (3, 3, 50)
    )
    np.testing.assert_allclose(vectors[0], total / np.linalg.norm(total), atol=1e-6)
    assert not vectors[1:3].any()


def test_blocks_change_nothing(space, texts, monkeypatch):
    whole, _ = sentence_vectors(space.source, [line.split() for line in texts[0]])
    monkeypatch.setattr("jointalign.dictionary.sentences._SENTENCES_AT_ONCE", 7)
    parts, _ = sentence_vectors(space.source, [line.split() for line in texts[0]])
    np.testing.assert_array_equal(whole, parts)


def test_what_cannot_be_found_is_told(space, caplog):
    pairs = ja.mine(space, ["A1", "x y", "a1", "a1\t"], ["b1", "b2 b3"])
    assert [(pair.source, pair.target) for pair in pairs] == [("A1", "b1")]
    assert "1 'source' sentences have no word with a vector" in caplog.text
    with pytest.raises(JointalignError, match="none of the 1 'target' sentences"):
        ja.mine(space, ["a1"], ["x"])


def test_the_command_writes_a_table(space, texts, tmp_path, capsys):
    ja.write(space, tmp_path / "space.safetensors")
    for name, lines in zip("ab", texts, strict=True):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n\n")
    files = ["--source", str(tmp_path / "a.txt"), "--target", str(tmp_path / "b.txt")]
    out = tmp_path / "pairs.tsv"
    arguments = ["mine", "--embedding", str(tmp_path / "space.safetensors"), *files, "--out", str(out)]
    assert run(arguments) == 0
    assert "from 60 and 60 sentences" in capsys.readouterr().out
    expected = ja.mine(space, *texts)
    assert [(row.source, row.target) for row in read_tsv(out)] == [(p.source, p.target) for p in expected]
    assert run([*arguments[:-1], str(tmp_path / "a.txt")]) == 2
