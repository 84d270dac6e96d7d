"""Words from running text: Unicode segmentation with the rules of each language.

Text is cut at white space, and each distinct piece is analysed once and remembered: text repeats
itself, so nearly every piece costs one look-up. The rules:

* Spelling: Unicode NFC; typographic apostrophes and hyphens become `'` and `-`, and so do marks that
  stand for an apostrophe between letters (`‘`, `´`, `` ` ``, `′`); invisible characters go, but for
  the joiners that Persian and Indic words need. Lower case by the language's own rules; an `i` with
  a dot above, as other programs make of `İ`, is `i`. One rule for text, dictionaries, questions and,
  where these meet them, the words of vectors: `Spelling`.
* A word is made of letters, combining marks and digits. Inside a word, apostrophes, hyphens, `·`
  and `_` belong to it (`o'clock`, `well-known`), and so do `.` and `,` between digits (`3,000`) and
  the dots of an abbreviation (`u.s.`). A hyphen between digits does not (`1914-1918`).
* Clitics are words: `it 's`, `l' homme`, `dit - il`, `'t is`. English negations stay whole
  (`don't`): cut off, `n't` would leave stems such as `ca` and `wo`.
* Web and e-mail addresses and emoji sequences stay whole. Any other mark is a token; runs of dots or
  dashes are one. Control characters and zero-width spaces separate.
* Scripts without spaces: Chinese is cut by jieba (extra `tokenizers`). Japanese (but for katakana),
  Thai, Lao, Khmer and Burmese, and Chinese characters in other languages, are cut into characters;
  for real words cut such text beforehand and say `tokenized=True`.

MUSE dictionaries come from text in which every apostrophe and hyphen was cut, so none of their
entries holds one. Keeping compounds whole costs less than 1 % of the entries found in a corpus.
"""

from __future__ import annotations

import logging
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

import regex

from jointalign.errors import JointalignError, MissingExtraError

logger = logging.getLogger(__name__)

BLANKS = regex.compile(r"[ \t\r]+")
"""What parts the words of tokenised text; a no-break or wide space belongs to its word."""

_TYPOGRAPHIC, _PLAIN = "’ʼ‐\u2011", "''--"  # apostrophes and hyphens
# Quotation marks, too, elsewhere than between letters.
_LIKE_APOSTROPHES = "‘‛´`′＇"
_ZERO_WIDTH_SPACE = "\u200b"
_INVISIBLE = "".join(
    [
        "\u00ad\u034f\u061c\u200e\u200f\ufeff\ufe0e\ufe0f",
        *map(chr, range(0x202A, 0x202F)),
        *map(chr, range(0x2060, 0x2070)),
    ]
)
_EDGES = regex.compile(
    r"^[\u200c\u200d]+|(?<!\p{ccc=9})[\u200c\u200d]+$|(?<=\p{ccc=9}\u200d)[\u200c\u200d]+$"
)
_DOTTED = regex.compile(r"(?<=[ijį])\u0307")  # these have a dot already
_STRESS = "\u0301"  # NFC has composed it where it is no stress mark; й and ё are out of its reach
_ARABIC_POINTS = "\u0640\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670"
_HEBREW_POINTS = "".join(map(chr, range(0x0591, 0x05BE))) + "\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"

# The range comes first because most letters are in it, and found at once.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER = rf"[a-z[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]]"
_ONIGURUMA_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]&&[^{_UNSPACED}]]"  # the same in its dialect
_BEFORE_JOINER = r"(?:(?<=\p{ccc=9})\u200d)?"
_HAN = r"\p{Han}+"
# Persian and Indic words may hold the invisible joiners U+200C and U+200D.
_JOINERS = "'·_\u200c\u200d"
_HYPHEN = r"(?<!\p{N})-|-(?!\p{N})"
_BETWEEN_DIGITS = r"(?<=\p{N})[.,٫٬](?=\p{N})"
_ABBREVIATION = rf"(?<!{_LETTER})(?:\p{{L}}\.){{2,8}}(?!{_LETTER})"
_ADDRESS = r"(?:https?://|www\.)\S*[\p{L}\p{N}/]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_TONE = r"\p{M}*[\U0001f3fb-\U0001f3ff]?"
_EMOJI = (
    rf"\p{{RI}}{{2}}|\p{{Extended_Pictographic}}{_TONE}(?:\u200d\p{{Extended_Pictographic}}{_TONE})*"
    r"[\U000e0020-\U000e007f]*"
)
_MARK = r"\.+|-+|_+|=+|\*+|[^\s\p{Cc}\p{Cf}]\p{M}*"

_LONGEST_REMEMBERED = 64  # characters; a longer piece hardly comes twice
_MOST_REMEMBERED = 1 << 18  # pieces, about 60 MB

_Words = tuple[str, ...]


@dataclass(frozen=True)
class _Rules:
    """What is particular to a language; patterns are regular expressions on lower case.

    Args:
        before: Elided words, which end in an apostrophe: `l'`.
        after: Clitics that begin with an apostrophe and end a word: `'s`.
        untied: Clitics at the end of a word that their hyphen does not tie to it: `-il`.
        whole: Words that the other rules would tear apart.
        joiners: More marks that belong to a word when inside it.
        hyphen: What joins by hyphens; empty for nothing.
        segmented: Runs of a script that the language's segmenter cuts.
        removed: Characters to drop: stress marks, vowel points.
        dotless: Whether the small letter of `I` is `ı`.
        opened: Whether words are often begun with a quotation mark for their apostrophe: `‘s`.
    """

    before: str = ""
    after: str = ""
    untied: str = ""
    whole: str = ""
    joiners: str = ""
    hyphen: str = _HYPHEN
    segmented: str = ""
    removed: str = ""
    dotless: bool = False
    opened: bool = False


_ARABIC = _Rules(removed=_ARABIC_POINTS)
_CYRILLIC = _Rules(removed=_STRESS)
_NORDIC = _Rules(joiners=":")  # case endings: EU:n
_TURKIC = _Rules(dotless=True)
_WITHOUT_SPACES = _Rules()
_RULES = {
    "ar": _ARABIC,
    "az": _TURKIC,
    "be": _CYRILLIC,
    "bg": _CYRILLIC,
    "ca": _Rules(before="[ldnsmt]'", after="'(?:ls?|ns?|[mts]|h[io])"),
    "de": _Rules(after="'s"),
    "el": _Rules(),
    "en": _Rules(after="'(?:s|ll|ve|re|d|m)", whole="'(?:tis|twas|twere|twill|em)"),
    "es": _Rules(),
    "fa": _ARABIC,
    "fi": _NORDIC,
    "fr": _Rules(
        before="(?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)'",
        untied="-(?:t-)?(?:ils?|elles?|on)|(?<!rendez)-vous"
        "|-(?:je|tu|nous|moi|toi|l[ae]s?|lui|leur|en|y|ce|ci|là)",
    ),
    "hi": _Rules(),
    "he": _Rules(joiners='"״׳', removed=_HEBREW_POINTS),
    "it": _Rules(before=rf"{_LETTER}+'(?=\p{{L}})|(?:[cdl]|un|(?:a|da|de|ne|su)ll)'", whole="po'"),
    "ja": _WITHOUT_SPACES,
    "km": _WITHOUT_SPACES,
    "lo": _WITHOUT_SPACES,
    "my": _WITHOUT_SPACES,
    "nl": _Rules(whole=rf"'s-{_LETTER}+|'(?:[knmrst]|ie)", opened=True),
    "pt": _Rules(untied="-(?:me|te|se|lhes?|nos|vos|l?[ao]s?)"),
    "ro": _Rules(hyphen=""),  # hyphens mostly tie clitics: într-un, s-a
    "ru": _CYRILLIC,
    "sv": _NORDIC,
    "th": _WITHOUT_SPACES,
    "tr": _TURKIC,
    "uk": _CYRILLIC,
    "zh": _Rules(segmented=_HAN),
}


def known_languages() -> tuple[str, ...]:
    """Codes of the languages that were looked at; any other gets the general rules."""
    return tuple(_RULES)


@dataclass(frozen=True)
class Spelling:
    """How words are spelt where they are counted and compared: one rule for whatever they come from.

    Args:
        language: As for `tokenizer`; `und`, undetermined, has the general rules.
        lowercase: Whether to lower-case, by the rules of the language.

    Example:
        >>> Spelling("tr").speller()("İstanbul’un"), Spelling("ru").speller()("За\u0301мок")
        ("istanbul'un", 'замок')
    """

    language: str = "und"
    lowercase: bool = True

    def speller(self) -> Callable[[str], str]:
        """The function that spells a word as `tokenizer` does, without cutting it.

        It gives the empty string for a word of which nothing can be seen.
        """
        return _speller(_rules_of(self.language)[1], self.lowercase)


def tokenizer(language: str, lowercase: bool = True, tokenized: bool = False) -> Callable[[str], list[str]]:
    """Make the function that cuts a text into words, which never contain white space.

    Args:
        language: ISO 639 code of two or three letters, e.g. `en` or `eng`; a region or script after
            it is ignored (`en-US`, `zh_TW`).
        lowercase: Whether to lower-case, by the rules of the language.
        tokenized: Whether blanks separate the words already. They are then spelt by the same rules
            (case, apostrophes, stress marks) but not cut, and each keeps its place: one of
            invisible characters alone stays as it is.

    Raises:
        MissingExtraError: If the language is Chinese and jieba is not installed.

    Example:
        >>> tokenizer("en")("It's 3,000 miles, isn't it?")
        ['it', "'s", '3,000', 'miles', ',', "isn't", 'it', '?']
        >>> tokenizer("fr")("L’homme d'aujourd’hui")
        ["l'", 'homme', "d'", "aujourd'hui"]
        >>> tokenizer("tr", tokenized=True)("İyi AKŞAMLAR !")
        ['iyi', 'akşamlar', '!']
    """
    code, rules = _rules_of(language)
    spell = _speller(rules, lowercase)
    if tokenized:
        words_of = _Memory(lambda piece: (spell(piece) or piece,)).__getitem__

        def look_up(text: str) -> list[str]:
            return list(chain.from_iterable(map(words_of, parted(text))))

        return look_up
    _warn(language, code, rules)
    words_of = _Memory(_cutter(rules, spell, lowercase)).__getitem__

    def tokenize(text: str) -> list[str]:
        return list(chain.from_iterable(map(words_of, text.split())))

    return tokenize


@dataclass(frozen=True)
class PortableRules:
    """The rules for text in any of some languages, for tokenisers of other programs.

    Expressions are Oniguruma's. What a program cannot do without knowing the language is what all of
    them have in common; emoji sequences are cut, and Chinese is not segmented.

    Args:
        spelling: Expressions and what takes their place, in order, before lower case.
        lowered: The same after lower case and NFC.
        words: An expression whose matches in a text are its words.
    """

    spelling: tuple[tuple[str, str], ...]
    lowered: tuple[tuple[str, str], ...]
    words: str

    @classmethod
    def of(cls, languages: Iterable[str], lowercase: bool = True) -> PortableRules:
        """Those of some languages, by their codes.

        Args:
            languages: ISO 639 codes.
            lowercase: Whether text is lower-cased before it is cut.

        Example:
            >>> PortableRules.of(["en", "de"]).spelling[1]
            ('[‐‑]', '-')
        """
        every = [_rules_of(language)[1] for language in languages] or [_Rules()]

        def both(name: str) -> str:
            return _any(*dict.fromkeys(getattr(rules, name) for rules in every))

        joiners = "".join(dict.fromkeys(mark for rules in every for mark in rules.joiners))
        hyphen = max(rules.hyphen for rules in every)
        parts = both("before"), both("after"), both("untied"), both("whole")
        united = _Rules(*parts, joiners=joiners, hyphen=hyphen)
        words = _expression(united, _ADDRESS, _EMOJI).replace(_LETTER, _ONIGURUMA_LETTER)
        apostrophes, hyphens = _TYPOGRAPHIC[:2], _TYPOGRAPHIC[2:]
        spelling = [
            (f"[{apostrophes}]", "'"),
            (f"[{hyphens}]", "-"),
            (f"[{_INVISIBLE}]", ""),
            (_ZERO_WIDTH_SPACE, " "),
            (rf"(?<=[\p{{L}}\p{{M}}])[{_LIKE_APOSTROPHES}](?=\p{{L}})", "'"),
        ]
        if lowercase:
            dotless = all(rules.dotless for rules in every)
            spelling += [("İ|I\u0307", "i"), *([("I", "ı")] if dotless else [])]
        removed = "".join(dict.fromkeys(mark for rules in every for mark in rules.removed))
        lowered = [(r"(?<=[ijį])\u0307", ""), *([(f"[{removed}]", "")] if removed else [])]
        words = words.replace(_BEFORE_JOINER, "")
        return cls(tuple(spelling), tuple(lowered), words if lowercase else f"(?i){words}")


def parted(text: str) -> list[str]:
    r"""The words of tokenised text, which blanks part and nothing else, as they stand.

    Example:
        >>> parted("5\u00a0km  ahead ")
        ['5\xa0km', 'ahead']
    """
    return [piece for piece in BLANKS.split(text) if piece]


def located(text: str, words: Iterable[str], language: str = "und") -> list[tuple[int, int]]:
    r"""Where each word of a text stands in it, from its first character to behind its last.

    Args:
        text: As it is.
        words: All of them, as `tokenizer(language, lowercase=False)` or `parted` cuts them out of it.
        language: As for `tokenizer`.

    Raises:
        JointalignError: If these are not the words of the text.

    Example:
        >>> located("L\u2019homme  dit\u2026", ["L'", "homme", "dit", "\u2026"], "fr")
        [(0, 2), (2, 7), (9, 12), (12, 13)]
    """
    rules = _rules_of(language)[1]
    removed = set(_INVISIBLE + _ZERO_WIDTH_SPACE + rules.removed)
    table = str.maketrans(_TYPOGRAPHIC, _PLAIN, "".join(removed)) | str.maketrans(
        dict.fromkeys(_LIKE_APOSTROPHES, "'")
    )

    def plain(piece: str) -> str:
        """What two spellings of one word have in common."""
        return _DOTTED.sub("", unicodedata.normalize("NFC", piece.translate(table))).translate(table)

    places, at = [], 0
    for word in words:
        start = at
        while not text.startswith(word, start) and start < len(text) and _parts(text[start], removed):
            start += 1
        end = start + len(word)
        if not text.startswith(word, start):
            wanted, end = plain(word), start + 1
            while end <= len(text) and plain(text[start:end]) != wanted:
                end += 1
        if end > len(text):
            raise JointalignError(f"'{word}' does not follow character {at} of '{text[:60]}'")
        while end < len(text) and text[end] in rules.removed:
            end += 1
        places.append((start, end))
        at = end
    return places


def _parts(character: str, removed: set[str]) -> bool:
    """Whether a character may stand between two words and belong to none."""
    return character.isspace() or character in removed or unicodedata.category(character) in ("Cc", "Cf")


def language_code(language: str) -> str:
    """The shortest ISO 639 code of a language, without region or script; what is none stays.

    Example:
        >>> language_code("cmn"), language_code("pt_BR"), language_code("ger"), language_code("source")
        ('zh', 'pt', 'de', 'source')
    """
    code = language.lower().replace("_", "-").split("-")[0]
    if code in _RULES or code == "und":
        return code
    import langcodes

    try:
        return langcodes.standardize_tag(code, macro=True).split("-")[0].lower()
    except ValueError:  # of tags that are none
        return code


def _rules_of(language: str) -> tuple[str, _Rules]:
    """The language's code without region, and its rules."""
    code = language_code(language)
    return code, _RULES.get(code, _Rules())


class _Memory(dict[str, _Words]):
    """The words of each piece of text, worked out when first asked for."""

    def __init__(self, analyse: Callable[[str], _Words]) -> None:
        super().__init__()
        self._analyse = analyse

    def __missing__(self, piece: str) -> _Words:
        words = self._analyse(piece)
        if len(piece) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[piece] = words
        return words


def _warn(language: str, code: str, rules: _Rules) -> None:
    if rules is _WITHOUT_SPACES:
        logger.warning("'%s' has no spaces and is cut into characters; better cut it first", language)
    if code in _RULES or code == "und":
        return
    import langcodes

    if langcodes.tag_is_valid(code):
        logger.warning("'%s' has no rules of its own here; taking the general rules", language)
    else:
        logger.warning("'%s' is no ISO 639 code such as 'en'; taking the general rules", language)


def _speller(rules: _Rules, lowercase: bool) -> Callable[[str], str]:
    """The function that gives a piece the spelling under which it is counted."""
    table = str.maketrans(_TYPOGRAPHIC, _PLAIN, _INVISIBLE + _ZERO_WIDTH_SPACE)
    removed = str.maketrans("", "", rules.removed)
    small_i = "ı" if rules.dotless else "i"
    apostrophes = _apostrophes(rules)

    def spell(piece: str) -> str:
        if not piece.isascii():
            piece = _EDGES.sub("", piece.translate(table))
            piece = apostrophes(piece)
        elif "`" in piece:
            piece = apostrophes(piece)
        if lowercase:
            # Python knows no Turkish rules, and makes two characters of a capital with a dot.
            piece = piece.replace("İ", "i").replace("I\u0307", "i").replace("I", small_i).lower()
        if not piece.isascii():
            piece = unicodedata.normalize("NFC", piece)  # not earlier: lower case can undo it
            if removed:
                piece = piece.translate(removed)
            if "\u0307" in piece:
                piece = unicodedata.normalize("NFC", _DOTTED.sub("", piece))
        return piece

    return spell


def _apostrophes(rules: _Rules) -> Callable[[str], str]:
    """The function that finds the apostrophe in what looks like one.

    Between letters it is one; at an edge it may be a quotation mark, so only a clitic has it there.
    """
    between = regex.compile(rf"(?<=[\p{{L}}\p{{M}}])[{_LIKE_APOSTROPHES}](?=\p{{L}})").sub
    table = str.maketrans(dict.fromkeys(_LIKE_APOSTROPHES, "'"))
    clitics = _any(rules.before, rules.after, rules.whole)
    is_clitic = regex.compile(clitics, regex.V1 | regex.IGNORECASE).fullmatch

    def straighten(piece: str) -> str:
        straight = piece.translate(table)
        may_be = clitics and (rules.opened or not piece.startswith(("‘", "‛")))
        if straight == piece or (may_be and is_clitic(straight)):
            return straight
        return between("'", piece)

    return straighten


def _cutter(rules: _Rules, spell: Callable[[str], str], lowercase: bool) -> Callable[[str], _Words]:
    """The analysis of pieces of running text."""
    find = _pattern(rules, lowercase).findall
    find_with_addresses = _pattern(rules, lowercase, _ADDRESS).findall
    segment = _segmenter() if rules.segmented else None

    def analyse(piece: str) -> _Words:
        if _ZERO_WIDTH_SPACE in piece:  # where a line may break: a space that takes no room
            return tuple(chain.from_iterable(map(analyse, piece.split(_ZERO_WIDTH_SPACE))))
        piece = spell(piece)
        # Addresses are rare, and looking for one at every word is slow.
        addresses = "@" in piece or "://" in piece or "www." in piece
        words = find_with_addresses(piece) if addresses else find(piece)
        return tuple(words if segment is None else chain.from_iterable(map(segment, words)))

    return analyse


def _pattern(rules: _Rules, lowercase: bool, first: str = "") -> regex.Pattern[str]:
    """`_expression`, ready for use."""
    flags = regex.V1 if lowercase else regex.V1 | regex.IGNORECASE
    return regex.compile(_expression(rules, first), flags)


def _expression(rules: _Rules, first: str, without: str = "") -> str:
    """The expression whose matches in a piece, from left to right, are its words.

    Args:
        rules: Of the language.
        first: A kind of word that comes before all others.
        without: A kind of word to leave out.
    """
    ends = rf"(?!-?{_LETTER})"
    after = rf"(?:{rules.after}){ends}" if rules.after else ""
    untied = rf"(?:{rules.untied})+{ends}" if rules.untied else ""
    joiners = [rf"[{_JOINERS}{rules.joiners}]", rules.hyphen, _BETWEEN_DIGITS]
    joiner = rf"(?:{_any(*joiners)})"
    if after or untied:
        joiner = rf"(?!{_any(after, untied)}){joiner}"
    kinds = [
        first,
        rf"(?<!{_LETTER})(?:{rules.whole})(?!{_LETTER})" if rules.whole else "",
        rf"(?<!{_LETTER})(?:{rules.before})" if rules.before else "",
        _ABBREVIATION,
        rules.segmented,
        rf"{_LETTER}+(?:{joiner}{_LETTER}+)*{_BEFORE_JOINER}",
        rf"(?<={_LETTER}){after}" if after else "",
        _EMOJI,
        _MARK,
    ]
    return _any(*(kind for kind in kinds if kind != without))


def _any(*patterns: str) -> str:
    return "|".join(filter(None, patterns))


def _segmenter() -> Callable[[str], Iterable[str]]:
    """Cut runs of Chinese characters with jieba; leave other words alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of jieba about its own code
            import jieba  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("jieba", "tokenizers") from error
    dictionary = jieba.Tokenizer()
    # As `initialize` does, but without log lines and a cache in a folder open to all.
    dictionary.FREQ, dictionary.total = dictionary.gen_pfdict(dictionary.get_dict_file())
    dictionary.initialized = True
    is_chinese = regex.compile(_HAN).fullmatch

    def segment(word: str) -> Iterable[str]:
        return dictionary.cut(word) if is_chinese(word) else (word,)

    return segment
