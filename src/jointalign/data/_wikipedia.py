"""Wikipedia's dumps as plain text: pages of a dump, and the paragraphs of their wikitext."""

from __future__ import annotations

import html
import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO
from xml.etree import ElementTree

from jointalign.corpora.workers import in_order
from jointalign.errors import FormatError, MissingExtraError
from jointalign.progress import Progress
from jointalign.storage.compression import decompressed
from jointalign.storage.files import plain_errors

# What readers of an article do not read as its text. References go before parsing: they are half of
# the markup of a long article, and the parser takes their content for text.
_HIDDEN_TAGS = (
    "categorytree|ce|chem|code|gallery|graph|hiero|imagemap|indicator|inputbox|mapframe|maplink|"
    "math|pre|ref|references|score|source|style|syntaxhighlight|templatedata|templatestyles|"
    "timeline"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HIDDEN = re.compile(rf"<({_HIDDEN_TAGS})\b[^<>]*>", re.IGNORECASE)
_HIDDEN_END = re.compile(rf"</({_HIDDEN_TAGS})\s*>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)([^<>]*)(>?)")
_SINGLE_TAGS = frozenset("br wbr hr meta link img li dt dd th td tr".split())  # may stand alone
_BRACKETS = re.compile(r"\{\{|\}\}|\[\[|\]\]|^[: \t]*\{\||^[ \t]*\|\}(?!\})", re.MULTILINE)
_ENDS = {"{{": "}}", "[[": "]]", "{|": "|}"}
_LINK = re.compile(r"\[(?=(?:[a-z][\w+.-]*:)?//|mailto:)", re.IGNORECASE)
# Of markup that does not fit together, which the parser leaves as text.
_LEFTOVERS = re.compile(r"'{2,}|\{\{|\}\}|\[\[|\]\]|</?[a-zA-Z][^<>]*>|__\w+__")
_ITEM = "\ufdd0"  # marks the line of a list item; no character of any text
_ROW = ("{|", "|")
_EMPTY_BRACKETS = re.compile(r" ?\([\s,;:]*\)")
_OTHER_WIKI = re.compile(r"[a-z]{2,3}(?:-[a-z-]+)?")
_MEDIA = tuple(
    ".jpg .jpeg .png .gif .svg .tif .tiff .webp .pdf .djvu "
    ".oga .ogg .ogv .webm .mp3 .mp4 .wav .flac .mid".split()
)

HIDDEN_NAMESPACES = frozenset({"media", "file", "image", "category"})
"""Names of the namespaces of files and categories that hold on every Wikipedia."""


def check_installed() -> None:
    """Fail early, before gigabytes are downloaded.

    Raises:
        MissingExtraError: If the parser is not installed.
    """
    try:
        import mwparserfromhell  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("mwparserfromhell", "data") from error


def paragraphs(wikitext: str, hidden: frozenset[str] = HIDDEN_NAMESPACES) -> list[str] | None:
    """The paragraphs and list items of an article, each on one line, without markup.

    References, comments, tables, templates, files, categories, headings, formulas, and links to the
    same article in other languages are left out; of other links the text that is shown is kept.

    Args:
        wikitext: The markup.
        hidden: Names in lower case of the namespaces of files and categories.

    Returns:
        The lines, those without a letter left out; `None` if the parser fails.

    Example:
        >>> paragraphs("'''Madrid''' is a [[city]] in [[Spain|the south]].<ref>x</ref> {{stub}}")
        ['Madrid is a city in the south.']
    """
    import mwparserfromhell
    from mwparserfromhell.parser import ParserError

    try:
        parsed = mwparserfromhell.parse(_closed(_without_hidden(_COMMENT.sub("", wikitext))))
        text = _text(parsed, hidden)
    except (ParserError, RecursionError):
        return None
    lines = []
    for paragraph in _joined(text):
        line = _EMPTY_BRACKETS.sub("", _LEFTOVERS.sub("", paragraph))
        line = " ".join(line.split())
        if any(map(str.isalpha, line)):
            lines.append(line)
    return lines


def _without_hidden(text: str) -> str:
    """What hidden tags hold goes, from each to the next end of its name."""
    ends: dict[str, list[re.Match[str]]] = {}
    for match in _HIDDEN_END.finditer(text):
        ends.setdefault(match[1].lower(), []).append(match)
    for found in ends.values():
        found.reverse()  # the next one is the last
    kept, place = [], 0
    for match in _HIDDEN.finditer(text):
        if match.start() < place:
            continue
        end = match.end()
        if not match[0].endswith("/>"):
            found = ends.get(match[1].lower(), [])
            while found and found[-1].start() < end:
                found.pop()
            if not found:
                continue
            end = found[-1].end()
        kept.append(text[place : match.start()])
        place = end
    return "".join([*kept, text[place:]])


def _closed(text: str) -> str:
    """Markup that is never closed no longer looks as if it began something.

    The parser would read on to the end of the text for each such place, and begin again behind it.
    """
    pieces, place = [], 0
    opened: dict[str, list[int]] = {}
    for match in _TAG.finditer(text):
        slash, name, rest, end = match.groups()
        pieces.append(text[place : match.start()])
        place = match.end()
        pieces.append(match[0] if end else f"&lt;{match[0][1:]}")
        name = name.lower()
        if not end or rest.endswith("/") or name in _SINGLE_TAGS:
            continue
        if not slash:
            opened.setdefault(name, []).append(len(pieces) - 1)
        elif opened.get(name):
            opened[name].pop()
        else:
            pieces[-1] = ""
    for unclosed in chain.from_iterable(opened.values()):
        pieces[unclosed] = ""
    text = _closed_brackets("".join([*pieces, text[place:]]))
    return "\n".join(map(_closed_links, text.split("\n")))


def _closed_brackets(text: str) -> str:
    """Templates, links and tables that end; the brackets of others go, and `{|` begins no table."""
    pieces, place = [], 0
    opened: list[tuple[str, int]] = []  # what ends it, and its place
    waiting: Counter[str] = Counter()
    unclosed: list[int] = []
    for match in _BRACKETS.finditer(text):
        pieces += [text[place : match.start()], match[0]]
        place = match.end()
        token = match[0].strip(": \t")
        if token in _ENDS:
            opened.append((_ENDS[token], len(pieces) - 1))
            waiting[_ENDS[token]] += 1
        elif waiting[token]:
            end = ""
            while end != token:
                end, at = opened.pop()
                waiting[end] -= 1
                if end != token:
                    unclosed.append(at)
    for at in [*unclosed, *(at for _, at in opened)]:
        pieces[at] = pieces[at].replace("{|", "&#123;|") if "|" in pieces[at] else ""
    return "".join([*pieces, text[place:]])


def _closed_links(line: str) -> str:
    end = line.rfind("]") + 1
    return line[:end] + _LINK.sub("&#91;", line[end:])


def _joined(text: str) -> list[str]:
    """Lines that follow each other are one paragraph, unless there is a list item between them."""
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.startswith(_ITEM):
            found += [[stripped.removeprefix(_ITEM)], []]
        elif not stripped or stripped.startswith(_ROW):
            found.append([])
        else:
            found[-1].append(stripped)
    return [" ".join(lines) for lines in found if lines]


def _text(code: Any, hidden: frozenset[str]) -> str:
    return "".join(_node_text(node, hidden) for node in code.nodes)


def _node_text(node: Any, hidden: frozenset[str]) -> str:
    match type(node).__name__:
        case "Text":
            return node.value
        case "Wikilink":
            return _link_text(node, hidden)
        case "Tag":
            return _tag_text(node, hidden)
        case "ExternalLink":
            return _text(node.title, hidden) if node.title is not None else ""
        case "HTMLEntity":
            return html.unescape(str(node))  # unlike node.normalize() makes no lone surrogates
        case "Heading":
            return "\n\n"
    return ""  # templates, their arguments, comments


def _tag_text(node: Any, hidden: frozenset[str]) -> str:
    name = str(node.tag).strip().lower()
    if name in ("li", "dd", "dt") and node.wiki_markup:
        return f"\n{_ITEM}"  # the text of the item follows
    if name in ("table", "hr"):
        return "\n\n"
    if name == "br":
        return " "
    return "" if node.contents is None else _text(node.contents, hidden)


def _link_text(node: Any, hidden: frozenset[str]) -> str:
    title = str(node.title).strip()
    prefix, colon, _ = title.partition(":")
    if colon:
        name = prefix.strip().replace("_", " ").lower()
        if name in hidden or _OTHER_WIKI.fullmatch(prefix) or title.lower().endswith(_MEDIA):
            return ""
    if node.text is not None:
        return _text(node.text, hidden)
    return "" if title.startswith(":") else _text(node.title, hidden)


logger = logging.getLogger(__name__)

_BATCH_CHARACTERS = 1 << 20
_HIDDEN_KEYS = ("-2", "6", "14")  # of the namespaces of media, files and categories


@dataclass
class _Batch:
    """Some articles, and what was passed over among them.

    Args:
        hidden: Namespaces whose links are no text.
        titles: Of the articles.
        texts: Their wikitext.
        counts: Pages left out, by reason.
    """

    hidden: frozenset[str]
    titles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class _Result(NamedTuple):
    """The paragraphs of each article of a batch that has some, and what was left out."""

    found: list[list[str]]
    failed: list[str]
    counts: Counter[str]


def extract(
    dump: Path, text: TextIO, articles: int | None, workers: int, progress: Progress | None
) -> Counter[str]:
    """Write the plain text of a dump, one paragraph a line.

    Args:
        dump: The file, plain or compressed.
        text: Where to write.
        articles: Stop after so many articles with text; `None` for all.
        workers: Number of processes.
        progress: Told the bytes of the dump that are read.

    Returns:
        `articles`, `paragraphs`, `characters` written, and pages left out: `redirects`, `other`
        (not in the article namespace, or no wikitext), `empty`, `failed`. Pages after the last
        article asked for count if they were read with it.

    Raises:
        FormatError: If the file is damaged or no dump.
    """
    counts: Counter[str] = Counter()
    with plain_errors(dump):
        file = dump.open("rb")
        size = dump.stat().st_size
    with file, closing(in_order(_plain, _batches(dump, decompressed(dump, file)), workers)) as results:
        for result in results:
            counts += result.counts
            for title in result.failed:
                logger.warning("'%s' is left out: its markup cannot be parsed", title)
            for lines in result.found:
                if counts["articles"] == articles:
                    return counts
                _write(text, lines, counts)
            if progress is not None:
                progress(file.tell(), size, f"{counts['articles']:,} articles")
            if counts["articles"] == articles:
                return counts
    return counts


def _plain(batch: _Batch) -> _Result:
    found, failed = [], []
    for title, text in zip(batch.titles, batch.texts, strict=True):
        lines = paragraphs(text, batch.hidden)
        if lines is None:
            failed.append(title)
        elif lines:
            found.append(lines)
    batch.counts["failed"] += len(failed)
    batch.counts["empty"] += len(batch.titles) - len(found) - len(failed)
    return _Result(found, failed, batch.counts)


def _write(text: TextIO, lines: list[str], counts: Counter[str]) -> None:
    for line in lines:
        text.write(line + "\n")
        counts["characters"] += len(line) + 1
    counts["articles"] += 1
    counts["paragraphs"] += len(lines)


def _batches(path: Path, stream: BinaryIO) -> Iterator[_Batch]:
    batch, size = _Batch(HIDDEN_NAMESPACES), 0
    for element in _elements(path, stream):
        if element.tag == "namespaces":
            names = {_name(child) for child in element if child.get("key") in _HIDDEN_KEYS}
            batch.hidden |= names
            continue
        reason, text = _judge(element)
        if reason:
            batch.counts[reason] += 1
            continue
        batch.titles.append(element.findtext("{*}title") or "")
        batch.texts.append(text)
        size += len(text)
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = _Batch(batch.hidden), 0
    yield batch


def _elements(path: Path, stream: BinaryIO) -> Iterator[ElementTree.Element]:
    """The list of namespaces, then each page, forgotten as soon as the next one is read."""
    try:
        events = ElementTree.iterparse(stream, ("start", "end"))
        _, root = next(events)
        if not root.tag.endswith("}mediawiki"):
            raise FormatError(path, None, f"expected a MediaWiki dump, got XML of '{root.tag}'")
        for event, element in events:
            name = element.tag.rpartition("}")[2]
            if event == "end" and name in ("namespaces", "page"):
                element.tag = name
                yield element
                root.clear()
    except ElementTree.ParseError as error:
        reason = f"expected XML, got something else ({error}); download the dump again"
        raise FormatError(path, error.position[0], reason) from error


def _judge(page: ElementTree.Element) -> tuple[str, str]:
    """Why a page is left out, empty if it is not, and its wikitext."""
    if page.findtext("{*}ns") != "0":
        return "other", ""
    if page.find("{*}redirect") is not None:
        return "redirects", ""
    revision = page.find("{*}revision")
    if revision is None or revision.findtext("{*}model", "wikitext") != "wikitext":
        return "other", ""
    return "", revision.findtext("{*}text") or ""


def _name(namespace: ElementTree.Element) -> str:
    return (namespace.text or "").replace("_", " ").lower()
