"""No damaged file gives anything but a result or an error that names it: no traceback, no crash."""

import pytest

pytest.importorskip("torch", reason="some of the files are of networks")
pytest.importorskip("transformers")
pytest.importorskip("lightgbm")

from fuzzing import SLOW, TARGETS, fuzzed  # noqa: E402

FEW, FEWER = 40, 8


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_are_refused_or_read(name, tmp_path):
    _, faults = fuzzed(name, FEWER if name in SLOW else FEW, tmp_path)
    assert not faults, f"{len(faults)} faults, the first: {faults[0]}"


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_many_damaged_files(name, tmp_path):
    """As `studies/fuzz.py` runs it."""
    _, faults = fuzzed(name, 500 if name in SLOW else 5000, tmp_path, seed=1000)
    assert not faults, f"{len(faults)} faults, the first: {faults[0]}"
