"""What learns to tell right pairs from wrong ones: trees, on those of other pairs of languages, or a line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import Any

import numpy as np

from jointalign.errors import JointalignError, MissingExtraError
from jointalign.numerics.compiling import compiled


class Learner(StrEnum):
    """Which learner; `auto`: by the size of the dictionary shipped, refined, and with LightGBM boosting."""

    AUTO = "auto"
    SHIPPED = "shipped"
    """The trees that come with the package, learnt on other pairs of languages."""

    REFINED = "refined"
    """The same, and trees of the pair's own that correct them."""

    LOGISTIC = "logistic"
    BOOSTING = "boosting"
    LISTWISE = "listwise"


ENOUGH = 500
"""Pairs from which on trees are learnt: with fewer they only learn the sample."""

LARGE = 4000
"""Pairs from which on the pair's own trees need no others. On held-out words corrected trees of others
were better with 1,600 pairs (en-es, both ways), and not with 4,700 (en-es, en-de, en-fr)."""


def chosen(learner: Learner, right: int, *, whole: bool = True) -> Learner:
    """The learner that `auto` stands for, given the number of pairs.

    Args:
        learner: What was asked for.
        right: Pairs to learn from.
        whole: Whether all groups of features are there, which the shipped trees need.

    Raises:
        MissingExtraError: If LightGBM was asked for and is not installed.
        JointalignError: If the shipped trees were asked for and features are left out.
    """
    installed = find_spec("lightgbm") is not None
    if learner in (Learner.BOOSTING, Learner.LISTWISE, Learner.REFINED) and not installed:
        raise MissingExtraError("lightgbm", "ranking")
    if learner in (Learner.SHIPPED, Learner.REFINED) and not whole:
        raise JointalignError(
            "the shipped ranker needs all groups of features; leave out none, or learn anew"
        )
    if learner is not Learner.AUTO:
        return learner
    if installed and right >= ENOUGH:
        return Learner.REFINED if whole and right < LARGE else Learner.BOOSTING
    return Learner.SHIPPED if whole else Learner.LOGISTIC


@dataclass(frozen=True, eq=False)
class Logistic:
    """Logistic regression on standardised columns, cut at four standard deviations.

    Args:
        weights: One a column, then the constant.
        means: Of the columns.
        scales: Their standard deviations.
    """

    weights: np.ndarray
    means: np.ndarray
    scales: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Log odds of each row, float64 `(p,)`."""
        return _standardised(rows, self.means, self.scales) @ self.weights[:-1] + self.weights[-1]

    def check(self, columns: int) -> None:
        """Make sure that it fits so many columns.

        Raises:
            JointalignError: If it does not.
        """
        sizes = len(self.weights) - 1, len(self.means), len(self.scales)
        if set(sizes) != {columns} or not all(np.isfinite(one).all() for one in vars(self).values()):
            raise JointalignError(f"its numbers are not those of {columns} columns")


# In standard deviations: a rare value must not outweigh all the rest.
_FARTHEST = 4.0


def _standardised(rows: np.ndarray, means: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.clip((rows - means) / scales, -_FARTHEST, _FARTHEST)


def fit_logistic(rows: np.ndarray, right: np.ndarray, penalty: float = 1.0, steps: int = 50) -> Logistic:
    """Newton's method, with a squared penalty on all weights but the constant."""
    rows = rows.astype(np.float64)
    means, scales = rows.mean(axis=0), rows.std(axis=0)
    scales = np.where(scales > 1e-9, scales, 1.0)
    x = np.column_stack([_standardised(rows, means, scales), np.ones(len(rows))])
    ridge = np.append(np.full(rows.shape[1], penalty), 1e-6)
    weights = np.zeros(x.shape[1])
    for _ in range(steps):
        chance = sigmoid(x @ weights)
        gradient = x.T @ (chance - right) + ridge * weights
        spread = np.maximum(chance * (1 - chance), 1e-9)
        step = np.linalg.solve((x * spread[:, None]).T @ x + np.diag(ridge), gradient)
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-12))
        weights -= step
        if np.abs(step).max() < 1e-7:
            break
    return Logistic(weights, means, scales)


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees as arrays, all nodes one after the other; a score is the sum of a leaf of each.

    Args:
        roots: Node that each tree begins with, `(t,)`.
        columns: Column that a node looks at, -1 for leaves, `(n,)`.
        values: Highest value that goes left; the value of a leaf, `(n,)`.
        left: Next node, `(n,)`.
        right: Next node otherwise, `(n,)`.
    """

    roots: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    left: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, booster: Any) -> Trees:
        """Take the trees out of a LightGBM booster."""
        nodes: list[tuple[int, float, int, int]] = []

        def add(node: dict[str, Any]) -> int:
            number = len(nodes)
            nodes.append((-1, node.get("leaf_value", 0.0), 0, 0))
            if "split_feature" in node:
                left, right = add(node["left_child"]), add(node["right_child"])
                nodes[number] = node["split_feature"], node["threshold"], left, right
            return number

        roots = [add(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
        columns, values, left, right = zip(*nodes, strict=True)
        whole = [np.array(some, np.int32) for some in (roots, columns, left, right)]
        return cls(whole[0], whole[1], np.array(values, np.float64), *whole[2:])

    def and_then(self, others: Trees) -> Trees:
        """These and others: the scores are the sum of both."""
        size = len(self.values)
        parts = zip(
            (self.roots, self.columns, self.values, self.left, self.right),
            (others.roots + size, others.columns, others.values, others.left + size, others.right + size),
            strict=True,
        )
        return Trees(*(np.concatenate(part) for part in parts))

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Log odds of each row, float64 `(p,)`; of list-wise trees a score."""
        rows = np.ascontiguousarray(rows, np.float64)
        return _sums(rows, self.roots, self.columns, self.values, self.left, self.right)

    def check(self, columns: int) -> None:
        """Make sure that the way down ends inside the arrays: every node comes after the one above it.

        Raises:
            JointalignError: If it does not.
        """
        size, inner = len(self.values), self.columns >= 0
        if any(len(one) != size for one in (self.columns, self.left, self.right)):
            raise JointalignError("its trees are cut off")
        below = np.minimum(self.left, self.right), np.maximum(self.left, self.right)
        after = np.all(below[0][inner] > np.flatnonzero(inner)) and np.all(below[1][inner] < size)
        if not after or np.any(self.roots >= size) or np.any(self.columns >= columns):
            raise JointalignError("its trees point outside")


@compiled()
def _sums(
    rows: np.ndarray,
    roots: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
) -> np.ndarray:
    found = np.zeros(len(rows))
    for row in range(len(rows)):
        for tree in range(len(roots)):
            node = roots[tree]
            while columns[node] >= 0:
                node = left[node] if rows[row, columns[node]] <= values[node] else right[node]
            found[row] += values[node]
    return found


def fit_trees(
    rows: np.ndarray,
    right: np.ndarray,
    queries: np.ndarray,
    seed: int,
    *,
    listwise: bool = False,
    start: np.ndarray | None = None,
    trees: int = 200,
    leaves: int = 15,
) -> Trees:
    """Boosted trees.

    Args:
        rows: Features, `(p, f)`.
        right: Whether each is right.
        queries: Number of the query of each row; rows of a query stand together.
        seed: The only source of randomness.
        listwise: Learn the order within each query in place of each row's odds.
        start: Log odds that the trees are to correct, `(p,)`; default: those of all rows together.
        trees: How many.
        leaves: Of each.
    """
    import lightgbm

    settings: dict[str, Any] = {
        "objective": "lambdarank" if listwise else "binary",
        "learning_rate": 0.06,
        "num_leaves": leaves,
        "min_data_in_leaf": 40,
        "lambda_l2": 1.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    sizes = np.diff(np.append(np.flatnonzero(np.diff(queries, prepend=-1)), len(queries)))
    data = lightgbm.Dataset(rows, right.astype(np.int32), group=sizes if listwise else None, init_score=start)
    return Trees.of(lightgbm.train(settings, data, num_boost_round=trees))


def learn(
    learner: Learner,
    rows: np.ndarray,
    right: np.ndarray,
    queries: np.ndarray,
    seed: int,
    start: Trees | None = None,
) -> Logistic | Trees:
    """Fit whichever learner was chosen; arguments as of `fit_trees`, but `start` is what is refined."""
    if learner is Learner.LOGISTIC:
        return fit_logistic(rows, right)
    if start is not None:
        return start.and_then(fit_trees(rows, right, queries, seed, start=start.scores(rows)))
    return fit_trees(rows, right, queries, seed, listwise=learner is Learner.LISTWISE)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), for any x."""
    return 0.5 * (1 + np.tanh(0.5 * x))
