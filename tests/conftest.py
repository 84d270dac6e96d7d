"""What all tests share."""

import os

# Read by numpy and torch when they are imported, hence first. Tests are small: waiting for another
# thread costs more than it brings, and `pytest -n` has a process for each processor already.
os.environ.setdefault("OMP_NUM_THREADS", "1")
from hypothesis import settings  # noqa: E402

# Compiled kernels make the first call slow; time is measured in benchmarks, not here.
settings.register_profile("jointalign", deadline=None, derandomize=True)
settings.load_profile("jointalign")
