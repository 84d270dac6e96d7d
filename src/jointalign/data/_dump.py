"""The articles of a Wikipedia dump (`pages-articles.xml.bz2`), as a stream of plain text."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO
from xml.etree import ElementTree

from jointalign.corpora.workers import in_order
from jointalign.data._wikitext import HIDDEN_NAMESPACES, paragraphs
from jointalign.errors import FormatError
from jointalign.progress import Progress
from jointalign.storage.compression import decompressed
from jointalign.storage.files import plain_errors

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
