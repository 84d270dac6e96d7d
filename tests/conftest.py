"""What all tests share."""

from hypothesis import settings

# Compiled kernels make the first call slow; time is measured in benchmarks, not here.
settings.register_profile("jointalign", deadline=None, derandomize=True)
settings.load_profile("jointalign")
