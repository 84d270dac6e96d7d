"""Estimates of time: they must grow as the work does."""

import dataclasses

from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.iterative_normalization import IterativeNormalization
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.alignment.refinement import RefinedProcrustes
from jointalign.alignment.vecmap import VecMap

SIZES = (20_000, 8_000)


def test_fits_are_in_the_order_of_their_work():
    methods = (Procrustes(), RCSLS(steps=20), RefinedProcrustes(), VecMap.semi_supervised())
    searches = [method.searches(*SIZES) for method in methods]
    assert searches[0] == 0 and searches == sorted(set(searches)) and searches[1] > 10
    assert VecMap.supervised().searches(*SIZES) == GeoMM().searches(*SIZES) == 0
    assert IterativeNormalization(RCSLS(steps=20)).searches(*SIZES) == searches[1]


def test_a_descent_grows_with_its_steps_and_pairs_and_with_nothing_else():
    once = RCSLS(steps=10).searches(*SIZES)
    assert RCSLS(steps=20).searches(*SIZES) == 2 * once == RCSLS(steps=10).searches(20_000, 16_000)
    assert dataclasses.replace(RCSLS(steps=10), learning_rate=25.0).searches(*SIZES) == once
