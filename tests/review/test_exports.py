"""What goes out, read by programs that others wrote."""

import csv
import shutil
import subprocess
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from jointalign.errors import JointalignError
from jointalign.review.decisions import Decision, Decisions, Verdict
from jointalign.review.entries import Candidate, Entry
from jointalign.review.exports import SUFFIXES, Listed, check_export, export, listed

EN_ES = ("en", "es")
PAIRS = [
    Listed("house", "casa", probability=0.9, source_count=5, target_count=4, note="a noun"),
    Listed("house", "hogar", note="a noun"),
    Listed("ice cream", "helado"),
    Listed('<b>&"quoted"', "=1+1"),
    Listed("two\tcells", "line\nend"),
    Listed("\x1b[2J", "\u202eevil"),
    Listed("éclair", "relámpago"),
    Listed("שלום", "\U0001f600 \ufffe"),
]
# What readers are to find; controls, marks of direction and no characters are written out.
READ = {
    ("house", "casa"),
    ("house", "hogar"),
    ("ice cream", "helado"),
    ('<b>&"quoted"', "=1+1"),
    ("two\\tcells", "line\\nend"),
    ("\\x1b[2J", "\\u202eevil"),
    ("éclair", "relámpago"),
    ("שלום", "\U0001f600 \\ufffe"),
}


def written(tmp_path, suffix, pairs=PAIRS):
    path = tmp_path / f"dictionary{suffix}"
    export(pairs, path, EN_ES, "en to es")
    return path


def test_what_is_listed_was_accepted_by_somebody_and_rejected_by_nobody(tmp_path):
    entries = [
        Entry("house", 9, (Candidate("casa", 0.9, 8), Candidate("hogar", 0.4, 2))),
        Entry("sea", 5, (Candidate("mar", 0.95, 4),)),
        Entry("sky", 4, (Candidate("cielo", 0.8, 4),)),
        Entry("bird", 3, (Candidate("ave", 0.99, 4),)),
    ]
    with Decisions(tmp_path / "d.sqlite") as decisions:
        decisions.decide(
            "ana", [Decision("house", "casa", Verdict.ACCEPT), Decision("house", "hogar", Verdict.ACCEPT)]
        )
        decisions.decide(
            "ben", [Decision("house", "hogar", Verdict.REJECT), Decision("gone", "ida", Verdict.ACCEPT)]
        )
        decisions.decide(
            "ana", [Decision("house", "", Verdict.NOTE, "a noun"), Decision("bird", "", Verdict.SKIP)]
        )
        assert listed(entries, decisions) == [
            Listed("house", "casa", "accepted", 0.9, 9, 8, "a noun"),
            Listed("gone", "ida"),
        ]
        assert listed(entries, decisions, 0.9) == [
            Listed("house", "casa", "accepted", 0.9, 9, 8, "a noun"),
            Listed("sea", "mar", "undecided", 0.95, 5, 4),
            Listed("gone", "ida"),
        ]


def test_a_spreadsheet_has_a_row_a_pair_and_runs_nothing(tmp_path):
    with written(tmp_path, ".csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head[:3] == ["source", "target", "probability"] and rows[0][:3] == ["house", "casa", "0.9000"]
    assert rows[3][:2] == ['<b>&"quoted"', "'=1+1"] and rows[4][:2] == ["two\tcells", "line\nend"]


def test_tbx_has_the_structure_of_iso_30042_and_all_terms(tmp_path):
    path = written(tmp_path, ".tbx")
    space = "{urn:iso:std:iso:30042:ed-2}"
    # The core structure of the standard's third version, as far as it is used.
    allowed = {
        "tbx": ["tbxHeader", "text"],
        "tbxHeader": ["fileDesc"],
        "fileDesc": ["titleStmt", "sourceDesc"],
        "titleStmt": ["title"],
        "sourceDesc": ["p"],
        "text": ["body"],
        "body": ["conceptEntry"],
        "conceptEntry": ["note", "langSec"],
        "langSec": ["termSec"],
        "termSec": ["term"],
    }
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{space}tbx" and root.get("style") == "dca" and root.get("type") == "TBX-Basic"
    for element in root.iter():
        names = [child.tag.removeprefix(space) for child in element]
        order = allowed.get(element.tag.removeprefix(space), [])
        assert set(names) <= set(order) and names == sorted(names, key=order.index)
    entries = root.findall(f".//{space}conceptEntry")
    assert len({entry.get("id") for entry in entries}) == len(entries) == len(PAIRS)
    found = [[term.text for term in entry.iter(f"{space}term")] for entry in entries]
    assert {(source, target) for source, target in found} == READ
    codes = {
        section.get("{http://www.w3.org/XML/1998/namespace}lang") for section in root.iter(f"{space}langSec")
    }
    assert codes == {"en", "es"} and entries[0].find(f"{space}note").text == "a noun"


def test_tmx_and_omegat_are_read_by_translate_toolkit(tmp_path):
    pytest.importorskip("translate", reason="pip install translate-toolkit")
    from translate.storage.omegat import OmegaTFile
    from translate.storage.tmx import tmxfile

    memory = tmxfile.parsefile(str(written(tmp_path, ".tmx", PAIRS[:-1])))
    assert {(unit.source, unit.target) for unit in memory.units} == READ - {("שלום", "\U0001f600 \\ufffe")}
    with written(tmp_path, ".utf8").open("rb") as file:
        glossary = OmegaTFile.parsefile(file)
    found = [(unit.source, unit.target, unit.getnotes()) for unit in glossary.units]
    assert ("house", "casa", "a noun") in found
    assert {(source, target) for source, target, _ in found} == {
        (source, target.replace("\\ufffe", "\ufffe")) for source, target in READ
    }


def test_apertium_compiles_the_dictionary(tmp_path):
    path = written(tmp_path, ".dix")
    root = ElementTree.parse(path).getroot()
    assert [child.tag for child in root] == ["alphabet", "sdefs", "section"]
    text = {
        "".join(["".join(side.itertext()) + " " * len(side) for side in root.findall(f".//{name}")][:1])
        for name in "lr"
    }
    assert text == {"house", "casa"} and len(root.findall(".//e/p/l/b")) == 2
    if shutil.which("lt-comp") is None:
        pytest.skip("apt install lttoolbox")
    compiled = tmp_path / "en-es.bin"
    subprocess.run(["lt-comp", "lr", str(path), str(compiled)], check=True, capture_output=True)
    asked = subprocess.run(["lt-expand", str(path)], check=True, capture_output=True, text=True)
    assert {"house:casa", "house:hogar", "ice cream:helado"} <= set(asked.stdout.splitlines())


@pytest.mark.skipif(shutil.which("pyglossary") is None, reason="pip install pyglossary")
def test_pyglossary_reads_xdxf_and_stardict(tmp_path):
    stardict = written(tmp_path, ".ifo")
    assert {path.suffix for path in tmp_path.iterdir()} >= {".ifo", ".idx"}
    for path, kind in ((written(tmp_path, ".xdxf"), "Xdxf"), (stardict, "Stardict")):
        out = tmp_path / f"{kind}.txt"
        command = [
            "pyglossary",
            "--ui=none",
            f"--read-format={kind}",
            "--write-format=Tabfile",
            str(path),
            str(out),
        ]
        subprocess.run(command, check=True, capture_output=True)
        found = dict(line.split("\t", 1) for line in out.read_text("utf-8").splitlines() if line[0] != "#")
        assert "casa" in found["house"] and "hogar" in found["house"] and "a noun" in found["house"]
        assert "helado" in found["ice cream"] and "relámpago" in found["éclair"]


class Shown(HTMLParser):
    """Words and translations of a printed page."""

    def __init__(self):
        super().__init__()
        self.found, self._in = [], ""

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "img", "b") and not any(name.startswith("on") for name, _ in attrs)
        self._in = tag
        if tag in ("dt", "bdi"):
            self.found.append((tag, ""))

    def handle_endtag(self, tag):
        self._in = ""

    def handle_data(self, data):
        if self._in in ("dt", "bdi"):
            self.found[-1] = (self._in, self.found[-1][1] + data)


def test_the_printed_page_has_all_by_the_alphabet(tmp_path):
    parser = Shown()
    parser.feed(written(tmp_path, ".html").read_text("utf-8"))
    words = [text for tag, text in parser.found if tag == "dt"]
    assert words[-4:] == ["house", "ice cream", "two\\tcells", "שלום"] and words.index(
        "éclair"
    ) < words.index("house")
    assert {text for tag, text in parser.found if tag == "bdi"} == {
        target.replace("\\ufffe", "\ufffe") for _, target in READ
    }


@pytest.mark.parametrize("suffix", [one for one in SUFFIXES if one != ".ifo"])
def test_nothing_accepted_is_a_whole_file_all_the_same(tmp_path, suffix):
    assert written(tmp_path, suffix, []).is_file()
    if suffix in (".tbx", ".tmx", ".dix", ".xdxf"):
        ElementTree.parse(tmp_path / f"dictionary{suffix}")


def test_an_unknown_form_is_refused_before_any_work(tmp_path, monkeypatch):
    with pytest.raises(JointalignError, match=r"there are no dictionaries of this suffix; known are \.tsv"):
        check_export(tmp_path / "dictionary.doc")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(JointalignError, match="StarDict is written by pyglossary.*write .xdxf"):
        check_export(tmp_path / "dictionary.ifo")
