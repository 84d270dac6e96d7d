"""Translation pairs: the seed dictionary an alignment learns from, the test dictionary it faces."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jointalign.checks import checked
from jointalign.corpora.tokenization import Spelling
from jointalign.errors import FormatError, JointalignError
from jointalign.storage.compression import named_suffix
from jointalign.storage.dictionary_lines import Pair, Pairs, why_no_dictionary
from jointalign.storage.files import read_lines
from jointalign.storage.tables import frame, read_csv
from jointalign.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-not-found]

ENOUGH_PAIRS, ENOUGH_SEEDS = 100, 25
"""With both words known: to learn from and to choose by; and for methods that find more by themselves.
From 65 pairs self-learning translated 39 of 100 test words, Procrustes none; from 818, 43 and 25
(`studies/`)."""

_LINES_NAMED = 20
_NO_LINES = (".json", ".jsonl", ".tmx", ".xml", ".xls", ".xlsx", ".ods", ".tbx")


@dataclass(frozen=True)
class LexiconReport:
    """What reading a lexicon found; its string is one line.

    Args:
        lines: Lines in the file.
        pairs: Pairs kept.
        blank_or_comment: Lines with nothing on them, or a comment.
        multiword: Pairs left out because a side has more than one word.
        malformed: Numbers of the first 20 lines that hold no pair at all.
        malformed_count: How many such lines there are.
        duplicates: Pairs left out because they came before.
        merged: Pairs left out because, respelt or lower-cased, they are one that came before.
        lowercased: Pairs with upper-case letters, now lower case.
        respelt: Pairs with other differences from the spelling of corpora, now spelt like them.
        scores: Numbers beside the words, left out.
        annotations: Other things beside the words, left out: parts of speech, codes, notes in brackets.
        header: Lines that name the columns.

    Example:
        >>> print(LexiconReport(lines=4, pairs=2, malformed=(3,), malformed_count=1, duplicates=1))
        2 pairs from 4 lines (1 repeated, 1 malformed: line 3)
    """

    lines: int = 0
    pairs: int = 0
    blank_or_comment: int = 0
    multiword: int = 0
    malformed: tuple[int, ...] = ()
    malformed_count: int = 0
    duplicates: int = 0
    merged: int = 0
    lowercased: int = 0
    respelt: int = 0
    scores: int = 0
    annotations: int = 0
    header: int = 0

    def __str__(self) -> str:
        notes = [
            (self.header, "header"),
            (self.blank_or_comment, "blank or comment"),
            (self.lowercased, "lower-cased"),
            (self.respelt, "respelt"),
            (self.duplicates, "repeated"),
            (self.merged, "repeated in another spelling"),
            (self.multiword, "of several words"),
            (self.scores, "scores"),
            (self.annotations, "annotations"),
            (self.malformed_count, f"malformed: {self._malformed_lines()}"),
        ]
        left_out = ", ".join(f"{number} {what}" for number, what in notes if number)
        found = f"{_plural(self.pairs, 'pair')} from {_plural(self.lines, 'line')}"
        return f"{found} ({left_out})" if left_out else found

    def _malformed_lines(self) -> str:
        more = ", ..." if self.malformed_count > len(self.malformed) else ""
        word = "line" if self.malformed_count == 1 else "lines"
        return f"{word} {', '.join(map(str, self.malformed))}{more}"


@dataclass(frozen=True)
class Lexicon:
    """Translation pairs in the order of their file, each once.

    Args:
        pairs: (source word, target word); a word may have several translations. Given may be pairs of
            any kind, the first two columns of a pandas DataFrame, or a dict from a word to its
            translation or a list of them.
        report: What was found in the file; derived lexicons keep the report of the file they
            come from.
        spellings: By what rules the words of both sides are spelt, and vocabularies searched; `None`
            for words that are meant as they stand.

    Example:
        >>> lexicon = Lexicon((("house", "casa"), ("house", "hogar"), ("bar", "bar")))
        >>> lexicon.grouped()
        {'house': ('casa', 'hogar'), 'bar': ('bar',)}
        >>> len(lexicon), len(lexicon.without_identical()), lexicon.reversed().sources
        (3, 2, ('casa', 'hogar', 'bar'))
        >>> Lexicon({"house": ["casa", "hogar"], "bar": "bar"}).pairs == lexicon.pairs
        True
    """

    pairs: tuple[Pair, ...]
    report: LexiconReport = field(default_factory=LexiconReport)
    spellings: tuple[Spelling, Spelling] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            pairs: Iterable[Sequence[str]] | Mapping[str, str | Iterable[str]] | DataFrame,
            report: LexiconReport = ...,
            spellings: tuple[Spelling, Spelling] | None = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", _pairs(self.pairs))

    def __repr__(self) -> str:
        return f"Lexicon({len(self.pairs)} pairs)"

    @classmethod
    @checked
    def read(
        cls,
        path: str | Path,
        lowercase: bool = True,
        source_language: str = "und",
        target_language: str = "und",
    ) -> Lexicon:
        r"""Read a dictionary file, leniently; what is left out is counted in `report`.

        A line is a word and its translations, in one of three ways:

        - `house casa`: two words with blanks between (MUSE, VecMap);
        - `house<TAB>casa<TAB>hogar`: fields with tabs between (XLING), or ` ||| `, any number of
          translations;
        - either with several words in one field: `house, home casa;hogar` (also `|`, `/`, and the
          separators of other scripts).

        Without a tab or separator, three or more words on a line cannot be told apart
        (`ice cream helado`); such a line is counted as `multiword`. Columns that hold something
        beside the words, by what the whole file has there, are left out: numbers, parts of speech,
        codes, values that repeat; so are notes in brackets and a first line of titles. A `.csv` is a
        table with commas or semicolons between its cells, which may stand in quotes. Our own
        tables, of `write_translations`, `run` and `rank`, are known by their titles, and their words
        taken as they stand.

        A line that is `#`, or starts with `#` and a blank, is a comment; but `# #`, `#<TAB>x` and
        `#the #le` are pairs, since `#` is a word in real dictionaries.

        Entries are spelt like the words of a corpus (`tokenization.Spelling`) but not cut. Where the
        tokenizer cuts, as French `l'homme` into `l'` and `homme`, an entry in one piece is found in
        no vocabulary of running text: in effect it has several words.

        Args:
            path: The file; see `files.open_text`.
            lowercase: Lower-case both sides, as published vocabularies are.
            source_language: Code of the first column's language, for its rules of case and marks;
                the default, "und", has the general rules.
            target_language: The same of the translations.

        Raises:
            FormatError: If the file holds no usable pair, or is not text.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = Path(folder, "en-es.txt")
            ...     _ = path.write_text("House casa\nhouse\tcasa, hogar\nice\n")
            ...     lexicon = Lexicon.read(path)
            >>> lexicon.pairs
            (('house', 'casa'), ('house', 'hogar'))
            >>> print(lexicon.report)
            2 pairs from 3 lines (1 lower-cased, 1 repeated in another spelling, 1 malformed: line 3)
        """
        spellings = Spelling(source_language, lowercase), Spelling(target_language, lowercase)
        found = Pairs(
            plain=[replace(spelling, lowercase=False).speller() for spelling in spellings],
            final=[spelling.speller() for spelling in spellings],
        )
        suffix = named_suffix(path)
        if suffix in _NO_LINES:
            reason = f"a dictionary is read from lines of text or .csv, not from {suffix}; write it as one"
            raise FormatError(path, None, reason)
        if suffix == ".csv":
            for number, cells in read_csv(path):
                found.add_cells(number, cells)
        else:
            for number, text in read_lines(path):
                if number == 1 and (reason := why_no_dictionary(text)):
                    raise FormatError(path, number, f"{reason}; write it as such lines, or as .csv")
                found.add(number, text)
        found.finish()
        report = LexiconReport(
            pairs=len(found.pairs),
            malformed=tuple(found.malformed[:_LINES_NAMED]),
            malformed_count=len(found.malformed),
            **found.counts,
        )
        if not found.pairs:
            reason = f"no usable pair: {report}; expected a word and its translation on each line"
            if suffix != ".csv" and 2 * found.with_commas > report.lines:
                reason += "; where commas or semicolons part the columns, call the file .csv"
            raise FormatError(path, None, reason)
        return cls(tuple(found.pairs), report, spellings)

    @classmethod
    @checked
    def identical_strings(cls, source: Vocabulary, target: Vocabulary) -> Lexicon:
        """Words that both vocabularies have, as translations of themselves.

        A lexicon for two languages with one script and no dictionary (Artetxe et al. 2017).

        Example:
            >>> english, spanish = Vocabulary(("the", "bar")), Vocabulary(("la", "bar"))
            >>> Lexicon.identical_strings(english, spanish).pairs
            (('bar', 'bar'),)
        """
        pairs = tuple((word, word) for word in source.words if word in target)
        return cls(pairs, LexiconReport(pairs=len(pairs)))

    @checked
    def known(self, source: Vocabulary, target: Vocabulary) -> dict[Pair, tuple[int, int]]:
        """Pairs of which both words are known, in file order, and their rows in two vocabularies.

        A word is found by its spelling: `haus` of a dictionary is `Haus` of a vocabulary, and of
        several words of one spelling the first.
        """
        source_rows, target_rows = self.rows_of(source, target)
        return {
            (source_word, target_word): (source_row, target_row)
            for source_word, target_word in self.pairs
            if (source_row := source_rows.get(source_word)) is not None
            and (target_row := target_rows.get(target_word)) is not None
        }

    @checked
    def rows_of(self, source: Vocabulary, target: Vocabulary) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Where each side's words are found in vocabularies: spelling -> row."""
        if self.spellings is None:
            return source.rows, target.rows
        return source.by_spelling(self.spellings[0]), target.by_spelling(self.spellings[1])

    @checked
    def rows(self, source: Vocabulary, target: Vocabulary) -> np.ndarray:
        """Pairs of which both words are known, as rows of the two vocabularies; see `known`.

        Returns:
            int64 `(k, 2)` in file order, each pair once.

        Example:
            >>> lexicon = Lexicon((("cat", "gato"), ("dog", "perro")))
            >>> lexicon.rows(Vocabulary(("dog", "cat")), Vocabulary(("gato",)))
            array([[1, 0]])
        """
        return np.array([*self.known(source, target).values()], dtype=np.int64).reshape(-1, 2)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The distinct source words, by first appearance."""
        return tuple(dict.fromkeys(word for word, _ in self.pairs))

    def grouped(self) -> dict[str, tuple[str, ...]]:
        """Source word -> its distinct translations, both in file order."""
        groups: dict[str, dict[str, None]] = {}
        for source_word, target_word in self.pairs:
            groups.setdefault(source_word, {})[target_word] = None
        return {word: tuple(translations) for word, translations in groups.items()}

    def without_identical(self) -> Lexicon:
        """The pairs whose two words differ (Table 2 of the paper)."""
        return replace(self, pairs=tuple(pair for pair in self.pairs if pair[0] != pair[1]))

    def to_frame(self) -> DataFrame:
        """A table of pandas with the columns `source` and `target`.

        Raises:
            JointalignError: If pandas is not installed.
        """
        return frame(self.pairs, columns=["source", "target"])

    def reversed(self) -> Lexicon:
        """The same pairs from target to source."""
        spellings = None if self.spellings is None else self.spellings[::-1]
        pairs = tuple((target, source) for source, target in self.pairs)
        return replace(self, pairs=pairs, spellings=spellings)

    @checked
    def overlap(self, other: Lexicon) -> int:
        """Number of pairs that both lexicons have."""
        return len(set(self.pairs) & set(other.pairs))

    @checked
    def folds(self, count: int, seed: int) -> Iterator[tuple[Lexicon, Lexicon]]:
        """Cut the source words into parts, and hold out each in turn with all its translations.

        Args:
            count: How many parts; they differ by one word at most.
            seed: The only source of randomness.

        Yields:
            The rest and the held-out part, both in file order.

        Raises:
            JointalignError: If there are fewer than two parts, or than a word for each.

        Example:
            >>> lexicon = Lexicon((("a", "x"), ("a", "y"), ("b", "z"), ("c", "z")))
            >>> [(len(rest.sources), len(held_out.sources)) for rest, held_out in lexicon.folds(3, seed=0)]
            [(2, 1), (2, 1), (2, 1)]
        """
        number = len(self.sources)
        if not 2 <= count <= number:
            raise JointalignError(
                f"expected 2 to {number} folds of {number} source words to hold out; got {count}"
            )
        order = np.random.default_rng(seed).permutation(number).tolist()
        fold = {self.sources[word]: place % count for place, word in enumerate(order)}
        for held in range(count):
            rest = tuple(pair for pair in self.pairs if fold[pair[0]] != held)
            held_out = tuple(pair for pair in self.pairs if fold[pair[0]] == held)
            yield replace(self, pairs=rest), replace(self, pairs=held_out)

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)


def few_pairs(known: int, enough: int = ENOUGH_PAIRS) -> list[str]:
    """A warning where a dictionary is too small for its job.

    Args:
        known: Pairs with both words in the vocabularies.
        enough: So many are enough.

    Example:
        >>> few_pairs(12), few_pairs(100)
        (['few pairs: 12 with both words known. Below about 100, what is learnt from them or chosen by them is
        uncertain; vecmap_semi_supervised makes the most of few, more text makes more of them known'], [])
    """
    if known >= enough:
        return []
    return [
        f"few pairs: {known:,} with both words known. Below about {enough}, what is learnt from them or "
        "chosen by them is uncertain; vecmap_semi_supervised makes the most of few, more text makes more of "
        "them known"
    ]


def _pairs(given: Any) -> tuple[Pair, ...]:
    """Pairs of words, whatever holds them."""
    if hasattr(given, "itertuples"):
        given = (row[:2] for row in given.itertuples(index=False, name=None))
    elif isinstance(given, Mapping):
        given = (
            (word, other)
            for word, others in given.items()
            for other in ([others] if isinstance(others, str) or not isinstance(others, Iterable) else others)
        )
    elif not isinstance(given, Iterable) or isinstance(given, str | bytes):
        raise JointalignError(
            "a Lexicon is made of pairs (word, translation), a dict or a DataFrame, or read from a file by "
            f"Lexicon.read; got {type(given).__name__}"
        )
    pairs = given if isinstance(given, tuple) else tuple(given)
    if all(
        type(pair) is tuple and len(pair) == 2 and type(pair[0]) is type(pair[1]) is str for pair in pairs
    ):
        return pairs
    return tuple(_pair(number, pair) for number, pair in enumerate(pairs, start=1))


def _pair(number: int, given: Any) -> Pair:
    pair = () if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    if len(pair) != 2 or not all(isinstance(word, str) for word in pair):
        raise JointalignError(
            f"a Lexicon is made of pairs (word, translation); number {number} is {reprlib.repr(given)}"
        )
    return str(pair[0]), str(pair[1])


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
