"""Independent streams of random numbers from one seed.

Streams: 0 the first input vectors, 1 the order of an epoch, 2 each step, 3 each corpus, 4 the first
output vectors where they are not zero.
"""

from __future__ import annotations

import numpy as np


def seed_bits(*numbers: int) -> np.uint64:
    """A well-mixed 64-bit number."""
    return np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
