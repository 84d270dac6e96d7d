"""Words that no text showed: composed from n-grams, they must find their translations."""

import os
from pathlib import Path

import numpy as np
import pytest

from jointalign.alignment.api import align
from jointalign.corpora.corpus import Corpus
from jointalign.dictionary.api import Translations
from jointalign.lexicon import Lexicon
from jointalign.reallocation import reallocate
from jointalign.training.skipgram import SkipGram

STEMS, ENDINGS = 40, 6


def spelling(rng, letters, number, length):
    """Distinct strings of some letters."""
    found: dict[str, None] = {}
    while len(found) < number:
        found["".join(rng.choice(list(letters), length))] = None
    return list(found)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Two languages without a letter in common, whose words are a stem and an ending.

    Stems lie on a ring and endings on another; the words of a sentence are near each other on both,
    so that a word means what its two halves mean. One word of each stem is left out of the first
    language's text.
    """
    folder, rng = tmp_path_factory.mktemp("unseen"), np.random.default_rng(3)
    left_out = {(stem, int(rng.integers(ENDINGS))) for stem in range(STEMS)}
    spelt, corpora = [], []
    for name, letters in (("aa", "abcdefghik"), ("bb", "lmnopqrstu")):
        stems, endings = (spelling(rng, letters, n, 5) for n in (STEMS, ENDINGS))
        words = {(s, e): stems[s] + endings[e] for s in range(STEMS) for e in range(ENDINGS)}
        lines = []
        for stem, ending in zip(*rng.integers((STEMS, ENDINGS), size=(6000, 2)).T, strict=True):
            near = (stem + np.rint(rng.normal(0, 1.0, 8))).astype(int) % STEMS
            alike = (ending + np.rint(rng.normal(0, 0.5, 8))).astype(int) % ENDINGS
            keys = zip(near.tolist(), alike.tolist(), strict=True)
            hidden = left_out if name == "aa" else set()
            lines.append(" ".join(words[key] for key in keys if key not in hidden))
        path = folder / f"{name}.txt"
        path.write_text("\n".join(line for line in lines if line) + "\n")
        spelt.append(words)
        corpora.append(Corpus(path, name, tokenized=True))
    pairs = {key: (spelt[0][key], spelt[1][key]) for key in spelt[0]}
    training = Lexicon(tuple(pairs[key] for key in pairs if key not in left_out)[::2])
    test = Lexicon(tuple(pairs[key] for key in sorted(left_out)))
    trainer = SkipGram(dimensions=24, window=5, epochs=5, subsampling=0.0)
    joint = trainer.fit(corpora, threads=1)
    counts = [corpus.counts() for corpus in corpora]
    return reallocate(joint, *counts, 0.9, "aa", "bb"), training, test


def found(space, test, count):
    """Share of words with a right translation among the first, in per cent, and all answers."""
    answers = Translations(space).of(test.sources, count=count)
    gold = test.grouped()
    hits = [bool({t.target for t in answer.translations} & set(gold[answer.word])) for answer in answers]
    return 100 * float(np.mean(hits)), answers


def test_aligned_unseen_words_find_their_translations(planted):
    split, training, test = planted
    assert not any(word in split.source for word in test.sources)
    aligned = align(split, "procrustes", training)
    share, answers = found(aligned, test, 1)
    chance = 100 / len(aligned.target)
    assert all(answer.from_subwords for answer in answers)
    assert share > 50 > 50 * chance
    # It is the map that brings them there.
    assert found(split, test, 1)[0] < 20


def test_an_unseen_word_moves_as_the_words_of_its_language_do(planted):
    split, training, test = planted
    aligned = align(split, "rcsls", training)
    word = test.sources[0]
    before, after = split.source.vector(word), aligned.source.vector(word)
    x = split.source_only.vectors / np.linalg.norm(split.source_only.vectors, axis=1)[:, None]
    matrix, *_ = np.linalg.lstsq(x, aligned.source_only.vectors, rcond=None)
    expected = before @ matrix
    cosine = expected @ after / np.linalg.norm(expected) / np.linalg.norm(after)
    assert cosine > 0.99
    # The target stays: its unseen words are what they were.
    np.testing.assert_allclose(aligned.target.vector(word), split.target.vector(word), rtol=1e-4, atol=1e-6)


def shortened(data, code, hidden, folder):
    """The first million tokens of the novels without some words, and how many tokens those were."""
    kept, read, dropped = [], 0, 0
    for tokens in Corpus(data / f"mono/novels.{code}.txt.bz2", code).lines():
        left = [word for word in tokens if word not in hidden]
        kept.append(" ".join(left))
        read, dropped = read + len(tokens), dropped + len(tokens) - len(left)
        if read >= 1_000_000:
            break
    path = folder / f"{code}.txt"
    path.write_text("\n".join(kept) + "\n", "utf-8")
    return Corpus(path, code, tokenized=True), dropped


@pytest.mark.data
@pytest.mark.slow
def test_words_left_out_of_real_text_find_their_translations(tmp_path):
    data = Path(os.environ["JOINTALIGN_DATA"])
    tested = Lexicon.read(data / "lexicons/en-es.5000-6500.txt").without_identical()
    training = Lexicon.read(data / "lexicons/en-es.0-5000.txt")
    english, dropped = shortened(data, "en", set(tested.sources), tmp_path)
    spanish, _ = shortened(data, "es", set(), tmp_path)
    assert dropped > 10_000
    joint = SkipGram(dimensions=100).fit([english, spanish], threads=1)
    split = reallocate(joint, english.counts(), spanish.counts(), 0.9, "en", "es")
    aligned = align(split, "rcsls", training)
    # A cognate of the other language may be spelt like a word left out of this one.
    known = [
        (source, target)
        for source, target in tested
        if target in aligned.target and source not in aligned.source
    ]
    test = Lexicon(tuple(known))
    assert len(test.sources) > 300
    share, answers = found(aligned, test, 10)
    assert all(answer.from_subwords for answer in answers)
    # The same answers against translations of other words: what frequent words alone would get.
    sources, gold = test.sources, list(test.grouped().values())
    moved = zip(sources, gold[7:] + gold[:7], strict=True)
    by_chance, _ = found(aligned, Lexicon(tuple((s, t) for s, ts in moved for t in ts)), 10)
    assert share > 10
    assert share > 5 * by_chance
