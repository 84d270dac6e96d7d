"""The sampler against all alignments of small texts, counted one by one; planted translations."""

import itertools
import json
import math
from collections import Counter

import numpy as np
import pytest
from scipy.special import digamma

from jointalign.cli.app import run
from jointalign.errors import JointalignError
from jointalign.word_alignment import BayesianAligner, Computation, DiagonalAligner, ParallelText, align_text
from jointalign.word_alignment._cells import TextCells
from jointalign.word_alignment.bayesian import _FERTILITIES, _JUMPS, _WORDS, _Chain, _Direction, _Sums
from jointalign.word_alignment.counts import LinkCounts

NULL = None
TOYS = [
    [("a b", "x y"), ("a", "x"), ("b c", "z y")],
    [("a b a", "x x"), ("b", "y x"), ("", "y"), ("a", "")],
    [("a a", "x y x"), ("b a c", "y")],
]


def predictive(counts, alpha, kinds, before=()):
    """Log probability of all that was drawn from one Dirichlet, which is integrated out."""
    before = dict(before)
    total, start = sum(counts.values()), alpha * kinds + sum(before.values())
    log = math.lgamma(start) - math.lgamma(start + total)
    known = {kind: alpha + before.get(kind, 0.0) for kind in counts}
    return log + sum(math.lgamma(known[kind] + n) - math.lgamma(known[kind]) for kind, n in counts.items())


def log_probability(pairs, links, model, settings, prior):
    """Of the generated words and their links given the other words, as the models are defined."""
    kinds = len({word for _, generated in pairs for word in generated} | {word for _, word in prior})
    longest = max(len(side) for pair in pairs for side in pair)
    words, jumps, fertilities, log = {}, Counter(), {}, 0.0
    for (conditioning, generated), places in zip(pairs, links, strict=True):
        if not conditioning or not generated:
            continue
        before = -1
        for word, place in zip(generated, places, strict=True):
            giver = NULL if place < 0 else conditioning[place]
            words.setdefault(giver, Counter())[word] += 1
            log += math.log(settings.null_probability if place < 0 else 1 - settings.null_probability)
            if place >= 0:
                log -= math.log(len(conditioning)) if model == _WORDS else 0.0
                jumps[place - before] += 1
                before = place
        jumps[len(conditioning) - before] += 1
        for place, word in enumerate(conditioning):
            fertilities.setdefault(word, Counter())[list(places).count(place)] += 1
    for giver, counts in words.items():
        before = {word: n for (one, word), n in prior.items() if one == giver}
        log += predictive(counts, settings.alpha, kinds, before)
    if model != _WORDS:
        log += predictive(jumps, settings.jump_alpha, 2 * longest + 3)
    if model == _FERTILITIES:
        most = settings.most_words + 1
        log += sum(predictive(counts, settings.fertility_alpha, most) for counts in fertilities.values())
    return log


def exact_marginals(pairs, model, settings, prior=()):
    """The chance of each link, NULL first: `[token][place + 1]`."""
    prior = dict(prior)
    ways = [
        itertools.product(range(-1, len(conditioning)), repeat=len(generated))
        for conditioning, generated in pairs
    ]
    every = list(itertools.product(*ways))
    logs = np.array([log_probability(pairs, links, model, settings, prior) for links in every])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    chances = [np.zeros(len(conditioning) + 1) for conditioning, generated in pairs for _ in generated]
    for links, weight in zip(every, weights, strict=True):
        for token, place in enumerate(itertools.chain.from_iterable(links)):
            chances[token][place + 1] += weight
    return chances


def sampler(pairs, settings, reverse, prior=None, seed=1):
    """Text, chain and the sums of a pass, with the sides exchanged if the source is generated."""
    sides = [pair[:: -1 if reverse else 1] for pair in pairs]
    cells = TextCells.of(ParallelText.of(sides))
    return cells, _Chain(_Direction(settings, cells, prior or LinkCounts.nothing(), not reverse), [seed])


def told(pairs, cells, sums, reverse):
    """The chances that were added, for each generated token NULL first."""
    chances = []
    for (conditioning, generated), start in zip(pairs, cells.starts[:-1], strict=True):
        shape = (len(generated), len(conditioning)) if reverse else (len(conditioning), len(generated))
        block = sums.words[start : start + shape[0] * shape[1]].reshape(shape)
        rows = block if reverse else block.T
        chances += [np.append(sums.null[len(chances) + g], rows[g]) for g in range(len(generated))]
    return chances


def sampled_marginals(pairs, model, settings, reverse, sweeps=20_000, prior=None):
    cells, chain = sampler(pairs, settings, reverse, prior)
    sums = _Sums(cells, not reverse)
    for one in range(_WORDS, model + 1):
        chain.begin(one)
    for _ in range(sweeps):
        chain.sweep(model, sums)
    return [chances / sweeps for chances in told(pairs, cells, sums, reverse)]


def conditional(pairs, links, token, model, settings, prior, ratios):
    """The chance of each link of one token, given every other link, NULL first.

    Fertilities are given as the ratios that were drawn, so that this is no longer a sum over them.
    """
    lengths = np.cumsum([0, *(len(generated) for _, generated in pairs)])
    sentence = int(np.searchsorted(lengths, token, "right")) - 1
    conditioning, logs = pairs[sentence][0], []
    for place in range(-1, len(conditioning)):
        flat = [*links[:token], place, *links[token + 1 :]]
        cut = [tuple(flat[first:last]) for first, last in itertools.pairwise(lengths)]
        log = log_probability(pairs, cut, min(model, _JUMPS), settings, prior)
        for word, has in zip(conditioning, map(cut[sentence].count, range(len(conditioning))), strict=True):
            log += sum(math.log(ratios[word][k]) for k in range(has)) if model == _FERTILITIES else 0.0
        logs.append(log)
    weights = np.exp(np.array(logs) - max(logs))
    return weights / weights.sum()


@pytest.mark.parametrize("prior", [{}, {("a", "x"): 3.0, ("b", "x"): 0.5, ("c", "new"): 2.0}])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("toy", range(len(TOYS)))
@pytest.mark.parametrize("model", [_WORDS, _JUMPS, _FERTILITIES])
def test_every_draw_of_a_pass_has_the_chances_that_all_other_links_give(model, toy, reverse, prior):
    """Nothing is left to sampling error: after each draw the links are known, and so is what the next had.

    The passes follow one another, so that a count that is not kept up is seen in the next.
    """
    settings = BayesianAligner(alpha=0.3, jump_alpha=0.7, fertility_alpha=2.0, null_probability=0.3)
    pairs = [(one.split(), other.split()) for one, other in TOYS[toy]]
    entries, counted = list(prior), np.array(list(prior.values()))
    if reverse:
        entries = [entry[::-1] for entry in entries]
    counts = LinkCounts.of_dictionary(entries, counted, 1.0) if prior else None
    cells, chain = sampler(pairs, settings, reverse, counts)
    usable = [bool(one) for one, other in pairs for _ in other]
    rng, seen = np.random.default_rng(3), set()
    for one in range(_WORDS, model + 1):
        chain.begin(one)
    for _ in range(100):
        ratios = rng.uniform(0.2, 3.0, (len(cells.side(reverse).words), settings.most_words + 1))
        chain._ratios = lambda _, ratios=ratios: ratios
        links, sums = chain._links.tolist(), _Sums(cells, not reverse)
        chain.sweep(model, sums)
        by_word = dict(zip(cells.side(reverse).words, ratios, strict=True))
        for token, chances in enumerate(told(pairs, cells, sums, reverse)):
            if usable[token]:
                exact = conditional(pairs, links, token, model, settings, prior, by_word)
                np.testing.assert_allclose(chances, exact, atol=2e-7)
                links[token] = int(chain._links[token])
                seen.add((token, links[token]))
    assert {(token, -1) for token in np.flatnonzero(usable).tolist()} < seen


def test_fertilities_are_drawn_from_what_the_links_leave_open():
    """Means of the drawn logarithms of ratios are differences of the digamma function."""
    pairs = [("a b a".split(), "x y z".split()), ("a".split(), "x".split())] * 10
    _, chain = sampler(pairs, BayesianAligner(fertility_alpha=1.5, most_words=3), False)
    counts = Counter()
    for k, (conditioning, generated) in enumerate(pairs):
        start = sum(len(other) for _, other in pairs[:k])
        links = chain._links[start : start + len(generated)].tolist()
        counts.update((word, links.count(place)) for place, word in enumerate(conditioning))
    draws = np.array([np.log(chain._ratios(_FERTILITIES)[:, :-1]) for _ in range(20_000)])
    known = digamma([[counts[word, k] + 1.5 for k in range(4)] for word in "ab"])
    spread = draws.std(axis=0) / math.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - np.diff(known, axis=1)) < 4 * spread).all()


@pytest.mark.parametrize("model", [_WORDS, _FERTILITIES])
def test_chances_given_a_dictionary_are_those_of_all_alignments_counted(model):
    """It counts as if its pairs had been seen, one of them with a word that the text lacks."""
    prior = {("a", "x"): 3.0, ("b", "x"): 0.5, ("c", "new"): 2.0}
    settings = BayesianAligner(alpha=0.6, jump_alpha=1.0, fertility_alpha=2.0)
    pairs = [(one.split(), other.split()) for one, other in TOYS[0]]
    counts = LinkCounts.of_dictionary(list(prior), np.array(list(prior.values())), 1.0)
    found = sampled_marginals(pairs, model, settings, False, prior=counts)
    expected = exact_marginals(pairs, model, settings, prior)
    plain = exact_marginals(pairs, model, settings)
    assert np.abs(np.concatenate(expected) - np.concatenate(plain)).max() > 0.05
    for chances, exact in zip(found, expected, strict=True):
        np.testing.assert_allclose(chances, exact, atol=0.015)


@pytest.mark.parametrize("model", [_WORDS, _JUMPS, _FERTILITIES])
@pytest.mark.parametrize("toy", range(len(TOYS)))
@pytest.mark.parametrize("reverse", [False, True])
def test_chances_are_those_of_all_alignments_counted(model, toy, reverse):
    """Flatter priors than by default, so that the chain goes everywhere soon: 0.006 is a standard error."""
    settings = BayesianAligner(alpha=0.6, jump_alpha=1.0, fertility_alpha=2.0)
    pairs = [(one.split(), other.split()) for one, other in TOYS[toy]]
    expected = exact_marginals(pairs, model, settings)
    found = sampled_marginals(pairs, model, settings, reverse)
    usable = [bool(one and other) for one, other in pairs for _ in other]
    for chances, exact, ok in zip(found, expected, usable, strict=True):
        if ok:
            np.testing.assert_allclose(chances, exact, atol=0.015)


def planted(seed, sentences=300, words=60):
    """Every word translates to the one of its number, and some stand elsewhere."""
    generator = np.random.default_rng(seed)
    pairs, gold = [], []
    for _ in range(sentences):
        source = generator.choice(words, size=generator.integers(4, 10), replace=False)
        order = np.arange(len(source))
        k = generator.integers(len(source) - 1)
        order[[k, k + 1]] = order[[k + 1, k]]
        pairs.append(([f"a{w}" for w in source], [f"b{w}" for w in source[order]]))
        gold.append({(int(i), j) for j, i in enumerate(order)})
    return pairs, gold


def test_planted_translations_are_found():
    pairs, gold = planted(3)
    found = align_text(ParallelText.of(pairs))
    wrong = sum(
        len(set(map(tuple, one.tolist())) ^ must) for one, must in zip(found.links, gold, strict=True)
    )
    assert wrong <= 0.01 * sum(map(len, gold))
    assert np.median(found.forward.chances) > 0.95


def test_a_word_that_comes_from_none_is_found():
    pairs, _ = planted(5)
    text = ParallelText.of([(source, [*target, "alone"]) for source, target in pairs])
    none = [
        len(target) not in one[:, 1] for (_, target), one in zip(pairs, align_text(text).links, strict=True)
    ]
    assert np.mean(none) > 0.95


def test_words_said_with_two_are_found():
    pairs, _ = planted(5)
    text = ParallelText.of(
        [(source, [half for t in target for half in (t, f"{t}b")]) for source, target in pairs]
    )
    best = align_text(text).forward.best
    both = [2 * len(target) for _, target in pairs]
    sentences = np.split(best, np.cumsum(both)[:-1])
    gold = [[source.index(f"a{t[1:]}") for t in target for _ in range(2)] for source, target in pairs]
    assert np.mean(np.concatenate(sentences) == np.concatenate(gold)) > 0.95


def test_places_tell_repeated_words_apart():
    pairs = [("a x a".split(), "b y b".split())] * 50 + [(["x"], ["y"]), (["a"], ["b"])] * 10
    found = BayesianAligner(sweeps=50).fit(ParallelText.of(pairs))
    assert found.ways[0].best[:3].tolist() == [0, 1, 2]


def test_one_seed_gives_the_same_for_any_number_of_threads():
    text = ParallelText.of(planted(6, 60, 200)[0])
    aligner = BayesianAligner(sweeps=4)
    one, three, other = (aligner.fit(text, Computation(s, t)).ways[0] for s, t in ((1, 1), (1, 3), (2, 1)))
    assert one.best.tobytes() == three.best.tobytes()
    assert one.chances.tobytes() == three.chances.tobytes()
    assert one.chances.tobytes() != other.chances.tobytes()


def test_progress_ends_at_its_total_and_counts_both_directions():
    told = []
    text = ParallelText.of(planted(6, 10)[0])
    computation = Computation(progress=lambda done, total, note="": told.append((done, total)))
    align_text(text, BayesianAligner(sweeps=4), computation=computation)
    assert sorted(told) == [(n + 1, 42) for n in range(42)]


def test_pairs_with_an_empty_side_keep_their_place():
    pairs, gold = planted(4, 100, 10)
    pairs[3], pairs[7] = (["a1"], []), ([], ["b1", "b2"])
    found = align_text(ParallelText.of(pairs))
    assert len(found.links[3]) == len(found.links[7]) == 0
    assert set(map(tuple, found.links[8].tolist())) == gold[8]
    start = sum(len(target) for _, target in pairs[:7])
    assert found.forward.chances[start : start + 2].tolist() == [1, 1]


@pytest.mark.parametrize(
    "settings",
    [
        {"chains": 0},
        {"sweeps": 0},
        {"alpha": 0.0},
        {"jump_alpha": -1.0},
        {"fertility_alpha": math.nan},
        {"null_probability": 0.0},
        {"null_probability": 1.0},
        {"most_words": 0},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(JointalignError, match=f"{next(iter(settings))} must"):
        BayesianAligner(**settings)


def test_a_text_without_word_pairs_is_refused():
    with pytest.raises(JointalignError, match="nothing to align"):
        BayesianAligner().fit(ParallelText.of([(["a"], []), ([], ["b"])]))


def test_the_schedule_is_the_published_one():
    assert BayesianAligner().schedule(10_000) == (12, 12, 50)
    assert BayesianAligner().schedule(10**9) == (1, 1, 2)
    assert BayesianAligner(sweeps=8).schedule(10_000) == (2, 2, 8)


def test_the_command_has_both_methods(tmp_path, capsys):
    pairs, gold = planted(7, 200)
    (tmp_path / "text").write_text("".join(f"{' '.join(s)} ||| {' '.join(t)}\n" for s, t in pairs))
    given = ["align-text", "--tokenized", "--input", str(tmp_path / "text"), "--json"]

    def links(*more):
        assert run([*given, "--out", str(tmp_path / "links"), *more]) == 0
        return (tmp_path / "links").read_text(), json.loads(capsys.readouterr().out)

    text = ParallelText.of(pairs)
    found, facts = links("--seed", "3", "--sweeps", "5")
    assert found.splitlines() == list(
        align_text(text, BayesianAligner(sweeps=5), computation=Computation(3)).links.lines()
    )
    assert facts["method"] == "bayes"
    assert facts["settings"]["sweeps"] == 5
    found, facts = links("--method", "diagonal", "--alpha", "0.02")
    assert found.splitlines() == list(align_text(text, DiagonalAligner(alpha=0.02)).links.lines())
    assert len(facts["tension"]) == 2
    assert run([*given, "--out", str(tmp_path / "links"), "--tension", "3"]) == 2
    assert "--tension: BayesianAligner has no such setting" in capsys.readouterr().err
