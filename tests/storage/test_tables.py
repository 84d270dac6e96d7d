import csv
import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.errors import FormatError, JointalignError
from jointalign.lexicon import Lexicon
from jointalign.storage.tables import (
    escaped,
    guarded,
    read_csv,
    read_table,
    unescaped,
    unguarded,
    visible,
    visible_json,
    write_table,
)

COLUMNS = {"source": "", "target": "", "score": ".6g", "margin": ".6g", "rank": "d"}
HOSTILE = [
    "two\tcells",
    "two\nlines",
    "two\rlines",
    "\x1b[2Jgone",
    "\x9b31mred",
    "a\u2028b",
    "\u202edrow",
    "nul\0",
    "=SUM(A1:A9)",
    "+1",
    "-1",
    "@user",
    "\t=1",
    "'=1",
    "'s",
    "\\",
    "\\n",
    "\\\\",
    "c:\\new\\x1b",
    'say "hi"',
    "a,b;c",
    "<b>&amp;</b>",
    "and/or",
]
PLAIN = ["#", '"', "km/h", "a;b", "a,b", "(x)", "1", "noun", "c:\\dir", "'s", "=", "-"]


def rows(words):
    return [(word, f"{word}!", -0.5, None, 1) for word in words]


@given(st.text())
def test_escapes_and_guards_are_taken_back(text):
    assert unescaped(escaped(text)) == text
    assert unguarded(guarded(text)) == text
    assert not set(escaped(text)) & {"\t", "\n", "\r", "\x1b", "\x9b"}
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("suffix", [".tsv", ".tsv.gz", ".csv", ".csv.zst", ".json", ".jsonl", ".tmx"])
def test_a_table_holds_each_word_in_one_cell(tmp_path, suffix):
    path = tmp_path / f"table{suffix}"
    report = write_table(COLUMNS, rows(HOSTILE), path, ("en", "es"))
    assert report.rows == len(HOSTILE)
    if "gz" in suffix or "zst" in suffix:
        found = list(read_table(path) if ".tsv" in suffix else read_csv(path))
        assert [cells[0] for _, cells in found[1:]][-1] == "and/or"
        return
    text = path.read_bytes().decode()
    assert not any(mark in text for mark in ("\x1b", "\x9b", "\0", "\u202e", "\u2028"))
    if suffix == ".tsv":
        lines = text.split("\n")
        assert len(lines) == len(HOSTILE) + 2 and all(line.count("\t") == 4 for line in lines[:-1])
        words = [cells[:2] for _, cells in read_table(path)][1:]
        assert report.escaped == 2 * sum(escaped(word) != word for word in HOSTILE) and not report.guarded
    elif suffix == ".csv":
        with path.open(newline="") as file:
            cells = list(csv.reader(file))[1:]
        assert all(row[2:] == ["-0.5", "", "1"] for row in cells)
        words = [[unescaped(unguarded(cell)) for cell in row[:2]] for row in cells]
        assert cells[HOSTILE.index("two\nlines")][0] == "two\nlines"
        assert cells[HOSTILE.index("=SUM(A1:A9)")][0] == "'=SUM(A1:A9)"
        assert report.guarded == 2 * 6
    elif suffix == ".tmx":
        units = list(ElementTree.parse(path).getroot().iter("tu"))
        words = [[unescaped(seg.text) for seg in unit.iter("seg")] for unit in units]
        code = "{http://www.w3.org/XML/1998/namespace}lang"
        assert [variant.get(code) for variant in units[0].iter("tuv")] == ["en", "es"]
    else:
        found = json.loads(text) if suffix == ".json" else list(map(json.loads, text.splitlines()))
        words = [[row["source"], row["target"]] for row in found]
        assert found[0] | {"source": "", "target": ""} == {
            "source": "",
            "target": "",
            "score": -0.5,
            "margin": None,
            "rank": 1,
        }
    assert words == [[word, f"{word}!"] for word in HOSTILE]


@pytest.mark.parametrize("suffix", [".tsv", ".csv"])
@pytest.mark.parametrize(
    "columns", [COLUMNS, {"source": "", "target": "", "probability": ".4f", "rank": "d", "source_count": "d"}]
)
def test_our_own_table_is_a_dictionary_of_the_same_words(tmp_path, suffix, columns):
    path = tmp_path / f"dictionary{suffix}"
    made = [(word, f"{word}x", 0.5, None, 1) for word in PLAIN]
    write_table(columns, made, path)
    lexicon = Lexicon.read(path, lowercase=False)
    assert lexicon.pairs == tuple((word, f"{word}x") for word in PLAIN)
    assert (lexicon.report.header, lexicon.report.lines) == (1, len(PLAIN) + 1)
    write_table(columns, [*made, ("two\twords", "x", 0.5, 1, 1)], path)
    report = Lexicon.read(path, lowercase=False).report
    assert (report.pairs, report.multiword) == (len(PLAIN), 1)


@pytest.mark.parametrize(
    "text",
    [
        "house,casa\nsun,sol\n",
        "house;casa\nsun;sol\n",
        "\ufeffsource,target\r\nhouse,casa\r\nsun,sol\r\n",
        '"house","casa"\n"sun","sol"\n',
        "house,casa,12\nsun,sol,30\n",
        "# words\n\nhouse,casa\nsun,sol\nalone\n",
    ],
)
def test_a_dictionary_may_be_csv(tmp_path, text):
    path = tmp_path / "words.csv"
    path.write_text(text)
    assert Lexicon.read(path).pairs == (("house", "casa"), ("sun", "sol"))


@pytest.mark.parametrize("name", ["en-es.json", "en-es.jsonl", "en-es.tmx", "en-es.xlsx"])
def test_what_has_no_lines_is_no_dictionary(tmp_path, name):
    (tmp_path / name).write_text('{"source": "house", "target": "casa"}\n')
    with pytest.raises(FormatError, match=r"read from lines of text or \.csv"):
        Lexicon.read(tmp_path / name)


@pytest.mark.parametrize("name", ["x.xlsx", "x", "x.txt", "x.gz", "x.html"])
def test_unknown_suffixes_are_refused(tmp_path, name):
    with pytest.raises(JointalignError, match=r"known are \.tsv, \.csv, \.json, \.jsonl, \.tmx"):
        write_table(COLUMNS, rows("a"), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("languages", [("und", "es"), ("en", "en"), ("source", "target")])
def test_tmx_names_its_languages(tmp_path, languages):
    with pytest.raises(JointalignError, match="TMX names two languages"):
        write_table(COLUMNS, rows("a"), tmp_path / "x.tmx", languages)


def test_messages_keep_their_layout():
    assert visible("a\tb\nc\x1b[31m\x07\r") == "a\tb\nc\\x1b[31m\\x07\\r"
    line = visible_json({"word": "\x1b\x9b\u2028é"})
    assert line.isprintable() and json.loads(line) == {"word": "\x1b\x9b\u2028é"}
