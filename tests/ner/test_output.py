"""Tagged text as other programs read it: nothing of the line is lost, and places are exact."""

import json

import pytest

from jointalign.errors import JointalignError
from jointalign.ner import Sentence
from jointalign.ner.base import Entity
from jointalign.ner.output import Output, TaggedText, check_form, write_tagged, written

LINE = "  Ana María\u00a0 lives,\tin Río|Sur . "
WORDS = ("Ana", "María", "lives", ",", "in", "Río|Sur", ".")
PLACES = ((2, 5), (6, 11), (13, 18), (18, 19), (20, 22), (23, 30), (31, 32))
TAGGED = TaggedText(
    Sentence(WORDS, ("B-PER", "I-PER", "O", "O", "O", "B-LOC", "O")),
    LINE,
    PLACES,
    (Entity(0, 2, "PER", 0.875), Entity(5, 6, "LOC", 1.0)),
    "columns\n",
)
PLAIN = TaggedText(Sentence(("no", "name"), ("O", "O")), "no name", ((0, 2), (3, 7)), (), "")


def test_forms_are_named_by_suffixes():
    names = ("a.jsonl", "a.ndjson.gz", "a.conllu.zst", "a.spacy", "a.txt", None)
    wanted = [Output.JSONL, Output.JSONL, Output.CONLLU, Output.DOCBIN, Output.CONLL, Output.CONLL]
    assert [Output.of(name) for name in names] == wanted


def test_json_lines_hold_exact_places(tmp_path):
    write_tagged([TAGGED, PLAIN], tmp_path / "out.jsonl", Output.JSONL)
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text("utf-8").splitlines())
    assert first["text"] == LINE and second["entities"] == []
    assert [LINE[start:end] for start, end in first["places"]] == list(WORDS) == first["words"]
    person, place = first["entities"]
    assert person["text"] == "Ana María" == LINE[person["start_character"] : person["end_character"]]
    assert (place["type"], place["start"], place["end"], place["probability"]) == ("LOC", 5, 6, 1.0)


def unescaped(text):
    escapes = {"s": " ", "t": "\t", "n": "\n", "p": "|", "\\": "\\"}
    parts = iter(text)
    return "".join(escapes[next(parts)] if one == "\\" else one for one in parts)


def test_conllu_gives_the_line_back():
    lines = written(TAGGED, Output.CONLLU, 7).splitlines()
    assert lines[:2] == ["# sent_id = 7", f"# text = {LINE}"] and lines[-1] == ""
    rows = [line.split("\t") for line in lines[2:-1]]
    assert [row[0] for row in rows] == [str(n) for n in range(1, 8)] and {len(row) for row in rows} == {10}
    text, tags = LINE[:2], []
    for row in rows:
        about = dict(part.split("=", 1) for part in row[9].split("|"))
        tags.append(about["ner"])
        assert LINE[int(about["start_char"]) : int(about["end_char"])] == row[1]
        after = "" if about.get("SpaceAfter") == "No" else unescaped(about.get("SpacesAfter", "\\s"))
        text += row[1] + after
    assert text == LINE + "\n" and tuple(tags) == TAGGED.sentence.tags
    assert "ner=B-PER|probability=0.875000" in rows[0][9] and "probability" not in rows[1][9]


def test_spacy_reads_what_was_tagged(tmp_path):
    spacy = pytest.importorskip("spacy", reason="needs spaCy")
    from spacy.tokens import DocBin

    write_tagged([TAGGED, PLAIN], tmp_path / "out.spacy", Output.DOCBIN)
    vocabulary = spacy.blank("xx").vocab
    first, second = DocBin().from_disk(tmp_path / "out.spacy").get_docs(vocabulary)
    assert (first.text, second.text) == (LINE, "no name")
    found = [(LINE[e.start_char : e.end_char], e.text, e.label_) for e in first.ents]
    assert found == [("Ana María", "Ana María", "PER"), ("Río|Sur", "Río|Sur", "LOC")]
    assert [token.text for token in first if not token.is_space] == list(WORDS)
    assert list(first.user_data["probabilities"]) == [0.875, 1.0] and second.ents == ()


def test_a_docbin_needs_a_file():
    pytest.importorskip("spacy", reason="needs spaCy")
    with pytest.raises(JointalignError, match="--out"):
        check_form(Output.DOCBIN, None)
