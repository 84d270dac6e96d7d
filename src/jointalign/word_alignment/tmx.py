"""Translation memories (TMX 1.4) as sentence pairs, read as a stream.

The reader takes no entity but the five of XML and numbered characters: a document that declares
others could grow without bound, or name other files.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.parsers import expat

from jointalign.errors import FormatError
from jointalign.storage.files import open_text

logger = logging.getLogger(__name__)

_BLOCK = 1 << 16
_CODES = frozenset(("bpt", "ept", "it", "ph", "ut"))  # hold the codes of other formats, not words
_COMPRESSED = frozenset((".gz", ".bz2", ".xz", ".zst"))


def is_tmx(path: str | Path) -> bool:
    """Whether a name says translation memory: `.tmx`, compressed or not."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    return suffixes[-1:] == [".tmx"] or (suffixes[-2:-1] == [".tmx"] and suffixes[-1] in _COMPRESSED)


def read_tmx(path: str | Path, languages: tuple[str, str]) -> Iterator[tuple[str, str]]:
    r"""Sentence pairs of a translation memory; never more than one unit is in memory.

    Codes of formatting inside a segment are left out, a line's end is a blank. Of several variants of a
    language (`en-US`, `en-GB` for `en`) that of the very code counts, else the first. Units that lack
    one of the languages are left out, and their number is logged at the end.

    Args:
        path: The file; may be compressed.
        languages: Codes of the source and the target language, in any case.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is no XML or no TMX, declares entities, or has no unit of both languages.

    Example:
        >>> import tempfile
        >>> variants = [("EN-us", 'A <ph x="1">br</ph>house'), ("es", "Casa")]
        >>> segments = [f'<tuv xml:lang="{code}"><seg>{text}</seg></tuv>' for code, text in variants]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "memory.tmx")
        ...     _ = path.write_text(f"<tmx><body><tu>{''.join(segments)}</tu></body></tmx>")
        ...     list(read_tmx(path, ("en", "es")))
        [('A house', 'Casa')]
    """
    units = _Units(path, languages)
    with open_text(path) as stream:
        for block in iter(partial(stream.read, _BLOCK), b""):
            units.parse(block)
            yield from units.found()
        units.parse(b"", last=True)
    units.finish()


class _Units:
    """Takes events of the parser, and gives the pairs that are whole."""

    def __init__(self, path: str | Path, languages: tuple[str, str]) -> None:
        self._path = path
        self._wanted = [language.lower().replace("_", "-") for language in languages]
        self._pairs: deque[tuple[str, str]] = deque()
        self._variants: list[tuple[str, str]] = []  # of this unit, code and text
        self._language = ""
        self._text: list[str] | None = None  # of this segment
        self._codes = self._given = self._lacking = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._refuse
        parser.SkippedEntityHandler = self._refuse
        self._root = False

    def parse(self, block: bytes, last: bool = False) -> None:
        try:
            self._parser.Parse(block, last)
        except expat.ExpatError as error:
            reason = f"expected a translation memory in XML; {expat.ErrorString(error.code)}"
            raise FormatError(self._path, error.lineno, reason) from None

    def found(self) -> Iterator[tuple[str, str]]:
        while self._pairs:
            yield self._pairs.popleft()

    def finish(self) -> None:
        if not self._given:
            reason = f"no unit has segments of both {' and '.join(self._wanted)} ({self._lacking} units)"
            raise FormatError(self._path, None, f"{reason}; is xml:lang written so?")
        if self._lacking:
            logger.warning(
                "%s: %d of %d units lack a language, and are left out",
                self._path,
                self._lacking,
                self._lacking + self._given,
            )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._root and name != "tmx":
            raise self._error(f"expected a translation memory, which starts with <tmx>, got <{name}>")
        self._root = True
        if name == "tu":
            self._variants = []
        elif name == "tuv":
            code = attributes.get("xml:lang", attributes.get("lang", ""))
            self._language = code.lower().replace("_", "-")
        elif name == "seg":
            self._text, self._codes = [], 0
        elif name in _CODES:
            self._codes += 1

    def _end(self, name: str) -> None:
        if name == "seg" and self._text is not None:
            self._variants.append((self._language, " ".join("".join(self._text).split())))
            self._text = None
        elif name in _CODES:
            self._codes -= 1
        elif name == "tu":
            self._close()

    def _close(self) -> None:
        source, target = (self._variant(code) for code in self._wanted)
        if source is None or target is None:
            self._lacking += 1
        else:
            self._given += 1
            self._pairs.append((source, target))

    def _variant(self, code: str) -> str | None:
        exact = (text for language, text in self._variants if language == code)
        alike = (text for language, text in self._variants if language.split("-")[0] == code)
        return next(exact, next(alike, None))

    def _characters(self, text: str) -> None:
        if self._text is not None and not self._codes:
            self._text.append(text)

    def _refuse(self, name: str, *_: object) -> None:
        raise self._error(f"the entity '{name}' is declared or used, which no translation memory needs")

    def _error(self, reason: str) -> FormatError:
        return FormatError(self._path, self._parser.CurrentLineNumber, reason)
