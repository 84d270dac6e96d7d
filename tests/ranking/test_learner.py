import numpy as np
import pytest

from jointalign.ranking.calibration import Calibration, calibration_error, reliability, threshold_for
from jointalign.ranking.learner import Learner, chosen, fit_logistic, fit_trees, sigmoid


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


def test_few_right_pairs_get_the_simple_learner():
    assert chosen(Learner.AUTO, 499) is Learner.LOGISTIC
    assert chosen(Learner.LOGISTIC, 10_000) is Learner.LOGISTIC


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
