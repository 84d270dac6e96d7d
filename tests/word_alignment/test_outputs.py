"""Probabilities of links, sets of them, tables of words and dictionaries, against counting by hand."""

import gzip
import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from jointalign import Lexicon
from jointalign.errors import JointalignError
from jointalign.word_alignment import BayesianAligner, Computation, DiagonalAligner, ParallelText, align_text
from jointalign.word_alignment.base import Links
from jointalign.word_alignment.lexical import (
    DictionarySettings,
    WordLinks,
    added_counts,
    count_links,
    read_counts,
    write_counts,
)
from jointalign.word_alignment.marginals import Marginals


def text_of(seed, sentences=80, words=20):
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(sentences):
        source = rng.integers(words, size=rng.integers(1, 7))
        target = rng.permutation(source)[: rng.integers(1, 7)]
        pairs.append(([f"a{w}" for w in source], [f"b{w}" for w in target]))
    return ParallelText.of([*pairs, (["a1"], [])])


@pytest.fixture(scope="module")
def found():
    text = text_of(1)
    return text, align_text(text, BayesianAligner(chains=2, sweeps=3), computation=Computation(4))


def test_a_marginal_is_the_mean_of_both_directions(found):
    _, alignment = found
    expected = [Counter() for _ in alignment.links]
    for links, chances in (alignment.forward.likely, alignment.reverse.likely):
        for k in range(len(links)):
            first, last = links.starts[k : k + 2]
            for (i, j), chance in zip(links.pairs[first:last].tolist(), chances[first:last], strict=True):
                expected[k][i, j] += float(chance) / 2
    marginals = Marginals.of((alignment.forward, alignment.reverse))
    assert sum(map(len, expected)) == len(marginals.links.pairs)
    for line, known in zip(marginals.lines(), expected, strict=True):
        told = dict(item.split(":") for item in line.split())
        assert list(told) == [f"{i}-{j}" for i, j in sorted(known)]
        np.testing.assert_allclose(
            [float(x) for x in told.values()], [known[key] for key in sorted(known)], atol=6e-5
        )


def test_links_that_were_not_sampled_have_no_marginals():
    alignment = align_text(text_of(1), DiagonalAligner())
    with pytest.raises(JointalignError, match="BayesianAligner"):
        Marginals.of((alignment.forward, alignment.reverse))


def test_the_likeliest_sets_are_those_of_all_subsets():
    rng = np.random.default_rng(2)
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)]
    chances = rng.uniform(0.02, 0.98, 5).astype(np.float32)
    marginals = Marginals(Links.of([[], pairs]), chances)
    every = []
    for inside in itertools.product([False, True], repeat=5):
        odds = [c if kept else 1 - c for c, kept in zip(chances.astype(float), inside, strict=True)]
        every.append((math.log(math.prod(odds)), [p for p, kept in zip(pairs, inside, strict=True) if kept]))
    every.sort(key=lambda one: -one[0])
    best = marginals.n_best(1, 12)
    assert [list(map(tuple, links.tolist())) for links, _ in best] == [links for _, links in every[:12]]
    np.testing.assert_allclose([log for _, log in best], [log for log, _ in every[:12]], atol=1e-6)
    assert len(marginals.n_best(1, 100)) == 32
    assert next(marginals.n_best_lines(2, first=7)) == "7 |||  ||| 0.0000"


def counted(text, links):
    counts = Counter()
    for k, one in enumerate(links):
        counts.update((text.source[k][i], text.target[k][j]) for i, j in one.tolist())
    return counts


def test_tables_are_shares_of_counted_links(found, tmp_path):
    text, alignment = found
    counts = counted(text, alignment.links)
    words = WordLinks(lambda: iter(count_links(text, alignment.links)))
    words.write_table(tmp_path / "table.gz")
    words.write_table(tmp_path / "reverse", reverse=True)
    totals = [Counter(), Counter()]
    for pair, n in counts.items():
        for side, word in enumerate(pair):
            totals[side][word] += n
    # As Bicleaner reads it: the third column is the chance of the first word given the second.
    read = defaultdict(dict)
    with gzip.open(tmp_path / "table.gz", "rt") as file:
        for line in file:
            target, source, chance = line.split()
            read[source][target] = float(chance)
    assert sum(map(len, read.values())) == len(counts)
    for (source, target), n in counts.items():
        assert read[source][target] == pytest.approx(n / totals[0][source], abs=1e-7)
    for line in (tmp_path / "reverse").read_text().splitlines():
        source, target, chance = line.split()
        assert float(chance) == pytest.approx(counts[source, target] / totals[1][target], abs=1e-7)


def test_counts_of_parts_add_up_to_those_of_the_whole(tmp_path):
    texts = [text_of(seed) for seed in (1, 2, 3)]
    whole, parts = Counter(), []
    for k, text in enumerate(texts):
        links = align_text(text, DiagonalAligner()).links
        whole.update(counted(text, links))
        write_counts(count_links(text, links), tmp_path / f"{k}.gz")
        parts.append(read_counts(tmp_path / f"{k}.gz"))
    assert list(added_counts(parts)) == sorted((*pair, n) for pair, n in whole.items())


def test_a_dictionary_holds_what_is_linked_often_enough_and_is_read_as_a_lexicon(tmp_path):
    counts = [
        (",", ",", 50),
        ("bar", "bar", 1),
        ("bar", "barra", 6),
        ("bar", "casa", 2),
        ("house", "casa", 18),
    ]
    dictionary = WordLinks(lambda: iter(counts)).dictionary(DictionarySettings(2, 0.1))
    assert dictionary.lexicon.pairs == (("house", "casa"), ("bar", "barra"))
    assert dictionary.probabilities.tolist() == [1, 6 / 9]
    assert dictionary.links.tolist() == [18, 6]
    dictionary.write(tmp_path / "dictionary.tsv", ("en", "es"))
    assert Lexicon.read(tmp_path / "dictionary.tsv").pairs == dictionary.lexicon.pairs
    all_of_them = WordLinks(lambda: iter(counts)).dictionary(DictionarySettings(1, 0.0))
    assert set(all_of_them.lexicon.pairs) == {(a, b) for a, b, _ in counts[1:]}


@pytest.mark.parametrize("settings", [{"least_links": 0}, {"least_entry": -0.1}, {"least_entry": 1.1}])
def test_dictionary_settings_out_of_range_are_refused(settings):
    with pytest.raises(JointalignError, match=f"{next(iter(settings))} must"):
        DictionarySettings(**settings)
