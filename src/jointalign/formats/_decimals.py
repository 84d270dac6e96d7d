"""Decimal numbers in bytes, to and from float32: the loops behind `.vec` files."""

from __future__ import annotations

import numpy as np

from jointalign.numerics.compiling import compiled

# What `parse_rows` stopped at.
END, FULL, BAD_ROW, NOT_FINITE = 0, 1, 2, 3

_SPACE, _TAB, _NEWLINE, _RETURN = ord(" "), ord("\t"), ord("\n"), ord("\r")
_PLUS, _MINUS, _POINT, _E = ord("+"), ord("-"), ord("."), ord("e")
_LOWER = 0x20  # makes an ASCII letter lower case
_TOO_LARGE = 2.0**128 - 2.0**103  # from here on float32 rounds to infinity
_SIGNIFICANT = 10**17  # below it there is room for one more digit in int64
_POWERS = np.array([float(f"1e{power}") for power in range(23)])  # all exact in float64
_INFINITY = np.frombuffer(b"infinity", np.uint8)
_NAN = np.frombuffer(b"nan", np.uint8)


@compiled()
def parse_rows(
    data: np.ndarray, position: int, dimensions: int, vectors: np.ndarray, spans: np.ndarray
) -> tuple[int, int, int, int]:
    r"""Read lines `word number ... number` until something is amiss.

    A word may hold blanks: the last `dimensions` fields are the numbers. Lines of blanks are
    skipped.

    Args:
        data: uint8 bytes; the last is a newline.
        position: Where to start.
        dimensions: Numbers on each line.
        vectors: float32 `(rows, dimensions)`, filled from its start.
        spans: int64 `(rows, 3)`, filled with where each word starts and ends in `data`, and its
            line, counted from 0 at `position`.

    Returns:
        Rows filled, lines read, the position after them, and why it stopped: `END` of the data,
        `vectors` `FULL`, or the next line is a `BAD_ROW` (not a word with enough numbers) or
        `NOT_FINITE` (has a number that is no finite float32).
    """
    row, line = 0, 0
    while position < len(data):
        start = position
        while data[start] == _SPACE or data[start] == _TAB or data[start] == _RETURN:
            start += 1
        if data[start] == _NEWLINE:
            position = start + 1
            line += 1
            continue
        if row == len(vectors):
            return row, line, position, FULL
        word_end = start
        while not _is_blank(data[word_end]):
            word_end += 1
        after = _numbers(data, word_end, vectors[row])
        if after == -BAD_ROW:
            word_end = _word_end(data, start, dimensions)
            if word_end > start:
                after = _numbers(data, word_end, vectors[row])
        if after < 0:
            return row, line, position, -after
        spans[row, 0], spans[row, 1], spans[row, 2] = start, word_end, line
        row, line, position = row + 1, line + 1, after
    return row, line, position, END


@compiled()
def _is_blank(byte: int) -> bool:
    return byte == _SPACE or byte == _TAB or byte == _RETURN or byte == _NEWLINE


@compiled()
def _numbers(data: np.ndarray, position: int, row: np.ndarray) -> int:
    """Fill `row` from the rest of the line; the start of the next line, or minus what is wrong."""
    finite = True
    for column in range(len(row)):
        while data[position] == _SPACE or data[position] == _TAB:
            position += 1
        value, position = _number(data, position)
        if position < 0 or not _is_blank(data[position]):
            return -BAD_ROW
        row[column] = value
        finite = finite and abs(value) < _TOO_LARGE
    while data[position] != _NEWLINE:
        if not _is_blank(data[position]):
            return -BAD_ROW
        position += 1
    return position + 1 if finite else -NOT_FINITE


@compiled()
def _word_end(data: np.ndarray, start: int, dimensions: int) -> int:
    """Where the word ends if the last `dimensions` fields of its line are its numbers."""
    end = start
    while data[end] != _NEWLINE:
        end += 1
    for _ in range(dimensions):
        end = _blanks_before(data, start, end)
        while end > start and not _is_blank(data[end - 1]):
            end -= 1
    return _blanks_before(data, start, end)


@compiled()
def _blanks_before(data: np.ndarray, start: int, end: int) -> int:
    while end > start and _is_blank(data[end - 1]):
        end -= 1
    return end


@compiled()
def _number(data: np.ndarray, at: int) -> tuple[float, int]:
    """The number at `at` and the position after it; -1 if there is none."""
    sign = -1.0 if data[at] == _MINUS else 1.0
    if data[at] == _MINUS or data[at] == _PLUS:
        at += 1
    mantissa, exponent, digits, in_fraction = 0, 0, 0, False
    while True:
        digit = int(data[at]) - 48
        if 0 <= digit <= 9:
            digits += 1
            if mantissa < _SIGNIFICANT:
                mantissa = mantissa * 10 + digit
                exponent -= in_fraction
            else:
                exponent += not in_fraction
        elif data[at] == _POINT and not in_fraction:
            in_fraction = True
        else:
            break
        at += 1
    if digits == 0:
        return _not_a_number(data, at) if not in_fraction else (0.0, -1)
    if data[at] | _LOWER == _E:
        written, at = _exponent(data, at + 1)
        exponent += written
    return sign * _scaled(mantissa, exponent), at


@compiled()
def _exponent(data: np.ndarray, at: int) -> tuple[int, int]:
    sign = -1 if data[at] == _MINUS else 1
    if data[at] == _MINUS or data[at] == _PLUS:
        at += 1
    first, value = at, 0
    while 48 <= data[at] <= 57:
        value = min(value * 10 + int(data[at]) - 48, 100_000)
        at += 1
    return sign * value, at if at > first else -1


@compiled()
def _scaled(mantissa: int, exponent: int) -> float:
    """`mantissa` times ten to the `exponent`, exact for most numbers (Clinger 1990)."""
    value = float(mantissa)
    while exponent < 0 and value != 0:
        step = min(-exponent, 22)
        value /= _POWERS[step]
        exponent += step
    while exponent > 0 and value != 0 and value != np.inf:
        step = min(exponent, 22)
        value *= _POWERS[step]
        exponent -= step
    return value


@compiled()
def _not_a_number(data: np.ndarray, at: int) -> tuple[float, int]:
    for name, value in ((_NAN, np.nan), (_INFINITY, np.inf), (_INFINITY[:3], np.inf)):
        length = 0
        while length < len(name) and data[at + length] | _LOWER == name[length]:
            length += 1
        if length == len(name):
            return value, at + length
    return 0.0, -1


@compiled()
def format_rows(
    vectors: np.ndarray, digits: int, words: np.ndarray, word_ends: np.ndarray, out: np.ndarray
) -> int:
    """Write lines `word number ... number` with a fixed number of digits after the point.

    Args:
        vectors: float32 `(rows, d)`; times ten to the `digits`, each must fit int64.
        digits: Digits after the point, 1 or more.
        words: uint8, the words one after the other.
        word_ends: int64 `(rows,)`, where each word ends in `words`.
        out: uint8, large enough: `d * (digits + 22) + 1` a row, and the words.

    Returns:
        Bytes written.
    """
    scale = 10**digits
    at, word_start = 0, 0
    for row in range(len(vectors)):
        for byte in words[word_start : word_ends[row]]:
            out[at] = byte
            at += 1
        word_start = word_ends[row]
        for value in vectors[row]:
            out[at] = _SPACE
            at = _write_number(int(np.rint(np.float64(value) * scale)), scale, digits, out, at + 1)
        out[at] = _NEWLINE
        at += 1
    return at


@compiled()
def _write_number(scaled: int, scale: int, digits: int, out: np.ndarray, at: int) -> int:
    if scaled < 0:
        out[at] = _MINUS
        at, scaled = at + 1, -scaled
    whole = scaled // scale if scaled >= scale else 0  # dividing is slow, and rarely needed
    fraction = scaled - whole * scale
    size, rest = 1, whole // 10
    while rest > 0:
        size, rest = size + 1, rest // 10
    for place in range(at + size - 1, at - 1, -1):
        out[place] = 48 + whole % 10
        whole //= 10
    out[at + size] = _POINT
    at += size + 1
    for place in range(at + digits - 1, at - 1, -1):
        out[place] = 48 + fraction % 10
        fraction //= 10
    return at + digits
