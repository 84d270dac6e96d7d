import numpy as np
import pytest

from jointalign.ranking.calibration import Calibration, calibration_error, reliability, threshold_for
from jointalign.ranking.learner import ENOUGH, LARGE, Learner, Trees, chosen, fit_logistic, fit_trees, sigmoid


def sample(size=4000, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((size, 3)) * [1, 10, 0.1] + [0, 5, 1]
    odds = rows[:, 0] * 2 - (rows[:, 1] - 5) / 10 - 1
    return rows, rng.random(size) < sigmoid(odds)


def test_the_logistic_model_finds_the_planted_weights():
    rows, right = sample(40_000)
    model = fit_logistic(rows, right)
    weights = model.weights[:-1] / model.scales
    assert weights == pytest.approx([2, -0.1, 0], abs=0.15)
    assert model.weights[:-1][2] == pytest.approx(0, abs=0.05)


def test_no_other_weights_have_a_lower_loss():
    rows, right = sample(500)
    model = fit_logistic(rows, right, penalty=3.0)
    x = np.column_stack([np.clip((rows - model.means) / model.scales, -4, 4), np.ones(len(rows))])

    def loss(weights):
        odds = x @ weights
        return np.logaddexp(0, odds).sum() - odds[right].sum() + 1.5 * (weights[:-1] ** 2).sum()

    best = loss(model.weights)
    for step in np.random.default_rng(1).standard_normal((50, 4)) * 0.05:
        assert loss(model.weights + step) > best


def test_a_value_never_seen_does_not_outweigh_the_rest():
    rows, right = sample(500)
    model = fit_logistic(rows, right)
    far = np.array([[0.0, 5.0, 1e6]])
    assert abs(model.scores(far) - model.scores(rows)).max() < 10


@pytest.mark.parametrize("listwise", [False, True])
def test_trees_learn_what_no_line_can(listwise):
    pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((6000, 2))
    right = rows[:, 0] * rows[:, 1] > 0
    queries = np.arange(6000) // 6
    trees = fit_trees(rows[:3000], right[:3000], queries[:3000], 0, listwise=listwise)
    scores, lines = trees.scores(rows[3000:]), fit_logistic(rows[:3000], right[:3000]).scores(rows[3000:])
    unseen = right[3000:]
    ordered = lambda s: (s[unseen][:, None] > s[~unseen]).mean()  # noqa: E731
    assert ordered(scores) > 0.95 > 0.6 > ordered(lines)


def test_trees_as_arrays_score_as_lightgbm_does(monkeypatch):
    lightgbm = pytest.importorskip("lightgbm")
    grown, train = [], lightgbm.train
    monkeypatch.setattr(lightgbm, "train", lambda *a, **k: grown.append(train(*a, **k)) or grown[-1])
    rows, right = sample()
    rows[::7, 0] = 0
    trees = fit_trees(rows.astype(np.float32), right, np.arange(len(rows)), 0, listwise=False)
    assert trees.scores(rows).tolist() == grown[0].predict(rows, raw_score=True).tolist()


def test_few_right_pairs_get_what_others_have_taught():
    assert chosen(Learner.AUTO, ENOUGH - 1) is Learner.SHIPPED
    assert chosen(Learner.AUTO, ENOUGH - 1, whole=False) is Learner.LOGISTIC
    assert chosen(Learner.LOGISTIC, 10_000) is Learner.LOGISTIC


def test_large_dictionaries_need_others_less():
    pytest.importorskip("lightgbm")
    assert chosen(Learner.AUTO, ENOUGH) is Learner.REFINED
    assert chosen(Learner.AUTO, LARGE) is chosen(Learner.AUTO, ENOUGH, whole=False) is Learner.BOOSTING


def test_trees_after_others_correct_them():
    """Begun from wrong odds, the sum of both has the odds of the sample."""
    pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((20_000, 2))
    right = rng.random(20_000) < sigmoid(2 * np.sign(rows[:, 0]))
    nodes = [np.array(one) for one in ([1, -1, -1], [0.0, -1.0, 1.0], [1, 0, 0], [2, 0, 0])]
    wrong = Trees(np.array([0]), *nodes)
    both = wrong.and_then(fit_trees(rows, right, np.arange(20_000), 0, start=wrong.scores(rows)))
    fresh = rng.standard_normal((20_000, 2))
    off = both.scores(fresh) - 2 * np.sign(fresh[:, 0])
    for other in (fresh[:, 1] <= 0, fresh[:, 1] > 0):
        assert off[other].mean() == pytest.approx(0, abs=0.1)


def test_calibrated_probabilities_are_right_as_often_as_they_say():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal(20_000) * 3
    is_first = rng.random(20_000) < 0.3
    right = rng.random(20_000) < sigmoid(np.where(is_first, scores / 2 + 1, scores / 3 - 2))
    half = np.arange(20_000) < 10_000
    calibration = Calibration.of(scores[half], right[half], is_first[half])
    assert calibration.first == pytest.approx((0.5, 1), abs=0.15)
    chances = calibration.probabilities(scores[~half], is_first[~half])
    assert calibration_error(chances, right[~half]) < 0.02
    assert calibration_error(sigmoid(scores[~half]), right[~half]) > 0.1


def test_few_pairs_change_a_calibration_little_and_many_replace_it():
    rng = np.random.default_rng(0)
    start = Calibration((1.0, 0.0), (1.0, -1.0))
    scores = rng.standard_normal(40_000) * 3
    is_first = np.arange(40_000) % 2 == 0
    right = rng.random(40_000) < sigmoid(scores / 2 + 1)
    few, many = (Calibration.of(scores[:n], right[:n], is_first[:n], start) for n in (6, 40_000))
    assert many.first == pytest.approx((0.5, 1), abs=0.1) and many.others == pytest.approx((0.5, 1), abs=0.1)
    assert few.first == pytest.approx(start.first, abs=0.35)
    nobody = Calibration.of(scores[:0], right[:0], is_first[:0], start)
    assert (nobody.first, nobody.others) == (start.first, start.others)


def test_the_error_of_calibration_is_the_mean_gap():
    chances, right = np.array([0.1, 0.1, 0.9, 0.9]), np.array([False, True, True, True])
    assert calibration_error(chances, right) == pytest.approx((2 * 0.4 + 2 * 0.1) / 4)
    assert [one.n for one in reliability(chances, right)] == [2, 2]


def test_the_threshold_is_the_lowest_that_keeps_the_precision():
    chances = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([True, False, True, True, False])
    assert threshold_for(0.75, chances, right) == 0.6
    assert threshold_for(1.0, chances, right) == 0.9
    assert threshold_for(0.5, chances[::-1], ~right[::-1] & False) is None
