"""Mappings as estimators of scikit-learn, which is imported when one is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from jointalign.alignment.base import Aligner, Mapping, as_numpy
from jointalign.alignment.registry import method_named
from jointalign.checks import checked, float32
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import recentred, unit


@checked
def to_sklearn(method: Aligner | str = "procrustes", seed: int = 0) -> Any:
    """An alignment method as a transformer of scikit-learn.

    `fit(X, y)` learns from pairs: row `i` of `X` and of `y` translate each other. `transform(X)` moves
    rows of the source into the common space, `transform_target(y)` those of the target; all have length
    one. `mapping_` is the mapping. `method` and `seed` are parameters, for `GridSearchCV` and its like.

    Args:
        method: A method that learns from pairs, or its name for its default settings.
        seed: The only source of randomness.

    Raises:
        JointalignError: If scikit-learn is not installed, or there is no such method.
    """
    if isinstance(method, str):
        method_named(method)
    return _estimator()(method, seed)


def _estimator() -> Any:
    try:
        from sklearn.base import BaseEstimator, TransformerMixin  # type: ignore[import-not-found]
    except ImportError:
        raise JointalignError(
            "this needs the package 'scikit-learn'; install it with: pip install scikit-learn"
        ) from None

    class MappingTransformer(TransformerMixin, BaseEstimator):
        """See `to_sklearn`."""

        def __init__(self, method: Aligner | str = "procrustes", seed: int = 0) -> None:
            self.method, self.seed = method, seed

        def fit(self, X: Any, y: Any) -> MappingTransformer:  # noqa: N803
            method = method_named(self.method) if isinstance(self.method, str) else self.method
            x, z = (unit(_matrix(name, rows)) for name, rows in (("X", X), ("y", y)))
            if len(x) != len(z):
                raise JointalignError(f"expected a row of y for each of X, got {len(z)} and {len(x)}")
            self.mapping_: Mapping = method.fit(x, z, np.tile(np.arange(len(x))[:, None], 2), seed=self.seed)
            self.n_features_in_ = x.shape[1]
            return self

        def transform(self, X: Any) -> np.ndarray:  # noqa: N803
            return _moved(X, self.mapping_.source, self.mapping_.source_means)

        def transform_target(self, y: Any) -> np.ndarray:
            return _moved(y, self.mapping_.target, self.mapping_.target_means)

    return MappingTransformer


def _matrix(name: str, rows: Any) -> np.ndarray:
    found = float32(name, rows)
    if found.ndim != 2:
        raise JointalignError(f"{name} must be a matrix, a vector a row; got shape {found.shape}")
    return found


def _moved(rows: Any, matrix: Any, means: tuple[Any, ...]) -> np.ndarray:
    return unit(recentred(_matrix("X", rows), tuple(map(as_numpy, means))) @ as_numpy(matrix))
