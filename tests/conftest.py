"""What all tests share."""

import os
from pathlib import Path

# Read by numpy and torch when they are imported, hence first. Tests are small: waiting for another
# thread costs more than it brings, and `pytest -n` has a process for each processor already.
os.environ.setdefault("OMP_NUM_THREADS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Two processes that compile one loop at once could mix up its index of compiled code, so that each
    # would find the code of other types. Kept, for the next run is faster then.
    _CACHE = Path(__file__).parents[1] / ".pytest_cache" / "numba" / os.environ["PYTEST_XDIST_WORKER"]
    os.environ.setdefault("NUMBA_CACHE_DIR", str(_CACHE))

from hypothesis import settings  # noqa: E402

# Compiled kernels make the first call slow; time is measured in benchmarks, not here.
settings.register_profile("jointalign", deadline=None, derandomize=True)
settings.load_profile("jointalign")
