"""What every alignment method must do: checks for those who write one, as we run them on ours.

In a package that registers a method, with pytest:

    @pytest.mark.parametrize("check", jointalign.testing.CHECKS)
    def test_contract(check):
        check(MyMethod())

The checks need no pytest. Give the method settings that learn a small case quickly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jointalign.alignment.base import Aligner, Mapping, Supervision
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import recentred, unit

__all__ = ["CHECKS", "Case", "answers", "check_aligner", "planted"]


class Case(NamedTuple):
    """Vectors of two languages and the pairs that are known.

    Args:
        x: Source, `(n, d)`.
        z: Target, `(n, d)`; the translation of row i is row i.
        pairs: Seed dictionary, `(k, 2)`.
    """

    x: np.ndarray
    z: np.ndarray
    pairs: np.ndarray


def planted() -> Case:
    """A space and its rotation; the first half of the words is the dictionary.

    Words lie in clusters, and some directions matter more: without any structure a method that has
    no dictionary could find nothing.

    Example:
        >>> [array.shape for array in planted()]
        [(200, 10), (200, 10), (100, 2)]
    """
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((25, 10)) * np.linspace(0.5, 2, 10)
    x = centres[rng.integers(0, 25, 200)] + 0.6 * rng.standard_normal((200, 10))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    turn = np.linalg.qr(rng.standard_normal((10, 10)))[0].astype(np.float32)
    return Case(x, x @ turn, np.stack([np.arange(100)] * 2, axis=1))


def answers(mapping: Mapping, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Nearest target row of each source row, `(n,)`, both moved as `apply` moves words."""
    moved = unit(recentred(x, mapping.source_means) @ mapping.source)
    return (moved @ unit(recentred(z, mapping.target_means) @ mapping.target).T).argmax(axis=1)


def check_settings_are_frozen_fields(method: Aligner) -> None:
    """Settings are the fields of a frozen dataclass, and equal ones make equal methods."""
    _hold(dataclasses.is_dataclass(method), "expected a dataclass, whose fields are the settings")
    _hold(method == dataclasses.replace(method), "expected a copy to be equal")  # type: ignore[type-var]
    for field in dataclasses.fields(method):  # type: ignore[arg-type]
        try:
            setattr(method, field.name, getattr(method, field.name))
        except dataclasses.FrozenInstanceError:
            continue
        raise AssertionError(f"expected a frozen dataclass; {field.name} can be set")


def check_recovers_a_planted_rotation(method: Aligner) -> None:
    """Words outside the dictionary are found, too."""
    x, z, _ = planted()
    found = answers(_fit(method, planted()), x, z)
    np.testing.assert_array_equal(found, np.arange(len(x)))


def check_gives_finite_matrices(method: Aligner) -> None:
    """Of the right shape, and of the type of the vectors."""
    mapping = _fit(method, planted())
    for matrix in (mapping.source, mapping.target):
        _hold(np.isfinite(matrix).all(), "expected finite numbers")
        _hold(matrix.shape == (10, 10), f"expected shape (10, 10), got {matrix.shape}")
        _hold(matrix.dtype == np.float32, f"expected float32, got {matrix.dtype}")


def check_leaves_its_inputs_alone(method: Aligner) -> None:
    """Arrays that cannot be written to will do."""
    case = planted()
    for array in case:
        array.setflags(write=False)
    _fit(method, case)
    for array, before in zip(case, planted(), strict=True):
        np.testing.assert_array_equal(array, before)


def check_same_seed_same_result(method: Aligner) -> None:
    """To the bit."""
    first, second = (_fit(method, planted(), seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.source, second.source)
    np.testing.assert_array_equal(first.target, second.target)
    _hold(first.history == second.history, "expected the same history from the same seed")


def check_sides_of_different_sizes(method: Aligner) -> None:
    """The source has fewer words than the target."""
    x, z, pairs = planted()
    found = answers(_fit(method, Case(x[:150], z, pairs)), x[:150], z)
    right = (found == np.arange(150)).mean()
    _hold(right > 0.95, f"expected nearly all words to be found, got {right:.0%}")


def check_refuses_bad_vectors(method: Aligner) -> None:
    """In plain words that say which side is bad."""
    x, z, pairs = planted()
    bad = [
        (x[:, :5], z, "dimensions, got 5 (source) and 10 (target)"),
        (x[0], z, "source vectors must be a matrix"),
        (x, z[:0], "target vectors must be a matrix"),
        (x, np.where(z > 0.5, np.nan, z), "target vectors hold NaN or infinity"),
        (np.where(x > 0.5, -np.inf, x), z, "source vectors hold NaN or infinity"),
    ]
    for source, target, message in bad:
        _refused(method, Case(source, target, pairs), message)


def check_refuses_bad_pairs(method: Aligner) -> None:
    """If it needs pairs; again in plain words."""
    if method.supervision is not Supervision.REQUIRED:
        return
    x, z, _ = planted()
    bad = [
        (None, "seed dictionary and got none: pass a Lexicon"),
        (np.zeros((0, 2), np.int64), "at least one translation pair"),
        (np.array([[0, 200]]), "target row 200, but there are 200 target vectors"),
        (np.array([[-1, 0]]), "source row -1"),
        (np.array([0, 1]), "shape (k, 2), got int64 of shape"),
        (np.array([[0.5, 1.0]]), "whole numbers of shape (k, 2), got float64"),
    ]
    for pairs, message in bad:
        _refused(method, Case(x, z, pairs), message)  # type: ignore[arg-type]


def check_knows_what_it_moves(method: Aligner) -> None:
    """`moves_target` says whether the target stays where it is."""
    mapping = _fit(method, planted())
    moved = bool(mapping.target_means) or not np.array_equal(mapping.target, np.eye(10))
    _hold(moved == method.moves_target, f"moves_target is {method.moves_target}, the mapping says {moved}")


def check_settings_to_choose(method: Aligner) -> None:
    """Each value that is worth trying is possible, and read off one fit as a fit of its own gives it."""
    for name, values in (*method.tried.items(), *method.tried_along.items()):
        for value in values:
            _hold(method.changed({name: value}).chosen[name] == value, f"expected {name} to become {value}")
    _hold(len(method.tried_along) <= 1, "expected at most one setting in tried_along")
    for name, values in method.tried_along.items():
        found = method.fit_along(*planted(), values, seed=3)
        for value, mapping in zip(values, found, strict=True):
            alone = _fit(method.changed({name: value}), planted(), seed=3)
            np.testing.assert_array_equal(mapping.source, alone.source)
            np.testing.assert_array_equal(mapping.target, alone.target)


CHECKS: tuple[Callable[[Aligner], None], ...] = (
    check_settings_are_frozen_fields,
    check_recovers_a_planted_rotation,
    check_gives_finite_matrices,
    check_leaves_its_inputs_alone,
    check_same_seed_same_result,
    check_sides_of_different_sizes,
    check_refuses_bad_vectors,
    check_refuses_bad_pairs,
    check_knows_what_it_moves,
    check_settings_to_choose,
)
"""All checks; each raises an `AssertionError` that says what is wrong."""


def check_aligner(method: Aligner) -> None:
    """Make all checks.

    `check_vectors` and `check_pairs` of `jointalign.alignment.checks` refuse bad input in the words
    that are looked for.

    Raises:
        AssertionError: If the method breaks the contract.

    Example:
        >>> from jointalign import Procrustes
        >>> check_aligner(Procrustes())
    """
    for check in CHECKS:
        check(method)


def _fit(method: Aligner, case: Case, seed: int = 0) -> Mapping:
    taken = None if method.supervision is Supervision.NONE else case.pairs
    return method.fit(case.x, case.z, taken, seed=seed)


def _refused(method: Aligner, case: Case, message: str) -> None:
    try:
        _fit(method, case)
    except JointalignError as error:
        _hold(message in str(error), f"expected an error with '{message}', got '{error}'")
    else:
        raise AssertionError(f"expected an error with '{message}', and it was accepted")


def _hold(fact: object, message: str) -> None:
    if not fact:
        raise AssertionError(message)
