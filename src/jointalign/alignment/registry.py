"""All methods by name: ours, and those that other packages register.

A package registers a method by an entry point: in its `pyproject.toml`,

    [project.entry-points."jointalign.aligners"]
    my_method = "my_package:MyMethod"

`MyMethod()` has to give an `Aligner` with its default settings. The name then works wherever ours
do. Nothing is imported before it is asked for by name.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping as MappingType
from dataclasses import is_dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from types import MappingProxyType

from jointalign.alignment.base import Aligner
from jointalign.errors import JointalignError, MissingExtraError

logger = logging.getLogger(__name__)

GROUP = "jointalign.aligners"

_HERE = "jointalign.alignment"
METHODS: MappingType[str, str] = MappingProxyType(
    {
        "procrustes": f"{_HERE}.procrustes:Procrustes",
        "refined": f"{_HERE}.refinement:RefinedProcrustes",
        "geomm": f"{_HERE}.geomm:GeoMM",
        "geomm_semi_supervised": f"{_HERE}.geomm_semi:SemiSupervisedGeoMM",
        "rcsls": f"{_HERE}.rcsls:RCSLS",
        "rcsls_iterative": f"{_HERE}.registry:rcsls_iterative",
        "vecmap": f"{_HERE}.vecmap:VecMap.supervised",
        "vecmap_semi_supervised": f"{_HERE}.vecmap:VecMap.semi_supervised",
        "vecmap_unsupervised": f"{_HERE}.vecmap:VecMap.unsupervised",
        "vecmap_emnlp2016": f"{_HERE}.vecmap:VecMap.emnlp2016",
        "vecmap_acl2017": f"{_HERE}.vecmap:VecMap.acl2017",
        "vecmap_aaai2018": f"{_HERE}.vecmap:VecMap.aaai2018",
        "muse": f"{_HERE}.muse:MUSE",
        "muse_small": f"{_HERE}.muse:MUSE.small",
        "dema": f"{_HERE}.dema:DeMaBWE",
        "dema_small": f"{_HERE}.dema:DeMaBWE.small",
    }
)
"""Our methods: where what makes each with its default settings is, in the form of entry points."""


def method_names() -> tuple[str, ...]:
    """Names of all methods, ours first."""
    return tuple(dict.fromkeys([*METHODS, *(point.name for point in _registered(tuple(sys.path)))]))


@cache
def _registered(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """What packages of this search path register; finding it reads a file of every one of them."""
    return tuple(entry_points(group=GROUP))


def method_named(name: str) -> Aligner:
    """A method with its default settings.

    Of two packages with one name the first found is taken, and ours before all, with a warning.

    Raises:
        JointalignError: If there is no such method, or its package is broken.

    Example:
        >>> method_named("procrustes")
        Procrustes()
    """
    points = [point for point in _registered(tuple(sys.path)) if point.name == name]
    if name in METHODS:
        points.insert(0, EntryPoint(name, METHODS[name], GROUP))
    if not points:
        raise JointalignError(f"there is no method '{name}'; choose from {', '.join(method_names())}")
    for hidden in points[1:]:
        logger.warning(
            "the method '%s' of %s is not used: %s has one of this name; ask its author to rename it",
            name,
            _package(hidden),
            _package(points[0]),
        )
    return _made(points[0])


def _made(point: EntryPoint) -> Aligner:
    place = f"the method '{point.name}' of the package {_package(point)}"
    cure = "update the package or remove it"
    try:
        method = point.load()()
    except Exception as error:  # whatever another package does when it is imported
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise JointalignError(f"{place} cannot be loaded ({told}); {cure}") from error
    if not isinstance(method, Aligner) or not is_dataclass(method):
        raise JointalignError(f"{place} is {type(method).__name__}, no dataclass from Aligner; {cure}")
    return method


def _package(point: EntryPoint) -> str:
    return "jointalign" if point.dist is None else point.dist.name


def rcsls_iterative() -> Aligner:
    """RCSLS after iterative normalisation: "RCSLS + IN" of the paper that proposed it."""
    from jointalign.alignment.iterative_normalization import IterativeNormalization
    from jointalign.alignment.rcsls import RCSLS

    return IterativeNormalization(RCSLS())


def check_extras(method: Aligner, supervised: bool) -> None:
    """Make sure that what a method imports only when it learns is installed.

    Args:
        method: The method.
        supervised: Whether it will be given pairs.

    Raises:
        MissingExtraError: If it is not.
    """
    extra = method.extra(supervised)
    if extra and find_spec(extra) is None:
        raise MissingExtraError(extra, extra)
