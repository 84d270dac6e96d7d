"""Oracle: each trial fitted separately and scored by whole score matrices."""

import dataclasses

import numpy as np
import pytest

from jointalign.alignment.api import align
from jointalign.alignment.base import Aligner, Mapping, Supervision
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.reallocation import reallocate
from jointalign.selection.api import choose, choose_settings
from jointalign.selection.base import Choice, Trial
from jointalign.vocabulary import Counts, Vocabulary

D = 12


def csls_precision(bilingual, asked):
    """P@1 in percent over `asked` (source word -> translations), every miss wrong, done densely."""
    source, target = bilingual.source, bilingual.target
    cosines = source.vectors.astype(float) @ target.vectors.T.astype(float)
    r_target = np.sort(cosines, axis=1)[:, -10:].mean(axis=1)
    r_source = np.sort(cosines, axis=0)[-10:].mean(axis=0)
    best = (2 * cosines - r_target[:, None] - r_source).argmax(axis=1)
    hits = sum(
        word in source and target.words[best[source.vocabulary.row(word)]] in translations
        for word, translations in asked.items()
    )
    return 100 * hits / len(asked)


def test_equals_separate_fits_scored_densely(overshared):
    joint, source_counts, target_counts, lexicon = overshared
    choice = choose(*overshared, learning_rates=(1, 10), steps=(2, 5), gammas=(0.7, 0.9), seed=3)
    rest, held_out = lexicon.split(0.2, 3)
    assert len(choice.trials) == 2 * 2 + 1  # two rates, two step counts; then the other gamma
    for trial in choice.trials:
        split = reallocate(joint, source_counts, target_counts, trial.gamma)
        expected = csls_precision(align(split, trial.method, rest), held_out.grouped())
        assert trial.precision == pytest.approx(expected)


@pytest.fixture
def overshared():
    """A joint space whose two languages lie apart by a rotation, apart from shared words.

    Words a0.. translate to b0..; leaked words l0.. are source words (p = 0.85) that translate to
    m0..; cognates c0.. (p = 0.75) are their own translations. So 0.8 is the best gamma.
    """
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((D, D)))[0]
    a, leaked = rng.standard_normal((100, D)), rng.standard_normal((40, D))
    noise = 0.1 * rng.standard_normal((140, D))
    b_m = np.concatenate([a, leaked]) @ turn + noise
    vectors = np.concatenate([a, leaked, b_m, rng.standard_normal((40, D))])
    names = {"a": 100, "l": 40, "b": 100, "m": 40, "c": 40}
    words = [f"{name}{i}" for name, size in names.items() for i in range(size)]
    usage = {"a": (100, 0), "l": (85, 15), "b": (0, 91), "m": (0, 100), "c": (75, 25)}
    counts = [Counts.from_pairs([(w, usage[w[0]][side]) for w in words]) for side in (0, 1)]
    rest = [10_000 * side - counts.total for side, counts in zip((2, 2), counts, strict=True)]
    counts = [
        Counts.from_pairs([*((w, c[w]) for w in words if c[w]), (f"rare{side}", more)])
        for side, (c, more) in enumerate(zip(counts, rest, strict=True))
    ]
    pairs = [(f"a{i}", f"b{i}") for i in range(100)] + [(f"l{i}", f"m{i}") for i in range(40)]
    pairs += [(f"c{i}", f"c{i}") for i in range(40)]
    joint = Embedding(Vocabulary(tuple(words)), vectors.astype(np.float32))
    return joint, *counts, Lexicon(tuple(pairs))


def test_finds_the_gamma_that_unshares_leaked_words_and_keeps_cognates(overshared):
    choice = choose(*overshared, method="procrustes")
    assert choice.gamma == 0.8
    assert [trial.gamma for trial in choice.trials] == [0.9, 0.95, 0.8, 0.7]
    assert choice.method == Procrustes()


def test_a_pair_torn_apart_is_wrong_and_not_left_out(overshared):
    _, _, _, lexicon = overshared
    held_out = lexicon.split(0.2, 0)[1]
    choice = choose(*overshared, method="procrustes", gammas=(0.7, 0.8))
    assert choice.held_out == len(held_out.sources)
    cognates = sum(word.startswith("c") for word in held_out.sources)
    kept, torn = choice.trials
    # At 0.7 cognates are source words only: none can be found, all others can.
    assert kept.precision - torn.precision == pytest.approx(100 * cognates / choice.held_out)


def test_words_outside_the_vocabulary_are_never_asked_for(overshared):
    *most, lexicon = overshared
    unknown = Lexicon(lexicon.pairs + tuple((f"x{i}", f"x{i}") for i in range(100)))
    choice = choose(*most, unknown, method="procrustes", gammas=[0.8])
    held_out = unknown.split(0.2, 0)[1]
    assert choice.held_out == sum(not word.startswith("x") for word in held_out.sources)


@dataclasses.dataclass(frozen=True)
class Spy(Aligner):
    """Notes what it is taught."""

    seen: list = dataclasses.field(default_factory=list)

    supervision = Supervision.OPTIONAL

    def fit(self, x, z, pairs=None, *, seed=0):
        self.seen.append((x, pairs, seed))
        return Mapping(np.eye(D, dtype=np.float32), np.eye(D, dtype=np.float32))


def test_nothing_is_learnt_from_the_held_out_words(overshared):
    joint, source_counts, target_counts, lexicon = overshared
    spy = Spy()
    choose(*overshared, method=spy, gammas=[0.8], share=0.3, seed=5)
    ((_, pairs, seed),) = spy.seen
    rest, held_out = lexicon.split(0.3, 5)
    split = reallocate(joint, source_counts, target_counts, 0.8)
    taught = {split.source_only.words[row] for row in pairs[:, 0]}
    assert taught and not taught & set(held_out.sources) and seed == 5
    assert taught == {word for word, _ in rest if word[0] in "al"}


def test_of_equal_scores_the_first_wins():
    trials = tuple(Trial(gamma, Procrustes(), score) for gamma, score in [(0.7, 1), (0.8, 2), (0.9, 2)])
    choice = Choice(trials, held_out=3, seconds=0.0)
    assert choice.gamma == 0.8 and choice.best is trials[1]


def test_the_same_seed_gives_the_same_choice(overshared):
    first, second = (choose(*overshared, steps=(2,), learning_rates=(1,), seed=1) for _ in range(2))
    assert first.trials == second.trials


def test_max_vocabulary_keeps_the_most_frequent_words_of_either_language(overshared):
    spy = Spy()
    choice = choose(*overshared, method=spy, gammas=[0.8], max_vocabulary=140)
    ((x, pairs, _),) = spy.seen
    assert len(x) == 140  # a and l: c is in neither language's first 140
    cut = [word for word in overshared[3].split(0.2, 0)[1].sources if not word.startswith("c")]
    assert choice.held_out == len(cut)
    assert len(pairs) > 0


def test_progress_is_reported_after_each_fit(overshared):
    calls = []
    choose(
        *overshared,
        gammas=(0.8, 0.9),
        learning_rates=(1, 10, 25),  # 10 is RCSLS's own and not fitted twice
        steps=(1, 2),
        progress=lambda done, total, note="": calls.append((done, total)),
    )
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.fixture
def noisy():
    """Two separate embeddings with long directions that have nothing in common."""
    rng = np.random.default_rng(1)
    n, d = 300, 16
    lengths = np.array([2.0] * 4 + [1.0] * (d - 4))
    meaning = rng.standard_normal((n, d))
    other = meaning + 0.3 * rng.standard_normal((n, d))
    other[:, :4] = rng.standard_normal((n, 4))
    source, target = (
        Embedding(Vocabulary(tuple(f"{side}{i}" for i in range(n))), (v * lengths).astype(np.float32))
        for side, v in (("s", meaning), ("t", other))
    )
    lexicon = Lexicon(tuple((f"s{i}", f"t{i}") for i in range(200)))
    return BilingualEmbedding.separate(source, target), lexicon


def test_settings_of_separate_embeddings(noisy):
    bilingual, lexicon = noisy
    choice = choose_settings(bilingual, lexicon, learning_rates=(0.001, 10), steps=(1, 8))
    assert choice.gamma is None
    assert [(t.method.learning_rate, t.method.steps) for t in choice.trials] == [
        (10, 1),
        (10, 8),
        (0.001, 1),
        (0.001, 8),
    ]
    rest, held_out = lexicon.split(0.2, 0)
    for trial in choice.trials:
        expected = csls_precision(align(bilingual, trial.method, rest), held_out.grouped())
        assert trial.precision == pytest.approx(expected)
    assert choice.method == RCSLS(learning_rate=10, steps=8)
    assert choice.best.precision > choice.trials[2].precision + 10


def test_other_settings_of_the_method_stay(noisy):
    bilingual, lexicon = noisy
    method = RCSLS(neighbourhood=3, spectral=True, maximum_negatives=50)
    choice = choose_settings(bilingual, lexicon, method, learning_rates=(1,), steps=(2,))
    for trial in choice.trials:
        assert trial.method == dataclasses.replace(method, learning_rate=trial.method.learning_rate, steps=2)


def test_prints_a_table(noisy):
    choice = choose_settings(*noisy, learning_rates=(1,), steps=(2,))
    title, first, second, reason = str(choice).splitlines()
    assert reason == choice.reason
    assert title.startswith("P@1 on 40 held-out source words")
    assert "RCSLS, learning rate 10, 2 steps" in first and "learning rate 1, 2 steps" in second
    assert str(choice).count("<- chosen") == 1


def test_a_dictionary_of_unknown_words_is_an_error(overshared):
    lexicon = Lexicon((("x", "y"), ("v", "w")))
    with pytest.raises(JointalignError, match="none of the 1 held-out source words"):
        choose(*overshared[:3], lexicon)


def test_no_gamma_is_an_error(overshared):
    with pytest.raises(JointalignError, match="no gamma to try"):
        choose(*overshared, gammas=())
