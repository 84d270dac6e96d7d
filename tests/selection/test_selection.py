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
from jointalign.selection.api import choose, training_seconds
from jointalign.selection.base import Spaces, Trial, simplest
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


def csls_hits(bilingual, asked):
    return csls_precision(bilingual, asked) * len(asked) / 100


def expected(bilingual, method, parts, seed):
    """P@1 over all folds, each scored with what was learnt from the others."""
    parts = list(parts)
    hits = sum(csls_hits(align(bilingual, method, rest, seed=seed), out.grouped()) for rest, out in parts)
    return 100 * hits / sum(len(out.sources) for _, out in parts)


def test_equals_separate_fits_scored_densely(overshared):
    spaces, lexicon = overshared
    choice = choose(spaces, lexicon, "rcsls", (0.7, 0.9), fixed=["learning_rate"], seed=3)
    assert [str(t.method) for t in choice.trials[:2]] == ["Procrustes", "Procrustes"]
    assert [t.method.steps for t in choice.trials[2:]] == [5, 10, 20]
    for trial in choice.trials:
        split = spaces.split(trial.gamma)
        assert trial.precision == pytest.approx(expected(split, trial.method, lexicon.folds(3, 3), 3))


def test_the_simplest_within_one_standard_error_of_the_paired_difference():
    best = Trial(0.9, Procrustes(), (True,) * 9 + (False,))

    def behind(*words):
        return Trial(0.8, Procrustes(), tuple(right and i not in words for i, right in enumerate(best.right)))

    # Of ten words one apart: 0.1 behind, standard error 0.3 / sqrt(10) = 0.095: too far. Two apart,
    # of which one is its own gain: 0 behind on the mean.
    assert simplest([behind(0), best]) is best
    other = Trial(0.7, Procrustes(), (False,) + (True,) * 9)
    assert simplest([other, best]) is other
    # Two lost, one won: 0.1 behind, standard error sqrt(0.29) / sqrt(10) = 0.17.
    close = Trial(0.7, Procrustes(), (False, False) + (True,) * 8)
    assert simplest([close, best]) is close and simplest([best, close]) is best


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
    return Spaces((joint, *counts)), Lexicon(tuple(pairs))


def test_finds_the_gamma_that_unshares_leaked_words_and_keeps_cognates(overshared):
    choice = choose(*overshared, "procrustes")
    assert choice.gamma == 0.8
    assert [trial.gamma for trial in choice.trials] == [0.9, 0.95, 0.8, 0.7]
    assert choice.method == Procrustes()


def test_a_pair_torn_apart_is_wrong_and_not_left_out(overshared):
    _, lexicon = overshared
    choice = choose(*overshared, "procrustes", (0.7, 0.8))
    assert choice.held_out == len(lexicon.sources) == 180
    kept, torn = choice.trials
    # At 0.7 the 40 cognates are source words only: none can be found, all others can.
    assert kept.precision - torn.precision == pytest.approx(100 * 40 / 180)


def test_words_outside_the_vocabulary_are_never_asked_for(overshared):
    spaces, lexicon = overshared
    unknown = Lexicon(lexicon.pairs + tuple((f"x{i}", f"x{i}") for i in range(100)))
    assert choose(spaces, unknown, "procrustes", [0.8]).held_out == 180


@dataclasses.dataclass(frozen=True)
class Spy(Aligner):
    """Notes what it is taught."""

    seen: list = dataclasses.field(default_factory=list)

    @property
    def supervision(self):
        return Supervision.OPTIONAL

    def fit(self, x, z, pairs=None, *, seed=0):
        self.seen.append((x, pairs, seed))
        return Mapping(np.eye(D, dtype=np.float32), np.eye(D, dtype=np.float32))


def test_nothing_is_learnt_from_the_held_out_words(overshared):
    spaces, lexicon = overshared
    spy = Spy()
    choose(spaces, lexicon, spy, [0.8], folds=4, seed=5)
    split = spaces.split(0.8)
    assert len(spy.seen) == 4
    for (_, pairs, seed), (rest, held_out) in zip(spy.seen, lexicon.folds(4, 5), strict=True):
        taught = {split.source_only.words[row] for row in pairs[:, 0]}
        assert taught and not taught & set(held_out.sources) and seed == 5
        assert taught == {word for word, _ in rest if word[0] in "al"}


def test_the_same_seed_gives_the_same_choice(overshared):
    first, second = (choose(*overshared, "geomm", seed=1) for _ in range(2))
    assert first.trials == second.trials
    assert first.trials != choose(*overshared, "geomm", seed=2).trials


def test_max_vocabulary_keeps_the_most_frequent_words_of_either_language(overshared):
    spy = Spy()
    choice = choose(*overshared, spy, [0.8], max_vocabulary=140)
    assert {len(x) for x, _, _ in spy.seen} == {140}  # a and l: c is in neither language's first 140
    assert choice.held_out == 140


def test_progress_is_reported_after_each_fit(overshared):
    calls = []
    choose(
        *overshared, "rcsls", (0.8, 0.9), progress=lambda done, total, note="": calls.append((done, total))
    )
    # Procrustes at two gammas, then four learning rates, in three folds each.
    assert calls == [(number, 18) for number in range(1, 19)]


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


def test_settings_of_one_space(noisy):
    bilingual, lexicon = noisy
    choice = choose(bilingual, lexicon, "rcsls")
    assert choice.gamma is None and choice.best.space == ""
    tried = [(t.method.learning_rate, t.method.steps) for t in choice.trials]
    assert tried == [(rate, steps) for rate in (10, 1, 25, 50) for steps in (5, 10, 20)]
    for trial in choice.trials[::5]:
        assert trial.precision == pytest.approx(expected(bilingual, trial.method, lexicon.folds(3, 0), 0))
    best = max(trial.precision for trial in choice.trials)
    assert choice.best.precision > best - 3


def test_other_settings_of_the_method_stay(noisy):
    method = RCSLS(learning_rate=3.0, neighbourhood=3, spectral=True, maximum_negatives=50)
    choice = choose(*noisy, method, fixed=["steps"])
    assert [t.method.learning_rate for t in choice.trials] == [3, 1, 10, 25, 50]
    for trial in choice.trials:
        assert trial.method == dataclasses.replace(method, learning_rate=trial.method.learning_rate)


def test_prints_a_table(noisy):
    choice = choose(*noisy, "rcsls", fixed=["learning_rate"])
    title, first, second, _, reason = str(choice).splitlines()
    assert reason == choice.reason
    assert title.startswith("P@1 on 200 held-out source words")
    assert "RCSLS, learning rate 10, steps 5" in first and "steps 10" in second
    assert str(choice).count("<- chosen") == 1


def test_a_dictionary_of_unknown_words_is_an_error(overshared):
    lexicon = Lexicon((("x", "y"), ("v", "w"), ("u", "r")))
    with pytest.raises(JointalignError, match="none of the 3 held-out source words"):
        choose(overshared[0], lexicon)


def test_nothing_to_try_is_an_error(overshared):
    with pytest.raises(JointalignError, match="no gamma to try"):
        choose(*overshared, gammas=())
    with pytest.raises(JointalignError, match="no method to try"):
        choose(*overshared, [])
    shared = Lexicon(tuple((f"c{i}", f"c{i}") for i in range(40)))
    with pytest.raises(JointalignError, match="none of the training pairs .* can be learnt from"):
        choose(overshared[0], shared, "procrustes", [0.8])


def test_training_grows_with_text_and_dimensions():
    assert training_seconds(2_000_000, 5, 300) == 2 * training_seconds(1_000_000, 5, 300)
    assert training_seconds(1_000_000, 5, 300) == pytest.approx(20)
