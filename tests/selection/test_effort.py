"""Estimates of time: they must grow as the work does."""

import dataclasses

import pytest

from jointalign.alignment.iterative_normalization import IterativeNormalization
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.alignment.refinement import RefinedProcrustes
from jointalign.alignment.vecmap import VecMap
from jointalign.selection.effort import fit_seconds, training_seconds

SIZES = (20_000, 8_000, 300, 20)


def test_training_grows_with_text_and_dimensions():
    assert training_seconds(2_000_000, 5, 300) == 2 * training_seconds(1_000_000, 5, 300)
    assert training_seconds(1_000_000, 5, 300) == pytest.approx(20)


def test_fits_are_in_the_order_of_their_work():
    methods = (Procrustes(), RCSLS(), RefinedProcrustes(), VecMap.semi_supervised())
    seconds = [fit_seconds(method, *SIZES) for method in methods]
    assert seconds == sorted(seconds) and seconds[0] * 10 < seconds[1]
    assert fit_seconds(VecMap.supervised(), *SIZES) == seconds[0]
    assert fit_seconds(IterativeNormalization(RCSLS()), *SIZES) == seconds[1]


def test_twice_the_words_are_four_times_the_work():
    once = fit_seconds(Procrustes(), 10_000, 5_000, 300, 20)
    assert fit_seconds(Procrustes(), 20_000, 5_000, 300, 20) == 4 * once


def test_settings_of_a_method_do_not_matter():
    assert fit_seconds(dataclasses.replace(RCSLS(), learning_rate=25.0), *SIZES) == fit_seconds(
        RCSLS(), *SIZES
    )
