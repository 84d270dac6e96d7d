"""The aligner against a slow telling of the same model, and against planted translations."""

import math
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from jointalign.errors import JointalignError
from jointalign.word_alignment import (
    Computation,
    DiagonalAligner,
    ParallelText,
    align_text,
    alignment_error_rate,
    read_gold,
)

NULL = None


def digamma(x):
    """By a difference of log gamma, good to 1e-8 here; small x by the recurrence."""
    if x < 1:
        return digamma(x + 1) - 1 / x
    step = 1e-5
    return (math.lgamma(x + step) - math.lgamma(x - step)) / (2 * step)


def feature(g, m, c, n):
    return -abs((c + 1) / n - (g + 1) / m)


def prior(m, n, g, tension):
    weights = [math.exp(tension * feature(g, m, c, n)) for c in range(n)]
    return [weight / sum(weights) for weight in weights]


def slow_fit(pairs, settings):
    """Expectation-maximisation with dictionaries, written from the paper; returns all it learnt."""
    tension, p0 = settings.tension, settings.null_probability
    types = {word for _, generated in pairs for word in generated}
    table = defaultdict(lambda: 1 / len(types))
    perplexities = []
    for iteration in range(settings.iterations):
        counts, log_likelihood, observed, mass = defaultdict(float), 0.0, 0.0, []
        for conditioning, generated in pairs:
            m, n = len(generated), len(conditioning)
            for g, word in enumerate(generated):
                scores = {-1: p0 * table[NULL, word]}
                for c, share in enumerate(prior(m, n, g, tension)):
                    scores[c] = (1 - p0) * share * table[conditioning[c], word]
                total = sum(scores.values())
                log_likelihood += math.log(total)
                for c, score in scores.items():
                    counts[NULL if c < 0 else conditioning[c], word] += score / total
                    if c >= 0:
                        observed += score / total * feature(g, m, c, n)
                mass.append((m, n, g, 1 - scores[-1] / total))
        tokens = len(mass)
        perplexities.append(math.exp(-log_likelihood / tokens))
        if settings.optimize_tension and iteration > 0:
            tension = climbed(tension, observed, mass)
        table = defaultdict(float, maximised(counts, settings.alpha))
    return list(linked(pairs, table, tension, settings)), tension, perplexities


def climbed(tension, observed, mass):
    for _ in range(8):
        expected = 0.0
        for m, n, g, weight in mass:
            shares = enumerate(prior(m, n, g, tension))
            expected += weight * sum(share * feature(g, m, c, n) for c, share in shares)
        tension += 20 * (observed - expected) / len(mass)
        tension = min(max(tension, 0.1), 14.0)
    return tension


def linked(pairs, table, tension, settings):
    p0 = settings.null_probability
    for conditioning, generated in pairs:
        for g, word in enumerate(generated):
            scores = [p0 * table[NULL, word]]
            shares = prior(len(generated), len(conditioning), g, tension)
            for c, share in enumerate(shares):
                probability = table[conditioning[c], word]
                probability = 0.0 if probability < settings.least_probability else probability
                scores.append((1 - p0) * share * probability)
            yield max(range(len(scores)), key=scores.__getitem__) - 1


def maximised(counts, alpha):
    rows = defaultdict(dict)
    for (word, generated), count in counts.items():
        rows[word][generated] = count
    for word, row in rows.items():
        total = sum(count + alpha for count in row.values())
        for generated, count in row.items():
            if alpha:
                yield (word, generated), math.exp(digamma(count + alpha) - digamma(total))
            else:
                yield (word, generated), count / total


def random_pairs(seed, sentences=25, words=7):
    """Sentences with repeated words, of unequal and of single lengths."""
    generator = np.random.default_rng(seed)
    pairs = []
    for _ in range(sentences):
        source = [f"s{k}" for k in generator.integers(words, size=generator.integers(1, 8))]
        noise = [f"t{k}" for k in generator.integers(words, size=generator.integers(0, 3))]
        target = [word.replace("s", "t") for word in source if generator.random() < 0.8] + noise
        pairs.append((source, target or ["t0"]))
    return pairs


@pytest.mark.parametrize(
    "settings",
    [
        DiagonalAligner(),
        DiagonalAligner(alpha=0.0, least_probability=0.0),
        DiagonalAligner(tension=0.0, optimize_tension=False, iterations=3),
        DiagonalAligner(null_probability=0.3, iterations=8, least_probability=0.0),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
def test_it_learns_what_a_slow_telling_of_the_model_learns(settings, reverse):
    pairs = random_pairs(1)
    found = settings.fit(ParallelText.of(pairs)).ways[int(reverse)]
    ways = [(target, source) for source, target in pairs] if reverse else pairs
    best, tension, perplexities = slow_fit(ways, settings)
    assert found.best.tolist() == best
    assert found.history["tension"][-1] == pytest.approx(tension, rel=1e-5)
    np.testing.assert_allclose(found.history["perplexity"], perplexities, rtol=1e-5)


def test_any_number_of_threads_gives_the_same():
    text = ParallelText.of(random_pairs(2, 200, 50))
    one, three = (DiagonalAligner().fit(text, Computation(threads=threads)).ways[0] for threads in (1, 3))
    np.testing.assert_array_equal(one.best, three.best)
    assert one.history == three.history


def shifted_text(seed, sentences=400, words=60, swaps=True):
    """Every word translates to the one of its number; neighbours change places now and then."""
    generator = np.random.default_rng(seed)
    pairs, gold = [], []
    for _ in range(sentences):
        source = generator.choice(words, size=generator.integers(4, 10), replace=False)
        order = np.arange(len(source))
        if swaps:
            k = generator.integers(len(source) - 1)
            order[[k, k + 1]] = order[[k + 1, k]]
        pairs.append(([f"a{w}" for w in source], [f"b{w}" for w in source[order]]))
        gold.append({(int(i), j) for j, i in enumerate(order)})
    return pairs, gold


def test_planted_translations_are_found():
    pairs, gold = shifted_text(3)
    links = align_text(ParallelText.of(pairs), DiagonalAligner()).links
    wrong = sum(len(set(map(tuple, found.tolist())) ^ must) for found, must in zip(links, gold, strict=True))
    assert wrong <= 0.01 * sum(map(len, gold))


def test_the_prior_is_what_tells_repeated_words_apart():
    pairs = [(["a", "x", "a"], ["b", "y", "b"])] * 5 + [(["x"], ["y"]), (["a"], ["b"])]
    text = ParallelText.of(pairs)
    assert DiagonalAligner().fit(text).ways[0].best[:3].tolist() == [0, 1, 2]
    flat = DiagonalAligner(tension=0.0, optimize_tension=False).fit(text)
    assert flat.ways[0].best[:3].tolist() == [0, 1, 0]


def test_pairs_with_an_empty_side_keep_their_place():
    pairs, gold = shifted_text(4, 60, 10)
    pairs[3], pairs[7] = (["a1"], []), ([], ["b1", "b2"])
    links = align_text(ParallelText.of(pairs), DiagonalAligner()).links
    assert len(links) == 60
    assert len(links[3]) == len(links[7]) == 0
    assert set(map(tuple, links[8].tolist())) == gold[8]


@pytest.mark.parametrize(
    "settings", [{"iterations": 0}, {"null_probability": 1.0}, {"alpha": -1.0}, {"tension": -1.0}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(JointalignError, match=f"{next(iter(settings))} must"):
        DiagonalAligner(**settings)


def test_a_text_without_word_pairs_is_refused():
    with pytest.raises(JointalignError, match="nothing to align"):
        align_text(ParallelText.of([(["a"], []), ([], ["b"])]))


@pytest.mark.data
@pytest.mark.slow
def test_hansards_error_rate_is_no_higher_than_fast_aligns():
    """With its Python bindings (systran-align 3.5.0, -d -o -v, same text): 17.4, 7078 links."""
    from jointalign.corpora.tokenization import tokenizer
    from jointalign.word_alignment.reading import raw_pairs

    folder = Path(os.environ["JOINTALIGN_DATA"], "parallel")
    cuts = tokenizer("en"), tokenizer("fr")
    files = [folder / f"europarl.en-fr/parallel30k.{language}.bz2" for language in ("en", "fr")]
    pairs = [(cuts[0](one), cuts[1](other)) for one, other in raw_pairs(*files)]
    for one, other in raw_pairs(folder / "gold.en-fr/enfr.src-tgt"):
        pairs.append((one.lower().split(), other.lower().split()))
    links = align_text(ParallelText.of(pairs), DiagonalAligner()).links
    gold = read_gold(folder / "gold.en-fr/enfr.gold")
    score = alignment_error_rate(list(links)[-len(gold) :], gold)
    assert score.error_rate <= 0.174
