"""GeoMM (Jawanpuria et al. 2019, TACL 7): rotate both sides, then learn the metric between them.

With the distinct words of the dictionary as rows of X_s and Z_t and its pairs as ones of the 0-1
matrix Y, the paper's bilingual problem (section 3.1) is

    min |X_s U_s B U_t' Z_t' - Y|^2 + lambda / 2 |B|^2 ,  U_s, U_t orthogonal, B positive definite,

and a word is compared with another in the space of x U_s B^(1/2) and z U_t B^(1/2). Words that are
no translations of each other count as well: their entries of Y are zeros.

Differences from the authors' code: they descend on the manifold of the three matrices for 150
steps. But every invertible W is some U_s B U_t' (its singular value decomposition), with
|W| = |B|, so the problem is a two-sided ridge regression,

    X_s'X_s W Z_t'Z_t + lambda / 2 W = X_s' Y Z_t ,

whose solution is exact and takes two eigenvalue decompositions. lambda is their `--l2_reg`; the
half belongs to their cost. Their vectors are made unit and centred but not unit again before the
fit, and so are ours. Where they subtract the mean of the words that they load, we take that of the
rows that `fit` gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from jointalign.alignment._geomm import cost, factors, mean_of_rows, minimizer, moments
from jointalign.alignment.base import Aligner, Array, Mapping
from jointalign.alignment.checks import check_pairs, check_vectors
from jointalign.ranges import check_ranges, within


@dataclass(frozen=True)
class GeoMM(Aligner):
    """Rotations and a metric that tell the dictionary's pairs from all other pairs of its words.

    Choose it where there is a dictionary of a thousand pairs or more: closed form, seconds, one
    setting. The space has as many dimensions with weight as the dictionary has pairs, at most `d`:
    with fewer pairs than dimensions B has zeros, and `SemiSupervisedGeoMM` is the better choice.

    Args:
        regularization: lambda of the published cost, the authors' `--l2_reg`. Default 100, theirs;
            they chose 100 or 1000 for each direction on a fifth of the training dictionary.

    Raises:
        JointalignError: If `regularization` is not above 0.

    Example:
        >>> import numpy as np
        >>> z = np.eye(3, dtype=np.float32)
        >>> x = z[:, [1, 2, 0]]
        >>> mapping = GeoMM().fit(x, z, np.array([[0, 0], [1, 1], [2, 2]]))
        >>> mapped = (x - mapping.source_means[0]) @ mapping.source
        >>> others = (z - mapping.target_means[0]) @ mapping.target
        >>> (mapped @ others.T).argmax(axis=1)
        array([0, 1, 2])
    """

    regularization: float = within(100.0, above=0)

    moves_target = True
    # The strengths between which the authors' scripts choose, and one below.
    tried = MappingProxyType({"regularization": (10.0, 100.0, 1000.0)})

    def __post_init__(self) -> None:
        check_ranges(self)

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Solve the ridge regression; see `Aligner.fit`. Nothing is random.

        Returns:
            Matrices U_s B^(1/2) and U_t B^(1/2), `(d, d)`, the means of the rows of `x` and `z`,
            and in `history` the published `cost` at the solution, which is its minimum.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or there are no valid pairs.
        """
        xp = check_vectors(x, z)
        rows = check_pairs(pairs, x, z, "GeoMM")
        means = mean_of_rows(x), mean_of_rows(z)
        sums = moments(x, z, rows, *means)
        w = minimizer(sums, self.regularization)
        source, target = factors(w)
        return Mapping(
            source=xp.astype(source, x.dtype),
            target=xp.astype(target, z.dtype),
            history={"cost": (cost(w, sums, self.regularization),)},
            source_means=(xp.astype(means[0], x.dtype),),
            target_means=(xp.astype(means[1], z.dtype),),
        )
