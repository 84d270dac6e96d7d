"""The lines of dictionary files: how a word and its translations are told apart, and spelt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

Pair = tuple[str, str]
Speller = Callable[[str], str]

# A comma between digits belongs to a number, as in "1,000".
_SEPARATOR = re.compile(r"[;|]|(?<!\d),|,(?!\d)")
_SCORE = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")


class Pairs:
    """Pairs and counts while lines come in.

    Args:
        plain: What spells a word of the source, and one of the target, in the case it has.
        final: What spells them as they are kept.
    """

    def __init__(self, plain: Sequence[Speller], final: Sequence[Speller]) -> None:
        self._plain = plain
        self._final = final
        self.pairs: dict[Pair, None] = {}  # a set that keeps its order
        self.malformed: list[int] = []
        self.counts: Counter[str] = Counter()  # by the names of the report's fields

    def add(self, number: int, text: str) -> None:
        """Take over the pairs of a line, or count it as what it is."""
        self.counts["lines"] += 1
        if _is_blank_or_comment(text):
            self.counts["blank_or_comment"] += 1
            return
        source, translations = self._fields(text)
        pairs = [(source, target) for target in translations if self._is_pair(source, target)]
        if not pairs:
            self.malformed.append(number)
        for pair in pairs:
            self._add_pair(*pair)

    def _is_pair(self, source: str, target: str) -> bool:
        """Whether something visible is left of both."""
        return bool(source and target and self._final[0](source) and self._final[1](target))

    def _fields(self, text: str) -> tuple[str, list[str]]:
        if "\t" not in text:
            source, *rest = text.split(maxsplit=1)
            return source, _alternatives(rest[0].strip()) if rest else []
        source, first, *others = (part.strip() for part in text.split("\t"))
        kept = [other for other in others if not _SCORE.fullmatch(other)]
        self.counts["scores"] += len(others) - len(kept)
        return source, [word for part in (first, *kept) for word in _alternatives(part)]

    def _add_pair(self, source: str, target: str) -> None:
        if len(source.split()) > 1 or len(target.split()) > 1:
            self.counts["multiword"] += 1
            return
        entry = (source, target)
        plain = (self._plain[0](source), self._plain[1](target))
        pair = (self._final[0](source), self._final[1](target))
        self.counts["respelt"] += plain != entry
        self.counts["lowercased"] += pair != plain
        self.counts["duplicates"] += pair in self.pairs
        self.pairs[pair] = None


def _is_blank_or_comment(text: str) -> bool:
    stripped = text.strip()
    if "\t" in text:
        return not stripped
    return stripped in ("", "#") or (text.startswith("# ") and stripped != "# #")


def _alternatives(part: str) -> list[str]:
    if not any(map(str.isalnum, part)):  # a smiley such as ";)", or a comma, is a word of its own
        return [part] if part else []
    return [word for piece in _SEPARATOR.split(part) if (word := piece.strip())]
