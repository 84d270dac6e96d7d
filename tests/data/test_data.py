import bz2
import gzip
import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock
from typer.testing import CliRunner

import jointalign.data
from jointalign.cli.data import application
from jointalign.data import PublishedVectors, _wikipedia, fasttext, muse, wikipedia
from jointalign.data._download import Checksum, download, fetch_text
from jointalign.data._wikipedia import HIDDEN_NAMESPACES, paragraphs
from jointalign.errors import FormatError, JointalignError, MissingExtraError
from jointalign.formats.api import read
from jointalign.storage.files import read_lines

CONTENT = bytes(range(256)) * 4000


@dataclass
class Web:
    """What the server has and how it behaves; what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    address: str = ""
    ranges: bool = True  # whether it can send parts
    tag: str | None = '"one"'
    date: str | None = None
    cut: int | None = None  # break the connection after so many bytes of a body
    status: int | None = None
    html: bool = False
    span: str | None = None  # a wrong Content-Range
    asked: list[tuple[str, str | None]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    web: Web

    def do_GET(self):  # noqa: N802
        web = self.web
        web.asked.append((self.path, self.headers.get("Range")))
        content = web.files.get(self.path)
        if web.status or content is None:
            self.send_error(web.status or 404)
            return
        start = self.start_of_range()
        if start is not None and start >= len(content):
            self.answer(416, {"Content-Range": f"bytes */{len(content)}"}, b"")
        elif start is not None:
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(206, {"Content-Range": web.span or span}, content[start:])
        else:
            self.answer(200, {}, content)

    def answer(self, status, headers, body):
        kind = "text/html" if self.web.html else "text/plain"
        headers |= {"ETag": self.web.tag, "Last-Modified": self.web.date, "Content-Type": kind}
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.web.cut])

    def start_of_range(self):
        wanted = self.headers.get("Range")
        if not wanted or not self.web.ranges:
            return None
        if self.headers.get("If-Range") not in (self.web.tag, self.web.date):
            return None
        return int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])

    def log_message(self, format, *arguments):
        pass


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    web = Web()
    handler = type("HandlerOfTest", (Handler,), {"web": web})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    web.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield web
    server.shutdown()
    thread.join()
    server.server_close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# Downloads


@pytest.fixture
def interrupted(web, tmp_path):
    """A download of `CONTENT` that broke after 300,000 bytes."""
    web.files["/file"] = CONTENT
    web.cut = 300_000
    path = tmp_path / "folder" / "file"
    get = partial(download, f"{web.address}/file", path)
    with pytest.raises(JointalignError, match=r"start the same command again.*where it stopped"):
        get()
    assert names(path.parent) == ["file.part", "file.part.version"]
    came = (path.parent / "file.part").read_bytes()
    assert came == CONTENT[: len(came)] and len(came) > 200_000  # a last chunk may be lost
    web.cut = None
    web.asked.clear()
    return SimpleNamespace(get=get, path=path, came=came)


def test_a_file_comes_whole(web, tmp_path):
    web.files["/file"] = CONTENT
    reports = []
    download(
        f"{web.address}/file",
        tmp_path / "file",
        progress=lambda done, total, note="": reports.append((done, total)),
    )
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert names(tmp_path) == ["file"]
    assert reports[-1] == (len(CONTENT), len(CONTENT))
    assert reports == sorted(reports)


def test_a_broken_download_goes_on(web, interrupted):
    interrupted.get()
    assert interrupted.path.read_bytes() == CONTENT
    assert web.asked == [("/file", f"bytes={len(interrupted.came)}-")]
    assert names(interrupted.path.parent) == ["file"]


def test_it_goes_on_by_date_where_the_tag_is_weak(web, tmp_path):
    web.files["/file"], web.cut = CONTENT, 300_000
    web.tag, web.date = 'W/"one"', "Wed, 01 Jan 2025 00:00:00 GMT"
    with pytest.raises(JointalignError):
        download(f"{web.address}/file", tmp_path / "file")
    assert (tmp_path / "file.part.version").read_text() == web.date
    web.cut = None
    download(f"{web.address}/file", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert web.asked[-1][1] is not None


def test_a_download_begins_again_if_the_file_has_changed(web, interrupted):
    web.files["/file"], web.tag = CONTENT[::-1], '"two"'
    interrupted.get()
    assert interrupted.path.read_bytes() == CONTENT[::-1]


def test_a_download_begins_again_if_the_server_has_no_ranges(web, interrupted):
    web.ranges = False
    interrupted.get()
    assert interrupted.path.read_bytes() == CONTENT


def test_a_download_begins_again_if_versions_cannot_be_told(web, tmp_path):
    web.files["/file"], web.cut, web.tag = CONTENT, 300_000, None
    with pytest.raises(JointalignError):
        download(f"{web.address}/file", tmp_path / "file")
    web.cut, web.files["/file"] = None, CONTENT[::-1]
    download(f"{web.address}/file", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT[::-1]
    assert web.asked[-1] == ("/file", None)


def test_a_download_stopped_after_the_last_byte_is_complete(web, interrupted):
    interrupted.path.with_name("file.part").write_bytes(CONTENT)
    interrupted.get()
    assert interrupted.path.read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_thrown_away(web, interrupted):
    interrupted.path.with_name("file.part").write_bytes(CONTENT * 2)
    interrupted.get()
    assert interrupted.path.read_bytes() == CONTENT


def test_an_answer_to_another_question_is_not_appended(web, interrupted):
    web.span = "bytes 5-9/10"
    with pytest.raises(JointalignError, match="bytes 5-9/10"):
        interrupted.get()
    web.span = None
    interrupted.get()
    assert interrupted.path.read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(web, tmp_path):
    web.files["/file"] = CONTENT
    with pytest.raises(FormatError, match="expected SHA1 abc .from me., got [0-9a-f]{40};"):
        download(f"{web.address}/file", tmp_path / "file", Checksum("sha1", ("abc",), "from me"))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "message"),
    [(403, "no such file.*check the language"), (404, "no such file"), (503, "try again later")],
)
def test_refusals_have_a_cure_and_leave_nothing(web, tmp_path, status, message):
    web.files["/file"], web.status = CONTENT, status
    with pytest.raises(JointalignError, match=message):
        download(f"{web.address}/file", tmp_path / "file")
    assert names(tmp_path) == []


def test_a_web_page_is_no_file(web, tmp_path):
    web.files["/file"], web.html = b"<html>Please log in", True
    with pytest.raises(JointalignError, match="log in first"):
        download(f"{web.address}/file", tmp_path / "file")
    assert names(tmp_path) == []


def test_no_connection_is_one_clear_line(web, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for get in (fetch_text, lambda url: download(url, tmp_path / "file")):
        with pytest.raises(JointalignError, match="no connection.*check the network") as caught:
            get("http://127.0.0.1:1/file")
        assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


def test_a_refusal_keeps_what_has_come(web, interrupted):
    web.status = 503
    with pytest.raises(JointalignError):
        interrupted.get()
    assert interrupted.path.with_name("file.part").read_bytes() == interrupted.came


def test_two_processes_do_not_write_one_file(web, interrupted):
    with (
        FileLock(interrupted.path.with_name("file.lock")),
        pytest.raises(JointalignError, match="another process"),
    ):
        interrupted.get()
    interrupted.get()
    assert interrupted.path.read_bytes() == CONTENT
    assert names(interrupted.path.parent) == ["file"]


# MUSE

PARTS = {
    "en-es.txt": b"the el\nthe la\ncat gato\ndog perro\n",
    "en-es.0-5000.txt": b"the el\nthe la\n",
    "en-es.5000-6500.txt": b"cat gato\ndog perro\n",
}
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in PARTS.items()}


@pytest.fixture
def dictionaries(web):
    web.files |= {f"/muse/{name}": content for name, content in PARTS.items()}
    return f"{web.address}/muse"


def test_muse_dictionaries_come_with_checksums(web, dictionaries, tmp_path):
    found = muse("en-es", tmp_path, base=dictionaries)
    assert {file.path.name: file.path.read_bytes() for file in found} == PARTS
    assert [len(lexicon) for lexicon in found.values()] == [4, 2, 2]
    assert all(file.downloaded for file in found)
    # The form that `sha256sum --check` reads.
    expected = [f"{SUMS[name]}  {name}" for name in sorted(PARTS)]
    assert (tmp_path / "checksums.txt").read_text().splitlines() == expected


def test_muse_dictionaries_are_not_downloaded_twice(web, dictionaries, tmp_path):
    muse("en-es", tmp_path, base=dictionaries)
    web.asked.clear()
    again = muse("en-es", tmp_path, base=dictionaries)
    assert web.asked == []
    assert not any(file.downloaded for file in again)


def test_a_changed_dictionary_is_noticed_and_kept(dictionaries, tmp_path):
    muse("en-es", tmp_path, base=dictionaries)
    (tmp_path / "en-es.txt").write_text("the mine\n")
    with pytest.raises(FormatError, match=r"en-es.txt: expected SHA256 .*delete it to download"):
        muse("en-es", tmp_path, base=dictionaries)
    assert (tmp_path / "en-es.txt").read_text() == "the mine\n"


def test_a_recorded_checksum_holds_for_a_new_download(web, dictionaries, tmp_path):
    muse("en-es", tmp_path, base=dictionaries)
    (tmp_path / "en-es.txt").unlink()
    web.files["/muse/en-es.txt"] = b"the forged\n"
    with pytest.raises(FormatError, match=r"checksums\.txt"):
        muse("en-es", tmp_path, base=dictionaries)
    assert not (tmp_path / "en-es.txt").exists()


def test_checksums_can_be_given(dictionaries, tmp_path):
    upper = [value.upper() for value in SUMS.values()]
    assert len(muse("en-es", tmp_path / "right", base=dictionaries, sha256=upper)) == 3
    with pytest.raises(FormatError, match="given"):
        muse("en-es", tmp_path / "wrong", base=dictionaries, sha256=["0" * 64] * 3)
    with pytest.raises(JointalignError, match="got 1"):
        muse("en-es", tmp_path, base=dictionaries, sha256=upper[:1])


def test_what_is_no_dictionary_is_not_kept(web, dictionaries, tmp_path):
    web.files["/muse/en-es.txt"] = b"sorry\n"
    with pytest.raises(FormatError, match="no usable pair"):
        muse("en-es", tmp_path, base=dictionaries)
    assert not (tmp_path / "en-es.txt").exists()
    web.files["/muse/en-es.txt"] = PARTS["en-es.txt"]
    assert len(muse("en-es", tmp_path, base=dictionaries)) == 3


@pytest.mark.parametrize("pair", ["en", "en_es", "../x-y", "EN-ES", ""])
def test_bad_pairs_are_named(pair, tmp_path):
    with pytest.raises(JointalignError, match="such as 'en-es'"):
        muse(pair, tmp_path)


def test_a_damaged_list_of_checksums_is_named(dictionaries, tmp_path):
    (tmp_path / "checksums.txt").write_text("what is this\n")
    with pytest.raises(FormatError, match=r"checksums.txt, line 1: expected a SHA-256"):
        muse("en-es", tmp_path, base=dictionaries)


# Wikitext, by hand


@pytest.mark.parametrize(
    ("wikitext", "lines"),
    [
        ("'''Madrid''' is ''the'' capital.", ["Madrid is the capital."]),
        ("l'''Iliade'' d'Homère", ["l'Iliade d'Homère"]),
        ("a [[cat]], [[Dog (animal)|dogs]], [[fly]]ing", ["a cat, dogs, flying"]),
        ("one<ref>no [[link]] {{cite|x}}</ref> two<ref name=a/> three", ["one two three"]),
        ("one<ref name='a b'>no</ref><!-- <ref>never</ref> --> two", ["one two"]),
        ("kept <!-- lost <ref>", ["kept"]),
        ("{{Infobox\n| name = {{nested|x}}\n}}\nText.", ["Text."]),
        ("Born (; {{IPA|x}}) in 1900 ({{lang|x}}).", ["Born in 1900."]),
        ("a\n{| class=x\n! head\n|-\n| cell [[b]]\n|}\nc", ["a", "c"]),
        ("a\n{| never closed\n|-\n| cell\n\nc", ["a", "c"]),
        ("[[File:A.jpg|thumb|A [[cat]] sits]]Text", ["Text"]),
        ("[[Archivo:A.jpg|thumb|gato]]Texto [[Categoría:Gatos]]", ["Texto"]),
        ("[[Imagen:A.SVG|thumb|gato]]Texto", ["Texto"]),
        ("Text [[:Category:Cats]] [[:Category:Cats|cats]] [[es:Gato]]", ["Text cats"]),
        ("[[Mission: Impossible]] and [[UN: a story]]", ["Mission: Impossible and UN: a story"]),
        ("== History ==\nText\n=== More ===\nmore", ["Text", "more"]),
        ("* one\n* two\n** three\n: four\nfive", ["one", "two", "three", "four", "five"]),
        ("; term : what it is\n*# two [[cat]]s\ntext", ["term", "what it is", "two cats", "text"]),
        ("first\nsecond\n\nthird", ["first second", "third"]),
        ("one<br />two&nbsp;three &amp; &#8364; &#xD800;", ["one two three & € \ufffd"]),
        ("<math>x < y</math> and <gallery>A.jpg|x</gallery> text <small>here</small>", ["and text here"]),
        ("<table><tr><td>cell</td></tr></table>text", ["text"]),
        ("[https://a.b shown] [https://a.b] https://a.b text", ["shown text"]),
        ("__NOTOC__\n----\n12 - 13\n----\n!Kung", ["!Kung"]),
        ("<nowiki>[[kept]]</nowiki> a<nowiki />b", ["kept ab"]),
        ("", []),
        ("{{stub}}", []),
    ],
)
def test_wikitext(wikitext, lines):
    hidden = HIDDEN_NAMESPACES | {"archivo", "categoría"}
    assert paragraphs(wikitext, hidden) == lines


# Wikipedia

NAMESPACES = """<siteinfo><namespaces><namespace key="-2">Medio</namespace>
<namespace key="0" /><namespace key="6">Archivo</namespace>
<namespace key="14">Categoría</namespace></namespaces></siteinfo>"""


@pytest.mark.parametrize(
    "markup",
    [
        "<ref ",
        "<ref>",
        "<b ",
        "<ref name=a>x ",
        "{{a|",
        "{{a|<b>",
        "[[a|",
        "{|\n|a\n",
        "[http://a ",
        "[[a {{b]]",
    ],
)
def test_unclosed_markup_takes_time_in_proportion_to_its_length(markup):
    text = "Madrid is a city. " + markup * (60_000 // len(markup))
    begun = time.process_time()
    assert paragraphs(text)[0].startswith("Madrid is a city.")
    assert time.process_time() - begun < 10  # of the square of its length: a minute and more


@pytest.mark.parametrize("seed", range(20))
def test_what_hidden_tags_hold_goes_to_the_next_end_of_their_name(seed):
    random = np.random.default_rng(seed)
    parts = ["<ref>", "</ref>", "<ref name=x/>", "<REF a>", "</Ref >", "<math>", "</math>", "<ref ", "x", " "]
    text = "".join(random.choice(parts, 40))
    hidden = re.compile(r"<(?:ref|math)\b[^<>]*/>|<(ref|math)\b[^<>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
    assert _wikipedia._without_hidden(text) == hidden.sub("", text)


def page(title, text, namespace=0, extra="", model="wikitext"):
    return f"""<page><title>{title}</title><ns>{namespace}</ns><id>1</id>{extra}<revision>
<model>{model}</model><text xml:space="preserve">{text}</text></revision></page>"""


PAGES = [
    page("Gato", "El '''gato'''&lt;ref&gt;no&lt;/ref&gt; duerme.\n\n[[Archivo:A.x|a]]Come."),
    page("Perro", "#REDIRECCIÓN [[Gato]]", extra='<redirect title="Gato" />'),
    page("Discusión:Gato", "¿Qué?", namespace=1),
    page("Gato.css", "a", model="css"),
    page("Vacío", "{{plantilla}}"),
    page("Casa", "La [[casa]] es grande. [[Categoría:Casas]]"),
    page("Mar", "El mar."),
]
LINES = ["El gato duerme.", "Come.", "La casa es grande.", "El mar."]
SHA1SUMS = """0000000000000000000000000000000000000000  eswiki-20250101-pages-articles1.xml-p1p2.bz2
{sum}  eswiki-20250101-pages-articles.xml.bz2
1111111111111111111111111111111111111111  eswiki-20250101-pages-articles-multistream.xml.bz2
"""
LATEST = "/eswiki/latest/eswiki-latest-"


def dump(pages):
    xml = (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="es">'
        f"{NAMESPACES}{''.join(pages)}</mediawiki>"
    ).encode()
    half = len(xml) // 2  # of several streams, as Wikimedia's compressor makes them
    return bz2.compress(xml[:half]) + bz2.compress(xml[half:])


@pytest.fixture
def spanish(web):
    def publish(content):
        web.files[f"{LATEST}pages-articles.xml.bz2"] = content
        sums = SHA1SUMS.format(sum=hashlib.sha1(content).hexdigest())
        web.files[f"{LATEST}sha1sums.txt"] = sums.encode()

    publish(dump(PAGES))
    web.publish = publish
    return partial(wikipedia, "es", base=web.address)


def text_of(path):
    return [line for _, line in read_lines(path)]


def test_wikipedia_becomes_paragraphs(spanish, tmp_path):
    result = spanish(tmp_path / "es.txt.zst", workers=1)
    assert text_of(tmp_path / "es.txt.zst") == LINES
    assert (result.articles, result.paragraphs) == (3, 4)
    assert result.characters == sum(map(len, LINES)) + 4
    assert (result.redirects, result.other, result.empty, result.failed) == (1, 2, 1, 0)
    assert names(tmp_path) == ["checksums.txt", "es.txt.zst", "eswiki-latest-pages-articles.xml.bz2"]


def test_articles_can_be_limited(spanish, tmp_path):
    assert spanish(tmp_path / "es.txt", workers=1, articles=2).articles == 2
    assert text_of(tmp_path / "es.txt") == LINES[:3]


def test_any_number_of_workers_gives_the_same(web, spanish, tmp_path, monkeypatch):
    monkeypatch.setattr("jointalign.data._wikipedia._BATCH_CHARACTERS", 100)
    web.publish(dump(PAGES * 40))
    one = spanish(tmp_path / "1.txt", workers=1)
    two = spanish(tmp_path / "2.txt", workers=2)
    assert one.articles == two.articles == 120 and one.redirects == two.redirects == 40
    assert text_of(tmp_path / "1.txt") == text_of(tmp_path / "2.txt") == LINES * 40
    limited = [spanish(tmp_path / "3.txt", workers=n, articles=50) for n in (1, 2)]
    assert limited[0].redirects == limited[1].redirects < 40


def test_memory_is_bounded(tmp_path):
    import tracemalloc

    from jointalign.data._wikipedia import _elements

    def peak(pages):
        xml = f"<m:mediawiki xmlns:m='x'>{page('A', 'a' * 10_000) * pages}</m:mediawiki>"
        path = tmp_path / "dump.xml"
        path.write_text(xml)
        del xml
        with path.open("rb") as stream:
            tracemalloc.start()
            assert sum(1 for _ in _elements(path, stream)) == pages
            try:
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert peak(1000) < 1.2 * peak(100)


def test_a_dump_is_used_again(web, spanish, tmp_path):
    spanish(tmp_path / "es.txt", workers=1)
    web.asked.clear()
    again = spanish(tmp_path / "again.txt", workers=1)
    assert web.asked == [] and not again.dump.downloaded
    assert text_of(tmp_path / "again.txt") == LINES


def test_a_deleted_dump_is_replaced_by_a_newer_one(web, spanish, tmp_path):
    first = spanish(tmp_path / "es.txt", workers=1)
    first.dump.path.unlink()
    web.publish(dump(PAGES[-1:]))
    assert spanish(tmp_path / "es.txt", workers=1).dump.sha256 != first.dump.sha256
    assert text_of(tmp_path / "es.txt") == LINES[-1:]


def test_a_wrong_sha1_keeps_the_earlier_text(web, spanish, tmp_path):
    out = tmp_path / "es.txt"
    out.write_text("earlier\n")
    web.files[f"{LATEST}pages-articles.xml.bz2"] += b"x"
    with pytest.raises(FormatError, match="expected SHA1 .*published at .*sha1sums.txt"):
        spanish(out)
    assert out.read_text() == "earlier\n"
    assert names(tmp_path) == ["es.txt"]


def test_a_dump_from_elsewhere_is_compared_with_the_published_one(web, spanish, tmp_path):
    path = tmp_path / "eswiki-latest-pages-articles.xml.bz2"
    path.write_bytes(dump(PAGES)[:-20])
    with pytest.raises(FormatError, match="delete it to download it again"):
        spanish(tmp_path / "es.txt")
    path.write_bytes(dump(PAGES))
    assert not spanish(tmp_path / "es.txt", workers=1).dump.downloaded


def test_a_list_without_the_dump_is_named(web, spanish, tmp_path):
    web.files[f"{LATEST}sha1sums.txt"] = SHA1SUMS.format(sum="?").encode()
    with pytest.raises(JointalignError, match="found none"):
        spanish(tmp_path / "es.txt")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bz2.compress(b"<html></html>"), "expected a MediaWiki dump"),
        (bz2.compress(b"no xml"), "expected XML"),
        (dump(PAGES)[:-20], "cut off|damaged"),
        (dump([]), "got none with text"),
    ],
)
def test_what_is_no_dump_is_named(web, spanish, tmp_path, content, message):
    web.publish(content)
    with pytest.raises(FormatError, match=message):
        spanish(tmp_path / "es.txt", workers=1)
    assert "es.txt" not in names(tmp_path)


def test_pages_that_cannot_be_parsed_are_counted(spanish, tmp_path, monkeypatch, caplog):
    import mwparserfromhell
    from mwparserfromhell.parser import ParserError

    parse = mwparserfromhell.parse

    def fails_on_cats(text):
        if "gato" in text:
            raise ParserError("cats")
        return parse(text)

    monkeypatch.setattr(mwparserfromhell, "parse", fails_on_cats)
    result = spanish(tmp_path / "es.txt", workers=1)
    assert (result.failed, result.articles) == (1, 2)
    assert "'Gato' is left out" in caplog.text


def test_the_parser_is_asked_for_before_the_download(web, spanish, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mwparserfromhell", None)
    with pytest.raises(MissingExtraError, match=r"jointalign\[data\]"):
        spanish(tmp_path / "es.txt")
    assert web.asked == []


@pytest.mark.parametrize("language", ["ES", "../es", "", "e"])
def test_bad_languages_are_named(language, tmp_path):
    with pytest.raises(JointalignError, match="such as 'es'"):
        wikipedia(language, tmp_path / "x.txt")


def test_unknown_wikipedias_have_a_cure(spanish, tmp_path, web):
    with pytest.raises(JointalignError, match="check the language codes"):
        wikipedia("xx", tmp_path / "x.txt", base=web.address)
    with pytest.raises(JointalignError, match="articles must be positive"):
        spanish(tmp_path / "x.txt", articles=0)


# Command line


def call(*arguments):
    return CliRunner().invoke(application, list(arguments))


def test_the_command_muse(dictionaries, tmp_path, monkeypatch):
    monkeypatch.setattr(jointalign.data, "muse", partial(muse, base=dictionaries))
    result = call("get", "muse", "--pair", "en-es", "--out", str(tmp_path), "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert [file["pairs"] for file in answer["files"]] == [4, 2, 2]
    assert answer["files"][0]["sha256"] == SUMS["en-es.txt"]
    assert "CC BY-NC 4.0" in answer["licence"] and "CC BY-NC 4.0" in result.stderr
    again = call("get", "muse", "--pair", "en-es", "--out", str(tmp_path))
    assert again.stdout.count("was there already") == 3


def test_the_command_wikipedia(web, spanish, tmp_path, monkeypatch):
    monkeypatch.setattr(jointalign.data, "wikipedia", partial(wikipedia, base=web.address))
    out = tmp_path / "es.txt.gz"
    arguments = ["get", "wikipedia", "--language", "es", "--out", str(out), "--workers", "1"]
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["articles"], answer["path"], answer["empty"]) == (3, str(out), 1)
    assert answer["dump"]["downloaded"] is True
    assert text_of(out) == LINES
    assert "4 paragraphs of 3 articles" in call(*arguments, "--articles", "3").stdout
    assert "CC BY-SA 4.0" in result.stderr


# Vectors of fasttext.cc


def test_vectors_come_as_every_command_reads_them(web, tmp_path):
    text = b"2 2\nhabari 1 0\nnyumba 0 1\n"
    for kind, name in (
        ("text", "vectors-crawl/cc.sw.300.vec.gz"),
        ("model", "vectors-crawl/cc.sw.300.bin.gz"),
        ("wikipedia", "vectors-wiki/wiki.sw.vec"),
        ("aligned", "vectors-aligned/wiki.sw.align.vec"),
    ):
        web.files[f"/{name}"] = gzip.compress(text) if name.endswith(".gz") else text
        for downloaded in (True, False):
            file = fasttext("sw", tmp_path, kind=kind, base=web.address)
            assert file.downloaded == downloaded and file.url == f"{web.address}/{name}"
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
        assert read(file.path).words == ("habari", "nyumba")
        assert file.path.name == Path(name).name.replace(".bin.gz", ".bin")
    assert "bin.gz" not in (tmp_path / "checksums.txt").read_text()
    assert [path for path, _ in web.asked] == list(web.files)  # each once
    (tmp_path / "cc.sw.300.bin").write_bytes(b"damaged")
    with pytest.raises(FormatError, match="expected SHA256"):
        fasttext("sw", tmp_path, kind=PublishedVectors.MODEL, base=web.address)


def test_vectors_that_cannot_be_had(web, tmp_path):
    with pytest.raises(JointalignError, match=r"no such file.*put the file there by other means: .*cc.xx"):
        fasttext("xx", tmp_path, base=web.address)
    with pytest.raises(JointalignError, match=r"no connection.*by other means"):
        fasttext("sw", tmp_path, base="http://127.0.0.1:9")
    with pytest.raises(JointalignError, match="expected a language code"):
        fasttext("../sw", tmp_path, base=web.address)
    web.files["/vectors-wiki/wiki.sw.vec"] = b"1 1\na 1\n"
    with pytest.raises(FormatError, match="SHA256 00 "):
        fasttext("sw", tmp_path, kind=PublishedVectors.WIKIPEDIA, sha256="00", base=web.address)
    assert not list(tmp_path.glob("wiki*"))
