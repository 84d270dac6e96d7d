"""The page is read back with the standard library's HTML parser."""

import base64
from html.parser import HTMLParser

import pytest

from jointalign.dictionary.api import Translation
from jointalign.overshared import MovedWord, OversharingReport, OversharingRow, TouchedPairs
from jointalign.pipeline.page import (
    ENTRIES,
    Chart,
    Charts,
    Example,
    ExampleEntries,
    Headword,
    Headwords,
    Prose,
    Report,
    Sense,
    Table,
    dictionary_table,
    oversharing_table,
)
from jointalign.pipeline.page import write_report as write

VOID = {"meta", "img"}
EVIL = "<script>alert('\"&')</script>"


class Page(HTMLParser):
    """Cells by table, all attributes, all text; insists on closed tags."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.tables, self.text = [], [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if {"td", "th"} & set(self.open[-1:]):
            self.tables[-1][-1][-1] += data


@pytest.fixture
def page(tmp_path):
    def read(report):
        write(report, tmp_path / "report.html")
        return Page((tmp_path / "report.html").read_text("utf-8"))

    return read


def test_everything_is_on_the_page(page):
    rows = [["Joint", "30.2"], ["Joint-Align", "88.2"]]
    table = Table("Scores", ["system", "P@1"], rows, "n:500")
    found = page(Report("en to es", "It works.", [("seed", "0"), ("gamma", "0.9")], [table]))
    assert found.tables == [[["system", "P@1"], *rows]]
    text = " ".join(found.text)
    for words in ("en to es", "It works.", "seed", "gamma", "0.9", "Scores", "n:500"):
        assert words in text
    assert "arXiv:1910.04708" in text


def test_all_texts_are_escaped(page):
    table = Table(EVIL, [EVIL], [[EVIL]], EVIL, bar=EVIL)
    found = page(Report(EVIL, EVIL, [(EVIL, EVIL)], [table], b"png", EVIL))
    assert "script" not in found.tags
    assert found.tables == [[[EVIL], [EVIL]]]
    assert ("img", "alt", EVIL) in found.attributes
    assert "".join(found.text).count(EVIL) == 10  # nowhere lost, nowhere doubly escaped


def test_nothing_comes_from_outside(page):
    found = page(Report("title", "", [], [Table("t", ["a"], [["1"]])], b"png", "caption"))
    assert not {"script", "link", "iframe", "object"} & set(found.tags)
    addresses = [value for _, name, value in found.attributes if name in {"src", "href"}]
    assert len(addresses) == 1
    assert addresses[0].startswith("data:image/png;base64,")
    assert "url(" not in "".join(found.text)
    assert "@import" not in "".join(found.text)


def test_the_picture_is_all_there_below_the_first_table(page):
    picture = bytes(range(256))
    tables = [Table(name, ["a"], [["1"]]) for name in "xy"]
    found = page(Report("title", "", [], tables, picture, "caption"))
    [source] = [value for tag, name, value in found.attributes if (tag, name) == ("img", "src")]
    assert base64.b64decode(source.partition(",")[2]) == picture
    order = [tag for tag in found.tags if tag in {"table", "img"}]
    assert order == ["table", "img", "table"]


def classes(found):
    return [value for tag, name, value in found.attributes if (tag, name) == ("td", "class")]


@pytest.mark.parametrize(
    ("cells", "kinds"),
    [
        (["30.2", "1,227", "-", "[26.2, 34.2]", ""], ["number"] * 5),
        (["30.2", "casa"], []),
        (["-", "a-b"], []),
    ],
)
def test_columns_of_numbers_are_lined_up(page, cells, kinds):
    found = page(Report("title", "", [], [Table("t", ["c"], [[cell] for cell in cells])]))
    assert classes(found) == kinds


def test_bars_are_as_long_as_their_numbers(page):
    table = Table("t", ["system", "P@1"], [["a", "30.2"], ["b", "100.0"], ["c", "-"]], bar="P@1")
    found = page(Report("title", "", [], [table]))
    styles = [value for tag, name, value in found.attributes if (tag, name) == ("td", "style")]
    assert styles == ["--share: 30.2%", "--share: 100.0%"]
    assert classes(found) == ["bar"] * 3


def test_empty_parts(page):
    found = page(Report("title", "", [], [Table("nothing", ["a", "b"], [])]))
    assert found.tables == [[["a", "b"]]]
    assert "img" not in found.tags
    assert "dl" not in found.tags


def test_the_same_report_has_the_same_bytes(tmp_path):
    report = Report("title", "summary", [("a", "b")], [Table("t", ["a"], [["1"]])])
    for name in "xy":
        write(report, tmp_path / name)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_oversharing_table():
    moved = tuple(MovedWord(f"w{i}", 0.97, 100 - i, 3) for i in range(20))
    with_pairs = OversharingRow(0.9, 1000, 900, 50, 30, 20, moved, TouchedPairs(9, 5, 1), None)
    table = oversharing_table(OversharingReport(12_345, (with_pairs,)))
    [row] = table.rows
    assert dict(zip(table.head, row, strict=True)) == {
        "gamma": "0.9",
        "source": "1,000",
        "target": "900",
        "shared": "50",
        "to source": "30",
        "to target": "20",
        "training pairs moved": "5",
        "test pairs moved": "",
        "most frequent moved words": "w0, w1, w2, w3, w4, w5, w6, w7",
    }
    assert "12,345" in table.note


def test_dictionary_table_shows_the_first_entries():
    entries = [Translation(f"s{i}", f"t{i}", 0.5, None, 1) for i in range(ENTRIES + 10)]
    table = dictionary_table(entries)
    assert len(table.rows) == ENTRIES
    assert table.rows[0] == ["s0", "t0", "0.500", ""]
    assert f"{ENTRIES} of {ENTRIES + 10}" in table.note


def test_words_and_sentences_are_escaped_and_marked(page):
    sense = Sense(EVIL, 0.4, False, 7, ["spelling"])
    words = Headwords("w", [Headword(EVIL, 9, [sense])], ("en", "ar"), EVIL)
    lines = [[("before ", False), (EVIL, True), ("\x1b[2J", False)]]
    some = ExampleEntries("e", [Example(EVIL, sense, lines, lines)], ("en", "ar"), EVIL)
    charts = Charts("c", [Chart(EVIL, EVIL, EVIL, [(0.0, 1.0)], EVIL)])
    found = page(Report("title", "", [], [words, some, charts, Prose("p", [EVIL])]))
    assert "script" not in found.tags
    assert "".join(found.text).count(EVIL) == 13
    assert found.tags.count("mark") == 2
    assert r"\x1b[2J" in "".join(found.text)
    assert ("span", "lang", "ar") in found.attributes and ("ul", "lang", "ar") in found.attributes
    assert {value for _, name, value in found.attributes if name == "dir"} == {"auto"}


def test_headwords_set_apart_what_was_given_and_what_is_unlikely(page):
    senses = [
        Sense("casa", None, True, 9, []),
        Sense("hogar", 0.71, False, 9, ["vectors"]),
        Sense("caso", 0.2, False, 9, ["spelling"]),
    ]
    found = page(Report("t", "", [], [Headwords("w", [Headword("house", 9, senses)], ("en", "es"))]))
    kinds = [value for tag, name, value in found.attributes if (tag, name) == ("span", "class")]
    assert kinds == ["given", "sure", "sure", "weak", "sure"]
    text = "".join(found.text)
    assert "house casa given, hogar 71, caso 20, looks alike" in text


def test_a_chart_lies_where_its_numbers_say(page):
    points, sizes = [(0.0, 0.0), (0.5, 0.25), (1.0, 1.0)], [1, 4, 16]
    chart = Chart("Are they true?", "given", "right", points, "how to read it", sizes, diagonal=True)
    found = page(Report("t", "", [], [Charts("c", [chart])]))
    dots = [
        [float(value) for tag, name, value in found.attributes if (tag, name) == ("circle", axis)]
        for axis in ("cx", "cy", "r")
    ]
    left, width, low = 38, 200, 212
    assert dots[0] == [left + width * x for x, _ in points]
    assert dots[1] == [low - width * y for _, y in points]
    areas = [(radius - 2) ** 2 for radius in dots[2]]
    assert areas[2] / areas[1] == pytest.approx(4, rel=0.1)
    named = [value for tag, name, value in found.attributes if (tag, name) == ("svg", "aria-label")]
    assert named == ["Are they true?. how to read it"]


def test_a_long_page_has_links_to_its_parts(page):
    parts = [Prose(f"part {n}", ["text"]) for n in range(5)]
    found = page(Report("t", "", [], parts))
    links = [value for tag, name, value in found.attributes if (tag, name) == ("a", "href")]
    heads = [value for tag, name, value in found.attributes if (tag, name) == ("h2", "id")]
    assert links == [f"#{head}" for head in heads] and len(heads) == 5
    assert "nav" not in page(Report("t", "", [], parts[:2])).tags
