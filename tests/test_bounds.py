"""Compiled loops stay inside their arrays: tests of them once more, compiled with a look at each index."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LOOPS = [
    "training/test_kernels.py",
    "training/test_bags.py",
    "training/test_shared_noise.py",
    "training/test_reading.py",
    "training/test_skipgram.py",
    "retrieval",
    "numerics/test_lists.py",
    "alignment/test_rcsls.py",
    "alignment/test_vecmap.py",
    "formats/test_vec.py",
    "word_alignment",
    "ranking/test_spelling.py",
]


@pytest.mark.slow
def test_no_loop_leaves_its_arrays(tmp_path):
    checked = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    checked.pop("PYTEST_XDIST_WORKER", None)
    places = [str(HERE / name) for name in LOOPS]
    line = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not data",
        *places,
    ]
    done = subprocess.run(line, env=checked, cwd=HERE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_loop_that_leaves_its_array_is_seen(tmp_path):
    """That the switch does what the other test goes by."""
    code = (
        "import numpy as np\nfrom jointalign.numerics.compiling import compiled\n"
        "loop = compiled()(lambda array, at: array[at])\nloop(np.zeros(2), 5)\n"
    )
    checked = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=checked, capture_output=True, text=True, check=False
    )
    assert "IndexError" in done.stderr
