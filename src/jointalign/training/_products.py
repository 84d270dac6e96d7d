"""Products of small matrices, compiled for one length of row.

A group of vectors (`lanes` of them, one below the other in a flat array) meets copies of rows of
the output matrix. Row length and number of lanes are constants of the compiled code: only then does
the compiler keep eight sums at a time in wide registers. The loops read flat arrays at plain
offsets: a view of a row costs more than the row's arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from jointalign.numerics.compiling import compiled

LANES = 8
"""Vectors that the loops take at a time; a group, and the number of copies, is padded to it."""


@cache
def score_kernel(stride: int, lanes: int) -> Callable[..., None]:
    @compiled(fastmath=True, error_model="numpy")
    def scores(hidden, copies, count, found):
        """Products of `count` copies, an even number, with all lanes, into `(count, lanes)`."""
        for place in range(0, count, 2):
            pair = copies[place * stride : (place + 2) * stride]
            for lane in range(0, lanes, 4):
                four = hidden[lane * stride : (lane + 4) * stride]
                a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = np.float32(0.0)
                for k in range(stride):
                    a, b = pair[k], pair[stride + k]
                    h0, h1 = four[k], four[stride + k]
                    h2, h3 = four[2 * stride + k], four[3 * stride + k]
                    a0 += a * h0
                    a1 += a * h1
                    a2 += a * h2
                    a3 += a * h3
                    b0 += b * h0
                    b1 += b * h1
                    b2 += b * h2
                    b3 += b * h3
                first = found[place * lanes + lane : place * lanes + lane + 4]
                second = found[(place + 1) * lanes + lane : (place + 1) * lanes + lane + 4]
                first[0], first[1], first[2], first[3] = a0, a1, a2, a3
                second[0], second[1], second[2], second[3] = b0, b1, b2, b3

    return scores


@cache
def gradient_kernel(stride: int, lanes: int) -> Callable[..., None]:
    @compiled(fastmath=True, error_model="numpy")
    def moved(gradient, copies, count, moves):
        """Add to each lane's gradient the copies, a multiple of four, times its moves."""
        for lane in range(0, lanes, 2):
            pair = gradient[lane * stride : (lane + 2) * stride]
            for place in range(0, count, 4):
                four = copies[place * stride : (place + 4) * stride]
                at = place * lanes + lane
                a0, a1 = moves[at], moves[at + lanes]
                a2, a3 = moves[at + 2 * lanes], moves[at + 3 * lanes]
                b0, b1 = moves[at + 1], moves[at + lanes + 1]
                b2, b3 = moves[at + 2 * lanes + 1], moves[at + 3 * lanes + 1]
                for k in range(stride):
                    o0, o1 = four[k], four[stride + k]
                    o2, o3 = four[2 * stride + k], four[3 * stride + k]
                    pair[k] += a0 * o0 + a1 * o1 + a2 * o2 + a3 * o3
                    pair[stride + k] += b0 * o0 + b1 * o1 + b2 * o2 + b3 * o3

    return moved


@cache
def output_kernel(stride: int, lanes: int) -> Callable[..., None]:
    @compiled(fastmath=True, error_model="numpy")
    def move_outputs(outputs, rows, count, moves, hidden):
        """Add to each listed row the lanes' vectors times their moves.

        Added to the matrix and not to the copy, for a row may be listed twice, and another thread
        may have moved it since.
        """
        for place in range(count):
            row = rows[place]
            for lane in range(0, lanes, 8):
                eight = hidden[lane * stride : (lane + 8) * stride]
                at = place * lanes + lane
                m0, m1, m2, m3 = moves[at], moves[at + 1], moves[at + 2], moves[at + 3]
                m4, m5, m6, m7 = moves[at + 4], moves[at + 5], moves[at + 6], moves[at + 7]
                for k in range(stride):
                    outputs[row, k] += (
                        m0 * eight[k]
                        + m1 * eight[stride + k]
                        + m2 * eight[2 * stride + k]
                        + m3 * eight[3 * stride + k]
                        + m4 * eight[4 * stride + k]
                        + m5 * eight[5 * stride + k]
                        + m6 * eight[6 * stride + k]
                        + m7 * eight[7 * stride + k]
                    )

    return move_outputs
