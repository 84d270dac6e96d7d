"""Downloading dictionaries and text, with a record of what was downloaded.

Beside each downloaded file, `checksums.txt` holds its SHA-256 (in the form of `sha256sum`), so that
later runs, or colleagues who are sent the list, notice a file that is another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shutil import copyfileobj

from jointalign.checks import checked
from jointalign.data._download import Checksum, download, fetch_text
from jointalign.data._wikipedia import check_installed, extract
from jointalign.errors import FormatError, JointalignError
from jointalign.lexicon import Lexicon
from jointalign.numerics.processors import usable_processors
from jointalign.progress import Progress
from jointalign.storage.files import atomic, digest, open_text, read_lines, write_text

MUSE = "https://dl.fbaipublicfiles.com/arrival/dictionaries"
MUSE_LICENCE = "MUSE dictionaries: CC BY-NC 4.0, no commercial use; cite Conneau et al. (2018)"
FASTTEXT = "https://dl.fbaipublicfiles.com/fasttext"
FASTTEXT_LICENCE = (
    "Vectors of fasttext.cc: CC BY-SA 3.0; cite Grave et al. (2018), aligned ones Joulin et al. (2018)"
)
WIKIMEDIA = "https://dumps.wikimedia.org"
WIKIPEDIA_LICENCE = "Wikipedia: CC BY-SA 4.0; name the authors, share under the same licence"

_CHECKSUMS = "checksums.txt"
_CHECKSUM_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
_LANGUAGE = r"[a-z]{2,}"


class PublishedVectors(StrEnum):
    """Vectors of fasttext.cc, 300 dimensions."""

    TEXT = "text"
    """Of Common Crawl and Wikipedia, 157 languages: `.vec.gz`, about 1.3 GB."""

    MODEL = "model"
    """The same with counts and n-grams: `.bin`, about 7 GB, and as much again while it is expanded."""

    WIKIPEDIA = "wikipedia"
    """Of Wikipedia alone, 294 languages, lower-cased: `.vec`."""

    ALIGNED = "aligned"
    """Those of Wikipedia, 44 languages in one space: `.vec`."""

    def name_for(self, language: str) -> str:
        """The file, below the address of all."""
        return {
            PublishedVectors.TEXT: f"vectors-crawl/cc.{language}.300.vec.gz",
            PublishedVectors.MODEL: f"vectors-crawl/cc.{language}.300.bin.gz",
            PublishedVectors.WIKIPEDIA: f"vectors-wiki/wiki.{language}.vec",
            PublishedVectors.ALIGNED: f"vectors-aligned/wiki.{language}.align.vec",
        }[self]


@dataclass(frozen=True)
class File:
    """A file from the web.

    Args:
        path: Where it lies.
        url: Where it comes from.
        sha256: Its checksum.
        downloaded: Whether it came now; otherwise it was there and had the right checksum.
    """

    path: Path
    url: str
    sha256: str
    downloaded: bool


@dataclass(frozen=True)
class WikipediaText:
    """What became of a dump.

    Args:
        dump: The dump.
        path: The text.
        articles: Articles with text.
        paragraphs: Lines written.
        characters: Characters written.
        redirects: Pages left out because they lead to others.
        other: Pages left out because they are no articles.
        empty: Articles left out because nothing but tables and templates is in them.
        failed: Articles left out because their markup cannot be parsed.
    """

    dump: File
    path: Path
    articles: int
    paragraphs: int
    characters: int
    redirects: int
    other: int
    empty: int
    failed: int

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.paragraphs:,} paragraphs of {self.articles:,} articles (left out: "
            f"{self.redirects:,} redirects, {self.other:,} pages that are no articles, "
            f"{self.empty:,} without text, {self.failed:,} that cannot be parsed)"
        )


def muse(
    pair: str, folder: Path, *, sha256: Sequence[str] = (), base: str = MUSE, progress: Progress | None = None
) -> dict[File, Lexicon]:
    """Download a dictionary of MUSE: all pairs, the training part, and the test part.

    Args:
        pair: Source and target language: `en-es`. There are dictionaries from and to English for 45
            languages, and between German, English, Spanish, French, Italian and Portuguese.
        folder: Where `en-es.txt`, `en-es.0-5000.txt` and `en-es.5000-6500.txt` go.
        sha256: What the three files must be, in any order; default: what `checksums.txt` in the
            folder says, if it says anything. MUSE publishes no checksums.
        base: Address before the file name.
        progress: Told the bytes of the file at hand.

    Returns:
        The files and what is in them, in the order above.

    Raises:
        JointalignError: If the pair is misspelt or there is none, or the download fails.
        FormatError: If a file has another checksum, or is no dictionary.
    """
    if not re.fullmatch(f"{_LANGUAGE}-{_LANGUAGE}", pair):
        raise JointalignError(f"expected two language codes such as 'en-es', got '{pair}'")
    if len(sha256) not in (0, 3):
        raise JointalignError(f"expected no SHA-256 or one for each of 3 files, got {len(sha256)}")
    given = Checksum("sha256", tuple(sha256), "given") if sha256 else None
    found = {}
    for part in ("", ".0-5000", ".5000-6500"):
        name = f"{pair}{part}.txt"
        path = folder / name
        file = _fetch(f"{base}/{name}", path, given, lambda: None, progress)
        try:
            found[file] = Lexicon.read(path)
        except FormatError:
            if file.downloaded:
                path.unlink()
                _record(path, None)
            raise
    return found


@checked
def fasttext(
    language: str,
    folder: str | Path,
    *,
    kind: PublishedVectors = PublishedVectors.TEXT,
    sha256: str | None = None,
    base: str = FASTTEXT,
    progress: Progress | None = None,
) -> File:
    """Download published vectors; every command reads the file that comes.

    Args:
        language: Code as fasttext.cc has it: `es`, `sw`.
        folder: Where it goes under its own name; a model is expanded, for it is mapped into memory.
        kind: Which.
        sha256: What the downloaded file must be; default: what `checksums.txt` in the folder says, if
            it says anything. fasttext.cc publishes no checksums.
        base: Address before the file name.
        progress: Told the bytes that have come.

    Raises:
        JointalignError: If the code is misspelt or there is no such file, or the download fails.
        FormatError: If the file has another checksum.
    """
    if not re.fullmatch(f"{_LANGUAGE}(-{_LANGUAGE})*", language):
        raise JointalignError(f"expected a language code such as 'es', got '{language}'")
    name = kind.name_for(language)
    url, path = f"{base}/{name}", Path(folder, Path(name).name)
    given = None if sha256 is None else Checksum("sha256", (sha256,), "given")
    final = path.with_suffix("") if kind is PublishedVectors.MODEL else path
    if final.exists():
        return _fetch(url, final, None, lambda: None, progress)
    try:
        file = _fetch(url, path, given, lambda: None, progress)
    except FormatError:
        raise
    except JointalignError as error:
        raise JointalignError(f"{error}; or put the file there by other means: {path}") from error
    if final == path:
        return file
    with open_text(path) as packed, atomic(final) as expanded:
        copyfileobj(packed, expanded, 1 << 20)
    found = digest(final)
    _record(final, found)
    _record(path, None)
    path.unlink()
    return File(final, url, found, True)


def wikipedia(
    language: str,
    out: Path,
    *,
    articles: int | None = None,
    workers: int | None = None,
    base: str = WIKIMEDIA,
    progress: Progress | None = None,
) -> WikipediaText:
    """Download the latest dump of a Wikipedia and write its articles as plain text.

    The dump stays beside the text and is used again by later calls; delete it for a newer one.

    Args:
        language: Code of the Wikipedia: `es`, `simple`, `zh-min-nan`.
        out: Text file, one paragraph a line, in the order of the dump; compressed if its suffix
            says so (`.gz`, `.bz2`, `.xz`, `.zst`).
        articles: Stop after so many; default: all. The whole dump is downloaded all the same, since
            only all of it has a checksum.
        workers: Number of processes that read markup; default: one a processor.
        base: Address of the server.
        progress: Told the bytes of the dump that are downloaded, then those that are read.

    Raises:
        MissingExtraError: If mwparserfromhell (extra `data`) is not installed.
        JointalignError: If there is no such Wikipedia, the download fails, or the text cannot be
            written.
        FormatError: If the dump has another checksum than published, or is damaged.
    """
    check_installed()
    for name, value in (("articles", articles), ("workers", workers)):
        if value is not None and value < 1:
            raise JointalignError(f"{name} must be positive, got {value}")
    if not re.fullmatch(f"{_LANGUAGE}(-{_LANGUAGE})*", language):
        raise JointalignError(f"expected the code of a Wikipedia such as 'es', got '{language}'")
    wiki = language.replace("-", "_") + "wiki"
    latest = f"{base}/{wiki}/latest/{wiki}-latest-"
    dump = out.parent / f"{wiki}-latest-pages-articles.xml.bz2"
    with write_text(out) as text:  # opened first: hours of work are lost if it cannot be
        file = _fetch(
            f"{latest}pages-articles.xml.bz2",
            dump,
            None,
            lambda: _published(f"{latest}sha1sums.txt", wiki),
            progress,
        )
        counts = extract(dump, text, articles, workers or usable_processors(), progress)
        if not counts["articles"]:
            raise FormatError(dump, None, "expected articles, got none with text; is it a dump?")
    kinds = ("articles", "paragraphs", "characters", "redirects", "other", "empty", "failed")
    return WikipediaText(file, out, **{kind: counts[kind] for kind in kinds})


def _published(url: str, wiki: str) -> Checksum:
    """The SHA-1 of the dump; the list names files by date, not `latest`."""
    name = re.compile(rf"([0-9a-f]{{40}}) [ *]{wiki}-(?:\d{{8}}|latest)-pages-articles\.xml\.bz2")
    sums = [found[1] for line in fetch_text(url).splitlines() if (found := name.fullmatch(line))]
    if not sums:
        raise JointalignError(
            f"{url}: expected the checksum of {wiki}'s pages-articles.xml.bz2, found none; a new "
            "dump may be in the making, try again in some days"
        )
    return Checksum("sha1", tuple(sums), f"published at {url}")


def _fetch(
    url: str,
    path: Path,
    given: Checksum | None,
    published: Callable[[], Checksum | None],
    progress: Progress | None,
) -> File:
    """Download a file unless it is there; either way it must have its checksum."""
    value = _recorded(path.parent).get(path.name)
    record = path.parent / _CHECKSUMS
    recorded = Checksum("sha256", (value,), f"in {record}") if value else None
    downloaded = not path.exists()
    if downloaded:
        # A dump that was deleted to get a newer one is still on record.
        download(url, path, given or published() or recorded, progress)
    elif checksum := given or recorded or published():
        checksum.check(path, f"delete it to download it again, or correct its line in {record}")
    sha256 = digest(path)
    if sha256 != value:
        _record(path, sha256)
    return File(path, url, sha256, downloaded)


def _recorded(folder: Path) -> dict[str, str]:
    """File name -> SHA-256, as `checksums.txt` has it."""
    path = folder / _CHECKSUMS
    if not path.exists():
        return {}
    found = {}
    for number, line in read_lines(path):
        match = _CHECKSUM_LINE.fullmatch(line)
        if not match:
            reason = f"expected a SHA-256, two blanks and a file name, got '{line}'; remove it"
            raise FormatError(path, number, reason)
        found[match[2]] = match[1].lower()
    return found


def _record(path: Path, sha256: str | None) -> None:
    """Replace the line of a file in `checksums.txt`; `None` removes it."""
    lines = _recorded(path.parent) | {path.name: sha256}
    with atomic(path.parent / _CHECKSUMS, "w") as file:
        for name, value in sorted(lines.items()):
            if value is not None:
                file.write(f"{value}  {name}\n")
