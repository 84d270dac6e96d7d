"""What every alignment method must do, whatever it is: `jointalign.testing` on all of ours."""

import dataclasses
import importlib.util

import numpy as np
import pytest

from jointalign import testing
from jointalign.alignment.api import METHODS, method_named
from jointalign.alignment.base import Aligner, Mapping
from jointalign.alignment.dema import DeMaBWE
from jointalign.alignment.iterative_normalization import IterativeNormalization
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.alignment.vecmap import VecMap

# For a small case: the published settings of DeMa-BWE take a GPU, and VecMap waits for 50
# iterations without gain, five times. `dema_small` would be the same method here.
_DEMA = dataclasses.replace(DeMaBWE.small(), steps=40, batch_size=64, check_every=20, refinements=2)
QUICK = {
    "dema": _DEMA,
    "vecmap_semi_supervised": dataclasses.replace(VecMap.semi_supervised(), stochastic_interval=5),
    "vecmap_unsupervised": dataclasses.replace(VecMap.unsupervised(), stochastic_interval=5),
}


@pytest.mark.parametrize("check", testing.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"dema_small"}))
def test_contract(name, check):
    method = QUICK.get(name) or method_named(name)
    if method.extra(supervised=True) and importlib.util.find_spec(method.extra(supervised=True)) is None:
        pytest.skip(f"{method.extra(supervised=True)} is an extra that is not installed")
    check(method)


def test_a_name_gives_equal_methods():
    for name in METHODS:
        assert method_named(name) == method_named(name)


@dataclasses.dataclass(frozen=True)
class Careless(Aligner):
    """Procrustes, but for one fault."""

    fault: str
    rounds: int = 1

    @property
    def moves_target(self):
        return self.fault == "moves_target"

    @property
    def tried_along(self):
        return {"rounds": (1, 2)} if self.fault == "tried_along" else {}

    def fit_along(self, x, z, pairs, values, *, seed=0):
        return [Mapping(np.eye(10, dtype=np.float32), np.eye(10, dtype=np.float32)) for _ in values]

    def fit(self, x, z, pairs=None, *, seed=0):
        if self.fault == "writes":
            x *= 1
        if self.fault == "accepts":
            x, z = (np.nan_to_num(side, posinf=0, neginf=0) for side in (x, z))
            pairs = np.zeros((1, 2), int) if pairs is None else pairs
        mapping = Procrustes().fit(x, z, pairs)
        if self.fault == "float64":
            return Mapping(mapping.source.astype(float), mapping.target)
        if self.fault == "random":
            noise = 1e-3 * np.random.default_rng().standard_normal((10, 10)).astype(np.float32)
            return Mapping(mapping.source + noise, mapping.target)
        if self.fault == "wrong":
            return Mapping(mapping.target, mapping.target)
        return mapping


@pytest.mark.parametrize(
    ("fault", "found_by"),
    [
        ("writes", "check_leaves_its_inputs_alone"),
        ("accepts", "check_refuses_bad_vectors"),
        ("accepts", "check_refuses_bad_pairs"),
        ("float64", "check_gives_finite_matrices"),
        ("random", "check_same_seed_same_result"),
        ("wrong", "check_recovers_a_planted_rotation"),
        ("wrong", "check_sides_of_different_sizes"),
        ("moves_target", "check_knows_what_it_moves"),
        ("tried_along", "check_settings_to_choose"),
    ],
)
def test_each_check_finds_its_fault(fault, found_by):
    check = getattr(testing, found_by)
    check(Procrustes())
    # A method that writes fails by itself: "read-only".
    with pytest.raises(ValueError if fault == "writes" else AssertionError):
        check(Careless(fault))


def test_settings_that_can_be_set_are_found():
    class Open(Procrustes):
        __setattr__ = object.__setattr__

    Loose = dataclasses.make_dataclass("Loose", [("rounds", int, 5)], bases=(Open,), frozen=True)
    Loose.__setattr__ = object.__setattr__
    with pytest.raises(AssertionError, match="rounds can be set"):
        testing.check_settings_are_frozen_fields(Loose())


def test_a_wrapped_method_answers_for_what_it_wraps():
    wrapped = IterativeNormalization(RCSLS(learning_rate=25.0))
    assert wrapped.tried == RCSLS().tried and wrapped.tried_along == RCSLS().tried_along
    assert wrapped.chosen == {"learning_rate": 25.0, "steps": 10}
    assert wrapped.changed({"rounds": 2, "steps": 3}) == IterativeNormalization(RCSLS(25.0, 3), 2)
    assert wrapped.moves_target and not RCSLS().moves_target
    assert IterativeNormalization(DeMaBWE()).extra(supervised=True) == "torch"
    assert str(wrapped) == "iterative normalisation and RCSLS, learning rate 25, steps 10"
