"""VecMap: one framework for orthogonal and linear maps, with or without a dictionary.

Artetxe et al. 2016 (EMNLP): rotation of length-normalised and centred vectors. 2017 (ACL):
self-learning from a small seed. 2018a (AAAI): whitening, rotation, re-weighting and de-whitening.
2018b (ACL): start without a dictionary, and self-learning with stochastic dictionary induction.

Differences from the authors' code: one pass over the similarities an iteration, in blocks, instead
of several, and short lists instead of stored matrices, with the same result; other random numbers,
which do not depend on the size of blocks; where the pairs do not span all dimensions, whitening
leaves out those they do not span (theirs divides by rounding errors); singular value decompositions
in float64.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, replace

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment._induction import Direction
from jointalign.alignment._normalised import Normalisation, NormalisedRows
from jointalign.alignment._orthogonal import closest_orthogonal, cross_product
from jointalign.alignment._self_learning import SelfLearning
from jointalign.alignment._similarity_start import first_pairs
from jointalign.alignment._whitening import Steps, WhitenedSide
from jointalign.alignment.base import Aligner, Array, Mapping, Supervision, as_numpy
from jointalign.alignment.checks import check_pairs, check_vectors
from jointalign.errors import JointalignError
from jointalign.ranges import check_ranges, within

_ITERATIONS = 300  # of self-learning that are usually made, for estimates


@dataclass(frozen=True)
class VecMap(Aligner):
    """Centring, whitening, rotation, re-weighting, de-whitening, and self-learning around them.

    The defaults are `VecMap.supervised()`. It moves both sides. Choose it where there is a
    dictionary of thousands of pairs; `VecMap.semi_supervised()` for 25 to some hundred pairs, or
    for a seed lexicon of identical strings or of numerals (the authors' `--identical` and
    `--numerals`: the words are read elsewhere, methods see rows only), which it then grows by
    itself; `VecMap.unsupervised()` for related languages and no dictionary at all.

    Self-learning of NumPy arrays and torch tensors runs on the processor; the rest where they are.

    Args:
        normalisation: Default: length one, centred, length one (2018b, section 3.1).
        whiten: Whiten both sides by the pairs (2018a, step 1).
        source_reweight: Power of the singular values for the source (step 3); default 0.5 (the
            authors' program; 2018b, section 3.4); 0: none.
        target_reweight: The same for the target.
        source_dewhiten: Whose whitening is undone on the source side (step 4); default: its own.
        target_dewhiten: The same for the target.
        self_learning: Grow the dictionary, by rotations only; the map above is learnt once, from
            the last dictionary.
        similarity_start: Take no pairs: first ones come from similarity distributions (2018b,
            section 3.2).
        initial_vocabulary: Words a side that are compared for that; default 4,000.
        vocabulary_cutoff: Words a side that take part in self-learning; default 20,000; `None`:
            all.
        csls_neighbourhood: Words in CSLS's r; default 10; 0: plain products.
        direction: Whose best translations are the new pairs; default: both sides', and a pair of
            both counts twice.
        stochastic_initial: Share of the similarity matrix that counts at first; default 0.1.
        stochastic_multiplier: By what it grows whenever the objective stagnates; default 2.
        stochastic_interval: Iterations without improvement that are stagnation; default 50.
        threshold: What counts as improvement; default 1e-6.
        maximum_iterations: Limit of iterations; default `None`: as in the papers, none.

    Raises:
        JointalignError: If a setting is out of range or two do not go together.

    Example:
        >>> z = np.eye(3, dtype=np.float32)
        >>> x = z[:, [1, 2, 0]]
        >>> pairs = np.array([[0, 0], [1, 1], [2, 2]])
        >>> mapping = VecMap.emnlp2016().fit(x, z, pairs)
        >>> (x @ mapping.source @ z.T).argmax(axis=1)
        array([0, 1, 2])
    """

    normalisation: Normalisation = Normalisation.UNIT_CENTER_UNIT
    whiten: bool = True
    source_reweight: float = within(0.5, least=0)
    target_reweight: float = within(0.5, least=0)
    source_dewhiten: WhitenedSide | None = WhitenedSide.SOURCE
    target_dewhiten: WhitenedSide | None = WhitenedSide.TARGET
    self_learning: bool = False
    similarity_start: bool = False
    initial_vocabulary: int = within(4000, least=1)
    vocabulary_cutoff: int | None = within(20_000, least=1)
    csls_neighbourhood: int = within(10, least=0)
    direction: Direction = Direction.UNION
    stochastic_initial: float = within(0.1, above=0, most=1)
    stochastic_multiplier: float = within(2.0, above=1)
    stochastic_interval: int = within(50, least=1)
    threshold: float = within(1e-6, least=0)
    maximum_iterations: int | None = within(None, least=1)

    moves_target = True

    def __post_init__(self) -> None:
        check_ranges(self)
        allowed = (Direction.FORWARD, Direction.BACKWARD, Direction.UNION)
        self._check("direction", self.direction in allowed, "forward, backward or union")
        for name in ("source_dewhiten", "target_dewhiten"):
            undone = self.whiten or getattr(self, name) is None
            self._check(name, undone, "None without `whiten`: there is nothing to undo")
        self._check(
            "similarity_start",
            self.self_learning or not self.similarity_start,
            "False without `self_learning`: the first pairs are too rough to stay",
        )

    def _check(self, name: str, good: bool, expected: str) -> None:
        if not good:
            raise JointalignError(f"{name} must be {expected}; got {getattr(self, name)}")

    @classmethod
    def supervised(cls) -> VecMap:
        """From a dictionary, all steps, no self-learning: the defaults."""
        return cls()

    @classmethod
    def semi_supervised(cls) -> VecMap:
        """From a small dictionary, also one of identical strings or numerals, by self-learning."""
        return cls(self_learning=True)

    @classmethod
    def unsupervised(cls) -> VecMap:
        """From nothing (2018b)."""
        return cls(self_learning=True, similarity_start=True)

    @classmethod
    def emnlp2016(cls) -> VecMap:
        """From a dictionary, a rotation of centred vectors."""
        return cls(
            normalisation=Normalisation.UNIT_CENTER,
            whiten=False,
            source_reweight=0.0,
            target_reweight=0.0,
            source_dewhiten=None,
            target_dewhiten=None,
        )

    @classmethod
    def acl2017(cls) -> VecMap:
        """From a small dictionary, or one of numerals: 2016's rotation and plain self-learning."""
        return replace(
            cls.emnlp2016(),
            self_learning=True,
            vocabulary_cutoff=None,
            csls_neighbourhood=0,
            direction=Direction.FORWARD,
            stochastic_initial=1.0,
            stochastic_interval=1,
        )

    @classmethod
    def aaai2018(cls) -> VecMap:
        """From a dictionary, all steps, but only the target re-weighted."""
        return cls(normalisation=Normalisation.UNIT_CENTER, source_reweight=0.0, target_reweight=1.0)

    @property
    def supervision(self) -> Supervision:
        """Needs pairs, or takes none where it makes them from similarities."""
        return Supervision.NONE if self.similarity_start else Supervision.REQUIRED

    @property
    def loop(self) -> SelfLearning:
        """The settings of self-learning alone."""
        return SelfLearning(
            direction=self.direction,
            csls_neighbourhood=self.csls_neighbourhood,
            stochastic_initial=self.stochastic_initial,
            stochastic_multiplier=self.stochastic_multiplier,
            stochastic_interval=self.stochastic_interval,
            threshold=self.threshold,
            maximum_iterations=self.maximum_iterations,
        )

    def searches(self, words: int, pairs: int) -> float:
        """One an iteration of self-learning."""
        return float(_ITERATIONS) if self.self_learning else 0.0

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Learn both sides' maps; see `Aligner.fit`. Only self-learning is random.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or there are no valid pairs
                where they are needed, or some where none are taken.
        """
        check_vectors(x, z)
        source = NormalisedRows.of(x, self.normalisation)
        target = NormalisedRows.of(z, self.normalisation)
        if self.similarity_start:
            if pairs is not None:
                raise JointalignError(
                    "unsupervised VecMap takes no dictionary and got one: leave it out, or use "
                    "VecMap.semi_supervised()"
                )
            words = min(self.initial_vocabulary, x.shape[0], z.shape[0])
            rows = first_pairs(
                as_numpy(source.first(words)),
                as_numpy(target.first(words)),
                self.normalisation,
                self.csls_neighbourhood,
                self.direction,
            )
        else:
            rows = check_pairs(pairs, x, z, "VecMap")
        history = {}
        if self.self_learning:
            rows, history = self._grown(source, target, rows, np.random.default_rng(seed))
        source_map, target_map = self._maps(source.take(rows[:, 0]), target.take(rows[:, 1]))
        return Mapping(source_map, target_map, history, source.means, target.means)

    def _grown(
        self, source: NormalisedRows, target: NormalisedRows, rows: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, MappingType[str, tuple[float, ...]]]:
        """The dictionary `(k, 2)` that self-learning makes of some pairs, and its history."""
        first = _products(source.take(rows[:, 0]), target.take(rows[:, 1]))
        x = as_numpy(source.first(self.vocabulary_cutoff))
        z = as_numpy(target.first(self.vocabulary_cutoff))
        return self.loop.learn(x, z, as_numpy(first), rng)

    def _maps(self, x: Array, z: Array) -> tuple[Array, Array]:
        """Both sides' maps `(d, d)` from the vectors of the pairs, `(k, d)` each."""
        xp = array_namespace(x, z)
        cross = _products(x, z)
        if not (self.whiten or self.source_reweight or self.target_reweight):
            identity = xp.eye(z.shape[1], dtype=z.dtype, device=device(z))
            return xp.astype(closest_orthogonal(cross), x.dtype), identity
        steps = Steps(
            self.whiten,
            self.source_reweight,
            self.target_reweight,
            self.source_dewhiten,
            self.target_dewhiten,
        )
        source, target = steps.maps(_products(x, x), _products(z, z), cross)
        return xp.astype(source, x.dtype), xp.astype(target, z.dtype)


def _products(x: Array, z: Array) -> Array:
    """X^T Z of rows that belong together, float64 `(d, d)`."""
    return cross_product(x, z, np.stack([np.arange(x.shape[0])] * 2, axis=1))
