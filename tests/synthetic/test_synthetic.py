"""What was planted must be found in the text, counted here without the generator's help."""

from collections import Counter
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.storage.files import read_lines
from jointalign.synthetic import DEMO, TINY, PairSettings, make_languages, write


@pytest.fixture(scope="module")
def pair():
    return make_languages(DEMO, seed=0)


@pytest.fixture(scope="module")
def counts(pair):
    return tuple(Counter(chain.from_iterable(lines)) for lines in (pair.source_lines, pair.target_lines))


@pytest.fixture(scope="module")
def tiny():
    return make_languages(TINY, seed=0)


def words_of(lexicon):
    return {source for source, _ in lexicon.pairs}, {target for _, target in lexicon.pairs}


def share(word, counts):
    """Share of the source in the relative frequencies of a word."""
    one, two = (side[word] / side.total() for side in counts)
    return one / (one + two)


def test_the_seed_decides_everything(tiny):
    assert make_languages(TINY, seed=0) == tiny
    other = make_languages(TINY, seed=1)
    assert other.lexicon != tiny.lexicon
    assert other.source_lines != tiny.source_lines


def test_both_texts_have_the_size_asked_for(pair, counts):
    for lines, side in zip((pair.source_lines, pair.target_lines), counts, strict=True):
        assert len(lines) == DEMO.lines
        assert min(map(len, lines)) >= 1
        assert 250_000 < side.total() < 350_000


def test_frequencies_follow_zipf(counts):
    for side in counts:
        frequencies = np.array(sorted(side.values(), reverse=True)[10:1000])
        slope, _ = np.polyfit(np.log(np.arange(10, 1000)), np.log(frequencies), 1)
        assert -1.3 < slope < -0.7


def test_names_are_true_cognates(pair, counts):
    assert len(set(pair.cognates)) == round(DEMO.names * DEMO.concepts)
    meanings = pair.lexicon.grouped()
    ambiguous = set(pair.false_friends)
    assert all(meanings[word] == (word,) for word in pair.cognates if word not in ambiguous)
    frequent = [word for word in pair.cognates if counts[0][word] > 100]
    assert len(frequent) > 100
    assert all(0.1 < share(word, counts) < 0.9 for word in frequent)


def test_false_friends_are_two_words_of_unequal_frequency(pair, counts):
    pairs = set(pair.lexicon.pairs)
    sources, targets = words_of(pair.lexicon)
    assert len(set(pair.false_friends)) == DEMO.false_friends
    for word in pair.false_friends:
        assert word in sources
        assert word in targets
        assert (word, word) not in pairs
    shares = np.array([share(word, counts) for word in pair.false_friends])
    assert np.median(np.abs(shares - 0.5)) > 0.3
    assert (shares > 0.5).any()
    assert (shares < 0.5).any()


def common_prefix(one, other):
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)


@pytest.mark.parametrize("near_cognates", [0.0, 0.35])
def test_near_cognates_share_their_stem(near_cognates):
    pair = make_languages(replace(TINY, near_cognates=near_cognates, false_friends=0), seed=0)
    different = [(a, b) for a, b in pair.lexicon.pairs if a != b]
    alike = sum(common_prefix(a, b) >= min(len(a), len(b)) / 2 for a, b in different)
    # Plurals have the stem of their noun, so there are some more than asked for.
    expected = near_cognates * TINY.concepts
    assert 0.7 * expected <= alike <= 1.5 * expected + 0.06 * len(different)


def test_each_text_quotes_the_other_language(pair):
    source_words, target_words = words_of(pair.lexicon)
    for lines, foreign in (
        (pair.source_lines, target_words - source_words),
        (pair.target_lines, source_words - target_words),
    ):
        quoting = [[word in foreign for word in line] for line in lines]
        quoting = [marks for marks in quoting if any(marks)]
        assert 0.8 * DEMO.quotations < len(quoting) / len(lines) <= 1.2 * DEMO.quotations
        # Quotations are runs of words, 8 on average, a third of them names or the like.
        assert 3 < np.mean([sum(marks) for marks in quoting]) < 8


def test_frequent_words_leak_but_stay_rare(pair, counts):
    source_words, target_words = words_of(pair.lexicon)
    frequent = [word for word, _ in counts[0].most_common(200)]
    own = [word for word in frequent if word in source_words - target_words]
    assert len(own) > 100
    assert np.mean([counts[1][word] > 0 for word in own]) > 0.9
    assert np.mean([share(word, counts) >= 0.9 for word in own]) > 0.95


def test_dictionaries_are_disjoint_parts_of_the_lexicon(pair, counts):
    assert len(pair.train.sources) == DEMO.train_words
    assert len(pair.test.sources) == DEMO.test_words
    assert not set(pair.train.sources) & set(pair.test.sources)
    meanings = pair.lexicon.grouped()
    for dictionary in (pair.train, pair.test):
        assert all(meanings[word] == known for word, known in dictionary.grouped().items())
        frequencies = [counts[0][word] for word in dictionary.sources]
        assert frequencies == sorted(frequencies, reverse=True)
    chosen = {*pair.train.sources, *pair.test.sources}
    rarest = min(counts[0][word] for word in chosen)
    assert all(counts[0][word] <= rarest for word in pair.lexicon.sources if word not in chosen)


def test_the_test_dictionary_holds_every_sort_of_word(pair, counts):
    cognates = set(pair.cognates)
    tested = pair.test.sources
    leaked = [w for w in tested if w not in cognates and counts[1][w] and share(w, counts) > 0.9]
    ordinary = [w for w in tested if not counts[1][w]]
    assert sum(word in cognates for word in tested) > 50
    assert len(leaked) > 150
    assert len(ordinary) > 20
    assert any(len(known) > 1 for known in pair.test.grouped().values())


def profiles(lines, words):
    """How often words share a line, as correlations of rows, `(n, n)`."""
    rows = {word: row for row, word in enumerate(words)}
    together = np.zeros((len(words), len(words)))
    for line in lines:
        found = [rows[word] for word in set(line) if word in rows]
        together[np.ix_(found, found)] += 1
    np.fill_diagonal(together, 0)
    expected = np.outer(together.sum(1), together.sum(1)) / together.sum()
    return np.log((together + 1) / (expected + 1))


def test_translations_keep_company_with_translations(pair):
    ambiguous = set(pair.false_friends)
    meanings = pair.lexicon.grouped()
    by_target = {bs[0]: a for a, bs in meanings.items() if not ambiguous & {a, *bs}}
    pairs = [(a, b) for b, a in by_target.items()][:200]
    source = profiles(pair.source_lines, [a for a, _ in pairs])
    target = profiles(pair.target_lines, [b for _, b in pairs])
    similar = np.corrcoef(source, target)[: len(pairs), len(pairs) :]
    assert np.diag(similar).mean() > 0.5
    assert (similar.argmax(axis=1) == np.arange(len(pairs))).mean() > 0.9


def test_files_hold_what_was_made(tiny, tmp_path):
    files = write(tiny, tmp_path / "new" / "folder")
    for path, lines in ((files.source, tiny.source_lines), (files.target, tiny.target_lines)):
        assert [tuple(text.split()) for _, text in read_lines(path)] == list(lines)
    for path, lexicon in ((files.train, tiny.train), (files.test, tiny.test), (files.lexicon, tiny.lexicon)):
        assert Lexicon.read(path).pairs == lexicon.pairs


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"names": 1.5}, r"names must lie in \[0, 1\], got 1.5"),
        ({"names": 0.6, "near_cognates": 0.4}, "a fifth"),
        ({"false_friends": 1000}, "false friends"),
        ({"lines": 0}, "lines must be at least 1"),
    ],
)
def test_impossible_settings(changed, reason):
    with pytest.raises(JointalignError, match=reason):
        PairSettings(**changed)


def test_too_few_words_for_the_dictionaries():
    with pytest.raises(JointalignError, match="300 wanted|300 \\+ 300 words wanted"):
        make_languages(replace(TINY, train_words=300, test_words=300))


@pytest.mark.parametrize("concepts", [1, 40, 60, 119])
def test_small_worlds(concepts):
    settings = replace(
        TINY,
        concepts=concepts,
        names=0.45,
        near_cognates=0.35,
        false_friends=concepts // 60,
        lines=20,
        train_words=1,
        test_words=1,
    )
    for seed in range(5):
        assert len(make_languages(settings, seed).source_lines) == 20
