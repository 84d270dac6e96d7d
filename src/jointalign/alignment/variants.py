"""The settings of alignment methods that are worth trying, and how to write them down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jointalign.alignment.base import Aligner
from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.iterative_normalization import IterativeNormalization
from jointalign.alignment.rcsls import RCSLS

# Joint-Align, appendix A (learning rates); GeoMM's own scripts use 100 or 1000, by language pair.
LEARNING_RATES = (1.0, 10.0, 25.0, 50.0)
REGULARIZATIONS = (10.0, 100.0, 1000.0)

TRIED = ("learning_rate", "steps", "regularization")
"""Names of all settings that are chosen on held-out pairs."""


def core(method: Aligner) -> Aligner:
    """The method itself, without a normalisation put before it."""
    return core(method.method) if isinstance(method, IterativeNormalization) else method


def changed(method: Aligner, settings: Mapping[str, Any]) -> Aligner:
    """The same with other settings; those of a method behind a normalisation, too."""
    if isinstance(method, IterativeNormalization):
        own = {name: value for name, value in settings.items() if name == "rounds"}
        rest = {name: value for name, value in settings.items() if name != "rounds"}
        return replace(method, method=changed(method.method, rest), **own)
    return replace(method, **settings)  # type: ignore[type-var]


def variants(
    method: Aligner,
    learning_rates: Sequence[float] = LEARNING_RATES,
    regularizations: Sequence[float] = REGULARIZATIONS,
) -> list[Aligner]:
    """The method as it is, then with each other value of its setting that matters most."""
    inner = core(method)
    if isinstance(inner, RCSLS):
        name, values = "learning_rate", learning_rates
    elif isinstance(inner, GeoMM):
        name, values = "regularization", regularizations
    else:
        return [method]
    others = [value for value in values if value != getattr(inner, name)]
    return [method, *(changed(method, {name: value}) for value in others)]


def chosen_settings(method: Aligner) -> dict[str, Any]:
    """The settings of a method that are chosen on held-out pairs, as they are in it.

    The number of steps is read off the descent of RCSLS, which a normalisation before it hides.
    """
    inner = core(method)
    if isinstance(inner, RCSLS):
        names = ("learning_rate", "steps") if inner is method else ("learning_rate",)
    elif isinstance(inner, GeoMM):
        names = ("regularization",)
    else:
        names = ()
    return {name: getattr(inner, name) for name in names}


def in_words(method: Aligner) -> str:
    """Name of a method and what is chosen of it, for people.

    Example:
        >>> in_words(RCSLS(learning_rate=25.0))
        'RCSLS, learning rate 25, 10 steps'
    """
    parts = [type(core(method)).__name__]
    if isinstance(method, IterativeNormalization):
        parts[0] = f"iterative normalisation and {parts[0]}"
    for name, value in chosen_settings(method).items():
        parts.append(f"{value} steps" if name == "steps" else f"{name.replace('_', ' ')} {value:g}")
    return ", ".join(parts)
