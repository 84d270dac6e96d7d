"""The lines of dictionary files: how a word and its translations are told apart, and spelt.

What a column holds shows in the whole file, not in a line: counts, scores, parts of speech, codes
and numbers of entries stand beside translations in many dictionaries, and are none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from jointalign.storage.tables import unescaped, unguarded

Pair = tuple[str, str]
Speller = Callable[[str], str]

_LETTER = r"[^\W\d_]"
_CJK = r"[\u3040-\u30ff\u3400-\u9fff]"
# A comma between digits belongs to a number, as in "1,000"; a slash to "km/h" and "1/2".
_SEPARATOR = re.compile(
    r"[;|；｜、，،؛／]|(?<!\d),|,(?!\d)|\s/\s"
    rf"|(?<={_LETTER}{_LETTER})/(?={_LETTER}{_LETTER})|(?<={_CJK})/|/(?={_CJK})"
)
_TIES = ";|；｜、，،؛／,/"  # at the edge of a word, or alone, they tie it to its neighbour
_FIELDS = re.compile(r"\s*\|\|\|\s*")
_NUMBER = r"[-+]?(?:\d+(?:[.,]\d+)*|[.,]\d+)(?:[eE][-+]?\d+)?\s?%?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:[\s;/]+{_NUMBER})*")
_NOTE = re.compile(
    r"(?<![^\s;,/|])(?:\{[^{}]*\}|\[[^\[\]]*\]|<[^<>]*>|\([^()]*\))(?=$|[\s;,/|])|(?:<[^<>\s]+>)+$"
)
_CODE = re.compile(r"[a-z]{2,3}(?:[-_][a-zA-Z0-9]{2,4})*")
_PARTS = re.compile(r"[\W_]+")
_PLACE = re.compile(r"\d+[.)]")
_REGION = re.compile(r"[-_][a-zA-Z0-9]{2,4}$")
_SOUNDS = re.compile("[ˈˌː]")  # of the phonetic alphabet, and of no spelling
_GLOSSES = re.compile(r"(\S+)(?: ([^\s\[/]\S*))? (?:\[[^\]]*\] )?/(.+)/")
_MEASURE = re.compile(r"CL:|Ent[Ll]\d|\(P\)$")
_NO_DICTIONARY = re.compile(
    r"\s*(?:<\?xml|<!doctype|<(?:html|tmx|tbx|tei|martif)\b|\{\\rtf|[\[{]\s*[\[{\"])", re.I
)
_TAGS = frozenset(
    "noun verb adj adv adjective adverb pron pronoun prep preposition postp conj conjunction interj intj "
    "interjection num numeral det determiner article art particle part propn proper name phrase idiom prefix "
    "suffix proverb abbr abbreviation contraction aux auxiliary cconj sconj adp punct sym symbol letter "
    "nn nns nnp nnps vb vbd vbg vbn vbp vbz vblex jj jjr jjs rb rbr rbs in cd dt prp n v a s x vt vi vr np "
    "m f nt mf pl sg masc fem neut masculine feminine neuter plural singular common past pres inf ger pp "
    "substantiv adjektiv sustantivo verbo adjetivo adverbio nom verbe adjectif adverbe sostantivo aggettivo "
    "avverbio substantivo".split()
)
_TITLES = frozenset(
    "source target src tgt trg word words translation translations lemma entry headword term score scores "
    "count counts freq frequency rank margin probability prob weight pos tag id similarity cosine confidence "
    "source_word target_word source_count target_count evidence".split()
)
_LANGUAGES = frozenset(
    "en es de fr it pt nl ru tr zh ja ar fi sv da no pl cs el he hi ko vi th uk ro hu fa id english spanish "
    "german french italian portuguese dutch russian turkish chinese japanese arabic finnish swedish danish "
    "norwegian polish czech greek hebrew hindi korean vietnamese thai ukrainian romanian hungarian persian "
    "deutsch español français italiano português eng spa deu ger fra fre ita por nld dut rus tur zho chi cmn "
    "jpn ara fin swe dan nob pol ces cze ell gre heb hin kor vie tha ukr ron rum hun fas".split()
)
_OWN = ("source target score margin rank", "source target probability rank", "source target pair")
"""First titles of our own tables, whose cells are words as they stand."""

_ENOUGH = 4  # cells of a column to see whether its values repeat


class Pairs:
    """Pairs and counts while lines come in.

    Args:
        plain: What spells a word of the source, and one of the target, in the case it has.
        final: What spells them as they are kept.
    """

    def __init__(self, plain: Sequence[Speller], final: Sequence[Speller]) -> None:
        self._plain = [_without_edges(spell) for spell in plain]
        self._final = [_without_edges(spell) for spell in final]
        self._rows: list[tuple[int, list[str]]] = []  # of lines with fields
        self._groups: list[tuple[int, list[str]]] = []  # of lines with blanks alone
        self._glossed: list[tuple[int, list[str], list[str]]] = []  # of CC-CEDICT and EDICT
        self._unguard = False
        self._entered: set[Pair] = set()  # as they stand in the file
        self.pairs: dict[Pair, None] = {}  # a set that keeps its order
        self.malformed: list[int] = []
        self.counts: Counter[str] = Counter()  # by the names of the report's fields

    def add(self, number: int, text: str) -> None:
        """Take a line, or count it as what it is."""
        self.counts["lines"] += 1
        if _is_blank_or_comment(text):
            self.counts["blank_or_comment"] += 1
        elif text.endswith("/") and (glossed := _GLOSSES.fullmatch(text.strip())):
            self._glossed.append((number, *self._glosses(*glossed.groups())))
        elif "\t" in text:
            self._rows.append((number, [cell.strip() for cell in text.split("\t")]))
        elif " ||| " in text:
            self._rows.append((number, _FIELDS.split(text.strip())))
        else:
            self._groups.append((number, _groups(text)))

    @property
    def with_commas(self) -> int:
        """How many lines with neither tabs nor blanks have commas or semicolons in between."""
        return sum(
            len(cells) == 1 and re.search(r"\w[,;]\w", cells[0]) is not None for _, cells in self._groups
        )

    def add_cells(self, number: int, cells: list[str]) -> None:
        """Take a row of a table with commas, or count it as what it is."""
        self.counts["lines"] += 1
        self._unguard = True
        if not any(map(str.strip, cells)) or cells[0].startswith("# "):
            self.counts["blank_or_comment"] += 1
        else:
            self._rows.append((number, [cell.strip() for cell in cells]))

    def finish(self) -> None:
        """Decide what the columns of all lines are, and take over their pairs."""
        if self._rows and f"{' '.join(self._rows[0][1])} ".startswith(tuple(f"{own} " for own in _OWN)):
            self.counts["header"] += 1
            entries = [(number, *self._own(cells)) for number, cells in self._rows[1:]]
        else:
            entries = self._entries()
        for number, sources, translations in sorted(entries, key=lambda entry: entry[0]):
            pairs = [(one, other) for one in sources for other in translations if self._is_pair(one, other)]
            if not pairs:
                self.malformed.append(number)
            for pair in pairs:
                self._add_pair(*pair)

    def _own(self, cells: list[str]) -> tuple[list[str], list[str]]:
        """The words of a row that `tables.write_table` wrote."""
        for cell in filter(None, cells[2:]):
            self.counts["scores" if _NUMBERS.fullmatch(cell) else "annotations"] += 1
        words = map(unguarded, cells[:2]) if self._unguard else cells[:2]
        source, target, *_ = *map(unescaped, words), ""
        return [source], [target]

    def _entries(self) -> list[tuple[int, list[str], list[str]]]:
        """Number of each line, alternatives of its source, and of its translations."""
        if self._rows:
            self._take_header(self._rows)
        if self._groups and (not self._rows or self._groups[0][0] < self._rows[0][0]):
            self._take_header(self._groups)
        cells = [cells for _, cells in self._rows]
        words = _word_columns(cells)
        entries = self._glossed + [(number, *self._fields(cells, words)) for number, cells in self._rows]
        groups = [cells for _, cells in self._groups]
        scored = _are_scored(groups)
        if groups and all(len(line) == 3 and _is_place_or_score(line[0]) for line in groups):
            self.counts["scores"] += len(groups)
            self._groups = [(number, cells[1:]) for number, cells in self._groups]
        elif groups and all(_has_colon(line[0]) for line in groups):
            self._groups = [(number, [cells[0][:-1], *cells[1:]]) for number, cells in self._groups]
        entries += [(number, *self._of_groups(cells, scored)) for number, cells in self._groups]
        return entries

    def _take_header(self, lines: list[tuple[int, list[str]]]) -> None:
        names = [cell.lower() for cell in lines[0][1] if cell]
        titles = len(lines) > 1 and len(set(names)) == len(names) > 1
        codes = [_REGION.sub("", name) for name in names]
        tongues = len(names) == 2 and _LANGUAGES.issuperset(codes)
        mixed = len(names) > 2 and (_LANGUAGES | _TITLES).issuperset(codes)
        if titles and (_TITLES.issuperset(names) or tongues or mixed or _stands_over_numbers(lines)):
            self.counts["header"] += 1
            del lines[0]

    def _is_pair(self, source: str, target: str) -> bool:
        """Whether something visible is left of both."""
        return bool(source and target and self._final[0](source) and self._final[1](target))

    def _fields(self, cells: list[str], columns: Sequence[int]) -> tuple[list[str], list[str]]:
        """Alternatives of the source, and of all translations."""
        for place, cell in enumerate(cells):
            if cell and place not in columns:
                self.counts["scores" if _NUMBERS.fullmatch(cell) else "annotations"] += 1
        source, first, *others = [cells[place] for place in columns if place < len(cells)] + [""] * (
            2 - len(cells)
        )
        kept = [first]
        digits = any(map(str.isdigit, source + first))
        for other in others:
            if other and not any(map(str.isalnum, _NOTE.sub("", other))):
                self.counts["annotations"] += 1
            elif not digits and any(map(str.isdigit, other)):
                self.counts["scores" if _NUMBERS.fullmatch(other) else "annotations"] += 1
            else:
                kept.append(other)
        translations = [word for cell in kept for word in self._alternatives(cell)]
        return self._alternatives(source), translations

    def _alternatives(self, cell: str) -> list[str]:
        plain = " ".join(_NOTE.sub(" ", cell).split(" ")).strip()
        if plain != cell and any(map(str.isalnum, plain)):
            self.counts["annotations"] += 1
            cell = plain
        return _alternatives(cell)

    def _of_groups(self, groups: list[str], scored: bool) -> tuple[list[str], list[str]]:
        if scored and len(groups) == 3 and _NUMBERS.fullmatch(groups[2]):
            self.counts["scores"] += 1
            groups = groups[:2]
        source, *rest = groups
        return _alternatives(source), _alternatives(" ".join(rest))

    def _glosses(self, first: str, second: str | None, glosses: str) -> tuple[list[str], list[str]]:
        """Spellings of an entry of CC-CEDICT or EDICT, and what is between its slashes."""
        kept = [gloss for gloss in glosses.split("/") if gloss and not _MEASURE.match(gloss)]
        words = [word for gloss in kept for word in self._alternatives(gloss)]
        return list(dict.fromkeys(filter(None, (first, second)))), words

    def _add_pair(self, source: str, target: str) -> None:
        entry = (source, target)
        plain = (self._plain[0](source), self._plain[1](target))
        if any(len(word.split()) > 1 for word in plain):
            self.counts["multiword"] += 1
            return
        pair = (self._final[0](source), self._final[1](target))
        self.counts["respelt"] += plain != entry
        self.counts["lowercased"] += pair != plain
        if pair in self.pairs:
            self.counts["duplicates" if entry in self._entered else "merged"] += 1
        self._entered.add(entry)
        self.pairs[pair] = None


def _without_edges(spell: Speller) -> Speller:
    """Invisible characters gone, blanks that they stood beside may be at an edge."""
    return lambda word: spell(word).strip()


def _is_blank_or_comment(text: str) -> bool:
    stripped = text.strip()
    if "\t" in text:
        return not stripped or text.startswith("# ")
    return stripped in ("", "#") or (text.startswith(("# ", "#! ")) and stripped != "# #")


def why_no_dictionary(first: str) -> str:
    """What to say of a file that begins so, if that is no line of a dictionary; else nothing.

    Example:
        >>> why_no_dictionary("<?xml version='1.0'?>")
        'this is a document (XML, HTML, JSON or RTF), no lines of words and translations'
        >>> why_no_dictionary("{ llave")
        ''
    """
    if not _NO_DICTIONARY.match(first):
        return ""
    return "this is a document (XML, HTML, JSON or RTF), no lines of words and translations"


def _groups(text: str) -> list[str]:
    """Words between blanks, those that a separator ties together as one."""
    words = text.split()
    if len(words) < 3:
        return words
    groups = words[:1]
    for word in words[1:]:
        if groups[-1][-1] in _TIES or word[0] in _TIES:
            groups[-1] += f" {word}"
        else:
            groups.append(word)
    return groups if len(groups) > 1 else [words[0], " ".join(words[1:])]


def _alternatives(part: str) -> list[str]:
    if not any(map(str.isalnum, part)):  # a smiley such as ";)", or a comma, is a word of its own
        return [part] if part else []
    return [word for piece in _SEPARATOR.split(part) if (word := piece.strip())]


def _is_place_or_score(word: str) -> bool:
    return bool(_NUMBERS.fullmatch(word) or _PLACE.fullmatch(word))


def _has_colon(word: str) -> bool:
    return len(word) > 1 and word.endswith(":")


def _stands_over_numbers(lines: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first line has a title where all others have numbers."""
    (_, first), *rest = lines
    if len(first) < 3 or len(rest) < 2:
        return False
    return any(
        not any(map(str.isdigit, title))
        and title
        and all(place < len(row) and _NUMBERS.fullmatch(row[place]) for _, row in rest)
        for place, title in enumerate(first)
    )


def _are_scored(lines: Sequence[Sequence[str]]) -> bool:
    """Whether lines of blanks alone end with numbers: most of them, and all that have three words."""
    threes = [line for line in lines if len(line) == 3]
    return 2 * len(threes) >= len(lines) and all(_NUMBERS.fullmatch(line[2]) for line in threes)


def _word_columns(rows: Sequence[Sequence[str]]) -> list[int]:
    """Which columns hold words, the source's first."""
    width = max(map(len, rows), default=2)
    columns = [[row[place] for row in rows if place < len(row) and row[place]] for place in range(width)]
    if width < 3:
        return [0, 1]
    words = [place for place, cells in enumerate(columns) if not _is_beside(place, cells)]
    if len(words) < 2:  # numbers and names of tags are words, too
        return [0, 1, *(place for place in words if place > 1)]
    return words


def _is_beside(place: int, cells: Sequence[str]) -> bool:
    """Whether a column's cells are no words but something beside them."""
    values = set(cells)
    if not values:
        return place > 1
    if all(map(_NUMBERS.fullmatch, values)) or all(map(_is_tag, values)):
        return True
    if 2 * sum(map(bool, map(_SOUNDS.search, cells))) >= len(cells):
        return True
    if place > 1 and len(cells) >= _ENOUGH and 2 * len(values) <= len(cells):
        return True
    return len(values) == 1 and len(cells) > 2 and _CODE.fullmatch(cells[0]) is not None


def _is_tag(cell: str) -> bool:
    parts = [part for part in _PARTS.split(cell.lower()) if part]
    return bool(parts) and _TAGS.issuperset(parts)
