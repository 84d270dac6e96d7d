"""How alike two words are written: compiled, for many pairs at once.

Words are compared in plain form: lower case, without marks, in Latin letters as far as those are
known. N-grams are those of `^word$`, of two to four letters, weighed by how rare they are in both
vocabularies.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from jointalign.numerics.compiling import compiled

LONGEST = 40
"""Letters of a word that are looked at."""

FEATURES = ("edit", "common", "prefix", "suffix", "longer")
"""Columns of `alike`."""

_CYRILLIC = "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya".split()
_GREEK = "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split()
_HEBREW = "- b g d h v z ch t y k k l m m n n s - p p ts ts k r sh t".split()
_ARABIC = "a b h t th j h kh d dh r z s sh s d t z - gh"
_LETTERS = {
    **{
        chr(first + place): latin.strip("-")
        for first, table in (
            (0x430, _CYRILLIC),
            (0x3B1, _GREEK),
            (0x5D0, _HEBREW),
            (0x627, _ARABIC.split()),
            (0x641, "f q k l m n h w y y".split()),
        )
        for place, latin in enumerate(table)
    },
    "ß": "ss",
    "œ": "oe",
    "æ": "ae",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ı": "i",
}
# Scripts whose letters the Unicode standard names by their sound.
_BY_NAME = re.compile(
    r"(DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA|HANGUL|ETHIOPIC"
    r"|HIRAGANA|KATAKANA) (LETTER|VOWEL SIGN|SYLLABLE|SIGN)(?: SMALL)? (\w+)$"
)
_REPEATED = re.compile(r"(.)\1+")
_NO_VOWEL = ("VIRAMA", "PULLI", "AL")
# N-grams that more of the words have than this are not searched for: they tell nothing; nor are those
# of more words than this, so that the cost grows in proportion to the words.
_COMMON, _MOST = 0.05, 2000


def plain(word: str) -> str:
    """A word in lower case, without marks, and in Latin letters where they are known.

    Example:
        >>> plain("Niño"), plain("Москва"), plain("Αθήνα"), plain("दिल्ली"), plain("서울")
        ('nino', 'moskva', 'athina', 'dilli', 'seoul')
    """
    found = ""
    for letter in word.lower():
        latin, takes_vowel = _latin(letter)
        found = (found[:-1] if takes_vowel and found.endswith("a") else found) + latin
    return found


@cache
def _latin(letter: str) -> tuple[str, bool]:
    """Latin letters, and whether they take the place of the vowel that the letter before implies."""
    named = _BY_NAME.match(unicodedata.name(letter, ""))
    if named is not None:
        script, kind, sound = named.groups()
        bare = kind == "SIGN"  # a nasal, a mark of length, or the lack of a vowel
        if bare:
            return {"ANUSVARA": "n", "CANDRABINDU": "n"}.get(sound, ""), sound in _NO_VOWEL
        return _REPEATED.sub(r"\1", sound.lower()), kind == "VOWEL SIGN"
    parts = (part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return "".join(_LETTERS.get(part, part) for part in parts), False


def codes(words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Letters of words as numbers, int32 `(n, LONGEST)`, and how many there are, int64 `(n,)`."""
    letters = np.zeros((len(words), LONGEST), np.int32)
    lengths = np.zeros(len(words), np.int64)
    for row, word in enumerate(words):
        short = word[:LONGEST]
        lengths[row] = len(short)
        letters[row, : len(short)] = [ord(letter) for letter in short]
    return letters, lengths


@compiled()
def alike(
    source: np.ndarray,
    source_lengths: np.ndarray,
    target: np.ndarray,
    target_lengths: np.ndarray,
    pairs: np.ndarray,
) -> np.ndarray:
    """Of each pair of rows `(p, 2)`, the `FEATURES`, float32 `(p, 5)`.

    One minus edit distance over the longer length; the longest common subsequence over the mean
    length; common beginning and end over the longer length; source length minus target length.
    """
    found = np.zeros((len(pairs), 5), np.float32)
    before, after = np.zeros(LONGEST + 1, np.int64), np.zeros(LONGEST + 1, np.int64)
    common_before, common_after = np.zeros(LONGEST + 1, np.int64), np.zeros(LONGEST + 1, np.int64)
    for place in range(len(pairs)):
        a, b = source[pairs[place, 0]], target[pairs[place, 1]]
        n, m = source_lengths[pairs[place, 0]], target_lengths[pairs[place, 1]]
        for j in range(m + 1):
            before[j], common_before[j] = j, 0
        for i in range(1, n + 1):
            after[0], common_after[0] = i, 0
            for j in range(1, m + 1):
                same = a[i - 1] == b[j - 1]
                step = before[j - 1] + (0 if same else 1)
                after[j] = min(before[j] + 1, after[j - 1] + 1, step)
                skipped = max(common_before[j], common_after[j - 1])
                common_after[j] = common_before[j - 1] + 1 if same else skipped
            before, after = after, before
            common_before, common_after = common_after, common_before
        first = 0
        while first < min(n, m) and a[first] == b[first]:
            first += 1
        last = 0
        while last < min(n, m) and a[n - 1 - last] == b[m - 1 - last]:
            last += 1
        longer = max(n, m, 1)
        found[place, 0] = 1 - before[m] / longer
        found[place, 1] = 2 * common_before[m] / max(n + m, 1)
        found[place, 2], found[place, 3], found[place, 4] = first / longer, last / longer, n - m
    return found


@dataclass(frozen=True, eq=False)
class Spellings:
    """The n-grams of two vocabularies, to find words that are written alike.

    Args:
        starts: Where the n-grams of each word begin, source words first, int64 `(n + m + 1,)`.
        grams: Their numbers, rising within a word.
        weights: Their weights; those of a word have length one.
        posting_starts: Where the target words of each n-gram begin.
        postings: Target words that have the n-gram.
        posting_weights: Its weight in each of them.
        sources: Number of source words.
    """

    starts: np.ndarray
    grams: np.ndarray
    weights: np.ndarray
    posting_starts: np.ndarray
    postings: np.ndarray
    posting_weights: np.ndarray
    sources: int

    @classmethod
    def of(cls, source: Sequence[str], target: Sequence[str]) -> Spellings:
        """Index plain words of both sides."""
        words = [f"^{word}$" for word in (*source, *target)]
        letters, lengths = codes(words)
        hashes, rows = _hashes(letters, lengths)
        _, numbers = np.unique(hashes, return_inverse=True)
        size = int(numbers.max(initial=-1)) + 1
        keys = np.unique(rows * max(size, 1) + numbers)
        rows, grams = keys // max(size, 1), keys % max(size, 1)
        rarity = np.log(len(words) / np.maximum(np.bincount(grams, minlength=size), 1))
        weights = rarity[grams]
        norms = np.sqrt(np.bincount(rows, weights**2, len(words)))
        weights = (weights / np.maximum(norms[rows], 1e-9)).astype(np.float32)
        starts = np.searchsorted(rows, np.arange(len(words) + 1))
        often = np.bincount(grams[rows >= len(source)], minlength=size)
        telling = (rows >= len(source)) & (rarity[grams] > -np.log(_COMMON)) & (often <= _MOST)[grams]
        order = np.flatnonzero(telling)[np.argsort(grams[telling], kind="stable")]
        posting_starts = np.searchsorted(grams[order], np.arange(size + 1))
        return cls(
            starts, grams, weights, posting_starts, rows[order] - len(source), weights[order], len(source)
        )

    def nearest(self, rows: np.ndarray, count: int) -> np.ndarray:
        """The target words most like each of some source rows, int64 `(k, count)`; -1 for none."""
        targets = len(self.starts) - 1 - self.sources
        return _nearest(
            rows,
            count,
            targets,
            self.starts,
            self.grams,
            self.weights,
            self.posting_starts,
            self.postings,
            self.posting_weights,
        )

    def cosines(self, pairs: np.ndarray) -> np.ndarray:
        """Cosine of the n-grams of each pair of rows `(p, 2)`, float32 `(p,)`."""
        return _cosines(pairs, self.sources, self.starts, self.grams, self.weights)


@compiled()
def _hashes(letters: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A number for each n-gram of each word, and the word's row."""
    total = 0
    for row in range(len(lengths)):
        for n in range(2, 5):
            total += max(0, lengths[row] - n + 1)
    hashes, rows = np.empty(total, np.uint64), np.empty(total, np.int64)
    place = 0
    for row in range(len(lengths)):
        for n in range(2, 5):
            for start in range(lengths[row] - n + 1):
                value = np.uint64(14695981039346656037)
                for i in range(start, start + n):
                    value = (value ^ np.uint64(letters[row, i])) * np.uint64(1099511628211)
                hashes[place], rows[place] = value, row
                place += 1
    return hashes, rows


@compiled()
def _nearest(
    queries: np.ndarray,
    count: int,
    targets: int,
    starts: np.ndarray,
    grams: np.ndarray,
    weights: np.ndarray,
    posting_starts: np.ndarray,
    postings: np.ndarray,
    posting_weights: np.ndarray,
) -> np.ndarray:
    found = np.full((len(queries), count), -1, np.int64)
    scores, touched = np.zeros(targets, np.float32), np.empty(targets, np.int64)
    best = np.zeros(count, np.float32)
    for place in range(len(queries)):
        seen, best[:] = 0, 0
        for at in range(starts[queries[place]], starts[queries[place] + 1]):
            gram = grams[at]
            for posting in range(posting_starts[gram], posting_starts[gram + 1]):
                word = postings[posting]
                if scores[word] == 0:
                    touched[seen] = word
                    seen += 1
                scores[word] += weights[at] * posting_weights[posting]
        for one in range(seen):
            word = touched[one]
            score = scores[word]
            scores[word] = 0
            slot = count
            while slot > 0 and (
                score > best[slot - 1]
                or (score == best[slot - 1] and score > 0 and word < found[place, slot - 1])
            ):
                slot -= 1
            if slot < count:
                for later in range(count - 1, slot, -1):
                    best[later], found[place, later] = best[later - 1], found[place, later - 1]
                best[slot], found[place, slot] = score, word
    return found


@compiled()
def _cosines(
    pairs: np.ndarray, sources: int, starts: np.ndarray, grams: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    found = np.zeros(len(pairs), np.float32)
    for place in range(len(pairs)):
        i, end = starts[pairs[place, 0]], starts[pairs[place, 0] + 1]
        j, last = starts[sources + pairs[place, 1]], starts[sources + pairs[place, 1] + 1]
        while i < end and j < last:
            if grams[i] == grams[j]:
                found[place] += weights[i] * weights[j]
                i, j = i + 1, j + 1
            elif grams[i] < grams[j]:
                i += 1
            else:
                j += 1
    return found
