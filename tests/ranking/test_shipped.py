import json

import numpy as np
import pytest

from jointalign import FormatError, JointalignError, Lexicon, Ranker
from jointalign.ranking.calibration import Calibration
from jointalign.ranking.features import NAMES
from jointalign.ranking.learner import Learner, Trees
from jointalign.ranking.shipped import Shipped, shipped
from jointalign.storage.tensors import read_tensors, write_tensors
from planted import language_pair

CSLS = 0
"""A tree's column."""


def stump(column, low, high):
    """One tree that looks at one column."""
    nodes = [np.array(one) for one in ([column, -1, -1], [0.5, low, high], [1, 0, 0], [2, 0, 0])]
    return Trees(np.array([0]), *nodes)


def another(trees=None):
    lines = Calibration((1.5, -0.5), (1.0, -2.0))
    return Shipped(
        trees or stump(CSLS, -1.0, 2.0), lines, np.array([0.5, 0.75]), np.array([True, False]), 40.0, 70.0
    )


def test_a_file_gives_the_same_scores(tmp_path):
    two = another(stump(3, -1.0, 2.0).and_then(stump(5, 0.25, -0.5)))
    two.write(tmp_path / "one.safetensors")
    read = Shipped.read(tmp_path / "one.safetensors")
    rows = np.random.default_rng(0).standard_normal((50, len(NAMES)))
    wanted = np.where(rows[:, 3] <= 0.5, -1.0, 2.0) + np.where(rows[:, 5] <= 0.5, 0.25, -0.5)
    assert read.trees.scores(rows).tolist() == wanted.tolist()
    assert (read.calibration, read.p_at_1_unranked, read.candidate_recall) == (two.calibration, 40.0, 70.0)
    assert (read.chances.tolist(), read.right.tolist()) == ([0.5, 0.75], [True, False])


def test_a_file_of_other_features_is_refused(tmp_path):
    path, facts = tmp_path / "other.safetensors", {"kind": "jointalign shipped ranker 1"}
    another().write(path)
    tensors = {name: np.array(values) for name, values in read_raw(path).items()}
    facts |= {"names": json.dumps(NAMES[1:]), "calibration": "[1, 0, 1, 0]", "figures": "[40, 70]"}
    write_tensors(path, tensors, facts, sealed=True)
    with pytest.raises(FormatError, match="its trees point outside"):
        Shipped.read(path)


def read_raw(path):
    from jointalign.ranking.shipped import _SCHEMA

    return read_tensors(path, _SCHEMA)[0]


def test_the_one_of_the_package_is_small_and_knows_its_columns():
    from importlib.resources import files

    content = files("jointalign.ranking").joinpath("shipped.safetensors").read_bytes()
    assert len(content) < 1_000_000
    one = shipped()
    assert len(one.chances) > 1000 and one.right.mean() * 100 > one.p_at_1_unranked
    columns = one.trees.columns[one.trees.columns >= 0]
    assert {NAMES[at][0] for at in columns} >= {"vectors", "frequency", "spelling", "affixes"}


def test_without_a_dictionary_all_is_as_on_other_pairs():
    space, _ = language_pair(size=100)
    fitted = Ranker(shipped=another()).fit([space], None)
    assert not fitted.held_out.own and fitted.held_out.words == 2 and fitted.held_out.p_at_1 == 50
    assert fitted.calibration == another().calibration
    assert fitted.threshold(0.5) == 0.5
    found = fitted.rank(fitted.sides[0].words[:5], 3)
    assert all(len(one) == 3 and not any(t.given for t in one) for one in found)


def test_without_a_dictionary_aligned_vectors_are_ranked_as_well_as_by_csls():
    space, lexicon = language_pair(noise=0.5, rotated=False)
    fitted = Ranker().fit([space], None)
    by_csls = fitted.views.mean.nearest(np.arange(len(lexicon)), 1)[:, 0] == np.arange(len(lexicon))
    ranked = fitted.rank(lexicon.sources, 1)
    right = np.mean([one[0].target == target for one, (_, target) in zip(ranked, lexicon, strict=True)])
    assert right > by_csls.mean() - 0.02 > 0.3


@pytest.mark.parametrize("words", [1, 25])
def test_few_pairs_are_enough(words):
    space, lexicon = language_pair(noise=0.5)
    fitted = Ranker().fit([space], Lexicon(lexicon.pairs[:words]))
    assert fitted.held_out.learner == "shipped" and fitted.held_out.own == (words > 5)
    assert fitted.known.shape == (words, 2)
    rest = Lexicon(lexicon.pairs[words:])
    ranked = fitted.rank(rest.sources, 1)
    right = np.mean([one[0].target == target for one, (_, target) in zip(ranked, rest, strict=True)])
    csls = fitted.views.mean.nearest(np.arange(words, len(lexicon)), 1)[:, 0] == np.arange(
        words, len(lexicon)
    )
    assert right > csls.mean() - 0.02


def test_refining_learns_what_other_pairs_did_not_know():
    """A shipped ranker that takes the worst candidate is put right by the pair's own rows."""
    pytest.importorskip("lightgbm")
    space, lexicon = language_pair(noise=1.0)
    backwards = another(stump(CSLS, 3.0, -3.0))
    given = Lexicon(lexicon.pairs[::2])
    as_it_is, refined = (
        Ranker(shipped=backwards, learner=one).fit([space], given).held_out
        for one in (Learner.SHIPPED, Learner.REFINED)
    )
    assert refined.learner == "refined" and refined.p_at_1 > as_it_is.p_at_1 + 20


def test_a_line_of_the_pair_s_own_is_taken_where_it_is_clearly_better():
    space, lexicon = language_pair(size=300, noise=1.0)
    given = Lexicon(lexicon.pairs[::2])
    backwards = another(stump(CSLS, 3.0, -3.0))
    assert Ranker(shipped=backwards).fit([space], given).held_out.learner == "logistic"
    fitted = [
        Ranker(learner=one).fit([space], given).held_out.p_at_1 for one in ("shipped", "logistic", "auto")
    ]
    assert fitted[2] >= fitted[0] and fitted[2] > fitted[1] - 10


def test_learners_that_need_pairs_say_so():
    space, _ = language_pair(size=30)
    with pytest.raises(
        JointalignError, match="6 known words of the dictionary or more, of which there are 0"
    ):
        Ranker(learner=Learner.LOGISTIC).fit([space], None)
    with pytest.raises(JointalignError, match="the shipped ranker needs all groups"):
        Ranker(learner=Learner.SHIPPED, groups=("vectors",)).fit([space], None)
